"""Makers who keep a touch around the fair price of a venue: they pull what is stale, sweep, and quote anew."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from typing import Any

from simulator.exchange.exchange import Exchange
from simulator.exchange.venue.venue import Venue
from simulator.market.crowd import Crowd, sign_of
from simulator.market.style import Style
from simulator.wire import NS

# Mean pause between the steps of makers that follow the price.
ALIGN_MS = 9.0


class Makers(Crowd):
    """A crowd with a fair price (``fair`` and, for a while, ``push``, in ticks), a schedule, and a touch to keep."""

    def __init__(self, exchange: Exchange, venue: Venue, how: Style, seed: str, pace: float = 1.0) -> None:
        super().__init__(exchange, venue, how, seed)
        self.pace = pace
        self.fair = venue.last_price // self.tick + 0.5
        self.push = 0.0
        self._push_ns = 0
        self._heap: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._count = 0
        self._aligning = False
        # The touch that makers are on their way to, and whether it has been put beside what stands there.
        self._goal: tuple[int, int] | None = None
        self._placed = False
        self._width = how.width[0]

    def _later(self, when: int, action: Callable[..., None], *arguments: Any) -> None:
        self._count += 1
        heapq.heappush(self._heap, (when, self._count, action, arguments))

    def _ms(self, low: float, mean: float) -> int:
        return int((low + self.rng.expovariate(1 / mean)) * 1e6)

    def _decay(self, t: int) -> None:
        elapsed = (t - self._push_ns) / NS * self.pace
        self._push_ns = t
        self.push *= math.exp(-elapsed / self.how.decay_s)

    def _align_soon(self, t: int) -> None:
        if not self._aligning:
            bid, ask = self._best("buy"), self._best("sell")
            self._decay(t)
            if bid is not None and ask is not None and ask - bid <= self.how.width[1]:
                # Makers bear being a little off, and follow in one go when it is too much.
                off = abs(self.fair + self.push - (bid + ask) / 2) * self.tick_bp
                if off < self.how.band_bp:
                    return
            self._aligning = True
            self._goal = None
            self._width = self.rng.randint(*self.how.width)
            self._later(t + self._ms(0.2, 2.0), self._align)

    def _align(self, t: int) -> None:
        """One step towards a touch around the fair price: pull, sweep, or quote; then the next step."""
        if self._goal is None:
            self._decay(t)
            lowest = max(1, math.floor(self.fair + self.push - (self._width - 1) / 2))
            self._goal, self._placed = (lowest, lowest + self._width), False
        bid, ask = self._goal
        if self._pull_stale("sell", ask - 1) or self._pull_stale("buy", bid + 1):
            self._later(t + self._ms(0.1, ALIGN_MS), self._align)
            return
        if not self._placed:
            bid, ask = self._goal = self._beside(bid, ask)
            self._placed = True
        for side, other, limit, sign in (("buy", "sell", bid, 1), ("sell", "buy", ask, -1)):
            stale = self._standing(other, limit)
            if stale:
                self._weak = other
                self._send(side, limit, stale)
                self._later(t + self._ms(0.2, 2.0), self._align)
                return
            best = self._best(side)
            if best is None or (limit - best) * sign > 0:
                self._weak = "sell" if sign > 0 else "buy"
                if self._insert(side, limit, self._touch_size(side)):
                    self._later(t + self._ms(0.1, ALIGN_MS), self._align)
                    return
        self._aligning = False
        if self.how.band_bp:
            self._align_soon(t)

    def _beside(self, bid: int, ask: int) -> tuple[int, int]:
        """The touch that is wanted, put beside the side that was run into where that one stands close enough."""
        slack = 0.8 * self.how.band_bp / self.tick_bp
        if self._weak == "sell":
            best = self._best("sell")
            if best is not None and 0 < best - ask <= slack:
                return best - self._width, best
        else:
            best = self._best("buy")
            if best is not None and 0 < bid - best <= slack:
                return best, best + self._width
        return bid, ask

    def _pull_stale(self, side: str, limit: int) -> bool:
        """A maker withdraws the best order of a side that is priced at or through ``limit``."""
        keys = self._keys[side]
        if not keys:
            return False
        sign = sign_of(side)
        if keys[0] > limit * sign:
            return False
        self._weak = side
        self._withdraw(self._at[side][keys[0] * sign])
        return True

    def _standing(self, side: str, limit: int) -> int:
        """Lots that stand on a side at or through ``limit``; whoever left them there is picked off."""
        book = self.venue.book.side(side)
        total = 0
        for key in book.keys:
            if key > limit * self.tick * book.sign:
                break
            total += book.qty[key * book.sign]
        return total
