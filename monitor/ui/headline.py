"""The first line of a view: whose money, halted or not, how many processes are ready, what is open, the profit."""

from __future__ import annotations

from monitor.ui import confirmations
from monitor.ui.profit import total_made
from monitor.ui.snapshot import Snapshot
from monitor.ui.text import Piece, Tone
from shared.messages import ProcessState


def pieces(snapshot: Snapshot, unsure: Tone) -> list[Piece]:
    """Return the line's pieces; ``unsure`` is the tone of open orders that are not known for sure."""
    sure = snapshot.orders.known
    made = total_made(snapshot)
    profit = f"P&L {made} {snapshot.profit.currency}" if made is not None else "P&L not known"
    return [
        confirmations.money_at_stake(snapshot),
        _halt(snapshot),
        _ready(snapshot),
        (f"{snapshot.open_orders} open{'' if sure else '?'}", Tone.PLAIN if sure else unsure),
        (profit, Tone.STRONG),
    ]


def _halt(snapshot: Snapshot) -> Piece:
    if snapshot.control.flattening:
        return "FLATTENING", Tone.ALARM
    return ("HALTED", Tone.ALARM) if snapshot.control.halted else ("not halted", Tone.PLAIN)


def _ready(snapshot: Snapshot) -> Piece:
    if snapshot.heard == "down":
        return "SYSTEM DOWN", Tone.ALARM
    ready, every = (
        sum(each.state == ProcessState.READY for each in snapshot.processes.values()),
        len(snapshot.processes),
    )
    return f"{ready}/{every} ready", Tone.GOOD if ready == every else Tone.WARN
