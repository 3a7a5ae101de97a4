"""A forecast of the mid: how much of its distance from its own average it has lately gone back, or gone on.

    away = mid - the average of the mid (half-life: half the horizon)
    move = mid a horizon later - mid
    slope = Σ w·away·move / Σ w·away²,  forecast = slope·away

by whole seconds, ``w`` halving in half an hour: a regression through the origin. The slope is below 0 where part of a
move comes back, as it does after takers' orders (Bouchaud, Gefen, Potters, Wyart, "Fluctuations and response in
financial markets", 2004), and above 0 in a trend. Nothing about a market is assumed: the slope is measured there, and
leans to 0 by ``DOUBT_S`` seconds in which away led to nothing.
"""

from __future__ import annotations

import math
from collections import deque

from shared.clock import SECOND
from shared.measures.volatility import BP
from strategy.signals.average import AverageMid
from strategy.signals.values import NO_SIGNAL, Signal

MEMORY_HALF_LIFE_S = 1800.0
DOUBT_S = 60.0
# Pairs of away and move before the forecast is valid.
SECONDS_LEAST = 60.0
_KEEP = 0.5 ** (1 / MEMORY_HALF_LIFE_S)


class Forecast:
    """The expected move of the mid over the horizon in bp; after a gap of a horizon the path begins anew."""

    def __init__(self, horizon_s: float) -> None:
        self._horizon_s = horizon_s
        self._samples = math.ceil(horizon_s)
        self._second: int | None = None
        # By second, the oldest first: how far the mid was from its average in bp, and the mid.
        self._past: deque[tuple[float, float]] = deque()
        self._products = self._squares = self._weight = 0.0
        self._mid = self._away = 0.0
        self._average = AverageMid(horizon_s / 2)

    def add(self, now: int, mid: float) -> None:
        """Take in the mid as it is at ``now``; a repeated one changes nothing."""
        second = now // SECOND
        if self._second is None or second - self._second > self._samples:
            self._past.clear()
            self._average = AverageMid(self._horizon_s / 2)
            self._follow(now, mid)
        else:
            for passed in range(self._second + 1, second + 1):
                self._sample(passed * SECOND)
            if mid != self._mid:
                self._follow(now, mid)
        self._second = second

    def _follow(self, at: int, mid: float) -> None:
        self._mid = mid
        self._away = (mid / self._average.add(at, mid) - 1) / BP

    def _sample(self, at: int) -> None:
        """Take in that the mid in force stood at a whole second."""
        self._follow(at, self._mid)
        if len(self._past) == self._samples:
            away, mid = self._past.popleft()
            move = (self._mid / mid - 1) / BP
            self._products = self._products * _KEEP + away * move
            self._squares = self._squares * _KEEP + away * away
            self._weight = self._weight * _KEEP + 1.0
        self._past.append((self._away, self._mid))

    def signal(self) -> Signal:
        """Return the forecast as of the last whole second, or change of the mid since then."""
        if self._weight < SECONDS_LEAST or not self._squares:
            return NO_SIGNAL
        slope = self._products / (self._squares * (1 + DOUBT_S / self._weight))
        return Signal(slope * self._away, True)
