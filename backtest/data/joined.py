"""Parts of one pair's market put together: rows in order, and a mark where another source's book begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from backtest.data.columns import SCHEMA, Columns, Kind, Mark
from backtest.data.frames import DAY_NS
from backtest.data.rows import ordered


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one source (``source`` is its number); a whole day states its book itself where it begins."""

    columns: Columns
    source: int
    is_whole_day: bool


def join(parts: Sequence[Part]) -> Columns:
    """Return parts of one pair, at least one, as one; oldest first."""
    tables: list[pa.Table] = []
    last_source, last_ts = -1, 0
    for part in sorted(parts, key=_begin):
        table = part.columns.table
        ends = _ends_of_book(table)
        if ends is not None:
            if last_source >= 0 and not _goes_on(part, ends[0], last_source, last_ts):
                tables.append(mark_row(last_ts, Mark.RECONNECT))
            last_source, last_ts = part.source, ends[1]
        tables.append(table)
    columns = parts[0].columns
    depth = max(part.columns.depth for part in parts)
    return Columns(columns.pair, depth, ordered(tables) if len(tables) > 1 else tables[0])


def _goes_on(part: Part, begin: int, last_source: int, last_ts: int) -> bool:
    """True if a part's book, from ``begin`` on, goes on with the one before it, which ends at ``last_ts``."""
    if not part.is_whole_day:
        return part.source == last_source
    return begin % DAY_NS == 0 and begin - last_ts <= DAY_NS


def _begin(part: Part) -> int:
    return int(part.columns.table["exchange_ts"][0].as_py())


def _ends_of_book(table: pa.Table) -> tuple[int, int] | None:
    """Return the times of the first and the last row that is no trade, None without one."""
    times = table.filter(pc.not_equal(table["kind"], pa.scalar(int(Kind.TRADE), pa.uint8())))["exchange_ts"]
    return (int(times[0].as_py()), int(times[-1].as_py())) if len(times) else None


def mark_row(moment: int, why: Mark) -> pa.Table:
    """Return a mark as a table of one row."""
    row = {"exchange_ts": moment, "heard_ts": moment, "kind": Kind.MARK, "lots": why}
    return pa.Table.from_pylist([{name: int(row.get(name, 0)) for name in SCHEMA.names}], SCHEMA)
