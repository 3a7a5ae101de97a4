"""The gates that no other test closes: stopping, silent books, a pair that does not trade."""

from __future__ import annotations

import msgspec
import pytest

from executor.decide.closed import Closed, Gate
from executor.decide.gates import Gates
from shared import limits
from shared.clock import SECOND
from shared.messages import BookState
from tests.kit.executor_world import World

DEAD = int(limits.PATH_DEAD_S * SECOND)


def test_a_process_that_stops_pulls_its_quotes() -> None:
    world = World().ready()
    world.state.controls.stopping = True
    closed = Gates(world.state).pulling(world.now)
    assert closed == Closed(Gate.STOPPING)
    assert closed.text == "stopping"


def test_a_book_process_that_is_not_heard_pulls_all_quotes() -> None:
    world = World().ready()
    world.now += 10 * SECOND  # the start is over, in which books may still come
    world.hear_bus()
    gates = Gates(world.state)
    heard = world.now
    world.now += DEAD + 1
    world.hear_bus(BookState.LIVE, books=False)
    assert gates.pulling(heard + DEAD) is None
    assert gates.pulling(world.now) == Closed(Gate.BOOKS_SILENT)


@pytest.mark.parametrize(
    ("status", "closed"), [("online", None), ("cancel_only", Closed(Gate.PAIR_STATUS, ("cancel_only",)))]
)
def test_a_pair_that_does_not_trade_is_not_quoted(status: str, closed: Closed | None) -> None:
    world = World().ready()
    world.pairs = {"BTC/USD": msgspec.structs.replace(world.pairs["BTC/USD"], status=status)}
    world.hear_bus()
    assert Gates(world.state).quoting("BTC/USD", world.now) == closed
