"""Volatility and trend of a mid: EWMAs of its squared moves by the second, and of its moves.

The volatility samples the mid in force at whole seconds. So it depends on the mid's path alone, not on how many
messages carried it, and the touch's bouncing by a tick within a second does not count as volatility.
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


class MidTrend:
    """The decayed mean of a mid's moves: how fast it went lately, and by how much more than chance."""

    def __init__(self, half_life_s: float) -> None:
        self._tau_s = half_life_s / math.log(2)
        self._at = 0
        self._mid: float | None = None
        self._speed = 0.0

    def add(self, now: int, mid: float) -> None:
        """Take in the mid as it is at ``now``."""
        if self._mid is not None:
            self._speed = self.bps(now) + math.log(mid / self._mid) / BP / self._tau_s
        self._at, self._mid = now, mid

    def bps(self, now: int) -> float:
        """Return the mean speed in bp a second, upwards above 0."""
        return self._speed * math.exp(-max(0, now - self._at) / SECOND / self._tau_s)

    def errors(self, now: int, sigma: float) -> float:
        """Return the speed in standard errors: those of a mid without trend, of ``sigma`` bp per √s."""
        return self.bps(now) * math.sqrt(2 * self._tau_s) / sigma if sigma > 0 else 0.0
