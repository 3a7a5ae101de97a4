"""Public WebSocket v2, frame by frame (KRAKEN.md 1)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulator.session import MESSAGES_MAX
from simulator.wire import NS
from tests.kit.simulator.followers import Follower
from tests.unit.simulator.worlds import TestWorld


def test_status_comes_first_and_a_heartbeat_is_exactly_kraken_s() -> None:
    client = TestWorld().public()
    (status,) = client.since(0)
    assert status["channel"] == "status"
    element = status["data"][0]
    assert element["system"] == "online"
    assert element["connection_id"] > 2**53
    assert (element["upcoming_maintenance"], element["emergency"]) == ([], [])
    assert client.session.beat(client.world.now)
    assert client.frames[-1] == '{"channel":"heartbeat"}'


def test_ping_is_answered_without_a_result_and_refuses_params() -> None:
    client = TestWorld().public()
    (pong,) = client.raw({"method": "ping", "req_id": 101})
    assert set(pong) == {"method", "req_id", "time_in", "time_out"}
    assert (pong["method"], pong["req_id"]) == ("pong", 101)
    rejected: tuple[Any, ...] = ({"a": 1}, {}, None, [])
    for params in rejected:
        (refused,) = client.raw({"method": "ping", "params": params, "req_id": 0})
        assert refused["error"] == "Unsupported field: 'params' for the given msg type: ping"
    assert (refused["success"], refused["req_id"]) == (False, 0)


def test_a_subscribe_is_acknowledged_symbol_by_symbol() -> None:
    client = TestWorld().public()
    frames = client.call("subscribe", channel="book", symbol=["BTC/USD", "XBT/USD", "ETH/USD"], depth=25)
    assert [frame.get("method", frame.get("channel")) for frame in frames] == [
        "subscribe",
        "book",
        "subscribe",
        "subscribe",
        "book",
    ]
    assert frames[0]["result"] == {"channel": "book", "depth": 25, "snapshot": True, "symbol": "BTC/USD"}
    assert frames[2]["error"] == "Currency pair not supported XBT/USD"
    assert (frames[2]["symbol"], frames[2]["success"], frames[2]["req_id"]) == ("XBT/USD", False, 9)
    assert [len(frames[1]["data"][0][side]) for side in ("bids", "asks")] == [25, 25]


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"channel": "book", "symbol": ["BTC/USD"], "depth": 42}, "Subscription depth not supported"),
        ({"channel": "book", "symbol": ["BTC/USD"], "depth": "10"}, "Subscription depth not supported"),
        ({"channel": "book", "symbol": ["XBT-USDT"]}, "Currency pair not in ISO 4217-A3 format XBT-USDT"),
        (
            {"channel": "book", "symbol": ["BTC/USD"], "dept": 10},
            "Unsupported field: 'dept' for the given msg type: subscribe",
        ),
        (
            {"channel": "executions", "token": "x"},
            "Private data and trading are unavailable on this endpoint. Try ws-auth.kraken.com",
        ),
        ({"channel": "nothing"}, "Subscription name invalid"),
        ({"channel": ["book"]}, "Subscription name invalid"),
        ({"channel": "book", "symbol": "BTC/USD"}, "Malformed request"),
        ({"channel": "book"}, "Malformed request"),
        ({"channel": "book", "symbol": [{}]}, "Currency pair not in ISO 4217-A3 format "),
    ],
)
def test_a_wrong_subscribe_is_refused_in_krakens_words(params: dict[str, Any], error: str) -> None:
    (frame,) = TestWorld().public().call("subscribe", **params)
    assert (frame["error"], frame["success"], frame["method"]) == (error, False, "subscribe")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "Malformed request"),
        ("[]", "Malformed request"),
        ("[" * 50_000, "Malformed request"),
        ('{"method":"subscribe","params":[]}', "Malformed request"),
        ('{"method":7}', "Unsupported event"),
        ('{"method":"subscrib"}', "Unsupported event"),
        ('{"method":"subscribe","par":{}}', "Unsupported field: 'par' for the given msg type: subscribe"),
        ('{"method":"add_order","params":{}}', "Private data and trading are unavailable on this endpoint. "
         "Try ws-auth.kraken.com"),
    ],
)  # fmt: skip
def test_whatever_is_sent_gets_an_answer(text: str, error: str) -> None:
    (frame,) = TestWorld().public().raw(text)
    assert (frame["error"], frame["success"]) == (error, False)


def test_a_second_subscribe_is_refused_and_an_unsubscribe_ends_the_first() -> None:
    world = TestWorld()
    client = world.public()
    client.call("subscribe", channel="book", symbol=["BTC/USD"], depth=10)
    (again,) = client.call("subscribe", channel="book", symbol=["BTC/USD"], depth=10)
    assert again["error"] == "Already subscribed"
    (wrong,) = client.call("unsubscribe", channel="book", symbol=["BTC/USD"], depth=25)
    assert not wrong["success"]
    (done,) = client.call("unsubscribe", channel="book", symbol=["BTC/USD"], depth=10)
    assert done["result"] == {"channel": "book", "depth": 10, "symbol": "BTC/USD"}
    before = len(client.frames)
    world.run(5)
    assert len(client.frames) == before
    assert not world.exchange.venues["BTC/USD"].depths


def test_a_flood_is_told_so() -> None:
    client = TestWorld().public()
    for _ in range(int(MESSAGES_MAX)):
        client.raw({"method": "ping"})
    (frame,) = client.raw({"method": "ping"})
    assert frame["error"] == "Exceeded msg rate"


def test_an_idle_connection_without_subscriptions_is_given_up_and_one_with_is_not() -> None:
    world = TestWorld()
    idle, busy = world.public(), world.public()
    busy.call("subscribe", channel="trade", symbol=["BTC/USD"])
    late = world.now + 61 * NS
    assert not idle.session.beat(late)
    assert busy.session.beat(late)


def test_every_depth_stays_in_step_with_the_living_market() -> None:
    world = TestWorld()
    clients = {depth: world.public() for depth in (10, 25, 100, 500, 1000)}
    followers = {}
    for depth, client in clients.items():
        client.call("subscribe", channel="book", symbol=["BTC/USD"], depth=depth)
        followers[depth] = Follower(depth, client.frames[-1])
    marks = {depth: len(client.frames) for depth, client in clients.items()}
    world.run(60)
    for depth, client in clients.items():
        for frame in client.frames[marks[depth] :]:
            followers[depth].take(frame)
        book = world.exchange.venues["BTC/USD"].book
        pair = book.pair
        assert followers[depth].best("bids") == [(pair.price(p), pair.qty(q)) for p, q in book.bids.best(depth)]
    assert len(clients[10].frames) > 200


def test_trades_are_numbered_without_gaps_and_the_snapshot_is_the_last_fifty() -> None:
    world = TestWorld()
    client = world.public()
    world.run(120)
    frames = client.call("subscribe", channel="trade", symbol=["BTC/USD"], snapshot=True)
    assert frames[0]["result"]["snapshot"] is True
    ids = [row["trade_id"] for row in frames[1]["data"]]
    assert (len(ids), frames[1]["type"]) == (50, "snapshot")
    before = len(client.frames)
    world.run(30)
    ids += [row["trade_id"] for frame in client.since(before) for row in frame["data"]]
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    assert '"price":8' in client.frames[-1]
    assert "E" not in json.dumps(json.loads(client.frames[-1])["data"][0]["price"])


def test_instruments_carry_what_the_pairs_have() -> None:
    client = TestWorld().public()
    ack, snapshot = client.call("subscribe", channel="instrument")
    assert ack["result"]["warnings"] == ["tick_size is deprecated, use price_increment"]
    pairs = {pair["symbol"]: pair for pair in snapshot["data"]["pairs"]}
    assert set(pairs) == {"BTC/USD", "ETH/USD", "SOL/USD"}
    btc = pairs["BTC/USD"]
    assert (btc["price_precision"], btc["qty_precision"], float(btc["qty_min"])) == (1, 8, 0.00005)
    assert {asset["id"]: asset["precision"] for asset in snapshot["data"]["assets"]}["USD"] == 4


def test_the_ticker_follows_trades() -> None:
    world = TestWorld()
    client = world.public()
    client.call("subscribe", channel="ticker", symbol=["BTC/USD"])
    before = len(client.frames)
    world.run(30)
    rows = [frame["data"][0] for frame in client.since(before)]
    assert rows
    assert all(row["low"] <= row["last"] <= row["high"] for row in rows)


def test_candles_are_told_after_each_trade_and_shown_from_the_start() -> None:
    world = TestWorld()
    client = world.public()
    world.run(150)
    ack, snapshot = client.call("subscribe", channel="ohlc", symbol=["BTC/USD"], interval=1)
    assert ack["result"] == {
        "channel": "ohlc",
        "interval": 1,
        "snapshot": True,
        "symbol": "BTC/USD",
        "warnings": ["timestamp is deprecated, use interval_begin"],
    }
    assert len(snapshot["data"]) >= 2
    before = len(client.frames)
    world.run(10)
    frame = client.since(before)[-1]
    (row,) = frame["data"]
    assert row["interval_begin"].endswith(":00.000000000Z")
    assert len(frame["timestamp"]) == len("2026-09-25T17:48:26.844359566Z")
    assert row["low"] <= row["close"] <= row["high"]
    # Without an interval it is one minute, which three published clients count on.
    (again,) = client.call("subscribe", channel="ohlc", symbol=["BTC/USD"])
    assert again["error"] == "Already subscribed"
    (absent, _) = world.public().call("subscribe", channel="ohlc", symbol=["BTC/USD"])
    assert absent["result"]["interval"] == 1
    (odd,) = client.call("subscribe", channel="ohlc", symbol=["BTC/USD"], interval=7)
    assert odd["error"] == "Subscription ohlc interval not supported"
    (done,) = client.call("unsubscribe", channel="ohlc", symbol=["BTC/USD"], interval=1)
    assert done["success"]
