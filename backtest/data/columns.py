"""One pair's market data in columns: a row is a change of a level, a trade, or a mark; and its single orders.

Rows are in the order of the exchange's time; at the same time trades come before the book change that they cause.
Prices are in ticks of ``10 ** -price_precision``, quantities in lots of ``10 ** -qty_precision``, times in ns since the
epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final

import pyarrow as pa

from shared.messages import Pair

SCHEMA: Final = pa.schema(
    [
        # When it happened at the exchange, by the frame; the time heard where the frame has none.
        pa.field("exchange_ts", pa.int64(), nullable=False),
        # When it was received here; the exchange's time where the source does not say.
        pa.field("heard_ts", pa.int64(), nullable=False),
        pa.field("kind", pa.uint8(), nullable=False),
        pa.field("side", pa.uint8(), nullable=False),
        pa.field("ticks", pa.int64(), nullable=False),
        pa.field("lots", pa.int64(), nullable=False),
        pa.field("flags", pa.uint8(), nullable=False),
    ]
)

# Single orders (level 3). The order of the rows of a level is its queue.
ORDERS_SCHEMA: Final = pa.schema(
    [
        pa.field("exchange_ts", pa.int64(), nullable=False),
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

    LEVEL = 0
    """The level at ``ticks`` has ``lots`` now; 0 removes it."""
    SNAPSHOT = 1
    """A level of a snapshot; the first row of one (``FIRST``) empties the book before."""
    TRADE = 2
    """``lots`` traded at ``ticks``; ``side`` is the taker's."""
    MARK = 3
    """A gap: nothing after it can be trusted until the next snapshot; ``lots`` is a :class:`Mark`."""
    ORDER = 4
    """A single order has ``lots`` at ``ticks`` now; 0 removes it. Only where single orders are played, in no file."""
    ORDER_SNAPSHOT = 5
    """A single order of a snapshot; the first row of one (``FIRST``) empties the book before."""


class OrderEvent(IntEnum):
    """The event of a row of single orders."""

    ADD = 0
    MODIFY = 1
    DELETE = 2
    SNAPSHOT = 3
    """An order of a snapshot; the first (``FIRST``) empties the book before. One without an id is an empty snapshot."""
    MARK = 4
    """A gap: nothing after it can be trusted until the next snapshot; ``lots`` is a :class:`Mark`."""


class Mark(IntEnum):
    """Why the book cannot be trusted from here until the next snapshot."""

    MISSED = 1
    """Messages were lost on the way to the recording."""
    RECONNECT = 2
    """The connection ended."""
    CHECKSUM = 3
    """A checksum failed."""
    UNREADABLE = 4
    """A row or frame could not be read."""


class Flag(IntFlag):
    """The place of a row in its message."""

    LAST = 1
    """The book is consistent after this row: it is the last of its message."""
    FIRST = 2
    """The first row of a snapshot."""


BUY, SELL = 0, 1
# The side of a trade whose source does not say who took.
UNKNOWN = 2


@dataclass(frozen=True, slots=True)
class SingleOrders:
    """One pair's rows of single orders; ``depth`` is the number of levels a side that the source follows."""

    depth: int
    table: pa.Table


@dataclass(frozen=True, slots=True)
class Columns:
    """One pair's rows; ``depth`` is the number of levels a side that the source follows (0 if it has no book).

    ``orders`` are its single orders, where the source has them.
    """

    pair: Pair
    depth: int
    table: pa.Table
    orders: SingleOrders | None = None

    @property
    def num_rows(self) -> int:
        """Return the number of rows, single orders included."""
        return int(sum(table.num_rows for table in self._tables))

    @property
    def span(self) -> tuple[int, int]:
        """Return the times of the first and the last row at the exchange, of which there must be one."""
        times = [table["exchange_ts"] for table in self._tables if table.num_rows]
        return min(each[0].as_py() for each in times), max(each[-1].as_py() for each in times)

    @property
    def _tables(self) -> list[pa.Table]:
        return [self.table] if self.orders is None else [self.table, self.orders.table]
