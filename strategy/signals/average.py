"""The time-weighted average of the mid, which forgets with a half-life."""

from __future__ import annotations

from shared.clock import SECOND


class AverageMid:
    """Follows the mid in force; the first one is where it begins."""

    def __init__(self, half_life_s: float) -> None:
        self._half_life_s = half_life_s
        self._at: int | None = None
        self._mid = self._average = 0.0

    def add(self, now: int, mid: float) -> float:
        """Take in the mid as it is at ``now``, and return the average."""
        if self._at is None:
            self._average = mid
        else:
            keep = 0.5 ** ((now - self._at) / SECOND / self._half_life_s)
            self._average = self._mid + keep * (self._average - self._mid)
        self._at, self._mid = now, mid
        return self._average
