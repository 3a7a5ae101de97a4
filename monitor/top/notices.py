"""Sentences of the screen: at the start, when nothing is heard, and as help."""

from __future__ import annotations

from typing import Final

from monitor.model.ages import SHORT, age
from monitor.ui import confirmations
from monitor.ui.snapshot import Snapshot
from monitor.ui.text import Row, Tone, cut, plain, wrapped
from shared import limits

KEYS: Final = (
    ("h", "halt"),
    ("r", "resume"),
    ("f", "flatten"),
    ("s", "restart"),
    ("/", "filter"),
    ("n", "next pair"),
    ("a", "alerts"),
    ("?", "help"),
    ("q", "quit"),
)
HELP: Final = (
    ("h", "halt: pull every order, place nothing more until resume"),
    ("r", "resume: end a halt"),
    ("f", "flatten: pull every order, close every position, halt"),
    ("s", "restart one process, which you then choose"),
    ("n  p", "next, previous pair in the ladder"),
    ("/", "filter orders, fills and alerts by a pair or any text; Esc ends it"),
    ("o  i", "all orders; all fills"),
    ("l  a", "every latency figure; all alerts and warnings"),
    ("m", "back to the main screen; Esc as well"),
    ("arrows", "scroll a list; Page Up, Page Down, Home, End as well"),
    ("q", "quit; trading goes on as it is"),
)
LEGEND: Final = (
    "h, r, f and s ask first, and act only on y. Processes: lag is the loop's, in ms; rst counts restarts seen since "
    "this screen was opened; gaps and drop are messages that a process missed and that were dropped on the way to it. "
    "Latency is in ms since this screen was opened. P&L is realised and unrealised less fees, of a pair in "
    "its quote asset; fx is what moves of the rates made of it. Position and worth are the base's over all its pairs, "
    "beside the first of them. Times are UTC."
)


def listening(source: str, width: int) -> list[Row]:
    """Return the rows of the first seconds."""
    return [((cut("listening on the bus…", width), Tone.QUIET),), (), *wrapped(source, width, Tone.QUIET)]


def down(snapshot: Snapshot, source: str, width: int) -> list[Row]:
    """Return rows that say that nothing is heard, what it means, and what to do."""
    rows: list[Row] = [(("The system is down", Tone.BAD),), ()]
    heard = any(process.pid is not None for process in snapshot.processes.values())
    silent = f"for {age(snapshot.silent_s, SHORT)}" if heard else "since this screen was opened"
    rows += wrapped(f"No process has been heard {silent}.", width)
    rows += [(), *wrapped("Start it:  make run", width, Tone.STRONG)]
    rows += wrapped("or as a daemon:  .venv/bin/supervisord -c supervisord.conf", width)
    if snapshot.open_orders:
        rows += [(), *wrapped(_orders_left(snapshot), width, Tone.WARN)]
    if snapshot.control.halted:
        rows += [(), *wrapped(f"It is halted: {snapshot.control.why}", width, Tone.WARN)]
    rows += [(), *wrapped("This screen goes on by itself. q quits.", width)]
    return [*rows, *wrapped(source, width, Tone.QUIET)]


def _orders_left(snapshot: Snapshot) -> str:
    return (
        f"When last heard, {confirmations.orders_open(snapshot.open_orders)}: Kraken's dead man's switch pulls what "
        f"was not pulled, within {limits.SWITCH_TIMEOUT_S} s of the executor's end; h cancels by REST."
    )


def help_rows(width: int) -> list[Row]:
    """Return every key, and what the columns mean."""
    rows: list[Row] = []
    for key, text in HELP:
        first, *more = wrapped(text, width - 8)
        rows.append(((f"{key:<8}", Tone.STRONG), *first))
        rows += [(plain(" " * 8), *row) for row in more]
    return [*rows, (), *wrapped(LEGEND, width, Tone.QUIET)]
