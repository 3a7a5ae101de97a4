"""Troubles for a person to see first, the worst on top: current ones, then recent alerts."""

from __future__ import annotations

import time

from monitor.model.sections import RecentAlert
from monitor.model.view import DEAD
from monitor.ui.snapshot import Snapshot
from monitor.ui.text import Row, Tone, plain, text_of
from shared.messages import BookState, ProcessState

# Alerts about what these rows show anyway, from its source and sooner.
SAID_ABOVE = ("book-invalid", "reconcile")


def now(snapshot: Snapshot, halted: str = "halted", view: str = "this window") -> list[Row]:
    """Return what is wrong at this moment; ``halted`` and ``view`` are what the view calls a halt and itself."""
    rows: list[Row] = []
    if snapshot.control.halted:
        rows.append(_line(Tone.BAD, halted, snapshot.control.why))
    for name, why in snapshot.control.paused.items():
        rows.append(_line(Tone.WARN, name, f"paused, 'tradebyte resume {name}' ends it: {why}"))
    for is_bad, what, why in snapshot.troubles:
        rows.append(_line(Tone.BAD if is_bad else Tone.WARN, what, why))
    for name, process in snapshot.processes.items():
        if process.state == ProcessState.READY or (process.state == ProcessState.HALTED and snapshot.control.halted):
            continue
        why = f": {process.why}" if process.why else ""
        rows.append(_line(Tone.BAD if process.state == DEAD else Tone.WARN, name, f"{process.state}{why}"))
    rows += _books(snapshot)
    if snapshot.is_heard("executor") and not snapshot.orders.known:
        rows.append(_line(Tone.WARN, "orders", "not known until the executor has reconciled with Kraken"))
    if snapshot.is_heard("executor") and not snapshot.profit.valid and snapshot.profit.why:
        rows.append(_line(Tone.WARN, "P&L", snapshot.profit.why))
    rows += [
        _line(Tone.BAD if alert.level == "critical" else Tone.WARN, alert.kind, alert.text)
        for alert in snapshot.alerts.active
        if alert.kind not in SAID_ABOVE
    ]
    if snapshot.note:
        rows.append(_line(Tone.WARN, view, snapshot.note))
    return rows


def lately(snapshot: Snapshot) -> list[Row]:
    """Return the published alerts, newest first."""
    return [_alert_row(alert) for alert in reversed(snapshot.alerts.recent)]


def matching(rows: list[Row], wanted: str) -> list[Row]:
    """Return the rows that hold a text, whatever its case."""
    return [row for row in rows if wanted.lower() in text_of(row).lower()]


def clock(ts: float) -> str:
    """Return seconds since the epoch as the time of day, UTC."""
    return time.strftime("%H:%M:%S", time.gmtime(ts))


def _books(snapshot: Snapshot) -> list[Row]:
    """Return rows for books that are not live, those with one reason together."""
    by_reason: dict[tuple[str, str], list[str]] = {}
    for symbol, book in snapshot.books.items():
        if book.state != BookState.LIVE:
            by_reason.setdefault((book.state, book.why), []).append(symbol)
    return [
        _line(Tone.WARN, ", ".join(symbols), f"book {state}{f': {why}' if why else ''}")
        for (state, why), symbols in by_reason.items()
    ]


def _line(tone: Tone, what: str, text: str) -> Row:
    return (plain(f"! {what}: ", tone), plain(text, tone))


def _alert_row(alert: RecentAlert) -> Row:
    tone = {"critical": Tone.BAD, "warning": Tone.PLAIN}.get(alert.level, Tone.QUIET)
    return ((f"{clock(alert.ts)} ", Tone.QUIET), plain(f"{alert.level}: {alert.text}", tone))
