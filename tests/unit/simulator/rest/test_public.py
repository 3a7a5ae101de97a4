"""Public REST calls: pages of trades, candles before there are any."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.errors import KrakenError
from simulator.wire import NS
from tests.unit.simulator.worlds import TestWorld, call, market


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_pages_of_trades_lose_and_repeat_none(count: int) -> None:
    world = TestWorld()
    start = world.now
    for _ in range(4):
        world.after(1)
        # Through many levels: one match, one time, several trades.
        world.exchange.add(world.account("visitor"), market("buy", "0.9"), world.now)
        world.after(1)
        world.exchange.add(world.account("visitor"), market("sell", "0.9"), world.now)
    tape = [trade.trade_id for trade in world.exchange.venues["BTC/USD"].tape if trade.ns > start]
    assert len(tape) > len({trade.ns for trade in world.exchange.venues["BTC/USD"].tape})
    seen: list[int] = []
    since = str(start)
    while rows := (page := call(world, "Trades", pair="XBTUSD", since=since, count=count))["XXBTZUSD"]:
        seen += [row[6] for row in rows]
        since = page["last"]
    assert seen == tape


def test_the_last_candle_that_is_over_is_told_before_there_is_one() -> None:
    world = TestWorld()
    page = call(world, "OHLC", pair="XBTUSD", interval=5)
    assert page["XXBTZUSD"] == []
    assert page["last"] == world.now // NS // 300 * 300 - 300


def test_the_ticker_tells_today_and_the_last_24_hours_apart() -> None:
    world = TestWorld()
    visitor, pair = world.account("visitor"), world.exchange.venues["BTC/USD"].pair

    def figures() -> tuple[list[str], list[int], str]:
        row = call(world, "Ticker", pair="XBTUSD")["XXBTZUSD"]
        subscription = {"event": "subscribe", "pair": ["XBT/USD"], "subscription": {"name": "ticker"}}
        frame: Any = world.public_v1().raw(subscription)[1]
        assert (row["v"], row["t"], row["o"]) == (frame[1]["v"], frame[1]["t"], frame[1]["o"][0])
        return row["v"], row["t"], row["o"]

    world.exchange.add(visitor, market("buy", "0.0001"), world.now)
    first = pair.padded_price(world.exchange.venues["BTC/USD"].last_price)
    assert figures() == (["0.00010000"] * 2, [1, 1], first)
    # Midnight, and nothing is traded yet.
    world.now += 86_400 * NS - world.now % (86_400 * NS)
    assert figures() == (["0.00000000", "0.00010000"], [0, 1], first)
    world.exchange.add(visitor, market("sell", "0.0002"), world.now)
    second = pair.padded_price(world.exchange.venues["BTC/USD"].last_price)
    assert figures() == (["0.00020000", "0.00030000"], [1, 2], second)
    assert first != second


@pytest.mark.parametrize(
    ("info", "members"),
    [
        ("leverage", {"leverage_buy", "leverage_sell"}),
        ("fees", {"fees", "fees_maker", "fee_volume_currency"}),
        ("margin", {"margin_call", "margin_stop"}),
    ],
)
def test_asset_pairs_shows_the_part_that_is_asked_for(info: str, members: set[str]) -> None:
    world = TestWorld()
    whole = call(world, "AssetPairs", pair="XBTUSD")["XXBTZUSD"]
    part = call(world, "AssetPairs", pair="XBTUSD", info=info)["XXBTZUSD"]
    assert part == {name: whole[name] for name in members}
    assert call(world, "AssetPairs", pair="XBTUSD", info="info")["XXBTZUSD"] == whole


def test_asset_pairs_refuses_what_it_has_no_part_for() -> None:
    with pytest.raises(KrakenError, match="EGeneral:Invalid arguments:info"):
        call(TestWorld(), "AssetPairs", info="names")
