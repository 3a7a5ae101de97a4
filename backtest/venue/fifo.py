"""Own orders played by true FIFO among the single orders of a recorded book.

The record shows each order that stands before an own one, so its place is known and not modelled: it moves up when one
of those leaves, trades or loses its place, and is filled when a trade reaches past all of them. The other rules are
those of ``queue_market``: trades come before the change of the book that they cause, a trade at a worse price meets the
own order first, and where the record's other side reaches its price it is filled up to what is visible there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.kraken.level3 import Change, Event, Level3Book, RestingOrder, Side

SIDES: tuple[Side, Side] = ("buy", "sell")


@dataclass(slots=True, eq=False)
class FifoOrder:
    """An own order; ``before`` are the real orders before it, next to trade first, with their lots."""

    side: Side
    ticks: int
    remaining: int
    before: dict[str, int]
    filled_ts: int = 0
    """When it was filled whole, 0 while it is not."""
    _taken: dict[int, int] = field(default_factory=dict)

    @property
    def ahead(self) -> int:
        """Return the lots ahead of it."""
        return sum(self.before.values())

    def is_better_than(self, ticks: int) -> bool:
        """True if a taker meets it before what stands at a price of its side."""
        return self.ticks > ticks if self.side == "buy" else self.ticks < ticks

    def fill(self, lots: int, ts: int) -> int:
        """Fill it by so many lots at most; return by how many."""
        qty = max(0, min(lots, self.remaining))
        self.remaining -= qty
        if not self.remaining:
            self.filled_ts = ts
        return qty

    def eat(self, lots: int) -> int:
        """Let a trade at its price take the orders before it; return what is left of the trade."""
        for order_id, before in list(self.before.items()):
            eaten = min(lots, before)
            lots -= eaten
            if eaten == before:
                del self.before[order_id]
            else:
                self.before[order_id] = before - eaten
        return lots

    def follow(self, change: Change, old: RestingOrder) -> None:
        """Take a change of an order that rested at its price, as ``old`` says."""
        left = self.before.get(change.order_id)
        if left is None:
            return
        if change.event is Event.MODIFY and change.ticks == self.ticks and change.lots <= old.lots:
            # A trade may have been taken already.
            self.before[change.order_id] = min(left, change.lots)
        else:
            del self.before[change.order_id]

    def cross(self, levels: Iterable[tuple[int, int]], ts: int) -> None:
        """Fill it from the other side's levels, best first, as far as they reach its price."""
        for ticks, lots in levels:
            if not self.remaining or (ticks > self.ticks if self.side == "buy" else ticks < self.ticks):
                return
            qty = min(self.remaining, lots - self._taken.get(ticks, 0))
            if qty > 0:
                self._taken[ticks] = self._taken.get(ticks, 0) + qty
                self.fill(qty, ts)


class FifoBook:
    """One pair's recorded orders and our own in their queues; ``book`` has the recorded ones."""

    def __init__(self, symbol: str, depth: int) -> None:
        self.book = Level3Book(symbol, depth, 0, 0)
        self.own: list[FifoOrder] = []

    def place(self, side: Side, ticks: int, lots: int) -> FifoOrder:
        """Put an own order at the back of what stands at a price."""
        before = {order.order_id: order.lots for order in self.book.queue(side, ticks)}
        order = FifoOrder(side, ticks, lots, before)
        self.own.append(order)
        return order

    def remove(self, order: FifoOrder) -> None:
        """Take an own order out, if it rests."""
        if order in self.own:
            self.own.remove(order)

    def trade(self, side: Side, ticks: int, lots: int, ts: int) -> None:
        """Take a recorded trade against orders of ``side``; own orders at one price trade in their order."""
        for order in self.own:
            if order.side == side and order.is_better_than(ticks):
                lots -= order.fill(lots, ts)
        given = 0
        for order in self.own:
            if order.side == side and order.ticks == ticks:
                given += order.fill(order.eat(lots - given), ts)
        self._drop_filled()

    def play(self, changes: Iterable[Change], ts: int, *, is_snapshot: bool) -> None:
        """Take a message's changes; a snapshot empties the book before."""
        if is_snapshot:
            self.book.clear()
        was_there = {side: set(self.book.prices(side, self.book.depth)) for side in SIDES}
        for change in changes:
            old = self.book.find(change.order_id)
            if old is None:
                self.book.change(change)
                continue
            for order in self.own:
                # A level that comes into the window is stated anew; the places in it stay what they were.
                if order.side == change.side and order.ticks == old.ticks and old.ticks in was_there[order.side]:
                    order.follow(change, old)
            self.book.change(change)
        for side in SIDES:
            self.book.trim(side)
        self._settle(ts, was_there)

    def _settle(self, ts: int, was_there: dict[Side, set[int]]) -> None:
        """Forget orders before an own one that a level came back without, and fill what the other side reaches."""
        for order in self.own:
            queue = self.book.queue(order.side, order.ticks)
            if queue and order.ticks not in was_there[order.side]:
                there = {each.order_id: each.lots for each in queue}
                order.before = {name: min(left, there[name]) for name, left in order.before.items() if name in there}
            other: Side = "sell" if order.side == "buy" else "buy"
            best = self.book.prices(other, 1)
            if best and (best[0] <= order.ticks if order.side == "buy" else best[0] >= order.ticks):
                order.cross(self.book.levels(other, self.book.depth), ts)
        self._drop_filled()

    def _drop_filled(self) -> None:
        self.own = [order for order in self.own if order.remaining]
