"""The arrival intensity λ(δ) = A·exp(-kδ), and the volatility, from what was measured.

λ(δ) is how many takers a second reach δ or farther on one side: an order at δ is filled at about that rate. Its
logarithm is a line in δ, fitted by least squares over a range of depths, each weighed by its count. The model is
Avellaneda and Stoikov's (2008); arrivals are counted by depth as in hftbacktest's tutorial on GLFT, with two
differences: each taker counts by itself instead of the largest of a time step, and both sides are averaged, as A is one
side's.

The counts of neighbouring depths hold the same takers, so the line's own error would be far too small: errors are the
standard deviation of fits to blocks of time drawn again with replacement.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from backtest.calibration.arrivals import BP, Arrivals, Times, Values
from backtest.errors import DataError
from shared.clock import SECOND

# The farthest depth of the fit is one that so many takers reached.
COUNT_LEAST = 10
POINTS, DRAWS, BLOCKS = 25, 400, 40
DRAWS_LEAST = 20


@dataclass(frozen=True, slots=True)
class Depth:
    """A row of the fit's table: takers a second that reach so far on one side, counted and fitted."""

    depth_bps: float
    count: int
    arrivals_per_s: float
    fitted_per_s: float
    is_in_range: bool


@dataclass(frozen=True, slots=True)
class Fit:
    """A (1/s, one side) and k (1/bp) with standard errors, None where the data are too few for one.

    ``residual`` is the root of the mean squared difference of the logarithms: 0.1 is about 10 %.
    """

    rate: float
    rate_error: float | None
    decay: float
    decay_error: float | None
    from_bps: float
    to_bps: float
    residual: float
    table: list[Depth]


@dataclass(frozen=True, slots=True)
class Volatility:
    """σ in bp per √s of moves by so many seconds, with its standard error."""

    step_s: int
    sigma_bps: float
    error_bps: float
    moves: int


def fit(arrivals: Arrivals, bounds_bps: tuple[float, float] | None = None) -> Fit:
    """Return the fit over a range of depths; by default from a tick beyond the touch to what ten takers reached.

    Takers that only reach the touch are left out: there are many more of them than the line has. Raises DataError.
    """
    seconds = arrivals.live_ns / SECOND
    depths = np.sort(arrivals.depth_bps)
    if len(depths) < 2 * COUNT_LEAST or seconds <= 0:
        raise DataError(f"{len(depths)} trades with a book before them; a fit needs {2 * COUNT_LEAST}: name more data")
    beyond_touch = float(np.median(arrivals.half_spreads_bps)) + arrivals.tick_bps
    low, high = bounds_bps or (beyond_touch, float(depths[-COUNT_LEAST]))
    if not 0 <= low < high:
        raise DataError(f"no trades reach from {low:.3g} to {high:.3g} bp: name a range with --fit-bps")
    grid = np.linspace(low, high, POINTS)
    counts = len(depths) - np.searchsorted(depths, grid)
    if counts[-1] < 1:
        raise DataError(f"no trade reaches {high:g} bp; name a nearer end with --fit-bps")
    line = _line(grid, counts, seconds)
    if line is None:
        raise DataError(
            "arrivals do not become fewer with the distance: name another range with --fit-bps, or more data"
        )
    rate, decay = line
    errors = _errors(arrivals, grid, seconds)
    logs = np.log(counts / (2 * seconds)) - (math.log(rate) - decay * grid)
    return Fit(
        rate=rate,
        rate_error=errors[0] if errors else None,
        decay=decay,
        decay_error=errors[1] if errors else None,
        from_bps=low,
        to_bps=high,
        residual=float(np.sqrt(np.average(logs**2, weights=counts))),
        table=_table(depths, grid, seconds, rate, decay),
    )


def _line(grid: Values, counts: Times, seconds: float) -> tuple[float, float] | None:
    """Return A and k of the weighted line through the logarithms; None where it does not fall."""
    used = counts > 0
    if used.sum() < 3:
        return None
    # The weight of a residual, not of its square; the variance of a count's logarithm is one over the count.
    slope, height = np.polyfit(grid[used], np.log(counts[used] / (2 * seconds)), 1, w=np.sqrt(counts[used]))
    return (math.exp(height), -float(slope)) if slope < 0 else None


def _errors(arrivals: Arrivals, grid: Values, seconds: float) -> tuple[float, float] | None:
    """Return standard errors of A and k by a bootstrap of blocks of time."""
    begin, end = arrivals.spans[0][0], arrivals.spans[-1][1]
    block = np.minimum((arrivals.ts - begin) * BLOCKS // max(1, end - begin), BLOCKS - 1)
    # Takers by block and by how many of the grid's depths they reach, then those that reach each depth.
    reach = np.searchsorted(grid, arrivals.depth_bps, "right")
    cells = np.zeros((BLOCKS, len(grid) + 1), np.int64)
    np.add.at(cells, (block, reach), 1)
    cumulative = cells[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:]
    rng = np.random.default_rng(1)
    drawn = [_line(grid, cumulative[rng.integers(0, BLOCKS, BLOCKS)].sum(axis=0), seconds) for _ in range(DRAWS)]
    fits = np.array([line for line in drawn if line is not None])
    if len(fits) < DRAWS_LEAST:
        return None
    rate_error, decay_error = fits.std(axis=0, ddof=1)
    return float(rate_error), float(decay_error)


def _table(depths: Values, grid: Values, seconds: float, rate: float, decay: float) -> list[Depth]:
    """Return the fit beside what was counted: its own depths, and some on both sides of them."""
    step = float(grid[1] - grid[0])
    before = np.arange(grid[0] - step, 0, -step)[::-1][-POINTS:]
    after = grid[-1] + step * np.arange(1, POINTS)
    rows = []
    for depth in np.concatenate([before, grid, after[after <= depths[-1]]]).tolist():
        count = int(len(depths) - np.searchsorted(depths, depth))
        is_in_range = bool(grid[0] <= depth <= grid[-1])
        rows.append(Depth(depth, count, count / (2 * seconds), rate * math.exp(-decay * depth), is_in_range))
    return rows


def volatility(arrivals: Arrivals, step_s: int) -> Volatility | None:
    """Return the volatility of the mid by moves of so many seconds; None where there are too few of them."""
    mids = arrivals.mids
    ts = np.array(mids.ts, np.int64)
    price = (np.array(mids.bids, np.float64) + np.array(mids.asks, np.float64)) / 2
    squares: list[Values] = []
    for begin, end in arrivals.spans:
        times = np.arange(begin, end + 1, step_s * SECOND, dtype=np.int64)
        moves = np.diff(np.log(price[np.searchsorted(ts, times, "right") - 1])) / BP
        squares.append(moves**2)
    every = np.concatenate(squares) if squares else np.zeros(0)
    if len(every) < 2 * COUNT_LEAST:
        return None
    variance = float(every.mean()) / step_s
    sigma = math.sqrt(variance)
    # By the delta method, from the spread of the squared moves.
    error = float(every.std(ddof=1)) / math.sqrt(len(every)) / step_s / (2 * sigma) if sigma else 0.0
    return Volatility(step_s, sigma, error, len(every))
