"""Coverage: how far from the mid, in bp, the followed levels reach. Beyond it no queue is known."""

from __future__ import annotations

from statistics import median
from typing import Final

from backtest.data.columns import Columns
from backtest.data.frames import FrameReader
from backtest.data.window import follow

BPS: Final = 10_000
# The book is looked at so many times, at equal distances: a median needs no more.
LOOKS: Final = 500


def coverage_bps(columns: Columns) -> float | None:
    """Return the median distance of the last followed level from the mid, of both sides, in bp; None without a book."""
    pair, table = columns.pair, columns.table
    reader = FrameReader(pair.symbol, pair.price_precision, pair.qty_precision)
    step = max(1, table.num_rows // LOOKS)
    distances: list[float] = []
    for first in range(0, table.num_rows, step):
        follow(reader, table.slice(first, step))
        edges = reader.edges()
        if edges is not None:
            bid, ask, *last = edges
            distances += [abs(2 * price - bid - ask) / (bid + ask) * BPS for price in last]
    return round(median(distances), 3) if distances else None
