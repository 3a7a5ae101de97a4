"""Gathers rows by pair, and writes them as day files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from statistics import median
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from backtest.data.columns import Columns, Mark, SingleOrders
from backtest.data.coverage import coverage_bps
from backtest.data.formats import day_files
from backtest.data.frames import DAY_NS
from backtest.data.joined import Part, ends_of_book, join, mark_row
from backtest.data.order_rows import order_mark
from backtest.data.places import Place
from backtest.data.tally import Tally
from backtest.errors import DataError
from shared.clock import SECOND

# So many rows of a pair are gathered before its whole days are written: about 250 MB.
ROWS_GATHERED: Final = 6_000_000


class DayWriter:
    """Writes the rows of a run below a folder; a day that is there already is refused without ``overwrite``."""

    def __init__(self, folder: Place, source: str, *, overwrite: bool, rows_gathered: int = ROWS_GATHERED) -> None:
        self.rows = 0
        self.seconds = 0.0
        self.bytes = 0
        self.files: list[str] = []
        self._folder, self._source, self._overwrite = folder, source, overwrite
        self._rows_gathered = rows_gathered
        self._parts: dict[str, list[Part]] = {}
        self._written: set[str] = set()
        self._coverage: dict[str, list[float]] = {}
        self._spans: dict[str, tuple[int, int]] = {}

    @property
    def pairs(self) -> list[str]:
        """Return the symbols that were written."""
        return sorted(self._spans)

    @property
    def coverage_bps(self) -> dict[str, float]:
        """Return the median of the days' coverage, by symbol; without those that have no book."""
        return {symbol: round(median(days), 3) for symbol, days in sorted(self._coverage.items())}

    def take(self, part: Part, tally: Tally) -> None:
        """Take rows. Raises DataError."""
        symbol = part.columns.pair.symbol
        gathered = self._parts.setdefault(symbol, [])
        gathered.append(part)
        if sum(each.columns.num_rows for each in gathered) >= self._rows_gathered:
            *whole, (_, last) = self._days(symbol)
            self._write(symbol, whole, tally)
            self._parts[symbol] = [Part(last, part.source, is_whole_day=False)]

    def finish(self, tally: Tally) -> None:
        """Write what is left. Raises DataError; then none of it is written."""
        days = {symbol: self._days(symbol) for symbol in sorted(self._parts)}
        for symbol, theirs in days.items():
            for day, columns in theirs:
                for file, _ in day_files.day_files(self._folder, symbol, day, columns):
                    self._check(file)
        for symbol, theirs in days.items():
            self._write(symbol, theirs, tally)

    def _days(self, symbol: str) -> list[tuple[str, Columns]]:
        """Take the gathered rows of a symbol as days, in order."""
        columns = join(self._parts.pop(symbol))
        tables = _by_day(columns.table, mark_row)
        theirs = {} if columns.orders is None else _by_day(columns.orders.table, order_mark)
        days = []
        for day in sorted({*tables, *theirs}):
            orders = SingleOrders(columns.orders.depth, theirs[day]) if columns.orders and day in theirs else None
            table = tables.get(day, columns.table.slice(0, 0))
            days.append((day, Columns(columns.pair, columns.depth, table, orders)))
        return days

    def _write(self, symbol: str, days: list[tuple[str, Columns]], tally: Tally) -> None:
        files = [each for day, columns in days for each in day_files.day_files(self._folder, symbol, day, columns)]
        for file, _ in files:
            self._check(file)
        for file, part in files:
            self.bytes += day_files.write(file, part, self._source, tally.counts())
            self._written.add(file.text)
            self.files.append(file.text)
        for _, columns in days:
            self._count(columns)

    def _check(self, file: Place) -> None:
        if file.text in self._written:
            raise DataError(f"{file.text}: rows of this day came after later ones; name the paths in order of time")
        if not self._overwrite and file.exists():
            raise DataError(f"{file.text}: this day is there already; --overwrite writes it anew")

    def _count(self, columns: Columns) -> None:
        symbol, (first, last) = columns.pair.symbol, columns.span
        self.rows += columns.num_rows
        self._spans[symbol] = self._spans.get(symbol, (first, last))[0], last
        self.seconds = max((end - begin) / SECOND for begin, end in self._spans.values())
        bps = coverage_bps(columns)
        if bps is not None:
            self._coverage.setdefault(symbol, []).append(bps)


def _by_day(table: pa.Table, mark: Callable[[int, Mark], pa.Table]) -> dict[str, pa.Table]:
    """Return rows by UTC day (``2026-07-24``); one whose book is not known at midnight begins with a mark."""
    numbers = pc.divide(table["exchange_ts"], DAY_NS)
    split: dict[str, pa.Table] = {}
    for number in pc.unique(numbers).to_pylist():
        rows = table.filter(pc.equal(numbers, number))
        if split and _book_is_unknown(rows, number * DAY_NS):
            rows = pa.concat_tables([mark(number * DAY_NS, Mark.MISSED), rows]).combine_chunks()
        split[datetime.fromtimestamp(number * DAY_NS // SECOND, UTC).strftime("%Y-%m-%d")] = rows
    return split


def _book_is_unknown(rows: pa.Table, midnight: int) -> bool:
    """True if a day has rows of the book, and not from midnight on."""
    ends = ends_of_book(rows)
    return ends is not None and ends[0] > midnight
