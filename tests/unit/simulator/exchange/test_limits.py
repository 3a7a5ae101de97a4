"""Kraken's counters (KRAKEN.md 5)."""

from __future__ import annotations

import pytest

from simulator.exchange.limits import ADD, AMEND, TIERS, Counter, amend_penalty, cancel_penalty
from simulator.wire import NS


def test_fifty_adds_and_ten_seconds_leave_the_documented_rest() -> None:
    tier = TIERS["intermediate"]
    counter = Counter(tier.threshold, tier.decay)
    for _ in range(50):
        counter.charge(ADD, NS)
    assert counter.now(11 * NS) == pytest.approx(26.6)


def test_add_amend_at_seven_seconds_cancel_after_thirty_six_costs_eight() -> None:
    assert ADD + AMEND + amend_penalty(7 * NS) + cancel_penalty(36 * NS) == 8


@pytest.mark.parametrize(
    ("seconds", "points"), [(0, 8), (4.9, 8), (5, 6), (10, 5), (15, 4), (45, 2), (90, 1), (299, 1), (300, 0)]
)
def test_a_cancel_costs_by_the_orders_age(seconds: float, points: int) -> None:
    assert cancel_penalty(int(seconds * NS)) == points


@pytest.mark.parametrize(("seconds", "points"), [(0, 3), (5, 2), (10, 1), (15, 0), (1000, 0)])
def test_an_amend_costs_by_the_orders_age(seconds: float, points: int) -> None:
    assert amend_penalty(int(seconds * NS)) == points


def test_a_counter_never_decays_below_zero_nor_with_time_going_back() -> None:
    counter = Counter(20, 0.5)
    counter.charge(3, 10 * NS)
    assert counter.now(5 * NS) == 3
    assert counter.now(1000 * NS) == 0
    assert counter.fits(20, 1000 * NS)
    assert not counter.fits(20.1, 1000 * NS)
