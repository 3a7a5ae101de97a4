"""The core of the connection for single orders: its subscriptions, its checksums, and what goes onto the bus."""

from __future__ import annotations

import json
from typing import Any
from zlib import crc32

import pytest
from hypothesis import given, strategies as st

from collector.feed.level3 import Level3Feed
from shared.clock import SECOND
from shared.kraken.level3 import depth_for
from shared.messages import FeedFrame, Pair
from tests.kit.pairs import BTC


def snapshot(symbol: str = "BTC/USD", checksum: int | None = None, kind: str = "snapshot") -> bytes:
    """Return a frame with one bid of 1 at 100."""
    row = {"order_id": "A", "limit_price": "100.0", "order_qty": "1.00000000"}
    checksum = crc32(b"1000100000000") if checksum is None else checksum
    element = {"symbol": symbol, "checksum": checksum, "bids": [row], "asks": []}
    return json.dumps({"channel": "level3", "type": kind, "data": [element]}).encode()


class World:
    """The core with a clock of the test's own, its effects, and whatever instrument data there is."""

    def __init__(self, *symbols: str, depth: int = 100) -> None:
        self.pairs: dict[str, Pair] = {"BTC/USD": BTC}
        self.feed = Level3Feed(list(symbols) or ["BTC/USD"], depth, self.pairs)
        self.now = 10 * SECOND
        self.reconnect = ""
        self.problems: list[str] = []
        self.topics: list[tuple[str, FeedFrame]] = []

    def requests(self) -> list[dict[str, Any]]:
        """Return the requests since the last call, pings apart."""
        wanted = self.feed.take()
        self.reconnect = wanted.reconnect or self.reconnect
        self.problems += [entry.text for entry in wanted.log]
        self.topics += [(topic, message) for topic, message in wanted.messages if isinstance(message, FeedFrame)]
        return [request for text in wanted.requests if (request := json.loads(text))["method"] != "ping"]

    def methods(self) -> list[tuple[str, str]]:
        return [(request["method"], request["params"]["symbol"][0]) for request in self.requests()]

    def open(self) -> None:
        self.feed.opened("TOKEN", self.now)

    def turn(self, seconds: float, *, alive: bool = True) -> list[tuple[str, str]]:
        self.now += int(seconds * SECOND)
        if alive:
            self.feed.frame(b'{"channel":"heartbeat"}', self.now)
        self.feed.turn(self.now)
        return self.methods()

    def answer(self, method: str, symbol: str = "BTC/USD", error: str = "") -> None:
        said = {"success": False, "error": error} if error else {"success": True}
        result = {"channel": "level3", "symbol": symbol}
        self.feed.frame(json.dumps({"method": method, "result": result, "symbol": symbol, **said}).encode(), self.now)

    def frame(self, raw: bytes) -> None:
        self.feed.frame(raw, self.now)

    def subscribed(self) -> None:
        self.open()
        self.requests()
        self.answer("subscribe")
        self.frame(snapshot())
        self.requests()

    def state(self, symbol: str = "BTC/USD") -> str:
        return self.feed.figures("", 1, is_read=True).symbols[symbol]


def test_it_subscribes_with_the_token_once_the_pair_is_known() -> None:
    world = World("BTC/USD", "ETH/USD")
    assert world.turn(1) == []
    world.open()
    (request,) = world.requests()
    assert request["params"] == {
        "channel": "level3", "symbol": ["BTC/USD"], "depth": 100, "snapshot": True, "token": "TOKEN",
    }  # fmt: skip
    world.pairs["ETH/USD"] = BTC
    assert world.turn(1) == [("subscribe", "ETH/USD")]


def test_subscriptions_keep_within_the_points_of_a_second() -> None:
    world = World("A/USD", "B/USD", "C/USD", depth=1000)
    world.pairs |= dict.fromkeys(("A/USD", "B/USD", "C/USD"), BTC)
    world.open()
    assert world.methods() == [("subscribe", "A/USD")]
    assert world.turn(0.4) == []
    assert world.turn(0.15) == [("subscribe", "B/USD")]
    assert world.turn(0.5) == [("subscribe", "C/USD")]


