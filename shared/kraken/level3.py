"""The book order by order, from frames of the ``level3`` channel (KRAKEN.md 1.10 and the guide to its checksum).

The order of arrival is the queue: a snapshot lists each level's orders in the order of their timestamps, an order comes
at the back, and a level that moves into the subscribed depth comes with all its orders. The checksum is over single
orders in that order, so it also proves the queue. Prices are ticks, quantities lots.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Final, Literal
from zlib import crc32

import msgspec

from shared.clock import parse_rfc3339
from shared.errors import FrameError
from shared.kraken import v2
from shared.numbers import is_usable, scale

CHANNEL: Final = "level3"
DEPTHS: Final = (10, 100, 1000)
CHECKSUM_LEVELS: Final = 10
UNITS_MAX: Final = 2**63 - 1

Side = Literal["buy", "sell"]


class Event(Enum):
    """The change of an order; a snapshot's orders are all added."""

    ADD = "add"
    MODIFY = "modify"
    DELETE = "delete"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One order of a message; numbers come as JSON numbers or as text."""

    order_id: str
    limit_price: Decimal
    order_qty: Decimal
    timestamp: str = ""
    event: Event = Event.ADD


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One pair's element of a frame."""

    symbol: str
    checksum: int
    bids: list[Row] = []
    asks: list[Row] = []
    timestamp: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One order's change in ticks and lots; ``order_ts`` is when it came or was amended, in ns since the epoch."""

    event: Event
    side: Side
    order_id: str
    ticks: int
    lots: int
    order_ts: int


@dataclass(frozen=True, slots=True)
class RestingOrder:
    """An order in the book; ``order_ts`` is when it came or was amended, in ns since the epoch."""

    order_id: str
    ticks: int
    lots: int
    order_ts: int


def depth_for(levels: int) -> int:
    """Return the least depth that the channel has for so many levels a side."""
    return next((depth for depth in DEPTHS if depth >= levels), DEPTHS[-1])


def messages(raw: bytes, symbol: str) -> tuple[bool, list[Message]]:
    """Return whether a ``level3`` frame is a snapshot, and its elements of one pair. Raises :class:`FrameError`."""
    frame = v2.parse(raw)
    if frame.channel != CHANNEL or frame.type not in ("snapshot", "update"):
        raise FrameError(f"no frame of the {CHANNEL} channel: {raw[:80]!r}")
    elements = v2.payload(frame.data, list[Message])
    return frame.type == "snapshot", [message for message in elements if message.symbol == symbol]


def changes_of(message: Message, price_precision: int, qty_precision: int) -> list[Change]:
    """Return a message's changes, bids first. Raises :class:`FrameError` for numbers that are not the pair's."""
    sides: tuple[tuple[Side, list[Row]], ...] = (("buy", message.bids), ("sell", message.asks))
    return [_change(side, row, price_precision, qty_precision) for side, rows in sides for row in rows]


def _change(side: Side, row: Row, price_precision: int, qty_precision: int) -> Change:
    if not is_usable(row.limit_price) or not is_usable(row.order_qty):
        raise FrameError(f"order {row.order_id} has a number that no market has")
    try:
        ticks, lots = scale(row.limit_price, price_precision), scale(row.order_qty, qty_precision)
        order_ts = parse_rfc3339(row.timestamp) if row.timestamp else 0
    except ValueError as error:
        raise FrameError(f"order {row.order_id}: {error}") from error
    if not (0 < ticks <= UNITS_MAX and 0 <= lots <= UNITS_MAX):
        raise FrameError(f"order {row.order_id} has the price {row.limit_price}, quantity {row.order_qty}")
    # An order without a quantity rests no more.
    return Change(row.event if lots else Event.DELETE, side, row.order_id, ticks, lots, order_ts)


