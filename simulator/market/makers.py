"""Makers who keep a touch around the fair price of a venue: they pull what is stale, sweep, and quote anew."""

from __future__ import annotations

import math

from simulator.exchange.engine import Side, opposite
from simulator.market.crowd import SIDES, Crowd, sign_of
from simulator.market.schedule import Schedule
from simulator.wire import NS

# Mean pause between the steps of makers that follow the price.
ALIGN_MS = 9.0


class Makers:
    """Keep a touch around a fair price: ``fair`` and, for a while, ``push``, both in steps of the tick."""

    def __init__(self, crowd: Crowd, schedule: Schedule, pace: float) -> None:
        self._crowd = crowd
        self._schedule = schedule
        self._pace = pace
        self.fair = crowd.venue.last_price // crowd.tick + 0.5
        self.push = 0.0
        self._push_ns = 0
        self._aligning = False
        # The touch that makers move to, and whether it has been put beside the side that still stands.
        self._goal: tuple[int, int] | None = None
        self._placed = False
        # The touch that the last move left, and the price that it was made for: an account's order inside the touch
        # keeps it off, whatever makers do.
        self._left: tuple[int | None, int | None] = (None, None)
        self._left_for = -math.inf
        # Ticks between bid and ask of the touch that is kept.
        self.width = crowd.style.width[0]

    def decay(self, t: int) -> None:
        """Let what a trade pushed the price by fade until ``t``."""
        elapsed = (t - self._push_ns) / NS * self._pace
        self._push_ns = t
        self.push *= math.exp(-elapsed / self._crowd.style.decay_s)

    def align_soon(self, t: int) -> None:
        """Begin to move the touch, if it is off by more than makers bear and they have not begun."""
        if not self._aligning:
            bid, ask = self._crowd.best("buy"), self._crowd.best("sell")
            self.decay(t)
            if bid is not None and ask is not None and ask - bid <= self._crowd.style.width[1]:
                # Makers tolerate a small distance, and follow in one go when it is larger.
                by_price = self._crowd.by_price
                is_stuck = (bid, ask) == self._left and (bid not in by_price["buy"] or ask not in by_price["sell"])
                near = self._left_for if is_stuck else (bid + ask) / 2
                if abs(self.fair + self.push - near) * self._crowd.tick_bp < self._crowd.style.band_bp:
                    return
            self._aligning = True
            self._goal = None
            self.width = self._crowd.rng.randint(*self._crowd.style.width)
            self._schedule.later(t + self._crowd.pause(0.2, 2.0), self._align)

    def _align(self, t: int) -> None:
        """Take one step towards a touch around the fair price: pull, sweep, or quote; then schedule the next."""
        if self._goal is None:
            self.decay(t)
            lowest = max(1, math.floor(self.fair + self.push - (self.width - 1) / 2))
            self._goal, self._placed = (lowest, lowest + self.width), False
        bid, ask = self._goal
        if self._pull_stale("sell", ask - 1) or self._pull_stale("buy", bid + 1):
            self._schedule.later(t + self._crowd.pause(0.1, ALIGN_MS), self._align)
            return
        if not self._placed:
            bid, ask = self._goal = self._beside(bid, ask)
            self._placed = True
        for side, limit, sign in zip(SIDES, (bid, ask), (1, -1), strict=True):
            other = opposite(side)
            stale = self._standing(other, limit)
            if stale:
                self._crowd.weak = other
                self._crowd.send(side, limit, stale)
                self._schedule.later(t + self._crowd.pause(0.2, 2.0), self._align)
                return
            best = self._crowd.best(side)
            if best is None or (limit - best) * sign > 0:
                self._crowd.weak = "sell" if sign > 0 else "buy"
                if self._crowd.insert(side, limit, self._crowd.touch_size(side)):
                    self._schedule.later(t + self._crowd.pause(0.1, ALIGN_MS), self._align)
                    return
        self._aligning = False
        self._left, self._left_for = (self._crowd.best("buy"), self._crowd.best("sell")), self.fair + self.push
        if self._crowd.style.band_bp:
            self.align_soon(t)

    def _beside(self, bid: int, ask: int) -> tuple[int, int]:
        """Return the touch that is wanted, put beside the side that was run into where that one stands close enough."""
        slack = 0.8 * self._crowd.style.band_bp / self._crowd.tick_bp
        if self._crowd.weak == "sell":
            best = self._crowd.best("sell")
            if best is not None and 0 < best - ask <= slack:
                return best - self.width, best
        else:
            best = self._crowd.best("buy")
            if best is not None and 0 < bid - best <= slack:
                return best, best + self.width
        return bid, ask

    def _pull_stale(self, side: Side, limit: int) -> bool:
        """Withdraw the best order of a side that is priced at or through ``limit``; True if there was one."""
        keys = self._crowd.keys[side]
        if not keys:
            return False
        sign = sign_of(side)
        if keys[0] > limit * sign:
            return False
        self._crowd.weak = side
        self._crowd.withdraw(self._crowd.by_price[side][keys[0] * sign])
        return True

    def _standing(self, side: Side, limit: int) -> int:
        """Return the lots that stand on a side at or through ``limit``; their owners are picked off."""
        book = self._crowd.venue.book.side(side)
        total = 0
        for key in book.keys:
            if key > limit * self._crowd.tick * book.sign:
                break
            total += book.qty[key * book.sign]
        return total
