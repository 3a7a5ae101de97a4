"""Rules by which Rust leaves a frame to the common way, each alone: both send the same bytes and count the same."""

from __future__ import annotations

from typing import Any

import pytest

from shared.clock import MS, SECOND
from tests.kit.market.run_worlds import WALL, World

pytestmark = pytest.mark.rust

BTC, ETH = "BTC/USD", "ETH/USD"
FAR = ("bids", 901, 5)
NEAR = ("bids", 990, 5)


def later(seconds: float) -> list[tuple[Any, ...]]:
    """Hand over what is there; then time passes, and the collector is heard from."""
    return [("turn",), ("time", int(seconds * SECOND)), ("status", True)]


def change(symbol: str = BTC, level: tuple[str, int, int] = FAR) -> tuple[Any, ...]:
    return ("frame", symbol, "change", level)


LIVE = [("recovery",), change(level=NEAR), ("frame", BTC, "change", ("asks", 910, 5)), change(ETH, NEAR), ("turn",)]
CASES: dict[str, list[tuple[Any, ...]]] = {
    "a book shown as silent is published once when it is back": [
        *(("time", 1200 * MS), ("turn",), ("status", True), change(), change(ETH), ("turn",)),
    ],
    "late updates make all books silent": [
        *(("lag", 1500 * MS), change(), *later(0.6), change(), *later(0.6), change(), ("turn",)),
    ],
    "an update on time ends the lateness of the feed": [
        *(("lag", 1500 * MS), change(), ("turn",), ("lag", 0), change(ETH), *later(0.9)),
        *(("lag", 1500 * MS), change(), *later(0.2), change(), ("turn",), change(ETH), ("turn",)),
    ],
    "an update on time ends the lateness of its book": [
        *(("lag", 1500 * MS), change(), ("turn",), ("lag", 0), change(ETH), change(), *later(0.6), *later(0.6)),
        *(("lag", 1500 * MS), change(), ("turn",)),
    ],
    "a trade that the book does not explain makes it silent": [
        *(("trade", 1250), *later(0.6), change(), *later(0.6), change(), ("turn",), change(), ("turn",)),
    ],
    "a trade that the book explains does not": [
        *(("trade", 1250), ("frame", BTC, "change", ("asks", 910, 0)), *later(1.2), change(), ("turn",), change()),
    ],
    "a crossed book is emptied": [("frame", BTC, "crossing", NEAR), change(), ("turn",)],
    "a gap is noticed": [("frame", BTC, "lost on the bus", FAR), change(), ("turn",)],
    "a frame that was lost on the way is noticed by the checksum": [
        *(("frame", BTC, "lost on the way", NEAR), change(level=("bids", 989, 5)), change(), ("turn",)),
    ],
    "repeats are counted": [change(), ("frame", BTC, "again"), ("frame", BTC, "again"), change(), ("turn",)],
    "frames of an old connection are counted": [("frame", BTC, "old connection", FAR), change(), ("turn",)],
    "a new connection empties the books": [("connect",), change(), ("frame", BTC, "snapshot"), change(), ("turn",)],
    "another precision makes a new book": [
        *(("instruments", 2), change(), ("turn",), ("frame", BTC, "snapshot"), change(), change(), ("turn",)),
    ],
    "another boot of the collector begins anew": [
        *(("collector restarts",), change(), ("recovery",), change(), change(), ("turn",)),
    ],
    "the collector is not connected": [("status", False), change(), ("frame", BTC, "snapshot"), change(), ("turn",)],
    "nothing is heard of the collector": [("time", 1200 * MS), change(), change(), ("turn",)],
    "a frame shows that bytes come from Kraken": [
        *(("time", 900 * MS), ("turn",), change(), ("unheard",), ("turn",)),
        *[step for _ in range(5) for step in (("time", 700 * MS), ("turn",), change(), ("unheard",), ("turn",))],
    ],
    "frames of another shape are taken too": [("frame", BTC, "other shape", FAR), change(), ("turn",)],
}


@pytest.mark.parametrize("replay", [False, True], ids=["live", "replay"])
@pytest.mark.parametrize("case", CASES)
def test_both_ways_come_to_the_same(case: str, replay: bool) -> None:
    world = World(replay=replay)
    for name, *arguments in [*LIVE, *CASES[case]]:
        if name == "turn":
            world.turn()
        elif name == "frame":
            world.frame(*arguments)
        else:
            world.act(name, *arguments)
    world.turn()
    world.close()


@pytest.mark.parametrize(
    ("replay", "offset", "lag"),
    [(False, 0, 0), (True, 0, 3 * SECOND), (False, WALL - 1000 * SECOND, 9 * SECOND)],
    ids=["on time", "a replay, whose frames may be of any age", "on time by the exchange's own clock"],
)
def test_rust_takes_all_frames_of_live_books_after_the_first_turn(replay: bool, offset: int, lag: int) -> None:
    world = World(replay=replay)
    world.offset, world.lag = offset, lag
    world.act("recovery")
    world.turn()
    for symbol in (BTC, ETH, BTC, ETH):
        world.frame(symbol, "change", FAR)
    world.turn()
    world.close()
    assert world.readers[1].by_rust == 4


def test_effects_of_runs_add_up_until_they_are_taken() -> None:
    world = World()
    world.act("recovery")
    world.turn()
    for level in (FAR, NEAR):
        world.frame(BTC, "change", level)
    books = world.readers[1].books
    assert books.run(world.parts, 0, world.now, WALL) == 2
    world.frame(ETH, "change", FAR)
    assert books.run(world.parts, 2, world.now, WALL) == 3
    # A run tells a book once, after its last frame.
    assert [topic for topic, _ in books.take().finished] == [b"book.BTC/USD\0", b"book.ETH/USD\0"]
    world.close()


def test_a_collector_whose_numbers_are_none_is_left_to_the_common_way() -> None:
    world = World()
    world.feed.boot = -3
    world.act("recovery")
    world.frame(BTC, "change", FAR)
    world.feed.seqs[f"feed.book.{BTC}"] = -9
    world.frame(BTC, "change", NEAR)
    world.turn()
    world.close()
