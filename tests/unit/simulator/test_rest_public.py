"""Public REST calls: pages of trades, candles before there are any."""

from __future__ import annotations

import pytest

from simulator.wire import NS
from tests.unit.simulator.test_rest_arguments import call
from tests.unit.simulator.worlds import TestWorld, market


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
