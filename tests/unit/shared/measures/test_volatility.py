"""Volatility and trend of a mid: known from when, what they measure, what they forget."""

from __future__ import annotations

import math

import pytest

from shared.clock import MS, SECOND
from shared.measures.volatility import SAMPLES_LEAST, MidTrend, MidVolatility

BP = 1e-4


def walk(estimate: MidVolatility | MidTrend, moves_bps: list[float], step: int = SECOND) -> int:
    """Take in a mid that moves by so many bp each step; return the time of the last one."""
    mid, now = 100.0, 0
    estimate.add(now, mid)
    for move in moves_bps:
        mid, now = mid * math.exp(move * BP), now + step
        estimate.add(now, mid)
    return now


def test_the_volatility_is_known_from_twenty_seconds_on() -> None:
    few, enough = MidVolatility(60.0), MidVolatility(60.0)
    walk(few, [1.0, -1.0] * (SAMPLES_LEAST // 2))
    walk(enough, [1.0, -1.0] * (SAMPLES_LEAST // 2) + [1.0])
    assert few.bps() is None
    assert enough.bps() == pytest.approx(1.0)


def test_bouncing_within_a_second_is_no_volatility() -> None:
    estimate = MidVolatility(60.0)
    walk(estimate, [1.0, -1.0] * 250, 100 * MS)
    sigma = estimate.bps()
    assert sigma is not None
    assert sigma < 1e-6


def test_after_a_gap_the_volatility_is_learnt_anew() -> None:
    estimate = MidVolatility(10.0)
    end = walk(estimate, [1.0, -1.0] * 20)
    assert estimate.bps() is not None
    estimate.add(end + 12 * SECOND, 100.0)
    assert estimate.bps() is None


def test_a_steady_drift_is_the_trend_and_it_is_forgotten_by_half_in_a_half_life() -> None:
    trend = MidTrend(20.0)
    assert trend.bps(0) == 0
    now = walk(trend, [0.02] * 4000, 50 * MS)  # 0.4 bp a second
    assert trend.bps(now) == pytest.approx(0.4, rel=0.01)
    assert trend.bps(now + 20 * SECOND) == pytest.approx(0.2, rel=0.01)
    assert trend.bps(now - SECOND) == trend.bps(now)


def test_the_trend_is_measured_in_what_chance_makes_of_it() -> None:
    trend = MidTrend(20.0)
    now = walk(trend, [-0.02] * 4000, 50 * MS)
    error = 0.5 / math.sqrt(2 * 20.0 / math.log(2))
    assert trend.errors(now, 0.5) == pytest.approx(-0.4 / error, rel=0.01)
    assert trend.errors(now, 0.0) == 0
