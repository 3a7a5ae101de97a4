"""The crowd's orders in a book: each maker's order alone at its price, and the draws of sizes and distances."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import deque
from random import Random

from simulator.exchange.engine import Side
from simulator.exchange.exchange import Exchange
from simulator.exchange.venue.venue import CROWD_FROM, Venue
from simulator.market.style import Style
from simulator.wire import NS

SIDES: tuple[Side, Side] = ("buy", "sell")


class Resting:
    """A crowd order in the book."""

    __slots__ = ("filled", "number", "price", "remaining", "side")

    def __init__(self, number: int, side: Side, price: int, remaining: int) -> None:
        self.number = number
        self.side = side
        self.price = price
        self.remaining = remaining
        self.filled = 0


class Crowd:
    """The crowd's orders in the book of one venue, and how it places more; its prices are steps of the pair's tick."""

    def __init__(self, exchange: Exchange, venue: Venue, style: Style, seed: str) -> None:
        self.exchange = exchange
        self.venue = venue
        self.style = style
        self.rng = Random(seed)
        self.tick = venue.pair.tick
        self.tick_bp = 1e4 * self.tick / venue.last_price
        self.now = 0
        # The side of the touch that trades have worn down.
        self.weak: Side = "sell"
        self.number = CROWD_FROM
        self.orders: dict[int, Resting] = {}
        self.by_price: dict[Side, dict[int, Resting]] = {"buy": {}, "sell": {}}
        self.keys: dict[Side, list[int]] = {"buy": [], "sell": []}
        self.deleted: deque[tuple[int, int]] = deque(maxlen=8)
        venue.on_crowd = self._filled

    def best(self, side: Side) -> int | None:
        """Return the best price of a side, None where it is empty."""
        book = self.venue.book.side(side)
        return book.keys[0] * book.sign // self.tick if book.keys else None

    def send(self, side: Side, price: int, qty: int) -> None:
        """Send a taker's order: it trades at once or not at all."""
        self.number += 1
        events = self.venue.submit(self.number, 0, side, max(1, price) * self.tick, qty, self.now, "ioc")
        self.exchange.settle(events, self.now)

    def insert(self, side: Side, price: int, qty: int) -> bool:
        """Place a maker's order where the crowd has none; it never takes. True if it rests."""
        if price < 1 or price in self.by_price[side]:
            return False
        self.number += 1
        events = self.venue.submit(self.number, 0, side, price * self.tick, qty, self.now, "gtc", True)
        if not events or events[0][0] != "rest":
            return False
        resting = Resting(self.number, side, price, qty)
        self.orders[resting.number] = resting
        self._list(resting)
        return True

    def _list(self, resting: Resting) -> None:
        keys = self.keys[resting.side]
        key = resting.price * sign_of(resting.side)
        keys.insert(bisect_left(keys, key), key)
        self.by_price[resting.side][resting.price] = resting

    def _unlist(self, resting: Resting) -> None:
        keys = self.keys[resting.side]
        del keys[bisect_left(keys, resting.price * sign_of(resting.side))]
        del self.by_price[resting.side][resting.price]

    def withdraw(self, resting: Resting) -> None:
        """Take a maker's order out of the book."""
        self._unlist(resting)
        del self.orders[resting.number]
        self.venue.cancel(resting.number, self.now)

    def resize(self, resting: Resting, qty: int) -> None:
        """Give a maker's order another size, in its place."""
        if qty != resting.remaining:
            self.venue.amend(resting.number, resting.side, None, resting.filled + qty, self.now)
            resting.remaining = qty

    def move(self, resting: Resting, price: int) -> None:
        """Move a maker's order in one go, if the crowd has none at the price."""
        if price < 1 or price in self.by_price[resting.side]:
            return
        events = self.venue.amend(resting.number, resting.side, price * self.tick, None, self.now, True)
        if events and events[0][0] == "amend":
            self._unlist(resting)
            resting.price = price
            self._list(resting)

    def _filled(self, number: int, remaining: int) -> None:
        resting = self.orders.get(number)
        if resting is None:
            return
        resting.filled += resting.remaining - remaining
        resting.remaining = remaining
        if not remaining:
            self._unlist(resting)
            del self.orders[number]

    def pick(self, side: Side, near: int, *, spare_touch: bool = False) -> Resting | None:
        """Return a random order of the ``near`` best of a side, most often the touch; None if there is none."""
        keys = self.keys[side]
        first = 1 if spare_touch else 0
        last = min(near, len(keys))
        if last <= first:
            return None
        index = first if not spare_touch and self.rng.random() < 0.45 else self.rng.randrange(first, last)
        return self.by_price[side][keys[index] * sign_of(side)]

    def lots(self, size: float) -> int:
        """Return a quantity in lots, at least one."""
        return max(1, round(size * int(10**self.venue.pair.qty_precision)))

    def size(self) -> int:
        """Draw the size of a level, in lots."""
        if self.rng.random() < 0.15:
            return self.lots(self.style.level_size / 380)
        return self.lots(self.rng.lognormvariate(math.log(self.style.level_size * 1.05), 1.36))

    def reused_size(self, t: int) -> int:
        """Draw the size of a level that is added at ``t``, in lots."""
        # A maker that moves its quote shows the same size again.
        if self.deleted and self.rng.random() < 0.2 and t - self.deleted[-1][0] < NS:
            return self.deleted.pop()[1]
        return self.size()

    def touch_size(self, side: Side) -> int:
        """Draw the size of a quote at the touch, in lots."""
        weak, strong = self.style.touch
        median = self.style.level_size * (weak if side == self.weak else strong)
        return self.lots(self.rng.lognormvariate(math.log(median), 0.9))

    def pause(self, low: float, mean: float) -> int:
        """Draw a pause in ns, of at least ``low`` ms and ``mean`` ms more on average."""
        return int((low + self.rng.expovariate(1 / mean)) * 1e6)

    def near_ticks(self) -> float:
        """Return how far from the touch makers quote, in steps of the tick (median)."""
        return max(3.0, self.style.near_bp / self.tick_bp)

    def near_price(self, side: Side, best: int) -> int:
        """Draw a price near the touch."""
        distance = max(1, round(self.rng.lognormvariate(math.log(self.near_ticks()), 0.7)))
        return best + distance * sign_of(side)

    def deep_price(self, side: Side, best: int) -> int:
        """Draw a price deep in the book."""
        distance = max(2, round(self.rng.lognormvariate(math.log(self.near_ticks() * 25), 1.0)))
        return best + distance * sign_of(side)


def sign_of(side: Side) -> int:
    return -1 if side == "buy" else 1
