"""Read market data of any supported form into columns, a pair each.

A path is a recording's folder or file (``.arrows``), a capture of frames (a line each), or the level events of
``kraken_feed.csv``. Nothing is guessed: what cannot be read is counted and named in the tally.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from backtest.data import captured, level_events, recorded
from backtest.data.columns import Columns
from backtest.data.market import Market
from backtest.data.rows import ordered
from backtest.data.tally import BadRow, Tally
from backtest.data.window import window
from backtest.errors import DataError
from shared.messages import Pair

__all__ = ["BadRow", "Dataset", "Tally", "read"]


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
    began = time.monotonic()
    tally = Tally()
    tables: dict[str, list[pa.Table]] = defaultdict(list)
    pairs: dict[str, Pair] = {}
    depths: dict[str, int] = defaultdict(int)
    for path in paths:
        market = Market(tally, symbols)
        _read_path(path, market)
        for symbol, rows in market.pairs.items():
            tables[symbol].append(rows.take())
            pairs[symbol] = rows.pair
            depths[symbol] = max(depths[symbol], rows.reader.depth)
    columns = {}
    for symbol, parts in tables.items():
        table = window(pairs[symbol], ordered(parts), begin, end)
        if table.num_rows:
            columns[symbol] = Columns(pairs[symbol], depths[symbol], table)
    if not columns:
        raise DataError(f"{', '.join(paths)}: no book or trade of a wanted pair is in it")
    tally.rows = sum(each.table.num_rows for each in columns.values())
    tally.seconds = time.monotonic() - began
    return Dataset(columns, tally)


def _read_path(path: str, market: Market) -> None:
    place = Path(path)
    try:
        if place.is_dir() or place.suffix == ".arrows":
            recorded.read(place, market)
        elif place.suffix == ".csv":
            level_events.read(place, market)
        else:
            captured.read(place, market)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error
