"""Figures of one set of settings in a day, and of days together."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from backtest.sweep.study import Constraints, Objective

Array = np.ndarray[tuple[int], np.dtype[np.float64]]
BP = 1e-4


class DayOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """A day's figures, money in the trading currency.

    ``peak`` and ``trough`` are the highest and lowest profit of the day, so that drawdowns add up over days; ``slices``
    are the profits of its parts. ``halted`` is 1 if the executor halted trading. ``refused`` says why the settings
    cannot be used, and then nothing was played.
    """

    hours: float = 0.0
    pnl: float = 0.0
    turnover: float = 0.0
    fills: int = 0
    requests: int = 0
    points: float = 0.0
    drawdown: float = 0.0
    peak: float = 0.0
    trough: float = 0.0
    slices: list[float] = []
    halted: int = 0
    refused: str = ""


def summed(days: Sequence[DayOutcome]) -> DayOutcome:
    """Return the figures of days one after the other."""
    pnl = drawdown = peak = trough = 0.0
    for day in days:
        drawdown = max(drawdown, day.drawdown, peak - (pnl + day.trough))
        peak, trough = max(peak, pnl + day.peak), min(trough, pnl + day.trough)
        pnl += day.pnl
    return DayOutcome(
        hours=sum(day.hours for day in days),
        pnl=pnl,
        turnover=sum(day.turnover for day in days),
        fills=sum(day.fills for day in days),
        requests=sum(day.requests for day in days),
        points=sum(day.points for day in days),
        drawdown=drawdown,
        peak=peak,
        trough=trough,
        slices=[profit for day in days for profit in day.slices],
        halted=sum(day.halted for day in days),
        refused=next((day.refused for day in days if day.refused), ""),
    )


def traced(equity: Array, slices: int) -> DayOutcome:
    """Return the figures that a curve of profit gives: evenly spaced in time, the beginning (0) included."""
    edges = np.linspace(0, len(equity) - 1, slices + 1).round().astype(np.int64)
    return DayOutcome(
        pnl=float(equity[-1]),
        drawdown=float(np.max(np.maximum.accumulate(equity) - equity)),
        peak=float(equity.max()),
        trough=float(equity.min()),
        slices=np.diff(equity[edges]).tolist(),
    )


def value(made: DayOutcome, objective: Objective) -> float:
    """Return the figure that is made large; 0 where there is nothing to divide by."""
    if objective is Objective.PNL:
        return made.pnl
    if objective is Objective.SHARPE:
        return sharpe(np.array(made.slices, np.float64))
    return made.pnl / made.turnover / BP if made.turnover else 0.0


def sharpe(profits: Array) -> float:
    """Return mean by standard deviation of the profits of equal times, not annualised; 0 where they do not vary."""
    spread = float(profits.std(ddof=1)) if len(profits) > 1 else 0.0
    return float(profits.mean()) / spread if spread > 0 else 0.0


def excesses(made: DayOutcome, constraints: Constraints) -> dict[str, float]:
    """Return by how much each constraint is broken; at most 0 where it holds."""
    excess = {"min_fills": float(constraints.min_fills - made.fills)}
    if constraints.max_drawdown is not None:
        excess["max_drawdown"] = made.drawdown - constraints.max_drawdown
    if constraints.max_points_per_h is not None:
        excess["max_points_per_h"] = made.points / made.hours - constraints.max_points_per_h if made.hours else math.inf
    return excess


def holds(made: DayOutcome, constraints: Constraints) -> bool:
    """True if the settings can be used and every constraint holds."""
    return not made.refused and max(excesses(made, constraints).values()) <= 0
