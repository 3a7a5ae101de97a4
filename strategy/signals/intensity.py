"""Trade intensity: public trades per second of one side, the recent ones counting most."""

from __future__ import annotations

import math

from shared.clock import SECOND
from strategy.signals.values import NO_SIGNAL, Signal


class Intensity:
    """The decayed count of trades by the decayed time since the first call; valid from one half-life on."""

    def __init__(self, half_life_s: float) -> None:
        self._half_life_s = half_life_s
        self._began: int | None = None
        self._at = 0
        self._count = 0.0

    def add(self, now: int, trades: int) -> None:
        """Take in the number of trades heard at ``now``; 0 begins the time that is counted over."""
        if self._began is None:
            self._began = self._at = now
        self._count = self._count * self._decay(now - self._at) + trades
        self._at = now

    def signal(self, now: int) -> Signal:
        """Return trades per second."""
        if self._began is None or now - self._began < self._half_life_s * SECOND:
            return NO_SIGNAL
        rate = math.log(2) / self._half_life_s
        return Signal(self._count * self._decay(now - self._at) * rate / (1 - self._decay(now - self._began)), True)

    def _decay(self, elapsed: int) -> float:
        return float(0.5 ** (elapsed / SECOND / self._half_life_s))
