"""Volatility of a mid in bp per √s: an EWMA of squared moves by the second.

It samples the mid in force at whole seconds. So it depends on the mid's path alone, not on how many messages carried
it, and the touch's bouncing by a tick within a second does not count as volatility.
"""

from __future__ import annotations

import math

from shared.clock import SECOND

BP = 1e-4
SAMPLES_LEAST = 20


class MidVolatility:
    """The square root of the decayed mean of squared moves by the second; a gap of a half-life begins anew.

    Known from ``SAMPLES_LEAST`` seconds, which put the standard error at about 16 % for normal moves.
    """

    def __init__(self, half_life_s: float) -> None:
        self._decay = 0.5 ** (1 / half_life_s)
        self._gap_s = math.ceil(half_life_s) + 1
        self._second: int | None = None
        self._sampled: float | None = None
        self._mid = 0.0
        self._squares = self._weight = 0.0
        self._samples = 0

    def add(self, now: int, mid: float) -> None:
        """Take in the mid as it is at ``now``."""
        second = now // SECOND
        if self._second is None or second - self._second > self._gap_s:
            # The first second has no beginning, so moves count from the next one on.
            self._sampled = None
            self._squares = self._weight = 0.0
            self._samples = 0
        elif second > self._second:
            self._sample(second - self._second)
        self._second, self._mid = second, mid

    def bps(self) -> float | None:
        """Return the volatility in bp per √s, or None while it is not known."""
        return math.sqrt(self._squares / self._weight) if self._samples >= SAMPLES_LEAST else None

    def _sample(self, seconds: int) -> None:
        """Take in whole seconds that ended at the mid in force: all of its move falls into the first."""
        if self._sampled is None:
            self._sampled = self._mid
            seconds -= 1
        if seconds:
            keep = self._decay**seconds
            move_bps = math.log(self._mid / self._sampled) / BP
            self._squares = self._squares * keep + move_bps * move_bps * self._decay ** (seconds - 1)
            self._weight = self._weight * keep + (1 - keep) / (1 - self._decay)
            self._samples += seconds
            self._sampled = self._mid