class Level3Book:
    """One pair's orders in their queues, to ``depth`` levels a side."""

    def __init__(self, symbol: str, depth: int, price_precision: int, qty_precision: int) -> None:
        self.symbol = symbol
        self.depth = depth
        self.synced = False
        """True from a snapshot on, until something fails."""
        self.checksums_ok = 0
        self.checksums_failed = 0
        self._price_precision, self._qty_precision = price_precision, qty_precision
        self.clear()

    def apply_frame(self, raw: bytes) -> bool:
        """Take a frame's elements of this pair; return True if the book is in sync after it. Raises FrameError."""
        try:
            is_snapshot, mine = messages(raw, self.symbol)
            for message in mine:
                self.apply(is_snapshot, message)
        except FrameError:
            self.clear()
            raise
        return self.synced

    def apply(self, is_snapshot: bool, message: Message) -> None:
        """Take one message and verify its checksum. Raises :class:`FrameError` for numbers that are not the pair's."""
        if is_snapshot or self.synced:
            changes = changes_of(message, self._price_precision, self._qty_precision)
            self.take(is_snapshot, changes, message.checksum)

    def take(self, is_snapshot: bool, changes: list[Change], checksum: int) -> bool:
        """Take one message's changes and verify its checksum; return True if the book is in sync after it."""
        if is_snapshot:
            self.clear()
        for change in changes:
            self.change(change)
        for side in self._levels:
            self.trim(side)
        self.synced = self.checksum() == checksum
        self.checksums_ok += self.synced
        self.checksums_failed += not self.synced
        return self.synced

    def clear(self) -> None:
        """Forget every order; the counts of checksums stay."""
        self._levels: dict[Side, dict[int, dict[str, RestingOrder]]] = {"buy": {}, "sell": {}}
        # The prices of a side, rising; and what a level adds to the checksum, until it changes.
        self._prices: dict[Side, list[int]] = {"buy": [], "sell": []}
        self._texts: dict[Side, dict[int, str]] = {"buy": {}, "sell": {}}
        self._places: dict[str, tuple[Side, int]] = {}
        self.synced = False

    def find(self, order_id: str) -> RestingOrder | None:
        """Return an order by its id, None where it is not in the book."""
        place = self._places.get(order_id)
        return None if place is None else self._levels[place[0]][place[1]][order_id]

    def queue(self, side: Side, ticks: int) -> list[RestingOrder]:
        """Return the orders at a price, next to trade first."""
        return list(self._levels[side].get(ticks, {}).values())

    def prices(self, side: Side, n: int) -> list[int]:
        """Return up to ``n`` prices of a side in ticks, best first."""
        prices = self._prices[side]
        return prices[: -n - 1 : -1] if side == "buy" else prices[:n]

    def levels(self, side: Side, n: int) -> list[tuple[int, int]]:
        """Return up to ``n`` levels as (ticks, lots), best first, as a book by price has them."""
        queues = self._levels[side]
        return [(ticks, sum(order.lots for order in queues[ticks].values())) for ticks in self.prices(side, n)]

    def checksum(self) -> int:
        """Return Kraken's CRC-32 of the book as it is now."""
        return crc32("".join([*self._summed("sell"), *self._summed("buy")]).encode())

    def _summed(self, side: Side) -> Iterator[str]:
        queues, texts = self._levels[side], self._texts[side]
        for ticks in self.prices(side, CHECKSUM_LEVELS):
            text = texts.get(ticks)
            if text is None:
                text = texts[ticks] = "".join([f"{ticks}{order.lots}" for order in queues[ticks].values()])
            yield text

    def change(self, change: Change) -> None:
        """Take one order's change; less quantity keeps the place, all else goes to the back."""
        old = self.find(change.order_id)
        order = RestingOrder(change.order_id, change.ticks, change.lots, change.order_ts)
        keeps_place = (
            old is not None
            and change.event is Event.MODIFY
            and old.ticks == change.ticks
            and change.lots <= old.lots
            and self._places[change.order_id][0] == change.side
        )
        if not keeps_place and old is not None:
            self._remove(change.order_id)
        if change.event is not Event.DELETE:
            self._put(change.side, order)

    def _put(self, side: Side, order: RestingOrder) -> None:
        queue = self._levels[side].get(order.ticks)
        if queue is None:
            queue = self._levels[side][order.ticks] = {}
            insort(self._prices[side], order.ticks)
        queue[order.order_id] = order
        self._texts[side].pop(order.ticks, None)
        self._places[order.order_id] = side, order.ticks

    def _remove(self, order_id: str) -> None:
        side, ticks = self._places.pop(order_id)
        queue = self._levels[side][ticks]
        del queue[order_id]
        if queue:
            self._texts[side].pop(ticks, None)
        else:
            self._drop(side, ticks)

    def _drop(self, side: Side, ticks: int) -> None:
        """Forget a level, and every order that is left in it."""
        for order_id in self._levels[side].pop(ticks):
            del self._places[order_id]
        self._texts[side].pop(ticks, None)
        prices = self._prices[side]
        del prices[bisect_left(prices, ticks)]

    def trim(self, side: Side) -> None:
        """Forget the levels beyond the depth: Kraken sends no delete for them."""
        beyond = len(self._prices[side]) - self.depth
        if beyond > 0:
            prices = self._prices[side]
            for ticks in prices[:beyond] if side == "buy" else prices[-beyond:]:
                self._drop(side, ticks)
