"""A pair's rows as the engines play them: from single orders as long as there are any, else from the book by price."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from backtest.data.columns import SCHEMA, Columns, Flag, Kind, OrderEvent, SingleOrders
from backtest.data.rows import ordered
from backtest.data.window import window
from shared.clock import SECOND

# Where single orders are missing for longer than this, the book by price is played meanwhile.
MISSING_NS: Final = 60 * SECOND
PLAYED_SCHEMA: Final = SCHEMA.append(pa.field("order", pa.uint32(), nullable=False))


def _octet(value: int) -> pa.Scalar:
    return pa.scalar(int(value), pa.uint8())


def played(columns: Columns) -> pa.Table:
    """Return the rows with the number of each single order beside them (``order``, 0 where a row has none)."""
    if columns.orders is None:
        return _numbered(columns.table)
    is_trade = pc.equal(columns.table["kind"], _octet(Kind.TRADE))
    trades, levels = columns.table.filter(is_trade), columns.table.filter(pc.invert(is_trade))
    tables = [_order_rows(columns.orders.table), _numbered(trades)]
    if levels.num_rows:
        end = max(int(levels["exchange_ts"][-1].as_py()), columns.span[1]) + 1
        for begin, until in _missing(columns.orders, int(levels["exchange_ts"][0].as_py()), end):
            tables.append(_numbered(window(columns.pair, levels, begin, until)))
    return ordered(tables)


def _numbered(table: pa.Table) -> pa.Table:
    return table.append_column(PLAYED_SCHEMA.field("order"), pa.array(np.zeros(len(table), np.uint32)))


def _order_rows(table: pa.Table) -> pa.Table:
    """Return single orders as rows of a market; each id gets a number, from 1."""
    event = table["event"]
    is_mark, is_snapshot, is_gone = (
        pc.equal(event, _octet(each)) for each in (OrderEvent.MARK, OrderEvent.SNAPSHOT, OrderEvent.DELETE)
    )
    kind = pc.if_else(is_snapshot, _octet(Kind.ORDER_SNAPSHOT), _octet(Kind.ORDER))
    kind = pc.if_else(is_mark, _octet(Kind.MARK), kind)
    lots = pc.if_else(is_gone, 0, table["lots"])
    numbers = pc.dictionary_encode(table["order_id"]).combine_chunks().indices.cast(pa.uint32())
    order = pc.add(numbers, pa.scalar(1, pa.uint32()))
    values = [table["exchange_ts"], table["heard_ts"], kind, table["side"], table["ticks"], lots, table["flags"], order]
    return pa.table(values, schema=PLAYED_SCHEMA)


def _missing(orders: SingleOrders, begin: int, end: int) -> list[tuple[int, int]]:
    """Return the times (from, until before) between ``begin`` and ``end`` without single orders for long."""
    is_first = pc.not_equal(pc.bit_wise_and(orders.table["flags"], _octet(Flag.FIRST)), _octet(0))
    edges = orders.table.filter(pc.or_(is_first, pc.equal(orders.table["event"], _octet(OrderEvent.MARK))))
    missing, since = [], begin
    is_missing = True
    for ts, event in zip(edges["exchange_ts"].to_pylist(), edges["event"].to_pylist(), strict=True):
        if event == OrderEvent.MARK and not is_missing:
            is_missing, since = True, ts + 1
        elif event != OrderEvent.MARK and is_missing:
            is_missing = False
            missing.append((since, ts))
    missing.append((since if is_missing else int(orders.table["exchange_ts"][-1].as_py()) + 1, end))
    return [(since, until) for since, until in missing if until - since > MISSING_NS]
