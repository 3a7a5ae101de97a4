"""Days add up to what one run over all of them would have shown; objectives and constraints by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from backtest.sweep.outcome import DayOutcome, excesses, holds, sharpe, summed, traced, value
from backtest.sweep.study import Constraints, Objective

moves = st.lists(st.floats(-100, 100), min_size=1, max_size=30)


@given(st.lists(moves, min_size=1, max_size=5))
def test_days_add_up_to_the_curve_of_all(days: list[list[float]]) -> None:
    each = [traced(np.array([0.0, *np.cumsum(day)]), 1) for day in days]
    whole = np.array([0.0, *np.cumsum([move for day in days for move in day])])
    made = summed(each)
    assert made.pnl == pytest.approx(whole[-1], abs=1e-6)
    assert made.drawdown == pytest.approx(float(np.max(np.maximum.accumulate(whole) - whole)), abs=1e-6)
    assert made.peak == pytest.approx(float(whole.max()), abs=1e-6)
    assert made.trough == pytest.approx(float(whole.min()), abs=1e-6)
    assert len(made.slices) == len(days)


@given(moves, st.integers(1, 10))
def test_slices_add_up_to_the_profit(day: list[float], slices: int) -> None:
    made = traced(np.array([0.0, *np.cumsum(day)]), slices)
    assert len(made.slices) == slices
    assert math.fsum(made.slices) == pytest.approx(made.pnl, abs=1e-6)


def test_objectives() -> None:
    made = DayOutcome(pnl=3.0, turnover=1000.0, slices=[1.0, 2.0, 0.0])
    assert value(made, Objective.PNL) == 3.0
    assert value(made, Objective.PNL_PER_FILL_BPS) == pytest.approx(30.0)
    assert value(made, Objective.SHARPE) == pytest.approx(1.0)
    assert value(DayOutcome(), Objective.PNL_PER_FILL_BPS) == 0.0
    assert sharpe(np.array([2.0, 2.0])) == 0.0


def test_constraints() -> None:
    made = DayOutcome(hours=2.0, fills=5, drawdown=7.0, points=300.0)
    limits = Constraints(max_drawdown=8.0, min_fills=3, max_points_per_h=100.0)
    assert excesses(made, limits) == {"min_fills": -2.0, "max_drawdown": -1.0, "max_points_per_h": 50.0}
    assert not holds(made, limits)
    assert holds(made, Constraints())
    assert not holds(DayOutcome(), Constraints())
