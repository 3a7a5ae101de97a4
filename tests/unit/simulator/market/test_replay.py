"""A recording drives the book; an account's order stands where it came, and only recorded trades fill it."""

from __future__ import annotations

import json

import pytest

from simulator.errors import RecordingError
from simulator.exchange.accounts.volume import Volume
from simulator.exchange.database.store import Store
from simulator.exchange.engine import Side, load_engine
from simulator.exchange.exchange import Exchange
from simulator.exchange.limits import TIERS
from simulator.exchange.orders import Account
from simulator.exchange.venue.venue import Venue
from simulator.market import replay
from simulator.market.replay import Moment, Replay
from simulator.pairs.pairs import PAIRS
from simulator.wire import NS, iso
from simulator.world import World
from tests.frames import frames_path
from tests.unit.simulator.worlds import START, settings

BTC = PAIRS["BTC/USD"]


def best_levels(venue: Venue, side: str) -> dict[int, int]:
    return dict(venue.book.side(side).best(1000))


class Tape:
    """A replay of a few moments, a second apart, with one account's orders in it."""

    def __init__(self, *moments: tuple[str, list[tuple[Side, int, int]]]) -> None:
        self.venue = Venue(BTC, load_engine()(), 1, 1000)
        self.exchange = Exchange([self.venue], lambda: 0)
        self.account = Account(1, "a", TIERS["pro"], Volume(10**11), {})
        self.exchange.accounts[1] = self.account
        self.moments = [Moment(at * NS, kind, tuple(levels)) for at, (kind, levels) in enumerate(moments)]
        self.flow = Replay(self.exchange, self.venue, self.moments)
        self.flow.open(START)
        self.number = 0

    def own(self, side: Side, price: int, qty: int) -> int:
        self.number += 1
        self.venue.submit(self.number, 1, side, price, qty, START)
        return self.number

    def until(self, second: int) -> None:
        self.flow.step(START + second * NS)

    def left(self, number: int) -> int:
        order = self.venue.engine.order(number)
        return order[3] if order else 0


SNAPSHOT: tuple[str, list[tuple[Side, int, int]]] = (
    "snapshot",
    [("buy", 1000, 100), ("buy", 990, 50), ("sell", 1010, 80), ("sell", 1020, 40)],
)


def test_a_trade_eats_the_queue_from_the_front() -> None:
    tape = Tape(SNAPSHOT, ("trade", [("sell", 1000, 100)]), ("trade", [("sell", 1000, 5)]))
    mine = tape.own("buy", 1000, 10)
    tape.until(1)
    assert tape.left(mine) == 10
    tape.until(2)
    assert tape.left(mine) == 5


def test_what_leaves_without_a_trade_leaves_pro_rata_ahead_and_behind() -> None:
    tape = Tape(SNAPSHOT, ("book", [("buy", 1000, 200)]), ("book", [("buy", 1000, 100)]))
    mine = tape.own("buy", 1000, 10)
    tape.until(1)
    engine = tape.venue.engine
    assert [engine.order(n)[3] for n in engine.queue("buy", 1000)] == [100, 10, 100]  # type: ignore[index]
    tape.until(2)
    assert [engine.order(n)[3] for n in engine.queue("buy", 1000)] == [50, 10, 50]  # type: ignore[index]
    assert tape.left(mine) == 10


def test_a_trade_through_the_price_of_a_better_order_fills_it_at_its_own_price() -> None:
    tape = Tape(SNAPSHOT, ("trade", [("sell", 990, 7)]))
    mine = tape.own("buy", 1005, 10)
    tape.until(1)
    assert tape.left(mine) == 3
    assert tape.venue.last_price == 1005


def test_a_level_that_would_cross_an_own_order_waits_until_that_is_gone() -> None:
    tape = Tape(SNAPSHOT, ("book", [("sell", 1004, 30), ("buy", 1000, 0)]), ("book", [("sell", 1020, 41)]))
    mine = tape.own("buy", 1005, 10)
    tape.until(1)
    assert 1004 not in best_levels(tape.venue, "sell")
    assert tape.left(mine) == 10, "without a trade nothing fills"
    tape.venue.cancel(mine, START)
    tape.until(2)
    assert best_levels(tape.venue, "sell")[1004] == 30


