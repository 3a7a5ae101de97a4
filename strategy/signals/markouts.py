"""Own markouts: where the mid stands some seconds after a fill, against the fill's price, with a standard error.

A markout holds the spread that the fill earned and the move that followed; fees are not in it. The mean forgets with a
half-life. So does the number of fills behind it: after some half-lives without a fill it is not valid any more, and a
side that was left because of it is tried again.
"""

from __future__ import annotations

import math
from collections import deque

from shared import limits
from shared.clock import SECOND
from shared.messages import Side
from strategy.signals.values import NO_MARKOUT, Horizon, Markout

BP = 1e-4
FILLS_LEAST = 8.0


class Markouts:
    """The markouts of one side at one horizon; valid while the decayed number of fills is ``FILLS_LEAST`` or more."""

    def __init__(self, side: Side, horizon_s: Horizon, half_life_s: float) -> None:
        self._sign = 1.0 if side == "buy" else -1.0
        self._horizon = horizon_s * SECOND
        self._half_life_s = half_life_s
        self._waiting: deque[tuple[int, int]] = deque(maxlen=limits.MARKOUT_FILLS)
        self._mid: float | None = None
        self._at = 0
        # Decayed sums: weights, their squares, weighted markouts, weighted squares.
        self._weight = self._weight_squares = self._sum = self._squares = 0.0

    def fill(self, now: int, price: int) -> None:
        """Take in an own fill at ``price`` in ticks."""
        self._waiting.append((now + self._horizon, price))

    def mid(self, now: int, mid: float | None) -> None:
        """Take in the mid in ticks, None while there is no live book; settle the fills that are past the horizon.

        A fill's mid is the last one heard up to its horizon. A fill whose horizon falls into a gap is left out.
        """
        while self._waiting and self._waiting[0][0] < now:
            due, price = self._waiting.popleft()
            if self._mid is not None:
                self._settle(due, self._sign * (self._mid - price) / price / BP)
        self._mid = mid

    def _settle(self, due: int, markout_bps: float) -> None:
        decay = self._decay(due)
        self._weight = self._weight * decay + 1.0
        self._weight_squares = self._weight_squares * decay * decay + 1.0
        self._sum = self._sum * decay + markout_bps
        self._squares = self._squares * decay + markout_bps * markout_bps
        self._at = due

    def _decay(self, now: int) -> float:
        return float(0.5 ** ((now - self._at) / SECOND / self._half_life_s))

    def result(self, now: int) -> Markout:
        """Return the weighted mean and its standard error: fills count as independent."""
        if self._weight * self._decay(now) < FILLS_LEAST:
            return NO_MARKOUT
        mean = self._sum / self._weight
        effective = self._weight * self._weight / self._weight_squares
        variance = max(0.0, self._squares / self._weight - mean * mean) * effective / (effective - 1)
        return Markout(mean, math.sqrt(variance / effective), True)
