"""Questions of a view before it halts, resumes, flattens or restarts, and the sign of real money."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Final

from monitor.control import flattening
from monitor.ui.snapshot import Snapshot
from monitor.ui.text import Tone

RESTARTS: Final = {
    "simulator": "It is the sandbox's exchange: its connections break, and quotes are back after it.",
    "collector": "Every book is invalid until it is back, and quotes are pulled.",
    "book": "Every book is invalid until it is back, and quotes are pulled.",
    "executor": "It pulls every order before it goes. ('tradebyte restart executor --keep' leaves them.)",
    "relay": "Trading goes on; commands and views hear the processes themselves until it is back.",
    "monitor": "Trading goes on; alerts and the web page are silent until it is back.",
}
QUOTES_STAY: Final = "It is back before its quotes expire, and they keep their place."


def money_at_stake(snapshot: Snapshot) -> tuple[str, Tone]:
    """Return whose money it is, in a word or two."""
    if snapshot.control.sandbox:
        return "SANDBOX", Tone.GOOD
    if snapshot.control.dry_run:
        return "DRY RUN", Tone.WARN
    return "REAL MONEY", Tone.ALARM


def orders_open(count: int) -> str:
    """Return how many orders, as a clause."""
    return f"{count} order was open" if count == 1 else f"{count} orders were open"


def ask_halt(snapshot: Snapshot) -> list[str]:
    """Return what halt does now."""
    sure = "" if snapshot.orders.known else " when last heard"
    return [f"Halt: pull every order ({snapshot.open_orders} open{sure}), and place nothing more until resume?"]


def ask_resume(snapshot: Snapshot) -> list[str]:
    """Return what resume does now."""
    return ["Resume: let quotes be placed again?", f"It was halted {snapshot.control.why}"]


def ask_flatten(snapshot: Snapshot) -> list[str]:
    """Return what flatten does now."""
    if snapshot.control.dry_run:
        return ["Flatten? It will be refused: a dry run sends nothing, so nothing can be closed."]
    lines = flattening.describe(_positions(snapshot))
    return [
        "Flatten: pull every order, close every position at the market within the price band, and halt?",
        *(lines or ["No position is known now." if not snapshot.profit.valid else "There is no position to close."]),
    ]


def ask_restart(process: str) -> list[str]:
    """Return what a restart of this process does."""
    return [f"Restart {process}?", RESTARTS.get(process, QUOTES_STAY)]


def _positions(snapshot: Snapshot) -> dict[str, Decimal]:
    """Return what a flatten would close, by asset; dust is no position."""
    amounts = {}
    for asset, row in snapshot.positions.assets.items():
        try:
            amount, least = Decimal(row.position), Decimal(row.least)
        except InvalidOperation:
            continue
        if amount and abs(amount) >= least and not row.held:
            amounts[asset] = amount
    return amounts
