"""The window's lines beside its tables: badges on top, why the data may be old, the alerts line. A core."""

from __future__ import annotations

from typing import Final

from monitor.ui import confirmations, troubles
from monitor.ui.profit import total_made
from monitor.ui.snapshot import Shown
from monitor.ui.text import Piece, Tone, age, text_of
from shared.clock import SECOND

LISTENING: Final = "Listening on the bus…"
NOT_HALTED: Final = "not halted"


def badges(shown: Shown) -> list[Piece]:
    """Return whose money, halted or not, how many are ready, what is open, what was made, the time."""
    ready, every = sum(one.state == "ready" for one in shown.processes.values()), len(shown.processes)
    control = shown.control
    made = total_made(shown)
    return [
        confirmations.money_at_stake(shown),
        ("FLATTENING", Tone.ALARM)
        if control.flattening
        else ("HALTED", Tone.ALARM)
        if control.halted
        else (NOT_HALTED, Tone.PLAIN),
        ("SYSTEM DOWN", Tone.ALARM)
        if shown.heard == "down"
        else (f"{ready}/{every} ready", Tone.GOOD if ready == every else Tone.WARN),
        (f"{shown.open_orders} open{'' if shown.orders.known else '?'}", Tone.PLAIN),
        (f"P&L {made} {shown.profit.currency}" if made is not None else "P&L not known", Tone.STRONG),
        (f"{troubles.clock(shown.wall / SECOND)} UTC", Tone.QUIET),
    ]


def banner(shown: Shown, source: str) -> str:
    """Why nothing is shown, or how old it is, and what to type; empty while the system is heard."""
    if shown.heard == "listening":
        return f"{LISTENING} {source}"
    if shown.heard == "up":
        return ""
    heard = any(one.pid is not None for one in shown.processes.values())
    lines = [
        f"The system is down: no process was heard for {age(shown.silent_s)}. What is below is that old."
        if heard
        else "The system is down: no process was heard since this window was opened.",
        "Start it: make run  (as a daemon: .venv/bin/supervisord -c supervisord.conf). This window goes on by itself.",
    ]
    if shown.open_orders:
        lines.append(
            f"When last heard, {confirmations.orders_open(shown.open_orders)}. Halt cancels by REST; "
            "'.venv/bin/tradebyte orders' tells what is open once it is back."
        )
    if shown.control.halted:
        lines.append(f"It is halted: {shown.control.why}")
    return "\n".join(lines)


def alerts(shown: Shown) -> Piece:
    """The worst that is wrong now, and how much more is; when nothing is, the newest that was told."""
    if shown.heard == "listening":
        return "", Tone.PLAIN
    found = troubles.now(shown)
    if found:
        more = f"   (and {len(found) - 1} more: tradebyte top, then a)" if len(found) > 1 else ""
        text = text_of(found[0]).replace("halted, r resumes", "halted").replace("this screen", "this window")
        return text + more, found[0][0][1]
    told = troubles.lately(shown)
    return "nothing is wrong now" + (f"; last told {text_of(told[0])}" if told else ""), Tone.QUIET
