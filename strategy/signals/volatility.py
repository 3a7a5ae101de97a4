"""Volatility of the mid in bp per √s: an EWMA of moves by the second, and Parkinson's estimate from high and low.

Both sample the mid in force at whole seconds, or bars of them. So they depend on the mid's path alone, not on how many
messages carried it, and the touch's bouncing by a tick within a second does not count as volatility.
"""

from __future__ import annotations

import math

from shared.clock import SECOND
from strategy.signals.values import NO_SIGNAL, Signal

BP = 1e-4
SAMPLES_LEAST = 20
BAR_S = 5
BARS_LEAST = 6


class EwmaVolatility:
    """The square root of the decayed mean of squared moves by the second; a gap of a half-life begins anew.

    Valid from ``SAMPLES_LEAST`` seconds, which put the standard error at about 16 % for normal moves.
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

    def signal(self) -> Signal:
        """Return the volatility in bp per √s."""
        if self._samples < SAMPLES_LEAST:
            return NO_SIGNAL
        return Signal(math.sqrt(self._squares / self._weight), True)


class ParkinsonVolatility:
    """Parkinson (1980): the mean of ln(high/low)² over bars of ``BAR_S``, by 4 ln 2 times the bar's length.

    A bar begins at the price in force, and an empty one counts as a bar without range. Bars lose half their weight in
    a half-life. A high and low that are only seen in samples lie inside the true ones: it estimates low, not high.
    """

    def __init__(self, half_life_s: float) -> None:
        self._decay = 0.5 ** (BAR_S / half_life_s)
        self._gap_bars = math.ceil(half_life_s / BAR_S) + 1
        self._bar: int | None = None
        self._high = self._low = self._mid = 0.0
        self._squares = self._weight = 0.0
        self._bars = 0

    def add(self, now: int, mid: float) -> None:
        """Take in the mid as it is at ``now``."""
        bar = now // (BAR_S * SECOND)
        if self._bar is None or bar - self._bar > self._gap_bars:
            # The first bar has no beginning, so it counts from the next one on.
            self._squares = self._weight = 0.0
            self._bars = -1
            self._bar, self._high, self._low = bar, mid, mid
        elif bar > self._bar:
            self._end(math.log(self._high / self._low) / BP)
            for _ in range(bar - self._bar - 1):
                self._end(0.0)
            # The new bar begins at the price in force, which is the last one heard.
            self._bar, self._high, self._low = bar, self._mid, self._mid
        self._high, self._low, self._mid = max(self._high, mid), min(self._low, mid), mid

    def _end(self, span_bps: float) -> None:
        self._bars += 1
        if self._bars > 0:
            self._squares = self._squares * self._decay + span_bps * span_bps
            self._weight = self._weight * self._decay + 1.0

    def signal(self) -> Signal:
        """Return the volatility of the finished bars in bp per √s."""
        if self._bars < BARS_LEAST:
            return NO_SIGNAL
        return Signal(math.sqrt(self._squares / (self._weight * 4 * math.log(2) * BAR_S)), True)
