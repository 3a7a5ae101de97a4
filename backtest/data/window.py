"""Rows of a part of the time, with the book as it was at its beginning."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from backtest.data.columns import Flag, Kind
from backtest.data.frames import FrameReader
from backtest.data.rows import to_table
from shared.messages import Pair


def window(pair: Pair, table: pa.Table, begin: int | None, end: int | None) -> pa.Table:
    """Return the rows from ``begin`` until before ``end`` (ns), first a snapshot of the book at ``begin``."""
    if end is not None:
        table = table.slice(0, _count_before(table, end))
    first = _count_before(table, begin) if begin is not None else 0
    if begin is None or not first:
        return table
    return pa.concat_tables([_book_at(pair, table.slice(0, first), begin), table.slice(first)]).combine_chunks()


def _count_before(table: pa.Table, moment: int) -> int:
    return int(pc.sum(pc.less(table["exchange_ts"], moment)).as_py() or 0)


def _book_at(pair: Pair, before: pa.Table, moment: int) -> pa.Table:
    """Return the snapshot that the rows before a moment lead to; no rows where the book cannot be trusted then."""
    reader = FrameReader(pair.symbol, pair.price_precision, pair.qty_precision)
    firsts = pc.indices_nonzero(pc.bit_wise_and(before["flags"], pa.scalar(int(Flag.FIRST), pa.uint8())))
    if not len(firsts):
        return before.slice(0, 0)
    rest = before.slice(firsts[-1].as_py())
    columns = [rest[name].to_pylist() for name in ("exchange_ts", "kind", "side", "ticks", "lots", "flags")]
    levels: list[tuple[int, int, int]] = []
    snapshot = False
    for at, kind, side, ticks, lots, flags in zip(*columns, strict=True):
        if kind == Kind.MARK:
            reader.mark(lots, at)
        elif kind != Kind.TRADE:
            snapshot = snapshot or kind == Kind.SNAPSHOT
            if ticks:
                levels.append((side, ticks, lots))
            if flags & Flag.LAST:
                reader.change(at, at, snapshot, levels)
                levels, snapshot = [], False
    if not reader.synced:
        return before.slice(0, 0)
    reader.take()
    reader.state(moment, moment)
    return to_table(reader.take())
