"""The volume that an account has traded in 30 days, which decides its fees (KRAKEN.md 6.1). No clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from simulator.pairs.pairs import fee_row
from simulator.wire import NS

HOUR_NS = 3600 * NS
HOURS = 30 * 24


class Volume:
    """Units of the dollar traded by this hour (since the epoch) and the 719 before it.

    ``start`` is what counts beside that and never ends; ``hours`` are (hour, units) of an earlier run. ``row`` is the
    row of the fee schedule that ``units`` reach.
    """

    __slots__ = ("_hours", "row", "units")

    def __init__(self, start: int, hours: Iterable[tuple[int, int]] = ()) -> None:
        self._hours = deque(hours)
        self.units = start + sum(units for _, units in self._hours)
        self.row = fee_row(self.units)

    def add(self, units: int, now: int) -> None:
        """Add a fill of ``units``; the fees of the next one follow."""
        hour = now // HOUR_NS
        if self._hours and self._hours[-1][0] >= hour:
            # Later than now: the clock has been put back.
            hour, known = self._hours.pop()
            self._hours.append((hour, known + units))
        else:
            self._hours.append((hour, units))
        self.units += units
        self.row = fee_row(self.units)

    def expire(self, now: int) -> None:
        """Forget what is 30 days old."""
        while self._hours and self._hours[0][0] <= now // HOUR_NS - HOURS:
            self.units -= self._hours.popleft()[1]
            self.row = fee_row(self.units)
