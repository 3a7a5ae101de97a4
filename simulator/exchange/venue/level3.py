"""The single orders of a pair's book, and the ``level3`` messages of a change (KRAKEN.md 1.5.1, 1.10).

A view of depth N follows the levels of a ``book`` of that depth: an order comes, changes or goes; a level that moves in
comes with all its orders. An order that loses its place is deleted and added anew, so a client that applies messages
in their order has the queue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple
from zlib import crc32

from simulator.exchange.engine import Engine, Side, resting_order
from simulator.exchange.venue.book import Change, FullBook, LevelChange, Run
from simulator.pairs.pairs import Pair
from simulator.wire import iso_ns

DEPTHS = (10, 100, 1000)
SUMMED = 10


class QueuedOrder(NamedTuple):
    """An order in the book; ``ns`` is when it came or was amended."""

    number: int
    qty: int
    ns: int


class OrderBook:
    """The queues of every level, kept up to date by the changes of each operation."""

    def __init__(self, pair: Pair, engine: Engine, book: FullBook, name: Callable[[int], str], quoted: bool) -> None:
        self.pair = pair
        self._engine = engine
        self._book = book
        self._name = name
        # Numbers as text, as Kraken's guide to the checksum has them.
        self._mark = '"' if quoted else ""
        self._queues = {
            side: {price: self.queue(side, price, book.side(side).when[price]) for price in book.side(side).qty}
            for side in ("buy", "sell")
        }

    def queue(
        self, side: Side, price: int, ns: int, before: Iterable[QueuedOrder] = (), amended: bool = False
    ) -> list[QueuedOrder]:
        """Return the orders at a price, next to trade first; those ``before`` keep their time unless amended."""
        known = {entry.number: entry for entry in before}
        entries = []
        for number in self._engine.queue(side, price):
            resting = resting_order(self._engine, number)
            qty = 0 if resting is None else resting.remaining
            old = known.get(number)
            keeps = old is not None and (old.qty == qty or not amended)
            entries.append(QueuedOrder(number, qty, old.ns if keeps and old is not None else ns))
        return entries

    def orders(self, side: Side, depth: int) -> list[tuple[int, QueuedOrder]]:
        """Return (price, order) of the best levels of a side."""
        queues = self._queues[side]
        best = sorted(queues, reverse=side == "buy")[:depth]
        return [(price, entry) for price in best for entry in queues[price]]

    def change(
        self, changes: Iterable[Change], runs: list[Run], depths: Iterable[int], traded: bool
    ) -> list[tuple[int, str]]:
        """Take an operation's changes and the book's runs of them; return (depth, message) for what they touch."""
        messages = []
        for run, (side, run_changes) in zip(runs, groupby(changes, key=itemgetter(0)), strict=True):
            before: dict[int, list[QueuedOrder]] = {}
            queues = self._queues[side]
            for _, price, qty in run_changes:
                before[price] = queues.pop(price, [])
                if qty:
                    queues[price] = self.queue(side, price, run.ns, before[price], not traded)
            for depth in depths:
                events = self._events(run, run.views.get(depth, ()), before)
                if events:
                    messages.append((depth, self._update(run, events)))
        return messages

    def _events(
        self, run: Run, entries: Iterable[LevelChange], before: dict[int, list[QueuedOrder]]
    ) -> list[tuple[str, int, QueuedOrder]]:
        """Return (event, price, order) of one side's share of a change."""
        events: list[tuple[str, int, QueuedOrder]] = []
        seen: dict[int, list[QueuedOrder]] = {}
        for level in entries:
            price = level.price
            # A level that moves into a view was not in it before.
            old = seen.get(price, [] if level.refill else before.get(price, []))
            new = self._queues[run.side].get(price, []) if level.qty else []
            events += [(event, price, entry) for event, entry in differences(old, new)]
            seen[price] = new
        return events

    @property
    def checksum(self) -> int:
        """Return CRC-32 of the orders in the ten best levels a side."""
        orders = [*self.orders("sell", SUMMED), *self.orders("buy", SUMMED)]
        return crc32("".join([f"{price}{entry.qty}" for price, entry in orders]).encode())

    def snapshot(self, depth: int) -> str:
        """Return the snapshot message of a depth."""
        bids, asks = (
            ",".join(f"{{{self._members(price, entry)}}}" for price, entry in self.orders(side, depth))
            for side in ("buy", "sell")
        )
        return (
            f'{{"channel":"level3","type":"snapshot","data":[{{"symbol":"{self.pair.symbol}",'
            f'"checksum":{self.checksum},"bids":[{bids}],"asks":[{asks}],"timestamp":"{iso_ns(self._book.changed_ns)}"}}]}}'
        )

    def _update(self, run: Run, events: list[tuple[str, int, QueuedOrder]]) -> str:
        rows = ",".join(f'{{"event":"{event}",{self._members(price, entry)}}}' for event, price, entry in events)
        sides = f'"bids":[{rows}],"asks":[]' if run.side == "buy" else f'"bids":[],"asks":[{rows}]'
        return (
            f'{{"channel":"level3","type":"update","data":[{{"checksum":{self.checksum},'
            f'"timestamp":"{iso_ns(run.ns)}","symbol":"{self.pair.symbol}",{sides}}}]}}'
        )

    def _members(self, price: int, entry: QueuedOrder) -> str:
        mark = self._mark
        return (
            f'"order_id":"{self._name(entry.number)}","limit_price":{mark}{self.pair.price(price)}{mark},'
            f'"order_qty":{mark}{self.pair.qty(entry.qty)}{mark},"timestamp":"{iso_ns(entry.ns)}"'
        )


def differences(old: list[QueuedOrder], new: list[QueuedOrder]) -> list[tuple[str, QueuedOrder]]:
    """Return the events that make the queue of a level from an older one."""
    place = {entry.number: at for at, entry in enumerate(old)}
    stays: set[int] = set()
    last = -1
    for entry in new:
        if place.get(entry.number, -1) > last:
            last = place[entry.number]
            stays.add(entry.number)
    events = [("delete", entry) for entry in old if entry.number not in stays]
    known = {entry.number: entry for entry in old}
    for entry in new:
        if entry.number not in stays:
            events.append(("add", entry))
        elif entry.qty != known[entry.number].qty:
            events.append(("modify", entry))
    return events
