"""The crowd: a seeded flow of makers and takers on one pair (MARKET.md). No clock, no socket, its own randomness.

A fair price moves by news and by trades (part of a trade's impact stays, part decays). Makers keep a touch around it:
when it moves they pull what would be picked off, takers sweep whatever others left behind, and makers quote anew.
Everything goes through the venue's engine, so an account's order fills only in price-time priority.
"""

from __future__ import annotations

import heapq
import math
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable
from random import Random
from typing import Any

from simulator.exchange import Exchange
from simulator.style import Style
from simulator.venue import CROWD_FROM, Venue
from simulator.wire import NS

STEP_EVENTS_MAX = 400
LATE_MAX_NS = NS
SIDES = ("buy", "sell")
# Mean pause between the steps of makers that follow the price.
ALIGN_MS = 8.0


class _Resting:
    """A crowd order in the book."""

    __slots__ = ("filled", "number", "price", "remaining", "side")

    def __init__(self, number: int, side: str, price: int, remaining: int) -> None:
        self.number = number
        self.side = side
        self.price = price
        self.remaining = remaining
        self.filled = 0


class Market:
    """The crowd of one venue. ``pace`` speeds everything up, for tests."""

    def __init__(self, exchange: Exchange, venue: Venue, how: Style, seed: str, pace: float = 1.0) -> None:
        self.exchange = exchange
        self.venue = venue
        self.how = how
        self.pace = pace
        self.rng = Random(seed)
        self.tick_bp = 1e4 / venue.last_price
        self.fair = venue.last_price + 0.5
        self.push = 0.0
        self._push_ns = 0
        self._sign = 1
        self._weak = "sell"
        self._mood = 0.0
        self._number = CROWD_FROM
        self._orders: dict[int, _Resting] = {}
        self._at: dict[str, dict[int, _Resting]] = {"buy": {}, "sell": {}}
        self._keys: dict[str, list[int]] = {"buy": [], "sell": []}
        self._deleted: deque[tuple[int, int]] = deque(maxlen=8)
        self._heap: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._count = 0
        self._offset = 0
        self._aligning = False
        self._width = how.width[0]
        self.now = 0
        venue.on_crowd = self._filled

    # --- control -------------------------------------------------------------------------------------------------

    def open(self, now: int, own: Iterable[tuple[str, int]] = ()) -> None:
        """Seeds the book around the last price and starts the flow.

        ``own`` are (side, price) of orders about to be restored: the book leaves them uncrossed, and stands ahead of
        them at their prices.
        """
        self.now = now
        standing = list(own)
        bids = [price for side, price in standing if side == "buy"]
        asks = [price for side, price in standing if side == "sell"]
        middle = self.venue.last_price
        if asks:
            middle = min(middle, min(asks) - 1)
        if bids:
            middle = max(middle, max(bids))
        self.fair = middle + 0.5
        touch = {"buy": middle, "sell": middle + 1}
        for side in SIDES:
            self._insert(side, touch[side], self._touch_size(side))
            for _ in range(self.how.near_levels):
                self._insert(side, self._near_price(side, touch[side]), self._size())
            for _ in range(self.how.deep_levels):
                self._insert(side, self._deep_price(side, touch[side]), self._size())
        for side, price in standing:
            if abs(price - middle) * self.tick_bp < 200:
                self._insert(side, price, self._size())
        for first, rate in ((self._news, 1.0), (self._cluster, 1.0), (self._quiet, 2.0), (self._tend, 2.0)):
            self._later(now + int(self.rng.expovariate(rate) * NS / self.pace), first)
        self._later(now, self._weather)

    def step(self, now: int) -> int:
        """Does what is due; returns when to come back. A long absence is skipped, not caught up with."""
        self.now = now
        late = now - self._offset - self._heap[0][0]
        if late > LATE_MAX_NS:
            self._offset += late
        for _ in range(STEP_EVENTS_MAX):
            due, _, action, arguments = self._heap[0]
            if due + self._offset > now:
                break
            heapq.heappop(self._heap)
            action(due, *arguments)
        return self._heap[0][0] + self._offset

    def shift(self, by: int) -> None:
        """The clock was put forward (or back) by so many ns: nothing is due earlier or later for it."""
        self.now += by
        self._offset += by

    # --- the flow ------------------------------------------------------------------------------------------------

    def _later(self, when: int, action: Callable[..., None], *arguments: Any) -> None:
        self._count += 1
        heapq.heappush(self._heap, (when, self._count, action, arguments))

    def _gap(self, rate: float) -> int:
        """Ns until the next event of a flow that the mood speeds up or slows down."""
        return int(self.rng.expovariate(rate * math.exp(self._mood)) * NS / self.pace)

    def _ms(self, low: float, mean: float) -> int:
        return int((low + self.rng.expovariate(1 / mean)) * 1e6)

    def _weather(self, t: int) -> None:
        # Activity drifts over tens of seconds: this is what makes busy and quiet minutes.
        spread, keep = 0.75, math.exp(-1 / 15)
        drawn = self.rng.gauss(0, 1) * spread * math.sqrt(1 - keep * keep)
        self._mood = (self._mood + spread**2 / 2) * keep + drawn - spread**2 / 2
        self._later(t + int(NS / self.pace), self._weather)

    def _news(self, t: int) -> None:
        self.fair += self.rng.gauss(0, self.how.news_bp) / self.tick_bp
        self._align_soon(t)
        self._later(t + self._gap(self.how.news_rate), self._news)

    def _cluster(self, t: int) -> None:
        rng = self.rng
        if rng.random() > 0.55:
            self._sign = -self._sign
        sign, when = self._sign, t
        stop = 1 / self.how.cluster_mean
        while True:
            self._later(when, self._take, sign)
            if rng.random() < stop:
                break
            if rng.random() > 0.72:
                sign = -sign
            when += self._ms(2, 60)
        self._later(t + self._gap(self.how.cluster_rate), self._cluster)

    def _take(self, t: int, sign: int) -> None:
        """A taker hits the touch, up to a little beyond it, and moves what is thought fair."""
        side, other = ("buy", "sell") if sign > 0 else ("sell", "buy")
        best = self._best(other)
        if best is None:
            self._align_soon(t)
            return
        # Log-normal with this sigma has a mean of 2.05 medians.
        size = self.rng.lognormvariate(math.log(self.how.take_size / 2.05), 1.2)
        qty = max(self._lots(size), self.venue.pair.qty_min)
        reach = max(1, round(0.5 * self.how.near_bp / self.tick_bp))
        self._send(side, best + sign * reach, qty)
        self.fair += sign * self.how.stay_bp / self.tick_bp
        self._decay(t)
        self.push += sign * self.how.decay_bp / self.tick_bp
        self._align_soon(t)

    def _quiet(self, t: int) -> None:
        when = t
        while True:
            self._later(when, self._act)
            if self.rng.random() < 0.7:
                break
            when += self._ms(0.3, 5)
        self._later(t + self._gap(self.how.quiet_rate), self._quiet)

    def _act(self, t: int) -> None:
        """One maker changes a size, adds a level, or takes one away, all near the touch."""
        rng = self.rng
        side = rng.choice(SIDES)
        keys = self._keys[side]
        best = self._best(side)
        if not keys or best is None:
            self._align_soon(t)
            return
        zone = 4 * self._near_ticks()
        near = bisect_left(keys, best * _sign_of(side) + zone)
        fullness = near / self.how.near_levels
        drawn = rng.random()
        insert = 0.22 * min(2.0, max(0.2, 2 - fullness))
        if drawn < insert:
            self._insert(side, self._near_price(side, best), self._reused_size(t))
        elif drawn < insert + 0.21 * min(3.0, max(0.1, fullness)):
            resting = self._pick(side, min(near, len(keys)) or 1, spare_touch=True)
            if resting is None:
                return
            if rng.random() < 0.25:
                self._move(resting, self._near_price(side, best))
            else:
                self._deleted.append((t, resting.remaining))
                self._withdraw(resting)
        else:
            resting = self._pick(side, min(near, len(keys)) or 1)
            if resting is not None:
                at_touch = resting.price == best
                self._resize(resting, self._touch_size(side) if at_touch else self._size())

    def _tend(self, t: int) -> None:
        """Keeps the deep book at its size, one order at a time."""
        side = self.rng.choice(SIDES)
        keys = self._keys[side]
        best = self._best(side)
        if best is not None and keys:
            if len(keys) > self.how.deep_levels + self.how.near_levels:
                self._withdraw(self._at[side][keys[-1] * _sign_of(side)])
            else:
                self._insert(side, self._deep_price(side, best), self._size())
        self._later(t + self._gap(4.0), self._tend)

    # --- the touch -----------------------------------------------------------------------------------------------

    def _decay(self, t: int) -> None:
        elapsed = (t - self._push_ns) / NS * self.pace
        self._push_ns = t
        self.push *= math.exp(-elapsed / self.how.decay_s)

    def _align_soon(self, t: int) -> None:
        if not self._aligning:
            self._aligning = True
            self._width = self.rng.randint(*self.how.width)
            self._later(t + self._ms(0.2, 2.0), self._align)

    def _align(self, t: int) -> None:
        """One step towards a touch around the fair price: pull, sweep, or quote; then the next step."""
        self._decay(t)
        centre = self.fair + self.push
        bid = max(1, math.floor(centre - (self._width - 1) / 2))
        ask = bid + self._width
        if self._pull_stale("sell", bid) or self._pull_stale("buy", ask):
            self._later(t + self._ms(0.1, ALIGN_MS), self._align)
            return
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

    def _pull_stale(self, side: str, limit: int) -> bool:
        """A maker withdraws the best order of a side that is priced at or through ``limit``."""
        keys = self._keys[side]
        if not keys:
            return False
        sign = _sign_of(side)
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
            if key > limit * book.sign:
                break
            total += book.qty[key * book.sign]
        return total

    # --- orders --------------------------------------------------------------------------------------------------

    def _best(self, side: str) -> int | None:
        book = self.venue.book.side(side)
        return book.keys[0] * book.sign if book.keys else None

    def _send(self, side: str, price: int, qty: int) -> None:
        """A taker's order: it trades at once or not at all."""
        self._number += 1
        events = self.venue.submit(self._number, 0, side, max(1, price), qty, self.now, "ioc")
        self.exchange.settle(events, self.now)

    def _insert(self, side: str, price: int, qty: int) -> bool:
        """A maker's order where the crowd has none; it never takes."""
        if price < 1 or price in self._at[side]:
            return False
        self._number += 1
        events = self.venue.submit(self._number, 0, side, price, qty, self.now, "gtc", True)
        if not events or events[0][0] != "rest":
            return False
        resting = _Resting(self._number, side, price, qty)
        self._orders[resting.number] = resting
        self._list(resting)
        return True

    def _list(self, resting: _Resting) -> None:
        keys = self._keys[resting.side]
        key = resting.price * _sign_of(resting.side)
        keys.insert(bisect_left(keys, key), key)
        self._at[resting.side][resting.price] = resting

    def _unlist(self, resting: _Resting) -> None:
        keys = self._keys[resting.side]
        del keys[bisect_left(keys, resting.price * _sign_of(resting.side))]
        del self._at[resting.side][resting.price]

    def _withdraw(self, resting: _Resting) -> None:
        self._unlist(resting)
        del self._orders[resting.number]
        self.venue.cancel(resting.number, self.now)

    def _resize(self, resting: _Resting, qty: int) -> None:
        if qty != resting.remaining:
            self.venue.amend(resting.number, resting.side, None, resting.filled + qty, self.now)
            resting.remaining = qty

    def _move(self, resting: _Resting, price: int) -> None:
        if price < 1 or price in self._at[resting.side]:
            return
        events = self.venue.amend(resting.number, resting.side, price, None, self.now, True)
        if events and events[0][0] == "amend":
            self._unlist(resting)
            resting.price = price
            self._list(resting)

    def _filled(self, number: int, remaining: int) -> None:
        resting = self._orders.get(number)
        if resting is None:
            return
        resting.filled += resting.remaining - remaining
        resting.remaining = remaining
        if not remaining:
            self._unlist(resting)
            del self._orders[number]

    def _pick(self, side: str, near: int, *, spare_touch: bool = False) -> _Resting | None:
        keys = self._keys[side]
        first = 1 if spare_touch else 0
        last = min(near, len(keys))
        if last <= first:
            return None
        index = first if not spare_touch and self.rng.random() < 0.45 else self.rng.randrange(first, last)
        return self._at[side][keys[index] * _sign_of(side)]

    # --- draws ---------------------------------------------------------------------------------------------------

    def _lots(self, size: float) -> int:
        return max(1, round(size * int(10**self.venue.pair.qty_precision)))

    def _size(self) -> int:
        if self.rng.random() < 0.15:
            return self._lots(self.how.level_size / 380)
        return self._lots(self.rng.lognormvariate(math.log(self.how.level_size), 1.49))

    def _reused_size(self, t: int) -> int:
        # A maker that moves its quote shows the same size again.
        if self._deleted and self.rng.random() < 0.45 and t - self._deleted[-1][0] < NS:
            return self._deleted.pop()[1]
        return self._size()

    def _touch_size(self, side: str) -> int:
        median = self.how.level_size * (0.15 if side == self._weak else 12)
        return self._lots(self.rng.lognormvariate(math.log(median), 0.9))

    def _near_ticks(self) -> float:
        return max(3.0, self.how.near_bp / self.tick_bp)

    def _near_price(self, side: str, best: int) -> int:
        distance = max(1, round(self.rng.lognormvariate(math.log(self._near_ticks()), 0.7)))
        return best + distance * _sign_of(side)

    def _deep_price(self, side: str, best: int) -> int:
        distance = max(2, round(self.rng.lognormvariate(math.log(self._near_ticks() * 25), 1.0)))
        return best + distance * _sign_of(side)


def _sign_of(side: str) -> int:
    return -1 if side == "buy" else 1