def test_frames_go_onto_the_bus_as_they_came_and_are_verified() -> None:
    world = World()
    world.subscribed()
    ((topic, message),) = world.topics
    assert topic == "feed.level3.BTC/USD"
    assert (message.frame, message.connection, message.received) == (snapshot(), 1, world.now)
    figures = world.feed.figures("", 3, is_read=True)
    assert (figures.checksums_ok, figures.checksums_failed, figures.frames, figures.attempts) == (1, 0, 1, 3)
    assert (figures.connected, figures.symbols) == (True, {"BTC/USD": "subscribed"})


def test_a_bad_checksum_fetches_a_new_snapshot_once() -> None:
    world = World()
    world.subscribed()
    assert world.turn(6) == []
    world.frame(snapshot(kind="update", checksum=1))
    assert world.turn(0.02) == [("unsubscribe", "BTC/USD")]
    world.frame(snapshot(kind="update", checksum=1))
    assert world.turn(0.02) == []
    world.answer("unsubscribe")
    assert world.turn(0.15) == [("subscribe", "BTC/USD")]
    world.answer("subscribe")
    world.frame(snapshot(checksum=1))
    assert world.turn(4.9) == []
    assert world.turn(0.2) == [("unsubscribe", "BTC/USD")]
    assert world.feed.figures("", 1, is_read=True).checksums_failed == 2
    assert len(world.topics) == 4


def test_a_frame_that_is_not_the_pair_s_fetches_a_new_snapshot_too() -> None:
    world = World()
    world.subscribed()
    world.turn(6)
    world.frame(snapshot(kind="update").replace(b"100.0", b"100.05"))
    assert world.turn(0.02) == [("unsubscribe", "BTC/USD")]
    assert "more than 1 decimals" in world.problems[0]


def test_a_refused_subscription_is_tried_again_later() -> None:
    world = World()
    world.open()
    world.requests()
    world.answer("subscribe", error="Exceeded msg rate")
    assert world.state() == "wanted"
    assert [request for _ in range(29) for request in world.turn(1)] == []
    assert world.turn(1.1) == [("subscribe", "BTC/USD")]


def test_a_request_without_an_answer_and_silence_end_the_connection() -> None:
    world = World()
    world.open()
    world.turn(5.1)
    assert world.reconnect == "no answer about BTC/USD"
    silent = World()
    silent.subscribed()
    silent.turn(6.1, alive=False)
    assert silent.reconnect == "no frame for 6 s"


def test_a_new_connection_begins_anew() -> None:
    world = World()
    world.subscribed()
    world.feed.closed()
    assert world.turn(1) == []
    assert world.state() == "wanted"
    world.feed.opened("SECOND", world.now)
    assert [request["params"]["token"] for request in world.requests()] == ["SECOND"]
    world.answer("subscribe")
    world.frame(snapshot())
    world.requests()
    assert [message.connection for _, message in world.topics] == [1, 2]


def test_a_late_reader_gets_new_snapshots_at_most_once_in_a_while() -> None:
    world = World()
    world.subscribed()
    world.feed.refresh(world.now)
    assert world.turn(0) == [("unsubscribe", "BTC/USD")]
    world.answer("unsubscribe")
    assert world.turn(0.15) == [("subscribe", "BTC/USD")]
    world.answer("subscribe")
    world.frame(snapshot())
    world.feed.refresh(world.now)
    assert world.turn(9.7) == []
    assert world.turn(0.2) == [("unsubscribe", "BTC/USD")]


def test_what_was_not_subscribed_to_is_left_alone() -> None:
    world = World()
    world.subscribed()
    world.answer("subscribe", "SOL/USD")
    world.answer("unsubscribe")
    world.frame(snapshot("SOL/USD"))
    assert (world.state(), len(world.topics)) == ("subscribed", 1)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_frame_raises(raw: bytes) -> None:
    world = World()
    world.open()
    world.frame(raw)
    world.frame(b'{"channel":"level3","type":"update","data":' + raw + b"}")


@pytest.mark.parametrize(("levels", "depth"), [(10, 10), (25, 100), (100, 100), (500, 1000), (1000, 1000)])
def test_the_depth_is_the_least_that_reaches_as_far_as_the_book(levels: int, depth: int) -> None:
    assert depth_for(levels) == depth
