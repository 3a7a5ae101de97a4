"""The rate budget by itself: what leaves is counted, and what pulling everything would cost is held back."""

from __future__ import annotations

import pytest

from executor.decide.budget import Budget, add_points, amend_points, cancel_points
from shared.clock import SECOND
from shared.kraken.counters import TIERS

NOW = 1000 * SECOND
PRO, STARTER = TIERS["pro"], TIERS["starter"]
BTC, ETH = "BTC/USD", "ETH/USD"


def test_what_leaves_is_counted_by_symbol_and_decays_by_the_second() -> None:
    budget = Budget(STARTER)
    budget.charge(BTC, 10, NOW)
    budget.charge(BTC, 5, NOW + SECOND)
    budget.charge(ETH, 1, NOW)
    assert budget.value(BTC, NOW + 2 * SECOND) == 13
    assert budget.value(ETH, NOW) == 1
    assert budget.value("SOL/USD", NOW) == 0


def test_points_fit_up_to_the_threshold_with_the_dearest_cancel_of_each_order_held_back() -> None:
    budget = Budget(STARTER)  # 60 points
    budget.charge(BTC, 35, NOW)
    assert budget.allows(BTC, 1, 3, NOW)  # 35 + 1 + 3 * 8
    assert not budget.allows(BTC, 1.5, 3, NOW)
    assert not budget.allows(BTC, 1, 4, NOW)
    assert budget.allows(BTC, 1.5, 3, NOW + SECOND)
    assert budget.allows(ETH, 36, 3, NOW)


@pytest.mark.parametrize(
    ("points", "threshold", "decay"),
    [
        (60, 60, 1.0),  # Kraken allows less than was configured: a lower tier's decay goes with it
        (61, 61, 1.0),
        (125, 125, 2.34),
        (180, 180, 3.75),
        (500, 180, 3.75),  # more than was configured is not used
        (20, 20, 1.0),  # less than any tier has: the slowest decay
    ],
)
def test_kraken_may_allow_less_than_was_configured_and_never_more(
    points: float, threshold: float, decay: float
) -> None:
    budget = Budget(PRO)
    budget.charge(BTC, 50, NOW)
    budget.set_threshold(points)
    assert (budget.threshold, budget.decay) == (threshold, decay)
    assert budget.value(BTC, NOW + SECOND) == 50 - decay
    budget.charge(ETH, 50, NOW)  # a counter that is made afterwards decays alike
    assert budget.value(ETH, NOW + SECOND) == 50 - decay


def test_a_higher_tier_of_krakens_does_not_speed_up_a_lower_one_that_was_configured() -> None:
    budget = Budget(STARTER)
    budget.set_threshold(180)
    assert (budget.threshold, budget.decay) == (60, 1.0)


def test_after_a_start_the_journals_sends_count_as_old_as_they_are() -> None:
    budget = Budget(STARTER)
    budget.rebuild([(BTC, 10, 5 * SECOND), (ETH, 4, SECOND), (BTC, 3, 2 * SECOND)], NOW)
    assert budget.value(BTC, NOW) == 10 - 3 + 3 - 2
    assert budget.value(ETH, NOW) == 3


def test_a_counter_that_kraken_states_is_taken_where_it_is_above_ours() -> None:
    budget = Budget(STARTER)
    budget.charge(BTC, 10, NOW)
    budget.correct(BTC, 4, NOW)
    assert budget.value(BTC, NOW) == 10
    budget.correct(BTC, 25, NOW + SECOND)
    assert budget.value(BTC, NOW + SECOND) == 25
    budget.exhaust(BTC, NOW + SECOND)
    assert budget.value(BTC, NOW + SECOND) == 60
    assert not budget.allows(BTC, 0.5, 0, NOW + SECOND)
    assert budget.allows(BTC, 1, 0, NOW + 2 * SECOND)


def test_adds_cost_a_point_alone_and_half_of_one_in_a_batch() -> None:
    assert [add_points(count) for count in (1, 2, 3)] == [1.0, 1.0, 1.5]


def test_amends_and_cancels_cost_by_the_orders_age() -> None:
    ages = (4, 5, 10, 15)
    assert [amend_points(NOW - age * SECOND, NOW) for age in ages] == [4.0, 3.0, 2.0, 1.0]
    assert [cancel_points(NOW - age * SECOND, NOW) for age in (*ages, 45, 90, 300)] == [8.0, 6.0, 5.0, 4.0, 2.0, 1.0, 0]
