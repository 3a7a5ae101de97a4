"""Pairs that a pass looks at: its cost must follow what happened, whatever waits."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from executor.decide.agenda import LOOK_AGAIN_NS
from executor.decide.slot_backoff import Cause
from shared.messages import BookState
from tests.kit.executor_world import ETH, World, buy, configuration
from tests.kit.pairs import BTC

SOL = msgspec.structs.replace(BTC, symbol="SOL/USD", base="SOL")
PAIRS = {pair.symbol: pair for pair in (BTC, ETH, SOL)}


@pytest.fixture
def world() -> World:
    one = Decimal(1)
    made = World(configuration(pairs=[*PAIRS], inventory_base={"BTC": one, "ETH": one, "SOL": one}))
    made.pairs = PAIRS
    made.ready()
    made.wait(2)  # past the grace of the start
    return made


def looked_at(world: World) -> list[str]:
    """Return the pairs that a pass looks at now."""
    return world.executor.quoting.agenda.symbols(world.executor.quoting.agenda._seen[:3], world.now)


def test_a_pair_whose_book_is_not_live_is_looked_at_once_a_turn_however_many_passes_there_are(world: World) -> None:
    world.hear_book("ETH/USD", BookState.SYNCING)
    world.turn()
    for _ in range(5):
        world.now += LOOK_AGAIN_NS // 10
        assert looked_at(world) == []
    world.now += LOOK_AGAIN_NS // 2
    assert looked_at(world) == ["ETH/USD"]


def test_while_a_pair_waits_a_pass_is_due_within_a_turn(world: World) -> None:
    agenda = world.executor.quoting.agenda
    world.turn()
    assert agenda.next_due(world.now) - world.now > LOOK_AGAIN_NS
    world.hear_book("ETH/USD", BookState.SYNCING)
    world.turn()
    assert agenda.next_due(world.now) - world.now == LOOK_AGAIN_NS


def test_an_event_of_a_pair_that_waits_wakes_it_at_once(world: World) -> None:
    world.hear_book("ETH/USD", BookState.SYNCING)
    world.turn()
    world.now += 1
    world.hear_book("ETH/USD")
    assert looked_at(world) == ["ETH/USD"]


def test_an_order_that_changes_wakes_its_pair_alone(world: World) -> None:
    world.target(buy())
    world.turn()
    (request,) = world.taken("add_order")
    world.turn()
    world.now += 1
    assert looked_at(world) == []
    world.answer(request, {"order_id": "O1", "cl_ord_id": request.orders[0]})
    assert looked_at(world) == ["BTC/USD"]


def test_a_pair_whose_slot_waits_rests_until_that_wait_ends(world: World) -> None:
    executor, slot = world.executor, ("market_maker", "BTC/USD", "b0")
    world.target(buy(qty=10**10), ttl_ms=60_000)
    world.turn()  # denied: far above the size limit
    due = executor.backoff.holds_until(slot)
    assert due - world.now > 10 * LOOK_AGAIN_NS
    world.now += LOOK_AGAIN_NS
    world.turn()  # the pass after the one that denied it sees that it waits
    world.now = due - 1
    assert looked_at(world) == []
    world.now = due
    assert looked_at(world) == ["BTC/USD"]
    world.turn()
    assert executor.backoff.holds_until(slot) > due, "it was tried, and denied again"


def test_an_order_that_gives_way_waits_for_no_backoff(world: World) -> None:
    executor, slot = world.executor, ("market_maker", "BTC/USD", "b0")
    (order,) = world.place(buy())
    executor.backoff.wait(slot, "rejected", world.now, Cause.EXCHANGE)
    world.target(buy(price=order.price, qty=order.qty // 2), ttl_ms=60_000)
    world.turn()
    assert [request.method for request in world.taken("amend_order")] == ["amend_order"]


def test_what_all_pairs_depend_on_wakes_them_all_once(world: World) -> None:
    world.turn()
    world.state.controls.halt()
    agenda = world.executor.quoting.agenda
    seen = (world.executor.gates.pulling(world.now), *agenda._seen[1:3])
    assert agenda.symbols(seen, world.now) == [*PAIRS]
    for symbol in PAIRS:
        agenda.rest(symbol, 0, world.now)
    assert agenda.symbols(seen, world.now + 1) == []
