"""Pairs by configuration, and DOGE under all its names: XDG on version 1 and REST, seven decimals of price."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from simulator.errors import KrakenError
from simulator.exchange.database.store import Store
from simulator.exchange.engine import load_engine
from simulator.market import replay
from simulator.market.style import CALM, REGIMES, style_of
from simulator.pairs.pairs import PAIRS
from simulator.world import World
from tests.unit.simulator.worlds import RICH, START, TestWorld, call, limit, settings

LISTED = ["BTC/USD", "DOGE/USD"]
DOGE = "DOGE/USD"


def doge(path: Path | None = None, **more: Any) -> TestWorld:
    return TestWorld(path, pairs=LISTED, history_lag_s=(0.0, 0.0), **more)


def test_every_pair_that_can_be_listed_may_be_configured_and_has_a_crowd() -> None:
    assert list(PAIRS)[:4] == list(CALM)
    for regime in REGIMES:
        assert all(style_of(pair, regime) for pair in PAIRS.values())
    assert list(TestWorld().exchange.venues) == ["BTC/USD", "ETH/USD", "SOL/USD"]


def test_doge_has_its_old_name_on_rest_and_version_1_and_its_new_one_on_version_2() -> None:
    world = doge()
    for name in ("XDGUSD", "XDG/USD"):
        assert list(call(world, "AddOrder", **order(name), validate=True)) == ["descr"]
    client, old = world.public(), world.public_v1()
    subscription = {"channel": "book", "depth": 10}
    answers = client.call("subscribe", **subscription, symbol=["DOGE/USD", "XDG/USD", "ETH/USD"])
    said = {a["symbol"]: a.get("error") for a in answers if a.get("success") is False}
    assert said == {n: f"Currency pair not supported {n}" for n in ("XDG/USD", "ETH/USD")}
    (book,) = [a for a in answers if a.get("channel") == "book"]
    assert book["data"][0]["symbol"] == DOGE
    assert all(-row["price"].as_tuple().exponent == 7 for row in book["data"][0]["bids"])
    said = {}
    for name in ("XDG/USD", "DOGE/USD", "ETH/USD"):
        for frame in old.event("subscribe", pair=[name], subscription={"name": "book", "depth": 10}):
            if isinstance(frame, list):
                assert (frame[-1], len(frame[1]["as"][0][0])) == ("XDG/USD", len("0.1600001"))
            else:
                said[name] = frame["status"]
    assert said == {"XDG/USD": "subscribed", "DOGE/USD": "error", "ETH/USD": "error"}


def order(pair: str, **more: str) -> dict[str, str]:
    return {"pair": pair, "type": "buy", "ordertype": "limit", "volume": "100", "price": "0.1500001", **more}


def test_a_pair_that_is_not_listed_is_unknown_everywhere() -> None:
    world = doge()
    for method in ("AddOrder", "TradeVolume", "EditOrder"):
        with pytest.raises(KrakenError, match="EQuery:Unknown asset pair"):
            call(world, method, **order("ETHUSD"))
    client, old = world.private("V1"), world.private_v1("V1")
    wanted = {"order_type": "limit", "side": "buy", "symbol": "ETH/USD", "order_qty": 1, "limit_price": 2000.0}
    assert client.call("add_order", **wanted)[0]["error"] == "EQuery:Unknown asset pair"
    assert old.event("addOrder", **order("ETH/USD"))[0]["errorMessage"] == "Currency pair not supported ETH/USD"


def test_assets_are_those_of_the_pairs_and_of_the_accounts() -> None:
    world = TestWorld()
    (_, snapshot) = world.public().call("subscribe", channel="instrument")
    assert {asset["id"] for asset in snapshot["data"]["assets"]} == {"USD", "BTC", "ETH", "SOL"}
    assert set(call(world, "Assets")) == {"ZUSD", "XXBT", "XETH", "SOL"}
    with pytest.raises(KrakenError, match="EQuery:Unknown asset"):
        call(world, "Assets", asset="XDG")
    world.account().balances["DOGE"] = 0
    assert set(call(world, "Assets", asset="XDG")) == {"XXDG"}
    world = TestWorld(pairs=[DOGE])
    assert set(call(world, "Assets")) == {"ZUSD", "XXBT", "XETH", "SOL", "XXDG"}


def test_a_fill_of_doge_has_nine_decimals_of_cost_and_the_ledger_four() -> None:
    world = doge()
    world.empty(DOGE)
    maker, visitor = world.account(), world.account("visitor")
    maker.balances["DOGE"] = 1000 * 10**8
    world.exchange.add(visitor, limit("buy", "123.45678901", "0.1500001", DOGE), world.now)
    world.exchange.add(maker, limit("sell", "123.45678901", "0.15", DOGE), world.now)
    world.world.flush(world.now)
    (trade,) = call(world, "TradesHistory")["trades"].values()
    assert {name: trade[name] for name in ("pair", "price", "cost", "fee")} == {
        "pair": "XDGUSD", "price": "0.1500001", "cost": "18.518530697", "fee": "0.046296327",
    }  # fmt: skip
    usd, coins = (next(iter(call(world, "Ledgers", asset=a, type="trade")["ledger"].values())) for a in ("ZUSD", "XDG"))
    assert (usd["amount"], usd["fee"]) == ("-18.5185", "0.0463")
    assert (coins["asset"], coins["amount"]) == ("XXDG", "123.45678901")
    assert visitor.volume.units == 18_5185


def test_its_market_lives_on_a_touch_of_a_few_ticks() -> None:
    world = doge()
    began = world.exchange.venues[DOGE].last_price
    world.run(60)
    bid, ask = world.touch(DOGE)
    assert 0 < ask - bid < 1000
    assert abs(bid - began) < began / 100
    assert len(world.exchange.venues[DOGE].tape) > 10


def test_what_is_no_longer_listed_leaves_its_orders_canceled_and_its_coins_worthless(tmp_path: Path) -> None:
    path = tmp_path / "sim.sqlite"
    world = doge(path)
    visitor = world.account("visitor")
    order = world.exchange.add(visitor, limit("buy", "100", "0.15", DOGE), world.now)
    visitor.balances["DOGE"] = 10**10
    world.world.flush(world.now)
    again = TestWorld(path, world.now + 10**9, pairs=["BTC/USD"])
    (row,) = again.store.history.orders_by_id(visitor.index, [order.order_id])
    assert (row.status, row.reason) == ("canceled", "Pair changed")
    again.account("visitor").balances["DOGE"] = 10**10
    assert Decimal(call(again, "TradeBalance")["eb"]) < RICH["USD"] + 90_000
    with pytest.raises(KrakenError, match="EQuery:Unknown asset"):
        call(again, "TradeBalance", asset="XDG")


def test_a_recording_brings_its_pairs_with_it() -> None:
    line = (
        b'{"channel":"book","type":"snapshot","data":[{"symbol":"DOGE/USD","bids":[{"price":0.1600000,"qty":5.00000000}],'
        b'"asks":[{"price":0.1600001,"qty":7.00000000}],"checksum":0,"timestamp":"2026-01-01T00:00:00.000000Z"}]}'
    )
    world = World(settings(pairs=["BTC/USD"]), Store(":memory:"), load_engine(), START, recording=replay.load(line))
    assert list(world.exchange.venues) == LISTED
    assert world.exchange.venues[DOGE].touch() == (1_600_000, 1_600_001)
