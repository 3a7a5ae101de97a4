"""The window's lines beside its tables: badges on top, why the data may be old, the alerts line."""

from __future__ import annotations

from typing import Final

from monitor.model.ages import SHORT, age
from monitor.ui import confirmations, headline, troubles
from monitor.ui.snapshot import Snapshot
from monitor.ui.text import Piece, Tone, text_of
from shared.clock import SECOND

LISTENING: Final = "Listening on the bus…"


def badges(snapshot: Snapshot) -> list[Piece]:
    """Return whose money, halted or not, how many are ready, what is open, what was made, the time."""
    clock = f"{troubles.clock(snapshot.wall / SECOND)} UTC"
    return [*headline.pieces(snapshot, unsure=Tone.PLAIN), (clock, Tone.QUIET)]


def banner(snapshot: Snapshot, source: str) -> str:
    """Return why nothing is drawn, or how old it is, and what to type; empty while the system is heard."""
    if snapshot.heard == "listening":
        return f"{LISTENING} {source}"
    if snapshot.heard == "up":
        return ""
    heard = any(one.pid is not None for one in snapshot.processes.values())
    lines = [
        f"The system is down: no process was heard for {age(snapshot.silent_s, SHORT)}. What is below is that old."
        if heard
        else "The system is down: no process was heard since this window was opened.",
        "Start it: make run  (as a daemon: .venv/bin/supervisord -c supervisord.conf). This window goes on by itself.",
    ]
    if snapshot.open_orders:
        lines.append(
            f"When last heard, {confirmations.orders_open(snapshot.open_orders)}. Halt cancels by REST; "
            "'.venv/bin/tradebyte orders' shows what is open once it is back."
        )
    if snapshot.control.halted:
        lines.append(f"It is halted: {snapshot.control.why}")
    return "\n".join(lines)


def alerts(snapshot: Snapshot) -> Piece:
    """Return the worst trouble and how many more there are; without any, the newest alert."""
    if snapshot.heard == "listening":
        return "", Tone.PLAIN
    wrong = troubles.now(snapshot)
    if wrong:
        more = f"   (and {len(wrong) - 1} more: tradebyte top, then a)" if len(wrong) > 1 else ""
        return text_of(wrong[0]) + more, wrong[0][0][1]
    recent = troubles.lately(snapshot)
    return "nothing is wrong now" + (f"; last alert {text_of(recent[0])}" if recent else ""), Tone.QUIET
