"""Alive is not trading (invariant 12): slots that stay empty, orders that nobody wants, and who is the reason."""

from __future__ import annotations

from decimal import Decimal

import pytest

from executor.publish import account_message
from shared.clock import SECOND
from shared.messages import Account
from tests.kit.executor_world import World, buy, configuration


def account(world: World) -> Account:
    message = account_message(world.state, world.now, world.executor.unmet)
    assert isinstance(message, Account)
    return message


def refusing(world: World, seconds: int, error: str) -> None:
    """Every add is refused for so long."""
    for _ in range(seconds * 2):
        world.wait(0.5)
        for request in world.taken("add_order"):
            world.answer(request, error=error)


def test_a_slot_that_the_exchange_refuses_is_named_with_its_text_after_20_s() -> None:
    world = World().ready()
    world.target(buy())
    refusing(world, 15, "EAccount:Invalid permissions:BTC/USD trading restricted")
    assert account(world).empty_slots == []
    refusing(world, 10, "EAccount:Invalid permissions:BTC/USD trading restricted")
    (slot,) = account(world).empty_slots
    assert (slot.strategy, slot.symbol, slot.slot, slot.refused) == ("market_maker", "BTC/USD", "b0", True)
    assert slot.error == "EAccount:Invalid permissions:BTC/USD trading restricted"
    assert any(said.alert and "Invalid permissions" in said.text for said in world.out.log)


def test_a_slot_held_back_by_our_own_limit_is_named_and_not_a_refusal() -> None:
    world = World(configuration(max_order_size=Decimal(50))).ready()
    world.target(buy())
    world.wait(25)
    (slot,) = account(world).empty_slots
    assert (slot.refused, slot.error) == (False, "")
    assert "max_order_size" in slot.why
    assert world.executor.unmet.refused == []


def test_a_slot_that_is_filled_at_last_is_named_no_more() -> None:
    world = World().ready()
    world.target(buy())
    refusing(world, 25, "EOrder:Orders limit exceeded")
    assert account(world).empty_slots
    for _ in range(200):
        world.wait(0.5)
        for request in world.taken("add_order"):
            world.answer(request, {"order_id": "O1", "cl_ord_id": request.orders[0]})
    assert account(world).empty_slots == []


def test_an_order_whose_cancel_stays_without_effect_is_unwanted() -> None:
    world = World().ready()
    (order,) = world.place(buy())
    world.target()
    for _ in range(50):
        world.wait(0.5)
        for request in [*world.taken("cancel_order"), *world.taken("batch_cancel")]:
            world.answer(request, {})  # taken, and nothing comes of it
    (unwanted,) = account(world).unwanted
    assert unwanted.cl_ord_id == order.cl_ord_id
    assert unwanted.since_ts <= world.now - 20 * SECOND + world.state.life.boot_to_wall


def test_nothing_is_missed_while_halted() -> None:
    world = World().ready()
    world.target(buy())
    world.state.controls.halted = True
    world.wait(30)
    assert account(world).empty_slots == []


@pytest.mark.parametrize("name", ["BTC/USD", "market_maker"])
def test_what_is_paused_is_not_missed(name: str) -> None:
    world = World().ready()
    world.state.controls.paused = frozenset([name])
    world.target(buy())
    world.wait(30)
    assert account(world).empty_slots == []
    world.state.controls.paused = frozenset()
    world.wait(15)
    assert account(world).empty_slots == []  # its 20 s begin when it goes on
