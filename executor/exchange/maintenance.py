"""Announced maintenance (T4): quotes are pulled a little before it begins, and then the switch is disarmed.

A switch left armed would pull every order of the account when the engine is back, foreign ones too.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from shared import limits
from shared.clock import SECOND, parse_rfc3339

_LEAD = int(limits.MAINTENANCE_LEAD_S * SECOND)


class _Notice(msgspec.Struct):
    start_time: str
    end_time: str | None = None


class Maintenance:
    """The maintenance that the newest status announces; times are ns since the epoch by the exchange's clock."""

    def __init__(self) -> None:
        self._windows: list[tuple[int, int]] = []

    def take(self, notices: Iterable[object]) -> bool:
        """Take the notices of a status, in place of the last one's; return False if one of them cannot be read.

        No capture shows a notice: only the members that are indispensable are read.
        """
        self._windows = []
        all_read = True
        for notice in notices:
            try:
                window = msgspec.convert(notice, _Notice)
                begin = parse_rfc3339(window.start_time)
                end = parse_rfc3339(window.end_time) if window.end_time else begin + _LEAD
            except ValueError:
                all_read = False
            else:
                self._windows.append((begin, end))
        return all_read

    def begins_ts(self, exchange_now_ts: int) -> int:
        """Return the begin of a maintenance that is near or due, or 0; it counts as over at its announced end."""
        return next((begin for begin, end in self._windows if begin - _LEAD <= exchange_now_ts < end), 0)
