"""Public WebSocket version 1, frame by frame (KRAKEN.md 2)."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from simulator.exchange.engine import MatchingEngine, Side
from simulator.exchange.venue.book import DEPTHS, FullBook
from simulator.exchange.venue.venue import Venue
from simulator.pairs.pairs import PAIRS
from simulator.ws_v1 import feed as feed_v1
from tests.kit.simulator.followers import OldFollower, subscribe
from tests.unit.simulator.worlds import TestWorld, limit

BTC = PAIRS["BTC/USD"]


def test_system_status_comes_first_and_a_ping_is_answered() -> None:
    client = TestWorld().public_v1()
    (status,) = client.since(0)
    assert status == {"connectionID": 2**60, "event": "systemStatus", "status": "online", "version": "1.9.6"}
    assert client.raw({"event": "ping", "reqid": 42}) == [{"event": "pong", "reqid": 42}]
    assert client.session.beat(client.world.now)
    assert client.frames[-1] == '{"event":"heartbeat"}'


def test_a_book_is_acknowledged_and_shown_in_texts() -> None:
    client = TestWorld().public_v1()
    ack, snapshot = subscribe(client, "book", depth=10)
    assert ack == {
        "channelID": 336,
        "channelName": "book-10",
        "event": "subscriptionStatus",
        "pair": "XBT/USD",
        "reqid": 7,
        "status": "subscribed",
        "subscription": {"depth": 10, "name": "book"},
    }
    assert (snapshot[0], snapshot[2:]) == (336, ["book-10", "XBT/USD"])
    assert [len(snapshot[1][side]) for side in ("as", "bs")] == [10, 10]
    price, qty, _ = snapshot[1]["as"][0]
    assert (len(price.split(".")[1]), len(qty.split(".")[1])) == (5, 8)


def test_the_documented_book_has_the_documented_checksum() -> None:
    asks = [5005, 5010, 5015, 5020, 5025, 5030, 5035, 5040, 5045, 5050]
    bids = [5000, 4995, 4990, 4980, 4975, 4970, 4965, 4960, 4955, 4950]

    class Fine:
        price_precision = 5

    book = FullBook(BTC)
    book.apply([("sell", p, 500) for p in asks] + [("buy", p, 500) for p in bids], 1, [])
    book.pair = Fine()  # type: ignore[assignment]
    assert feed_v1.checksum(book) == 974947235


def test_both_sides_of_one_event_are_in_one_frame_with_one_checksum() -> None:
    world = TestWorld()
    client = world.public_v1()
    follower = OldFollower(10, json.dumps(subscribe(client, "book", depth=10)[1]))
    before = len(client.frames)
    _, ask = world.touch()
    size = world.exchange.venues["BTC/USD"].book.asks.qty[ask]
    world.exchange.add(world.account(), limit("buy", f"{size / 1e8 + 0.1:.8f}", f"{ask / 10:.1f}"), world.now)
    world.world.flush(world.now)
    (text,) = client.frames[before:]
    frame = json.loads(text)
    assert len(frame) == 5
    assert (set(frame[1]), set(frame[2])) == ({"a"}, {"b", "c"})
    follower.take(text)
    assert len(follower.refills) == 1


@pytest.mark.parametrize("depth", DEPTHS)
def test_every_depth_follows_the_living_market(depth: int) -> None:
    world = TestWorld()
    client = world.public_v1()
    follower = OldFollower(depth, json.dumps(subscribe(client, "book", depth=depth)[1]))
    before = len(client.frames)
    world.run(20)
    assert len(client.frames) - before > 50
    for text in client.frames[before:]:
        follower.take(text)
    book = world.exchange.venues["BTC/USD"].book
    for name, side in (("a", book.asks), ("b", book.bids)):
        assert follower.best(name) == [(BTC.padded_price(p), BTC.qty(q)) for p, q in side.best(depth)]


OPERATION = st.tuples(st.sampled_from(["buy", "sell"]), st.integers(1, 30), st.integers(1, 9), st.booleans())


@settings(max_examples=40)
@given(st.lists(OPERATION, max_size=80))
def test_any_flow_can_be_followed(operations: list[tuple[Side, int, int, bool]]) -> None:
    venue = Venue(BTC, MatchingEngine(), 1, 500)
    venue.listen("v1.book", 10, 1)
    follower = OldFollower(10, feed_v1.snapshot(venue.book, 10))
    for number, (side, price, qty, cancels) in enumerate(operations):
        if cancels:
            venue.cancel(price, number)
        else:
            venue.submit(number, 0, side, price * 7, qty, number)
        for channel, _, text in venue.public:
            if channel == "v1.book":
                follower.take(text)
        venue.public.clear()


def test_trades_ticker_spread_and_candles_are_told_in_texts() -> None:
    world = TestWorld()
    client = world.public_v1()
    world.run(20)
    for name in ("trade", "ticker", "spread"):
        assert subscribe(client, name)[0]["channelName"] == name
    assert subscribe(client, "ohlc", interval=5)[0]["channelName"] == "ohlc-5"
    before = len(client.frames)
    world.run(20)
    frames: dict[str, list[Any]] = {}
    for frame in client.since(before):
        frames.setdefault(frame[-2], []).append(frame)
    assert set(frames) == {"trade", "ticker", "spread", "ohlc-5"}
    price, qty, time, side, kind, misc = frames["trade"][0][1][0]
    assert (side in "bs", kind in "lm", misc) == (True, True, "")
    assert [len(text.split(".")[1]) for text in (price, qty, time)] == [5, 8, 6]
    ticker = frames["ticker"][-1][1]
    assert set(ticker) == set("abcvptlho")
    assert isinstance(ticker["a"][1], int)
    assert Decimal(ticker["b"][0]) < Decimal(ticker["a"][0])
    assert len(frames["spread"][-1][1]) == 5
    candle = frames["ohlc-5"][-1][1]
    assert len(candle) == 9
    assert Decimal(candle[3]) >= Decimal(candle[5]) >= Decimal(candle[4])
    assert int(Decimal(candle[1])) % 300 == 0


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ({"pair": ["XBT/USD"], "subscription": {"name": "book", "depth": 42}}, "Subscription depth not supported"),
        (
            {"pair": ["XBT/USD"], "subscription": {"name": "book", "depth": "10"}},
            "Subscription book depth must be an integer",
        ),
        (
            {"pair": ["XBT/USD"], "subscription": {"name": "ohlc", "interval": 7}},
            "Subscription ohlc interval not supported",
        ),
        ({"pair": ["XBT/USD"], "subscription": {"name": "nothing"}}, "Subscription name invalid"),
        ({"pair": ["NO/USD"], "subscription": {"name": "trade"}}, "Currency pair not supported NO/USD"),
        (
            {"pair": ["XBTUSD"], "subscription": {"name": "trade"}},
            "Currency pair not in ISO 4217-A3 format XBTUSD",
        ),
        ({"pair": ["XBT/USD"], "subscription": {"name": "trade", "x": 1}}, "Subscription object unsupported field"),
        ({"pair": ["XBT/USD"], "subscription": "trade"}, "Subscription field must be an object"),
        ({"pair": "XBT/USD", "subscription": {"name": "trade"}}, "Pair field must be an array"),
        (
            {"subscription": {"name": "ownTrades", "token": "x"}},
            "Private data and trading are unavailable on this endpoint. Try ws-auth.kraken.com",
        ),
    ],
)
def test_a_wrong_subscribe_is_refused_in_krakens_words(message: dict[str, Any], error: str) -> None:
    (frame,) = TestWorld().public_v1().raw({"event": "subscribe", **message})
    assert frame["errorMessage"] == error
    assert frame["event"] in ("subscriptionStatus", "error")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "Malformed request"),
        ("[]", "Malformed request"),
        ('{"event":7}', "Malformed request"),
        ('{"event":"nothing"}', "Unsupported event"),
        ('{"event":"addOrder"}', "Private data and trading are unavailable on this endpoint. Try ws-auth.kraken.com"),
    ],
)
def test_whatever_is_sent_gets_an_answer(text: str, error: str) -> None:
    assert TestWorld().public_v1().raw(text) == [{"errorMessage": error, "event": "error"}]


def test_subscriptions_end_by_name_by_number_and_all_at_once() -> None:
    world = TestWorld()
    client = world.public_v1()
    for name in ("trade", "spread", "ticker", "book"):
        subscribe(client, name)
    (again,) = subscribe(client, "book", depth=25)
    assert again["errorMessage"] == "Already subscribed"
    (ended,) = client.raw({"event": "unsubscribe", "pair": ["XBT/USD"], "subscription": {"name": "trade"}})
    assert (ended["status"], ended["channelName"]) == ("unsubscribed", "trade")
    (ended,) = client.raw({"event": "unsubscribe", "channelID": 339})
    assert ended["channelName"] == "spread"
    (absent,) = client.raw({"event": "unsubscribe", "channelID": 339})
    assert absent["errorMessage"] == "Subscription Not Found"
    assert len(client.raw({"event": "unsubscribe", "pair": ["XBT/USD"], "subscription": {"name": "*"}})) == 2
    before = len(client.frames)
    world.run(3)
    assert len(client.frames) == before
    assert not world.exchange.venues["BTC/USD"].subscribed
