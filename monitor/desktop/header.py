"""The window's lines beside its tables: badges on top, why the data may be old, the alerts line."""

from __future__ import annotations

from typing import Final

from monitor.ui import confirmations, troubles
from monitor.ui.profit import total_made
from monitor.ui.snapshot import Snapshot
from monitor.ui.text import Piece, Tone, age, text_of
from shared.clock import SECOND

LISTENING: Final = "Listening on the bus…"
NOT_HALTED: Final = "not halted"


def badges(snapshot: Snapshot) -> list[Piece]:
    """Return whose money, halted or not, how many are ready, what is open, what was made, the time."""
    ready, every = sum(one.state == "ready" for one in snapshot.processes.values()), len(snapshot.processes)
    control = snapshot.control
    made = total_made(snapshot)
    return [
        confirmations.money_at_stake(snapshot),
        ("FLATTENING", Tone.ALARM)
        if control.flattening
        else ("HALTED", Tone.ALARM)
        if control.halted
        else (NOT_HALTED, Tone.PLAIN),
        ("SYSTEM DOWN", Tone.ALARM)
        if snapshot.heard == "down"
        else (f"{ready}/{every} ready", Tone.GOOD if ready == every else Tone.WARN),
        (f"{snapshot.open_orders} open{'' if snapshot.orders.known else '?'}", Tone.PLAIN),
        (f"P&L {made} {snapshot.profit.currency}" if made is not None else "P&L not known", Tone.STRONG),
        (f"{troubles.clock(snapshot.wall / SECOND)} UTC", Tone.QUIET),
    ]


def banner(snapshot: Snapshot, source: str) -> str:
    """Return why nothing is drawn, or how old it is, and what to type; empty while the system is heard."""
    if snapshot.heard == "listening":
        return f"{LISTENING} {source}"
    if snapshot.heard == "up":
        return ""
    heard = any(one.pid is not None for one in snapshot.processes.values())
    lines = [
        f"The system is down: no process was heard for {age(snapshot.silent_s)}. What is below is that old."
        if heard
        else "The system is down: no process was heard since this window was opened.",
        "Start it: make run  (as a daemon: .venv/bin/supervisord -c supervisord.conf). This window goes on by itself.",
    ]
    if snapshot.open_orders:
        lines.append(
            f"When last heard, {confirmations.orders_open(snapshot.open_orders)}. Halt cancels by REST; "
            "'.venv/bin/tradebyte orders' tells what is open once it is back."
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
    return "nothing is wrong now" + (f"; last told {text_of(recent[0])}" if recent else ""), Tone.QUIET
