"""Alerts and log lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from monitor.model.sections import AlertsShown, LogShown
from monitor.web import staleness
from monitor.web.drawing import markup
from monitor.web.drawing.markup import Cell, Column
from shared import limits

ACTIVE: Final = (Column("level"), Column("what"), Column("of"), Column("text"), Column("since, UTC"))
RECENT: Final = (Column("time, UTC"), Column("level"), Column("what"), Column("from"), Column("text"))
LINES: Final = (Column("time, UTC"), Column("level"), Column("process"), Column("event"), Column("more"))


def active(alerts: AlertsShown) -> str:
    """Return the table of what is wrong now."""
    rows: list[list[Cell | str]] = [
        [markup.state(alert.level), alert.kind, alert.name, alert.text, staleness.clock(alert.since_ts)]
        for alert in alerts.active
    ]
    return markup.table("active", ACTIVE, rows, "nothing is wrong")


def recent(alerts: AlertsShown) -> str:
    """Return the table of recent alerts, newest first."""
    rows: list[list[Cell | str]] = [
        [staleness.day_and_clock(alert.ts), markup.state(alert.level), alert.kind, alert.src, alert.text]
        for alert in list(reversed(alerts.recent))[: limits.WEB_ROWS]
    ]
    return markup.table("recent", RECENT, rows, "no alert yet")


@dataclass(frozen=True, slots=True)
class LogFilter:
    """A filter of log lines by process and text; empty leaves everything."""

    process: str = ""
    text: str = ""

    def leaves(self, lines: Sequence[LogShown]) -> list[LogShown]:
        """Return the lines that fit, in their order."""
        wanted = self.text.strip().lower()
        return [
            line
            for line in lines
            if (not self.process or line.process == self.process)
            and (not wanted or wanted in f"{line.level} {line.process} {line.event} {more(line)}".lower())
        ]


def more(line: LogShown) -> str:
    """Return a line's fields as its log file has them."""
    return " ".join(f"{name}={value}" for name, value in line.fields.items())


def lines(kept: Sequence[LogShown]) -> str:
    """Return the table of log lines, newest first."""
    rows: list[list[Cell | str]] = [
        [staleness.clock(line.ts), markup.state(line.level), line.process, line.event, more(line)]
        for line in list(reversed(kept))[: limits.WEB_ROWS]
    ]
    return markup.table("log", LINES, rows, "no line fits")
