"""Parts of a market put together: rows in order, and a mark where another source's book begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from backtest.data.columns import SCHEMA, Columns, Kind, Mark, SingleOrders
from backtest.data.frames import DAY_NS
from backtest.data.order_rows import order_mark
from backtest.data.rows import ordered


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one source (``source`` is its number); a whole day states its book itself where it begins."""

    columns: Columns
    source: int
    is_whole_day: bool


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part's rows of one kind, at least one."""

    part: Part
    table: pa.Table

    @property
    def begin(self) -> int:
        return int(self.table["exchange_ts"][0].as_py())


def join(parts: Sequence[Part]) -> Columns:
    """Return parts of one pair, at least one, as one; oldest first."""
    first = parts[0].columns
    levels = [_Piece(part, part.columns.table) for part in parts if part.columns.table.num_rows]
    tables = _marked(levels, mark_row)
    table = ordered(tables) if len(tables) > 1 else tables[0] if tables else first.table
    theirs = [(part, part.columns.orders) for part in parts if part.columns.orders is not None]
    pieces = [_Piece(part, orders.table) for part, orders in theirs]
    orders = None
    if pieces:
        joined = pa.concat_tables(_marked(pieces, order_mark)).combine_chunks()
        orders = SingleOrders(max(orders.depth for _, orders in theirs), joined)
    return Columns(first.pair, max(part.columns.depth for part in parts), table, orders)


def _marked(pieces: list[_Piece], mark: Callable[[int, Mark], pa.Table]) -> list[pa.Table]:
    """Return the tables, oldest first, with a mark between books that do not go on."""
    tables: list[pa.Table] = []
    last_source, last_ts = -1, 0
    for piece in sorted(pieces, key=lambda piece: piece.begin):
        ends = ends_of_book(piece.table)
        if ends is not None:
            if last_source >= 0 and not _goes_on(piece.part, ends[0], last_source, last_ts):
                tables.append(mark(last_ts, Mark.RECONNECT))
            last_source, last_ts = piece.part.source, ends[1]
        tables.append(piece.table)
    return tables


def _goes_on(part: Part, begin: int, last_source: int, last_ts: int) -> bool:
    """True if a part's book, from ``begin`` on, goes on with the one before it, which ends at ``last_ts``."""
    if not part.is_whole_day:
        return part.source == last_source
    return begin % DAY_NS == 0 and begin - last_ts <= DAY_NS


def ends_of_book(table: pa.Table) -> tuple[int, int] | None:
    """Return the times of the first and the last row that is no trade, None without one."""
    if "kind" in table.schema.names:
        table = table.filter(pc.not_equal(table["kind"], pa.scalar(int(Kind.TRADE), pa.uint8())))
    times = table["exchange_ts"]
    return (int(times[0].as_py()), int(times[-1].as_py())) if len(times) else None


def mark_row(moment: int, why: Mark) -> pa.Table:
    """Return a mark as a table of one row."""
    row = {"exchange_ts": moment, "heard_ts": moment, "kind": Kind.MARK, "lots": why}
    return pa.Table.from_pylist([{name: int(row.get(name, 0)) for name in SCHEMA.names}], SCHEMA)
