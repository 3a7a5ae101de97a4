"""Moves at a price, through the executor: who moves before ten seconds, who waits, when a pass is due, and why."""

from __future__ import annotations

import json
from typing import Any

from executor.decide.planner import Stay
from shared import limits
from shared.clock import SECOND
from tests.kit.executor_world import World, buy, sell

JUMP = 50  # ticks at 840,000: 0.6 bp


def lively(world: World, seconds: int = 30) -> World:
    """Let the mid go up and down by the second for so long, so that its volatility is known."""
    for second in range(seconds):
        world.bid += JUMP if second % 2 else -JUMP
        world.ask = world.bid + 1
        world.wait(1)
    return world


def moved_to(world: World, mid: int) -> None:
    world.bid, world.ask = mid, mid + 1
    world.hear_bus()


def plan_of(world: World, order: Any) -> dict[str, Any]:
    rows = [row for row in world.event_rows if row.cl_ord_id == order.cl_ord_id and row.kind == "decided"]
    plan = json.loads(rows[-1].data)["plan"]
    assert isinstance(plan, dict)
    return plan


def test_the_volatility_is_known_after_some_seconds_and_by_the_mids_alone() -> None:
    world = World().ready()
    assert world.state.market.sigma("BTC/USD") is None
    assert world.state.market.trend("BTC/USD", world.now) == 0
    assert world.state.market.sigma("ETH/USD") is None
    assert world.state.market.trend("ETH/USD", world.now) == 0
    lively(world)
    sigma = world.state.market.sigma("BTC/USD")
    assert sigma is not None
    assert 0.5 < sigma < 0.7


def test_the_volatility_does_not_depend_on_when_books_are_read() -> None:
    prompt, late = World().ready(), World().ready()
    for half_second in range(80):
        for world, waited in ((prompt, 0), (late, SECOND // 50)):
            # Just before each second ends, and just after: read later, all of it would lie in the next one.
            world.now = 2000 * SECOND + half_second // 2 * SECOND + (-SECOND // 100 if half_second % 2 else 0) + waited
            world.bid = 840_000 + JUMP * (half_second * 7 % 11)
            world.ask = world.bid + 1
            world.hear_book("BTC/USD", waited=waited)
    sigma = prompt.state.market.sigma("BTC/USD")
    assert sigma is not None
    assert late.state.market.sigma("BTC/USD") == sigma


def test_a_bid_that_the_market_runs_over_moves_after_a_second() -> None:
    world = lively(World().ready())
    (order,) = world.place(buy(839_900))
    world.wait(1)
    moved_to(world, 839_500)
    world.target(buy(838_900))
    world.turn(0.02)
    (request,) = world.taken("amend_order")
    assert request.orders == [order.cl_ord_id]
    plan = plan_of(world, order)
    assert plan["staying_bps"] > plan["moving_bps"] > 0


def test_an_advance_with_little_to_win_waits_until_its_turn_comes_and_a_pass_is_due_then() -> None:
    world = lively(World().ready())
    (order,) = world.place(buy(839_000))
    world.wait(2)
    for _ in range(2):
        world.target(buy(839_100), ttl_ms=10**6)
        world.turn(0.02)
    assert world.taken("amend_order") == []
    assert order.audit.kept is not None
    assert order.audit.kept.whys[Stay.NOT_WORTH_IT.value] >= 1
    agenda = world.executor.quoting.agenda
    due = agenda.next_due(world.now)
    assert due == order.touched + limits.MOVE_ANYWAY_S * SECOND
    while world.now < due:
        world.wait(min(1.0, (due - world.now) / SECOND))
        assert world.taken("amend_order") == [] or world.now >= due
    world.turn(0.02)
    assert order.amend is not None


def test_without_a_volatility_it_is_ten_seconds() -> None:
    world = World().ready()
    (order,) = world.place(buy(839_900))
    world.target(buy(839_800))
    world.wait(9.5)
    assert world.taken("amend_order") == []
    assert order.audit.kept is not None
    assert Stay.PACED.value in order.audit.kept.whys
    world.wait(0.5)
    assert order.amend is not None


def test_a_bid_moves_before_an_ask_that_would_lose_more_if_it_is_the_one_that_retreats() -> None:
    world = lively(World().ready())
    world.place(buy(839_900), sell(842_000))
    world.wait(16)
    moved_to(world, 839_500)
    world.target(buy(838_900), sell(839_600))
    world.turn(0.02)
    assert [dict(request.params)["limit_price"] for request in world.taken("amend_order")][:1] == [
        json.loads("83890.0")
    ]
