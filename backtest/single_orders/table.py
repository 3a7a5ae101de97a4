"""One pair's single orders in a table of their own: a row is an order's change, or a mark.

Rows are in the order of the frames, by the exchange's time; prices in ticks, quantities in lots, times in ns since the
epoch. The order of the rows of a level is its queue.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import groupby
from typing import Final

import pyarrow as pa

from backtest.data.columns import BUY, SELL, Flag, Mark
from shared.clock import parse_rfc3339
from shared.errors import FrameError
from shared.kraken.level3 import Change, Event, Level3Book, Message, depth_for
from shared.messages import Pair

SCHEMA: Final = pa.schema(
    [
        pa.field("exchange_ts", pa.int64(), nullable=False),
        # When it was received here; the exchange's time where the source does not say.
        pa.field("heard_ts", pa.int64(), nullable=False),
        pa.field("event", pa.uint8(), nullable=False),
        pa.field("order_id", pa.string(), nullable=False),
        pa.field("side", pa.uint8(), nullable=False),
        pa.field("ticks", pa.int64(), nullable=False),
        pa.field("lots", pa.int64(), nullable=False),
        # When the order came or was amended.
        pa.field("order_ts", pa.int64(), nullable=False),
        pa.field("flags", pa.uint8(), nullable=False),
    ]
)


class Kind(IntEnum):
    """The kind of a row."""

    ADD = 0
    MODIFY = 1
    DELETE = 2
    SNAPSHOT = 3
    """An order of a snapshot; the first (``FIRST``) empties the book before. One without an id is an empty snapshot."""
    MARK = 4
    """A gap: nothing after it can be trusted until the next snapshot; ``lots`` is a :class:`Mark`."""


_KINDS: Final = {Event.ADD: Kind.ADD, Event.MODIFY: Kind.MODIFY, Event.DELETE: Kind.DELETE}
_EVENTS: Final = {Kind.ADD: Event.ADD, Kind.MODIFY: Event.MODIFY, Kind.DELETE: Event.DELETE, Kind.SNAPSHOT: Event.ADD}


@dataclass(frozen=True, slots=True)
class SingleOrders:
    """One pair's rows; ``depth`` is the number of levels a side that the source follows."""

    pair: Pair
    depth: int
    table: pa.Table


@dataclass(frozen=True, slots=True)
class OrderMessage:
    """One message: its changes in their order; a mark has none and is not live."""

    exchange_ts: int
    is_snapshot: bool
    is_live: bool
    changes: list[Change]


@dataclass(slots=True)
class OrderRows:
    """Makes the rows of one pair from its messages, each checksum verified."""

    pair: Pair
    rows: list[tuple[int, int, int, str, int, int, int, int, int]] = field(default_factory=list)
    depth: int = 0
    checksums_ok: int = 0
    checksums_failed: int = 0
    _last: int = 0
    _book: Level3Book = field(init=False)

    def __post_init__(self) -> None:
        self._book = Level3Book(self.pair.symbol, 0, self.pair.price_precision, self.pair.qty_precision)

    def take(self, is_snapshot: bool, message: Message, heard_ts: int) -> None:
        """Take a message heard at a time (0: unknown); a failed checksum leaves a mark. Raises FrameError."""
        book = self._book
        if is_snapshot:
            book.depth = depth_for(max(len({row.limit_price for row in side}) for side in (message.bids, message.asks)))
            self.depth = max(self.depth, book.depth)
        was_synced, ok, failed = book.synced, book.checksums_ok, book.checksums_failed
        try:
            changes = book.apply(is_snapshot, message)
            at = parse_rfc3339(message.timestamp) if message.timestamp else 0
        except ValueError as error:
            self.mark(Mark.UNREADABLE, heard_ts, was_synced=was_synced)
            raise FrameError(str(error)) from error
        at = at or max((change.order_ts for change in changes), default=heard_ts)
        self._last = at = max(at, self._last)
        self.checksums_ok += book.checksums_ok - ok
        if book.checksums_failed > failed:
            self.checksums_failed += 1
            self.mark(Mark.CHECKSUM, heard_ts, was_synced=was_synced)
        elif book.synced:
            self._add(is_snapshot, changes, at, heard_ts or at)

    def mark(self, why: Mark, heard_ts: int, *, was_synced: bool | None = None) -> None:
        """Leave a mark where the book was trusted, and wait for the next snapshot."""
        if self._book.synced if was_synced is None else was_synced:
            self.rows.append((self._last, heard_ts or self._last, Kind.MARK, "", 0, 0, why, 0, Flag.LAST))
        self._book.clear()

    def _add(self, is_snapshot: bool, changes: list[Change], at: int, heard: int) -> None:
        if is_snapshot and not changes:
            self.rows.append((at, heard, Kind.SNAPSHOT, "", 0, 0, 0, 0, Flag.FIRST | Flag.LAST))
        for place, change in enumerate(changes):
            first = Flag.FIRST if is_snapshot and not place else 0
            last = Flag.LAST if place == len(changes) - 1 else 0
            kind = Kind.SNAPSHOT if is_snapshot else _KINDS[change.event]
            side = BUY if change.side == "buy" else SELL
            order = change.order_id, side, change.ticks, change.lots, change.order_ts
            self.rows.append((at, heard, kind, *order, first | last))

    def made(self) -> SingleOrders:
        """Return the rows as a table."""
        columns = list(zip(*self.rows, strict=True)) or [()] * len(SCHEMA.names)
        arrays = [pa.array(column, kind) for column, kind in zip(columns, SCHEMA.types, strict=True)]
        return SingleOrders(self.pair, self.depth, pa.table(arrays, schema=SCHEMA))


def order_messages(table: pa.Table) -> Iterator[OrderMessage]:
    """Yield the messages of a table in their order."""
    rows = zip(*(table[name].to_pylist() for name in SCHEMA.names), strict=True)
    number = 0

    def message_of(row: tuple[int, int, int, str, int, int, int, int, int]) -> int:
        nonlocal number
        mine = number
        number += bool(row[-1] & Flag.LAST)
        return mine

    for _, group in groupby(rows, message_of):
        whole = list(group)
        kind = Kind(whole[0][2])
        changes = [
            Change(_EVENTS[Kind(event)], "buy" if side == BUY else "sell", order_id, ticks, lots, order_ts)
            for _, _, event, order_id, side, ticks, lots, order_ts, _ in whole
            if order_id
        ]
        yield OrderMessage(whole[0][0], kind == Kind.SNAPSHOT, kind != Kind.MARK, changes)
