"""The feed's core: subscriptions, acknowledgements, resync, frames of both versions, and whatever else may come."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, strategies as st

from collector.feed.feed import Feed
from collector.feed.frames import Kind, classify
from collector.feed.listing import Valuing
from collector.replay import frame_time, parse_speed, schedule
from shared.clock import SECOND
from shared.messages import FeedFrame, FeedTrades, Instruments, Resync
from tests.kit.feed_world import PAIR, FeedWorld as World
from tests.kit.pairs import BTC


def gathered(world: World) -> list[str]:
    """Return the problems so far, as the log has them."""
    world.gather()
    return world.problems


def test_it_subscribes_in_batches_with_every_choice_spelled_out() -> None:
    requests = World().open()
    assert [(r["params"]["channel"], r["params"].get("symbol")) for r in requests] == [
        ("instrument", None),
        ("book", ["BTC/USD", "ETH/USD"]),
        ("trade", ["BTC/USD", "ETH/USD"]),
    ]
    assert requests[1]["params"]["depth"] == 10
    assert requests[1]["params"]["snapshot"] is True
    assert requests[2]["params"]["snapshot"] is False
    many = World(tuple(f"A{n}/USD" for n in range(120))).open()
    assert [len(r["params"]["symbol"]) for r in many if r["params"]["channel"] == "book"] == [50, 50, 20]


def test_each_symbol_is_subscribed_only_once_its_own_acknowledgement_came() -> None:
    world = World()
    world.open()
    world.ack("book", "BTC/USD")
    assert world.status().symbols == {"BTC/USD": "subscribed", "ETH/USD": "pending"}
    assert not world.feed.is_subscribed


def test_a_missing_acknowledgement_is_asked_for_again() -> None:
    world = World()
    world.open()
    world.frame({"channel": "instrument", "type": "snapshot", "data": {"assets": [], "pairs": []}})
    world.ack("trade", "BTC/USD")
    world.ack("trade", "ETH/USD")
    world.ack("book", "BTC/USD")
    assert world.turn(4.9) == []
    again = world.turn(0.2)
    assert [(r["params"]["channel"], r["params"]["symbol"]) for r in again] == [("book", ["ETH/USD"])]


def test_a_refused_symbol_is_told_and_tried_again_later_and_the_others_go_on() -> None:
    world = World()
    world.open()
    world.ack("book", "BTC/USD")
    world.frame(
        {"error": "Currency pair not supported ETH/USD", "method": "subscribe", "success": False, "symbol": "ETH/USD"}
    )
    assert world.status().symbols["ETH/USD"] == "refused: Currency pair not supported ETH/USD"
    assert world.status().refused == {"ETH/USD": "Currency pair not supported ETH/USD"}
    assert world.status().symbols["BTC/USD"] == "subscribed"
    assert "Currency pair not supported ETH/USD" in gathered(world)[0]
    assert [r for r in world.turn(10) if r["params"].get("symbol") == ["ETH/USD"]] == []
    world.feed.frame(b'{"channel":"heartbeat"}', world.now)
    assert [r["params"]["symbol"] for r in world.turn(21) if r["params"]["channel"] == "book"] == [["ETH/USD"]]


def test_an_acknowledgement_for_another_symbol_is_counted_and_changes_nothing() -> None:
    world = World()
    world.open()
    world.ack("book", "SOL/USD")
    assert world.feed.out.counts["acknowledgement not asked for"] == 1
    assert world.status().symbols == {"BTC/USD": "pending", "ETH/USD": "pending"}


def test_resync_resubscribes_that_symbol_alone_once_a_number() -> None:
    world = World()
    world.subscribed()
    for _ in range(3):
        world.feed.resync(Resync(boot=1, symbols={"BTC/USD": 1}), world.now)
    assert [(r["method"], r["params"]["symbol"]) for r in world.sent()] == [("unsubscribe", ["BTC/USD"])]
    world.ack("book", "BTC/USD", "unsubscribe")
    assert [(r["method"], r["params"]["symbol"]) for r in world.sent()] == [("subscribe", ["BTC/USD"])]
    world.ack("book", "BTC/USD")
    world.feed.resync(Resync(boot=1, symbols={"BTC/USD": 2}), world.now)
    assert len(world.sent()) == 1
    world.ack("book", "BTC/USD", "unsubscribe")
    world.ack("book", "BTC/USD")
    world.sent()
    world.feed.resync(Resync(boot=2, symbols={"BTC/USD": 1}), world.now)
    assert len(world.sent()) == 1  # another boot of the book counts from 1 again


def test_a_late_reader_gets_new_snapshots_of_all_books_at_most_once_in_a_while() -> None:
    world = World()
    world.subscribed()
    world.feed.refresh(world.now)
    assert [(r["method"], r["params"]["symbol"]) for r in world.turn(0)] == [("unsubscribe", ["BTC/USD", "ETH/USD"])]
    for symbol in ("BTC/USD", "ETH/USD"):
        world.ack("book", symbol, "unsubscribe")
        world.ack("book", symbol)
    world.sent()
    world.feed.refresh(world.now)
    world.feed.refresh(world.now)
    assert [r for r in world.turn(9.9) if r["method"] == "unsubscribe"] == []
    assert [r["params"]["symbol"] for r in world.turn(0.2) if r["method"] == "unsubscribe"] == [["BTC/USD", "ETH/USD"]]
    assert [r for r in world.turn(1) if r["method"] == "unsubscribe"] == []


def test_a_book_that_is_being_subscribed_to_is_left_alone_by_a_late_reader() -> None:
    world = World()
    world.open()
    world.ack("book", "BTC/USD")
    world.feed.refresh(world.now)
    assert [r["params"]["symbol"] for r in world.turn(0) if r["method"] == "unsubscribe"] == [["BTC/USD"]]


def test_an_unsubscribe_without_an_answer_subscribes_all_the_same() -> None:
    world = World()
    world.subscribed()
    world.feed.resync(Resync(boot=1, symbols={"BTC/USD": 1}), world.now)
    world.sent()
    assert [(r["method"], r["params"]["symbol"]) for r in world.turn(5.1)] == [("subscribe", ["BTC/USD"])]


def test_book_frames_are_handed_on_untouched() -> None:
    world = World()
    world.subscribed()
    raw = b'{"data":[{"checksum":1,"symbol":"BTC/USD","bids":[]}],  "type":"update","channel":"book"}'
    world.frame(raw)
    topic, message = world.taken()[-1]
    assert topic == "feed.book.BTC/USD"
    assert isinstance(message, FeedFrame)
    assert (message.frame, message.connection, message.received) == (raw, 1, world.now)


def test_another_symbols_frame_is_counted_and_not_handed_on() -> None:
    world = World()
    world.subscribed()
    world.frame({"channel": "book", "type": "update", "data": [{"symbol": "XRP/USD"}]})
    assert world.published(FeedFrame) == []
    assert world.feed.out.counts["not asked for"] == 1


def test_trades_become_ticks_and_lots() -> None:
    world = World()
    world.subscribed()
    trade = {"symbol": "BTC/USD", "side": "buy", "price": 68500.0, "qty": 0.01044926, "trade_id": 7}
    world.frame({"channel": "trade", "type": "update", "data": [{**trade, "timestamp": "2024-05-27T12:43:11.798009Z"}]})
    trade = world.published(FeedTrades)[0].trades[0]
    assert (trade.side, trade.price, trade.qty, trade.trade_id) == ("buy", 685_000, 1_044_926, 7)


def test_instrument_data_takes_exponents_and_keeps_to_the_pairs_wanted() -> None:
    world = World()
    world.open()
    odd = {**PAIR, "symbol": "ODD/USD", "price_increment": None}
    world.frame({"channel": "instrument", "type": "snapshot", "data": {"assets": [], "pairs": [PAIR, odd]}})
    pairs = world.published(Instruments)[-1].pairs
    assert list(pairs) == ["BTC/USD"]
    assert (pairs["BTC/USD"].qty_min, pairs["BTC/USD"].price_increment, pairs["BTC/USD"].qty_increment) == (5000, 1, 1)


def test_back_online_resubscribes_every_book_but_a_first_online_does_not() -> None:
    world = World()
    world.subscribed()

    def status(system: str) -> None:
        world.frame({"channel": "status", "type": "update", "data": [{"system": system}]})

    status("online")
    assert world.sent() == []
    assert world.status().online_since == 0
    status("maintenance")
    status("online")
    assert [(r["method"], r["params"]["symbol"]) for r in world.sent()] == [("unsubscribe", ["BTC/USD", "ETH/USD"])]
    assert world.status().online_since == world.now - SECOND // 4


def test_a_new_connection_forgets_the_old_ones_subscriptions() -> None:
    world = World()
    world.subscribed()
    world.feed.closed(world.now)
    assert not world.status().connected
    world.open()
    assert world.status().symbols == {"BTC/USD": "pending", "ETH/USD": "pending"}
    assert world.status().connection == 2


def test_a_connection_without_any_frame_is_given_up() -> None:
    world = World()
    world.open()
    world.turn(5.9)
    assert not world.reconnect
    world.turn(0.2)
    assert "no frame" in world.reconnect


@pytest.mark.parametrize(
    ("raw", "kind", "symbols"),
    [
        (b'[336,{"as":[],"bs":[]},"book-10","XBT/USD"]', Kind.BOOK, ["BTC/USD"]),
        (b'[336,{"a":[]},{"b":[],"c":"1"},{"name":"book","depth":10},"XDG/USD"]', Kind.BOOK, ["DOGE/USD"]),
        (b'[0,[["1.0","2.0","1534614057.321597","s","l",""]],"trade","XBT/USD"]', Kind.TRADE, ["BTC/USD"]),
        (b'[0,{"a":[]},"ticker","XBT/USD"]', Kind.TICKER, ["BTC/USD"]),
        (b'[42,[],"ohlc-5","XBT/USD"]', Kind.OTHER, ["BTC/USD"]),
        (b'{"event":"heartbeat"}', Kind.HEARTBEAT, []),
        (b'{"event":"systemStatus","status":"online"}', Kind.STATUS, []),
        (
            b'{"event":"subscriptionStatus","status":"error","errorMessage":"x","pair":"XBT/USD"}',
            Kind.RESPONSE,
            ["BTC/USD"],
        ),
        (b'{"event":"subscriptionStatus","status":"subscribed","pair":"XBT/USD"}', Kind.RESPONSE, ["BTC/USD"]),
        (b'{"channel":"heartbeat"}', Kind.HEARTBEAT, []),
        (b'{"channel":"news","data":[]}', Kind.UNKNOWN, []),
        (b'{"method":"pong","req_id":1}', Kind.PONG, []),
        (b'{"event":"surprise"}', Kind.UNKNOWN, []),
    ],
)
def test_the_version_of_a_frame_is_detected(raw: bytes, kind: Kind, symbols: list[str]) -> None:
    classified = classify(raw)
    assert (classified.kind, classified.symbols) == (kind, symbols)


@pytest.mark.parametrize(
    "raw",
    [
        b"CloudFlare WebSocket proxy restarting",
        b"",
        b"\xff\xfe{}",
        b'{"channel":"book","data":[{"symbol":"BT',
        b"[1]",
        b'[1,{},7,"XBT/USD"]',
        b'{"channel":"book","type":"update","data":{}}',
        b'{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"up","price":1,"qty":1}]}',
        b'{"channel":"instrument","data":[]}',
        b'{"method":"subscribe","success":true,"result":7}',
        b"null",
        b"7",
    ],
)
def test_what_is_no_frame_is_counted_named_and_survived(raw: bytes) -> None:
    world = World()
    world.subscribed()
    world.frame(raw)
    assert world.published(FeedFrame) == []
    assert sum(world.feed.out.counts.values()) > 0
    assert len(gathered(world)) == 1


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
any_words = st.fixed_dictionaries(
    {},
    optional={
        "channel": st.sampled_from(["book", "trade", "ticker", "instrument", "status", "heartbeat", "x"]) | json_values,
        "method": st.sampled_from(["subscribe", "unsubscribe", "pong", "x"]) | json_values,
        "event": st.sampled_from(["heartbeat", "systemStatus", "error"]) | json_values,
        "type": st.sampled_from(["snapshot", "update"]) | json_values,
        "data": json_values,
        "result": json_values,
        "success": st.booleans() | json_values,
        "symbol": st.sampled_from(["BTC/USD", ""]) | json_values,
        "error": json_values,
        "req_id": json_values,
    },
)


@given(st.lists(st.binary(max_size=60) | (any_words | json_values).map(msgspec.json.encode), max_size=8))
def test_nothing_that_comes_in_brings_it_down(frames: list[bytes]) -> None:
    world = World()
    world.subscribed()
    for raw in frames:
        world.frame(raw)
        world.turn(0.5)


def test_a_replay_is_paced_by_the_frames_own_times() -> None:
    lines = [
        b'{"channel":"heartbeat"}\n',
        b'{"channel":"book","data":[{"timestamp":"2026-08-16T23:37:04.000000Z"}]}\n',
        b"\n",
        b'[336,{"a":[["1.0","2.0","1786923425.000000"]]},"book-10","XBT/USD"]\n',
    ]
    scheduled = list(schedule(iter(lines), 2.0))
    assert [due for due, _ in scheduled] == [0, 0, SECOND // 2]
    assert [due for due, _ in schedule(iter(lines), None)] == [0, 0, 0]
    assert frame_time(lines[0]) is None


def test_a_frames_time_is_read_however_its_text_is_spaced() -> None:
    spaced = b'{"channel": "book", "data": [{"timestamp" : "2026-08-16T23:37:04.000000Z"}]}'
    assert frame_time(spaced) == frame_time(spaced.replace(b" ", b"")) == 1_786_923_424 * SECOND


@pytest.mark.parametrize("text", ["0", "-1", "inf", "fast", "nan"])
def test_a_speed_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_speed(text)


def test_pings_tell_the_exchanges_time() -> None:
    world = World()
    world.subscribed()
    world.turn(1)
    (ping,) = world.pings
    world.now += SECOND // 100
    at = "2026-01-01T00:00:00.000000Z"
    world.frame({"method": "pong", "req_id": ping["req_id"], "time_in": at, "time_out": at})
    status = world.status()
    expected = 1_767_225_600 * SECOND
    assert abs(status.exchange_offset + world.now - SECOND // 4 - expected) <= SECOND // 100
    assert 0 < status.offset_uncertain_ms < 10
    assert World().status().offset_uncertain_ms == -1


# --- pairs that value others, and pairs that are not listed -----------------------------------------------------------


def listed(world: World, *symbols: str, status: str = "online", kind: str = "snapshot") -> None:
    rows = [{**PAIR, "symbol": s, "base": s.split("/")[0], "quote": s.split("/")[1], "status": status} for s in symbols]
    world.frame({"channel": "instrument", "type": kind, "data": {"assets": [], "pairs": rows}})


def books_asked(world: World) -> list[list[str]]:
    return [r["params"]["symbol"] for r in world.sent() if r["params"]["channel"] == "book"]


def test_what_values_a_quote_is_subscribed_to_for_its_book_alone() -> None:
    world = World(("BTC/EUR", "ETH/BTC"))
    world.open()
    listed(world, "BTC/EUR", "ETH/BTC", "EUR/USD", "BTC/USD", "SOL/USD")
    assert [(r["params"]["channel"], r["params"]["symbol"]) for r in world.sent()] == [("book", ["EUR/USD", "BTC/USD"])]
    message = world.published(Instruments)[-1]
    assert message.references == ["EUR/USD", "BTC/USD"]
    assert set(message.pairs) == {"BTC/EUR", "ETH/BTC", "EUR/USD", "BTC/USD"}
    world.feed.closed(world.now)
    again = world.open()
    assert ["BTC/EUR", "ETH/BTC", "EUR/USD", "BTC/USD"] in [r["params"].get("symbol") for r in again]
    assert ["BTC/EUR", "ETH/BTC"] in [r["params"].get("symbol") for r in again]


def test_reference_pairs_that_are_configured_are_taken_as_they_are() -> None:
    world = World(("BTC/EUR",))
    world.feed = Feed(["BTC/EUR"], 10, valuing=Valuing("USD", ["EUR/USD"]))
    assert ["BTC/EUR", "EUR/USD"] in [r["params"].get("symbol") for r in world.open()]
    listed(world, "BTC/EUR", "EUR/USD", "BTC/USD")
    assert world.sent() == []


def test_a_pair_that_is_not_listed_is_out_with_an_alert_and_the_others_are_ready() -> None:
    world = World(("BTC/USD", "NOPE/USD"))
    world.open()
    listed(world, "BTC/USD")
    for channel in ("book", "trade"):
        world.ack(channel, "BTC/USD")
    assert world.feed.is_subscribed
    assert world.published(Instruments)[-1].unknown == ["NOPE/USD"]
    assert len(world.alerts) == 1
    world.turn(40)
    assert books_asked(world) == []
    listed(world, "NOPE/USD", kind="update")  # it is listed from now on
    assert world.published(Instruments)[-1].unknown == []
    assert books_asked(world) == [["NOPE/USD"]]


def test_a_pair_that_gets_listed_is_subscribed_to_with_the_next_snapshot() -> None:
    world = World(("BTC/USD", "NEW/USD"))
    world.open()
    listed(world, "BTC/USD")
    world.sent()
    listed(world, "BTC/USD", "NEW/USD")
    assert books_asked(world) == [["NEW/USD"]]


@pytest.mark.parametrize(
    "odd",
    [
        {"symbol": "ODD/USD"},
        {"symbol": None},
        {"symbol": "ETH/USD", "price_precision": "many"},
        {"symbol": "ETH/USD", **{k: v for k, v in PAIR.items() if k != "symbol"}, "qty_min": "NaN"},
        "no pair at all",
        None,
    ],
)
def test_one_odd_element_spoils_no_other_instrument(odd: Any) -> None:
    world = World(("BTC/USD",))
    world.open()
    assets = [{"id": "ODD"}, None, {"id": "BTC", "precision": 10}, {"id": "USD", "precision": 4}]
    world.frame({"channel": "instrument", "type": "snapshot", "data": {"assets": assets, "pairs": [odd, PAIR, odd]}})
    message = world.published(Instruments)[-1]
    assert set(message.pairs) == {"BTC/USD"}
    assert message.assets == {"BTC": 10, "USD": 4}


# --- trades and pairs with odd members -------------------------------------------------------------------------------


def trade_row(**more: Any) -> dict[str, Any]:
    row = {"symbol": "BTC/USD", "side": "buy", "price": 84000.5, "qty": 0.5, "ord_type": "limit", "trade_id": 5}
    return {**row, "timestamp": "2026-01-01T00:00:00.000000Z", **more}


@pytest.mark.parametrize(
    "odd",
    [
        trade_row(qty=0.123456789),
        trade_row(price=None),
        trade_row(side="neither"),
        trade_row(timestamp="yesterday"),
        {"symbol": "BTC/USD"},
        "no trade",
        None,
    ],
)
def test_one_odd_trade_spoils_no_other(odd: Any) -> None:
    world = World(("BTC/USD",))
    world.open()
    listed(world, "BTC/USD")
    world.taken()
    world.frame({"channel": "trade", "type": "update", "data": [trade_row(), odd, trade_row(trade_id=6)]})
    assert [[trade.trade_id for trade in m.trades] for m in world.published(FeedTrades)] == [[5, 6]]
    assert gathered(world)


@pytest.mark.parametrize("qty", [b"1e999999", b"NaN", b'"Infinity"', b"1" * 70])
def test_a_number_that_no_market_has_is_survived_and_named(qty: bytes) -> None:
    world = World(("BTC/USD",))
    world.open()
    listed(world, "BTC/USD")
    world.taken()
    raw = json.dumps({"channel": "trade", "type": "update", "data": [trade_row(), trade_row(qty=7.25)]}).encode()
    world.frame(raw.replace(b"7.25", qty))
    trades = [trade for m in world.published(FeedTrades) for trade in m.trades]
    assert len(trades) <= 1
    assert gathered(world)


def test_trades_of_version_1_are_read_one_by_one() -> None:
    feed = Feed(["BTC/USD"], 10, version=1)
    feed.opened(SECOND)
    pair = msgspec.structs.replace(BTC, qty_min=1, cost_min="0")
    feed.instruments({"BTC/USD": pair}, {}, SECOND)
    feed.take()
    good = '["84000.50000","0.5","1795980000.1","b","l",""]'
    feed.frame(f'[0,[{good},["x","1","1","b","l",""],[],{good}],"trade","XBT/USD"]'.encode(), SECOND)
    wanted = feed.take()
    (message,) = [message for _, message in wanted.messages if isinstance(message, FeedTrades)]
    assert len(message.trades) == 2
    assert len(wanted.log) == 2


@pytest.mark.parametrize(
    ("change", "ticks", "lots", "least"),
    [
        ({"price_increment": None, "tick_size": 0.5}, 5, 1, 5000),
        ({"price_increment": None}, 1, 1, 5000),
        ({"qty_increment": None}, 1, 1, 5000),
        ({"qty_min": None, "cost_min": None}, 1, 1, 0),
        ({"qty_min": 5e-09}, 1, 1, 1),
    ],
)
def test_what_a_pair_leaves_open_is_taken_at_its_loosest(
    change: dict[str, Any], ticks: int, lots: int, least: int
) -> None:
    world = World(("BTC/USD",))
    world.open()
    world.frame({"channel": "instrument", "type": "snapshot", "data": {"assets": [], "pairs": [{**PAIR, **change}]}})
    pair = world.published(Instruments)[-1].pairs["BTC/USD"]
    assert (pair.price_increment, pair.qty_increment, pair.qty_min) == (ticks, lots, least)
