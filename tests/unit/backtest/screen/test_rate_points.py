"""The points of requests as Kraken counts them, and the level of its counter."""

from __future__ import annotations

import pytest

from backtest.screen.rate_points import RateUse, rate_use
from backtest.venue.recorded import Amended, Cancelled, Operation, Submitted
from shared.clock import SECOND
from shared.kraken.counters import TIERS

TIER = TIERS["intermediate"]


def added(ts: int, order_id: int) -> Operation:
    return Submitted(ts, 0, order_id, 1, "buy", 5, 5, "gtc", True, "cancel_newest")


def test_points_are_krakens_by_age() -> None:
    operations: list[Operation] = [
        added(0, 1),
        added(0, 2),
        Cancelled(SECOND, 0, 2),
        Amended(3 * SECOND, 0, 1, 6, 5, True),
        Amended(15 * SECOND, 0, 1, 7, 5, True),
        Cancelled(400 * SECOND, 0, 1),
    ]
    assert rate_use(operations, TIER).points == 1 + 1 + 8 + 4 + 2 + 0


def test_the_level_decays_between_requests() -> None:
    operations = [added(0, 1), Cancelled(SECOND, 0, 1), added(3 * SECOND, 2)]
    assert rate_use(operations, TIER).highest == pytest.approx(8.0), "a second after an add nothing is left of it"
    slow = [added(0, 1), Cancelled(SECOND // 10, 0, 1)]
    assert rate_use(slow, TIER).highest == pytest.approx(9 - 0.1 * TIER.decay)


def test_requests_beyond_the_maximum_are_counted() -> None:
    operations = [added(0, number) for number in range(127)]
    assert rate_use(operations, TIER) == RateUse(127.0, 127.0, 2)


def test_without_requests_nothing_is_used() -> None:
    assert rate_use([], TIER) == RateUse(0.0, 0.0, 0)
