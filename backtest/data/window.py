"""Rows of a part of the time, with the book as it was at its beginning."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from backtest.data.columns import Flag, SingleOrders
from backtest.data.frames import FrameReader
from backtest.data.order_rows import OrderRows, order_messages
from backtest.data.rows import to_table
from shared.messages import Pair


def window(pair: Pair, table: pa.Table, begin: int | None, end: int | None) -> pa.Table:
    """Return the rows from ``begin`` until before ``end`` (ns), first a snapshot of the book at ``begin``.

    No rows if the table has none in that time.
    """
    if end is not None:
        table = table.slice(0, _count_before(table, end))
    first = _count_before(table, begin) if begin is not None else 0
    if begin is None or not first:
        return table
    if first == table.num_rows:
        return table.slice(first)
    return pa.concat_tables([_book_at(pair, table.slice(0, first), begin), table.slice(first)]).combine_chunks()


def orders_window(pair: Pair, orders: SingleOrders, begin: int | None, end: int | None) -> SingleOrders | None:
    """Return the rows from ``begin`` until before ``end`` (ns), first a snapshot of the book at ``begin``.

    None if there are none in that time.
    """
    table = orders.table if end is None else orders.table.slice(0, _count_before(orders.table, end))
    first = _count_before(table, begin) if begin is not None else 0
    if first == table.num_rows:
        return None
    if begin is None or not first:
        return SingleOrders(orders.depth, table)
    book, before = OrderRows(pair), table.slice(0, first)
    book.follow_depth(orders.depth)
    for message in order_messages(before.slice(last_snapshot(before))):
        book.follow(message)
    book.state(begin, begin)
    stated = book.taken().table
    return SingleOrders(orders.depth, pa.concat_tables([stated, table.slice(first)]).combine_chunks())


def _count_before(table: pa.Table, moment: int) -> int:
    return int(pc.sum(pc.less(table["exchange_ts"], moment)).as_py() or 0)


def _book_at(pair: Pair, before: pa.Table, moment: int) -> pa.Table:
    """Return the snapshot that the rows before a moment lead to; no rows where the book cannot be trusted then."""
    reader = FrameReader(pair.symbol, pair.price_precision, pair.qty_precision)
    follow(reader, before.slice(last_snapshot(before)))
    if reader.synced:
        reader.state(moment, moment)
    return to_table(reader.take())


def last_snapshot(table: pa.Table) -> int:
    """Return the place of the row that begins the last snapshot, or of the first row."""
    firsts = pc.indices_nonzero(pc.bit_wise_and(table["flags"], pa.scalar(int(Flag.FIRST), pa.uint8())))
    return int(firsts[-1].as_py()) if len(firsts) else 0


def follow(reader: FrameReader, table: pa.Table) -> None:
    """Bring a reader's book to where it is after rows."""
    for batch in table.to_batches():
        reader.follow(*(_bytes(batch.column(name)) for name in ("kind", "side", "ticks", "lots", "flags")))


def _bytes(column: pa.Array) -> bytes:
    width = column.type.byte_width
    data = memoryview(column.buffers()[1])
    return bytes(data[column.offset * width : (column.offset + len(column)) * width])
