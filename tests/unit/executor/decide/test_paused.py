"""A paused pair or strategy is pulled, and nothing is placed for it; the rest goes on."""

from __future__ import annotations

import pytest

from tests.kit.executor_world import World, buy, sell


def adds(world: World) -> list[str]:
    return [request.method for request in [*world.taken("add_order"), *world.taken("batch_add")]]


@pytest.mark.parametrize("name", ["BTC/USD", "market_maker"])
def test_what_is_paused_is_pulled_and_nothing_is_placed_until_it_goes_on(name: str) -> None:
    world = World().ready()
    world.place(buy())
    world.state.controls.paused = frozenset([name])
    world.target(buy(), sell())
    world.turn()
    assert len([*world.taken("cancel_order"), *world.taken("batch_cancel")]) == 1
    assert adds(world) == []
    world.target(buy(), sell())
    world.turn()
    assert adds(world) == []


def test_what_is_not_paused_goes_on() -> None:
    world = World().ready()
    world.state.controls.paused = frozenset(["ETH/USD", "another"])
    world.target(buy(), sell())
    world.turn()
    assert adds(world) == ["batch_add"]


def test_a_resumed_one_quotes_again() -> None:
    world = World().ready()
    world.state.controls.paused = frozenset(["BTC/USD"])
    world.target(buy())
    world.turn()
    world.state.controls.paused = frozenset()
    world.target(buy())
    world.turn()
    assert adds(world) == ["add_order"]
