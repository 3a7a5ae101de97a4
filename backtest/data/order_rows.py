"""Turn messages of single orders (level 3) into rows, and rows into messages; with every checksum verified."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from backtest.data.columns import BUY, ORDERS_SCHEMA, SELL, Flag, Mark, OrderEvent, SingleOrders
from backtest.data.frames import DAY_NS
from shared.clock import parse_rfc3339
from shared.errors import FrameError
from shared.kraken import level3
from shared.kraken.level3 import Change, Event, Level3Book, Message, Side, changes_of, depth_for
from shared.messages import Pair
from shared.rust import rust_module

if TYPE_CHECKING:
    from shared.rust import OrderReader

_KINDS: Final = {Event.ADD: OrderEvent.ADD, Event.MODIFY: OrderEvent.MODIFY, Event.DELETE: OrderEvent.DELETE}
_EVENTS: Final = {kind: event for event, kind in _KINDS.items()} | {OrderEvent.SNAPSHOT: Event.ADD}
_SIDES: Final[tuple[Side, Side]] = ("buy", "sell")
_Row = tuple[int, int, int, str, int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class OrderMessage:
    """One message: its changes in their order; a mark has none and is not live."""

    exchange_ts: int
    is_snapshot: bool
    is_live: bool
    changes: list[Change]


class OrderRows:
    """Makes the rows of one pair from its messages, up to the first failure and again from the next snapshot on.

    At each midnight (UTC) that it passes, the book is stated anew as a snapshot, so that every day can be read alone.
    """

    def __init__(self, pair: Pair) -> None:
        self.depth = 0
        """The most levels a side that a snapshot's subscription followed, 0 before the first."""
        self._pair = pair
        self._book = Level3Book(pair.symbol, 0, pair.price_precision, pair.qty_precision)
        self._rows: list[_Row] = []
        self._last = 0

    @property
    def checksums(self) -> tuple[int, int]:
        """Return how many checksums matched, and how many failed."""
        return self._book.checksums_ok, self._book.checksums_failed

    def feed(self, frame: bytes, heard_ts: int) -> None:
        """Take a frame heard at a time (0: unknown); its elements of other pairs are left.

        A failed checksum leaves a mark. Raises FrameError, after which :meth:`mark` has to be called.
        """
        is_snapshot, messages = level3.messages(frame, self._pair.symbol)
        for message in messages:
            self._take(is_snapshot, message, heard_ts)

    def _take(self, is_snapshot: bool, message: Message, heard_ts: int) -> None:
        book, was_synced = self._book, self._book.synced
        stated, changes = read(message, self._pair, is_wanted=is_snapshot or was_synced)
        if is_snapshot:
            book.depth = depth_for(max(len({c.ticks for c in changes if c.side == side}) for side in _SIDES))
            self.depth = max(self.depth, book.depth)
        at = max(stated or heard_ts, self._last)
        if was_synced:
            self._pass_midnight(at, heard_ts)
        self._last = at
        if not is_snapshot and not was_synced:
            return
        if book.take(is_snapshot, changes, message.checksum):
            self._add(is_snapshot, changes, at, heard_ts or at)
        else:
            self._mark(Mark.CHECKSUM, heard_ts, was_synced=was_synced)

    def follow(self, message: OrderMessage) -> None:
        """Bring the book to where it is after a message of rows; no row is made of it."""
        if message.is_snapshot or not message.is_live:
            self._book.clear()
            self._book.synced = message.is_snapshot
        for change in message.changes:
            self._book.change(change)
        for side in _SIDES:
            self._book.trim(side)

    def mark(self, why: Mark, heard_ts: int) -> None:
        """Leave a mark where the book was trusted, and wait for the next snapshot."""
        self._mark(why, heard_ts, was_synced=self._book.synced)

    def state(self, at: int, heard_ts: int) -> None:
        """State the book as it is now, as a snapshot at a time; nothing where it cannot be trusted."""
        if self._book.synced:
            changes = [
                Change(Event.ADD, side, order.order_id, order.ticks, order.lots, order.order_ts)
                for side in _SIDES
                for price in self._book.prices(side, self._book.depth)
                for order in self._book.queue(side, price)
            ]
            self._add(True, changes, at, heard_ts)

    def taken(self) -> SingleOrders:
        """Return the rows so far as a table, and begin anew."""
        columns = list(zip(*self._rows, strict=True)) or [()] * len(ORDERS_SCHEMA.names)
        self._rows = []
        arrays = [pa.array(column, kind) for column, kind in zip(columns, ORDERS_SCHEMA.types, strict=True)]
        return SingleOrders(self.depth, pa.table(arrays, schema=ORDERS_SCHEMA))

    def follow_depth(self, depth: int) -> None:
        """Follow so many levels a side, as rows do that were made before."""
        self.depth = self._book.depth = depth

    def _pass_midnight(self, at: int, heard_ts: int) -> None:
        midnight = at - at % DAY_NS
        if self._last and self._last < midnight:
            self.state(midnight, midnight + (max(heard_ts - at, 0) if heard_ts else 0))

    def _mark(self, why: Mark, heard_ts: int, *, was_synced: bool) -> None:
        if was_synced:
            self._rows.append(_mark_values(self._last, heard_ts or self._last, why))
        self._book.clear()

    def _add(self, is_snapshot: bool, changes: list[Change], at: int, heard: int) -> None:
        if is_snapshot and not changes:
            self._rows.append((at, heard, OrderEvent.SNAPSHOT, "", 0, 0, 0, 0, Flag.FIRST | Flag.LAST))
        for place, change in enumerate(changes):
            first = Flag.FIRST if is_snapshot and not place else 0
            last = Flag.LAST if place == len(changes) - 1 else 0
            kind = OrderEvent.SNAPSHOT if is_snapshot else _KINDS[change.event]
            side = BUY if change.side == "buy" else SELL
            order = change.order_id, side, change.ticks, change.lots, change.order_ts
            self._rows.append((at, heard, kind, *order, first | last))


