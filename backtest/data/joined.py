"""Parts of one pair's market put together: rows in order, and a mark where another source's book begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from backtest.data.columns import SCHEMA, Columns, Kind, Mark
from backtest.data.rows import ordered


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one source (``source`` is its number); a whole day states its book itself where it begins."""

    columns: Columns
    source: int
    is_whole_day: bool


def join(parts: Sequence[Part]) -> Columns:
    """Return parts of one pair, at least one, as one; oldest first."""
    by_time = sorted(parts, key=_begin)
    tables: list[pa.Table] = []
    last_source, last_ts = -1, 0
    for part in by_time:
        table = part.columns.table
        newest = _newest_of_book(table)
        if newest is not None:
            if last_source not in (-1, part.source) and not part.is_whole_day:
                tables.append(_reconnect(last_ts))
            last_source, last_ts = part.source, newest
        tables.append(table)
    depth = max(part.columns.depth for part in parts)
    return Columns(by_time[-1].columns.pair, depth, ordered(tables) if len(tables) > 1 else tables[0])


def _begin(part: Part) -> int:
    return int(part.columns.table["exchange_ts"][0].as_py())


def _newest_of_book(table: pa.Table) -> int | None:
    """Return the time of the last row that is no trade, None without one."""
    rows = table.filter(pc.not_equal(table["kind"], pa.scalar(int(Kind.TRADE), pa.uint8())))
    return int(rows["exchange_ts"][-1].as_py()) if rows.num_rows else None


def _reconnect(moment: int) -> pa.Table:
    """Return the mark between two sources."""
    row = {"exchange_ts": moment, "heard_ts": moment, "kind": Kind.MARK, "lots": Mark.RECONNECT}
    return pa.Table.from_pylist([{name: int(row.get(name, 0)) for name in SCHEMA.names}], SCHEMA)
