"""The executor's model of Kraken's counters equals the simulator's own, which was written apart from it."""

from __future__ import annotations

import random

import pytest

from executor.decide.budget import Budget, add_points, amend_points, cancel_points
from shared.clock import SECOND
from shared.kraken import counters
from simulator.exchange import limits


@pytest.mark.parametrize("tier", ["starter", "intermediate", "pro"])
@pytest.mark.parametrize("seed", range(3))
def test_both_count_the_same_over_ten_thousand_random_operations(tier: str, seed: int) -> None:
    draw = random.Random(seed)
    budget = Budget(counters.TIERS[tier])
    theirs = limits.Counter(limits.TIERS[tier].threshold, limits.TIERS[tier].decay)
    now = 1_000 * SECOND
    touched: list[int] = []
    for _ in range(10_000):
        now += int(draw.expovariate(1.0) * SECOND)
        kind = draw.choice(["add", "batch", "amend", "cancel"])
        if kind == "add" or not touched:
            mine, other = add_points(1), limits.ADD
            touched.append(now)
        elif kind == "batch":
            count = draw.randint(2, 15)
            mine, other = add_points(count), count / 2
            touched += [now] * count
        else:
            index = draw.randrange(len(touched))
            age = now - touched[index]
            if kind == "amend":
                mine, other = amend_points(touched[index], now), limits.AMEND + limits.amend_penalty(age)
                touched[index] = now
            else:
                mine, other = cancel_points(touched[index], now), limits.cancel_penalty(age)
                touched.pop(index)
        assert mine == other
        budget.charge("BTC/USD", mine, now)
        theirs.charge(other, now)
        assert budget.value("BTC/USD", now) == pytest.approx(theirs.now(now), abs=1e-6)
        touched = touched[-100:]


def test_both_know_the_same_tiers() -> None:
    assert counters.TIERS.keys() == limits.TIERS.keys()
    for name, mine in counters.TIERS.items():
        other = limits.TIERS[name]
        assert (mine.threshold, mine.decay, mine.open_orders, mine.rest_max, mine.rest_decay) == (
            other.threshold,
            other.decay,
            other.open_orders,
            other.rest_max,
            other.rest_decay,
        )