def read(message: Message, pair: Pair, *, is_wanted: bool) -> tuple[int, list[Change]]:
    """Return a message's time (0 where it does not say) and its changes, none if they are not wanted.

    Raises FrameError.
    """
    try:
        at = _time(message)
    except ValueError as error:
        raise FrameError(str(error)) from error
    return at, changes_of(message, pair.price_precision, pair.qty_precision) if is_wanted else []


def _time(message: Message) -> int:
    """Return when a message happened, by itself or its newest order; 0 where it does not say. Raises ValueError."""
    if message.timestamp:
        return parse_rfc3339(message.timestamp)
    rows = [row.timestamp for row in (*message.bids, *message.asks) if row.timestamp]
    return max(map(parse_rfc3339, rows), default=0)


class RustOrderRows:
    """:class:`OrderRows` as far as frames are read, by the Rust module's ``OrderReader``."""

    def __init__(self, pair: Pair, reader: OrderReader) -> None:
        self._pair, self._reader = pair, reader

    @property
    def checksums(self) -> tuple[int, int]:
        """Return how many checksums matched, and how many failed."""
        return self._reader.checksums

    def feed(self, frame: bytes, heard_ts: int) -> None:
        """Take a frame, as :meth:`OrderRows.feed`."""
        if self._reader.feed(frame, heard_ts):
            return
        is_snapshot, messages = level3.messages(frame, self._pair.symbol)
        for message in messages:
            at, changes = read(message, self._pair, is_wanted=is_snapshot or self._reader.synced)
            rows = [
                (int(_KINDS[each.event]), each.side == "buy", each.order_id, each.ticks, each.lots, each.order_ts)
                for each in changes
            ]
            # One that is no CRC fits no book.
            checksum = message.checksum if 0 <= message.checksum < 2**32 else -1
            self._reader.take_message(is_snapshot, rows, checksum, at, heard_ts)

    def mark(self, why: Mark, heard_ts: int) -> None:
        """Leave a mark where the book was trusted, and wait for the next snapshot."""
        self._reader.mark(why, heard_ts)

    def taken(self) -> SingleOrders:
        """Return the rows so far as a table, and begin anew."""
        exchange_ts, heard_ts, event, ends, ids, *rest = map(pa.py_buffer, self._reader.take())
        names = pa.StringArray.from_buffers(event.size, ends, ids)
        types = [kind for kind in ORDERS_SCHEMA.types if kind != pa.string()]
        columns = [
            pa.Array.from_buffers(kind, event.size, [None, data])
            for kind, data in zip(types, [exchange_ts, heard_ts, event, *rest], strict=True)
        ]
        columns.insert(ORDERS_SCHEMA.get_field_index("order_id"), names)
        return SingleOrders(self._reader.depth, pa.table(columns, schema=ORDERS_SCHEMA))


def order_rows(pair: Pair) -> OrderRows | RustOrderRows:
    """Return what makes rows of a pair's frames: Rust's where it is built, else its Python twin; both make the same."""
    rust = rust_module()
    if rust is None:
        return OrderRows(pair)
    return RustOrderRows(pair, rust.OrderReader(pair.symbol, pair.price_precision, pair.qty_precision))


def _mark_values(at: int, heard_ts: int, why: Mark) -> _Row:
    return at, heard_ts, OrderEvent.MARK, "", 0, 0, why, 0, Flag.LAST


def order_mark(moment: int, why: Mark) -> pa.Table:
    """Return a mark as a table of one row."""
    values = zip(ORDERS_SCHEMA.names, _mark_values(moment, moment, why), strict=True)
    return pa.Table.from_pylist([dict(values)], ORDERS_SCHEMA)


def order_messages(table: pa.Table) -> Iterator[OrderMessage]:
    """Yield the messages of a table in their order."""
    rows: Iterator[_Row] = zip(*(table[name].to_pylist() for name in ORDERS_SCHEMA.names), strict=True)
    number = 0

    def message_number(row: _Row) -> int:
        nonlocal number
        mine = number
        number += bool(row[-1] & Flag.LAST)
        return mine

    for _, group in groupby(rows, message_number):
        whole = list(group)
        kind = OrderEvent(whole[0][2])
        changes = [
            Change(_EVENTS[OrderEvent(event)], "buy" if side == BUY else "sell", order_id, ticks, lots, order_ts)
            for _, _, event, order_id, side, ticks, lots, order_ts, _ in whole
            if order_id
        ]
        yield OrderMessage(whole[0][0], kind == OrderEvent.SNAPSHOT, kind != OrderEvent.MARK, changes)
