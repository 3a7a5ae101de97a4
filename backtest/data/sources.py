"""Read market data of any supported form into columns, a pair each.

A path, on this machine or in a store (``s3://``, ``gs://``), is a recording's folder or file (``.arrows``), what
``extract`` wrote (``.parquet``, or the folder of such files), a capture of frames (a line each), or a CSV: level
events, Kraken's time and sales, tardis.dev's ``incremental_book_L2`` and ``trades``. Nothing is guessed: what cannot be
read is counted and named in the tally.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from backtest.data.columns import Columns
from backtest.data.formats import captured, day_files, delimited, recorded
from backtest.data.joined import Part, join
from backtest.data.market import Market
from backtest.data.places import Place, place
from backtest.data.tally import BadRow, Tally
from backtest.data.window import orders_window, window
from backtest.errors import DataError
from shared.clock import SECOND

__all__ = ["BadRow", "Dataset", "Tally", "parts", "read"]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Columns by symbol, and what was counted while reading."""

    columns: dict[str, Columns]
    tally: Tally


def read(
    paths: Sequence[str], *, symbols: Collection[str] | None = None, begin: int | None = None, end: int | None = None
) -> Dataset:
    """Return the rows of all paths, of ``symbols`` (None: all), from ``begin`` until before ``end``.

    Both are in ns since the epoch, by the exchange's time. Raises DataError for a path that cannot be read, and when
    nothing is left.
    """
    tally = Tally()
    by_symbol: dict[str, list[Part]] = {}
    for each in parts(paths, tally, symbols):
        by_symbol.setdefault(each.columns.pair.symbol, []).append(each)
    columns = {}
    for symbol, theirs in by_symbol.items():
        joined = join(theirs)
        table = window(joined.pair, joined.table, begin, end)
        orders = joined.orders and orders_window(joined.pair, joined.orders, begin, end)
        if table.num_rows or orders:
            columns[symbol] = Columns(joined.pair, joined.depth, table, orders)
    if not columns:
        raise DataError(f"{', '.join(paths)}: no book or trade of a wanted pair is in it")
    tally.rows = sum(each.num_rows for each in columns.values())
    tally.seconds = max(end - begin for begin, end in (each.span for each in columns.values())) / SECOND
    return Dataset(columns, tally)


def parts(paths: Sequence[str], tally: Tally, symbols: Collection[str] | None) -> Iterator[Part]:
    """Yield the rows of the paths as they are read, in order, a part being one pair's rows of one file."""
    for source, path in enumerate(paths):
        yield from _parts(place(path), source, tally, symbols)


def _parts(path: Place, source: int, tally: Tally, symbols: Collection[str] | None) -> Iterator[Part]:
    days = [file for file in path.files() if file.name.endswith(day_files.SUFFIX)] if path.is_folder else []
    if days or path.name.endswith(day_files.SUFFIX):
        for file in days or [path]:
            columns = day_files.read(file)
            if symbols is None or columns.pair.symbol in symbols:
                yield Part(columns, source, is_whole_day=True)
        return
    market = Market(tally, symbols)
    files = recorded.files(path)
    if path.is_folder and not files:
        raise DataError(f"{path.text}: neither a recording nor extracted columns are in this folder")
    if path.name.endswith(".arrows") or path.is_folder:
        reading = recorded.read(files, market)
    elif path.name.endswith(".csv"):
        reading = delimited.read(path, market)
    else:
        reading = captured.read(path, market)
    for _ in reading:
        for rows in market.pairs.values():
            table, orders = rows.take(), rows.orders.taken()
            if table.num_rows or orders.table.num_rows:
                made = Columns(rows.pair, rows.reader.depth, table, orders if orders.table.num_rows else None)
                yield Part(made, source, is_whole_day=False)
