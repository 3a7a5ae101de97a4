"""Volatility of the mid in bp per √s: an EWMA of moves by the second, and Parkinson's estimate from high and low.

Both sample the mid in force at whole seconds, or bars of them. So they depend on the mid's path alone, not on how many
messages carried it, and the touch's bouncing by a tick within a second does not count as volatility.
"""

from __future__ import annotations

import math

from shared.clock import SECOND
from shared.measures.volatility import BP, MidVolatility
from strategy.signals.values import NO_SIGNAL, Signal

BAR_S = 5
BARS_LEAST = 6


class EwmaVolatility(MidVolatility):
    """The EWMA of squared moves by the second (:mod:`shared.measures.volatility`), as a signal."""

    def signal(self) -> Signal:
        """Return the volatility in bp per √s."""
        sigma = self.bps()
        return NO_SIGNAL if sigma is None else Signal(sigma, True)


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