def test_a_level_that_enters_the_window_stands_ahead_of_an_order_that_rests_there() -> None:
    """Beyond the two recorded levels 500 lots may have stood long before ours: a trade of 100 fills nothing of it."""
    entering: tuple[str, list[tuple[Side, int, int]]] = ("book", [("buy", 990, 0), ("buy", 980, 500)])
    through: tuple[str, list[tuple[Side, int, int]]] = ("book", [("buy", 1000, 0), ("buy", 970, 5)])
    tape = Tape(SNAPSHOT, entering, through, ("trade", [("sell", 980, 100)]), ("trade", [("sell", 980, 405)]))
    mine, second = tape.own("buy", 980, 10), tape.own("buy", 980, 20)
    tape.until(1)
    engine = tape.venue.engine
    assert engine.queue("buy", 980)[1:] == [mine, second]
    assert best_levels(tape.venue, "buy")[980] == 530
    tape.until(3)
    assert (tape.left(mine), tape.left(second)) == (10, 20)
    tape.until(4)
    assert (tape.left(mine), tape.left(second)) == (5, 20)


def test_a_level_that_is_new_within_the_window_stands_behind() -> None:
    tape = Tape(SNAPSHOT, ("book", [("buy", 995, 500), ("buy", 990, 0)]))
    mine = tape.own("buy", 995, 10)
    tape.until(1)
    assert tape.venue.engine.queue("buy", 995)[0] == mine


def test_a_side_that_is_known_whole_has_no_window() -> None:
    thin: tuple[str, list[tuple[Side, int, int]]] = ("book", [("buy", 990, 0)])
    tape = Tape(SNAPSHOT, thin, ("book", [("buy", 980, 500)]))
    mine = tape.own("buy", 980, 10)
    tape.until(2)
    assert tape.venue.engine.queue("buy", 980)[0] == mine


def test_a_captured_book_is_reproduced_after_every_message(caplog: pytest.LogCaptureFixture) -> None:
    path = frames_path("public_v2/book10_BTCUSD_python-kraken-sdk_repadded.jsonl")
    recording = replay.load(path.read_bytes())
    with caplog.at_level("WARNING", "simulator"):
        world = World(settings(), Store(":memory:"), load_engine(), START, recording=recording)
    assert "no trades" in caplog.text
    venue = world.exchange.venues["BTC/USD"]
    now, checked = START, 0
    moments = sorted({moment.ns for moment in recording["BTC/USD"]})
    frames = [json.loads(line) for line in path.read_text().splitlines() if '"book"' in line]
    by_time = {frame["data"][0].get("timestamp"): frame["data"][0]["checksum"] for frame in frames}
    first = next(m.ns for m in recording["BTC/USD"] if m.kind == "snapshot")
    for ns in moments:
        now = START + ns - first
        world.step(now)
        wanted = by_time.get(iso(ns))
        if wanted is not None:
            assert venue.book.checksum == wanted
            checked += 1
    assert checked > 300


def test_version_1_frames_are_read_too() -> None:
    lines = [
        b'[336,{"as":[["10.10000","1.00000000","1700000000.000001"]],"bs":[["10.00000","2.00000000","1700000000.0"]]},'
        b'"book-10","XBT/USD"]',
        b'[336,{"a":[["10.20000","3.00000000","1700000001.5"]]},{"b":[["10.00000","0.00000000","1700000001.5"]],'
        b'"c":"1"},"book-10","XBT/USD"]',
        b'[337,[["10.10000","0.50000000","1700000001.5","b","l",""]],"trade","XBT/USD"]',
        b'{"event":"heartbeat"}',
        b"rubbish",
    ]
    moments = replay.read(lines)["BTC/USD"]
    assert [m.kind for m in moments] == ["snapshot", "trade", "book"]
    assert moments[2].levels == (("sell", 102, 300_000_000), ("buy", 100, 0))


def test_a_file_without_a_known_book_is_refused() -> None:
    with pytest.raises(RecordingError, match="no book of"):
        replay.load(b'{"channel":"heartbeat"}\n\nrubbish\n[1,2]\n')
