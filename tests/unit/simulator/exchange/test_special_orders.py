"""Orders of people on the same account: trailing stops, icebergs, conditional closes, as clients see them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from simulator.wire import NS
from tests.kit.simulator.orders import BTC, add, open_rows, trade_at, watcher
from tests.unit.simulator.worlds import TestWorld, call, limit

TRAIL: dict[str, Any] = {
    "order_type": "trailing-stop",
    "side": "sell",
    "triggers": {"price": 1.0, "price_type": "pct"},
    **BTC,
}


def test_a_trailing_stop_stays_out_of_the_book_and_follows_the_best_price(tmp_path: Path) -> None:
    path = tmp_path / "sim.sqlite"
    world = TestWorld(path)
    client = watcher(world)
    order_id = add(world, **TRAIL)
    order = world.account().orders[order_id]
    assert world.exchange.venues["BTC/USD"].engine.order(order.number) is None
    trade_at(world, 900_000)
    assert (order.peak, order.trigger) == (900_000, 891_000)
    moved = client.reports()[-1]
    assert (moved["exec_type"], moved["triggers"]["actual_price"], moved["triggers"]["price"]) == (
        "status", Decimal("89100.0"), Decimal("1.0"),
    )  # fmt: skip
    trade_at(world, 895_000)
    assert order.trigger == 891_000
    # The last price is kept every second.
    world.after(2)
    for there in (world, TestWorld(path, world.now + NS)):
        row = open_rows(there)[order_id]
        assert row["triggers"] == {
            "reference": "last", "price": Decimal("1.0"), "price_type": "pct", "actual_price": Decimal("89100.0"),
            "peak_price": Decimal("90000.0"), "status": "untriggered",
        }  # fmt: skip
        assert "limit_price" not in row
    trade_at(world, 891_000)
    assert (order.status, order.triggered) == ("canceled", True) or order.filled


def test_a_trailing_buy_has_its_trigger_above_and_its_limit_at_a_negative_distance() -> None:
    world = TestWorld()
    trade_at(world, 840_000)
    order_id = add(
        world, side="buy", order_type="trailing-stop-limit", limit_price=-50.0, limit_price_type="quote",
        triggers={"price": 100.0, "price_type": "quote"}, **BTC,
    )  # fmt: skip
    order = world.account().orders[order_id]
    assert (order.trigger, order.price) == (841_000, 840_500)
    row = open_rows(world)[order_id]
    assert (row["limit_price"], row["limit_price_type"]) == (Decimal("-50.0"), "quote")
    trade_at(world, 830_000)
    assert (order.trigger, order.price) == (831_000, 830_500)
    trade_at(world, 831_000)
    assert order.triggered
    assert open_rows(world)[order_id]["limit_price"] == Decimal("83050.0")
    assert world.exchange.venues["BTC/USD"].engine.order(order.number) is not None


def test_rest_takes_and_describes_a_trailing_stop_as_captured() -> None:
    world = TestWorld()
    trade_at(world, 840_000)
    fields = {"pair": "XBTUSD", "type": "sell", "ordertype": "trailing-stop", "volume": "0.01", "price": "+1%"}
    result = call(world, "AddOrder", **fields)
    # frames/rest/jkorf_GetOrders2: price "+1.0000%", order "sell 49.96000 SUIUSD @ trailing stop +1.0000%".
    assert result["descr"]["order"] == "sell 0.01000000 XBTUSD @ trailing stop +1.0000%"
    (row,) = call(world, "OpenOrders")["open"].values()
    assert (row["descr"]["price"], row["descr"]["price2"], row["stopprice"]) == ("+1.0000%", "0", "83160.0")
    fields = {**fields, "ordertype": "trailing-stop-limit", "price": "+100", "price2": "-5.5"}
    result = call(world, "AddOrder", **fields)
    assert result["descr"]["order"] == "sell 0.01000000 XBTUSD @ trailing stop +100.0 -> limit -5.5"


def iceberg(world: TestWorld, qty: float = 0.01, display: float = 0.004, price: float = 80_000.0) -> str:
    params: dict[str, Any] = {"symbol": "BTC/USD", "order_qty": qty, "display_qty": display, "limit_price": price}
    return add(world, side="buy", order_type="iceberg", **params)


def sell(world: TestWorld, qty: str) -> None:
    world.exchange.add(world.account("visitor"), limit("sell", qty, "80000"), world.now)
    world.world.flush(world.now)


def test_an_iceberg_shows_a_part_and_refills_behind_others_at_its_price() -> None:
    world = TestWorld()
    world.empty()
    client = watcher(world)
    order_id = iceberg(world)
    order = world.account().orders[order_id]
    book = world.exchange.venues["BTC/USD"].book
    assert book.bids.qty[800_000] == 400_000
    row = open_rows(world)[order_id]
    assert (row["order_type"], row["display_qty"], row["display_qty_remain"]) == (
        "iceberg", Decimal("0.004"), Decimal("0.004"),
    )  # fmt: skip
    sell(world, "0.001")
    assert (order.filled, order.visible_lots, book.bids.qty[800_000]) == (100_000, 300_000, 300_000)
    # Another order comes behind what is shown, and so before what is shown next.
    other = world.exchange.add(world.account("visitor"), limit("buy", "0.002", "80000"), world.now)
    sell(world, "0.003")
    refill = [row for row in client.reports() if row["exec_type"] == "iceberg_refill"]
    assert [(row["order_id"], row["display_qty_remain"]) for row in refill] == [(order_id, Decimal("0.004"))]
    assert world.exchange.venues["BTC/USD"].engine.queue("buy", 800_000) == [other.number, order.number]
    world.exchange.cancel(world.account("visitor"), other, world.now)
    sell(world, "0.006")
    assert (order.status, order.filled) == ("filled", 1_000_000)
    assert 800_000 not in book.bids.qty


def test_an_iceberg_that_takes_takes_whole() -> None:
    world = TestWorld()
    world.empty()
    sell(world, "0.01")
    order_id = iceberg(world)
    assert order_id not in world.account().orders
    assert sum(fill.qty for fill in world.account().fills) == 1_000_000


def test_an_iceberg_is_amended_and_cancelled() -> None:
    world = TestWorld()
    world.empty()
    order_id = iceberg(world)
    order, account = world.account().orders[order_id], world.account()
    book = world.exchange.venues["BTC/USD"].book
    sell(world, "0.001")
    world.exchange.amend(account, order, Decimal("0.02"), None, False, world.now)
    assert (order.qty, book.bids.qty[800_000]) == (2_000_000, 300_000)
    world.exchange.amend(account, order, Decimal("0.0025"), None, False, world.now)
    assert (order.remaining, book.bids.qty[800_000]) == (150_000, 150_000)
    world.exchange.amend(account, order, Decimal("0.001"), None, False, world.now)
    assert (order.status, order.filled) == ("canceled", 100_000)
    assert 800_000 not in book.bids.qty
    order = account.orders[iceberg(world)]
    world.exchange.cancel(account, order, world.now)
    assert not book.bids.qty


def test_each_fill_of_a_conditional_close_places_it_on_the_other_side() -> None:
    world = TestWorld()
    world.empty()
    order_id = add(
        world, side="buy", order_type="limit", limit_price=80_000.0,
        conditional={"order_type": "stop-loss-limit", "trigger_price": 79_000.0, "limit_price": 78_900.0}, **BTC,
    )  # fmt: skip
    assert open_rows(world)[order_id]["contingent"] == {
        "order_type": "stop-loss-limit", "trigger_price": Decimal("79000.0"), "trigger_price_type": "static",
        "limit_price": Decimal("78900.0"), "limit_price_type": "static",
    }  # fmt: skip
    sell(world, "0.004")
    sell(world, "0.006")
    closes = [o for o in world.account().orders.values() if o.kind == "stop-loss-limit"]
    assert [(o.side, o.qty, o.trigger, o.price, o.waits) for o in closes] == [
        ("sell", 400_000, 790_000, 789_000, True),
        ("sell", 600_000, 790_000, 789_000, True),
    ]


@pytest.mark.parametrize("json_body", [True, False])
def test_rest_takes_a_conditional_close_in_both_forms(json_body: bool) -> None:
    world = TestWorld()
    close = {"ordertype": "stop-loss-limit", "price": "59000", "price2": "58900"}
    given = {"close": close} if json_body else {f"close[{name}]": value for name, value in close.items()}
    fields = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.001", "price": "60000"}
    result = call(world, "AddOrder", **fields, **given)
    # frames/rest/docs_Add_Order: "close position @ stop loss 22000.0 -> limit 21000.0".
    assert result["descr"]["close"] == "close position @ stop loss 59000.0 -> limit 58900.0"
    (row,) = call(world, "OpenOrders")["open"].values()
    assert row["descr"]["close"] == result["descr"]["close"]
    with pytest.raises(Exception, match="EOrder:Invalid order"):
        call(world, "AmendOrder", txid=result["txid"][0], limit_price="60001")


@pytest.mark.parametrize("given", [{"close": {}}, {"close": "{}"}, {"close": None}, {"close[ordertype]": ""}])
def test_an_empty_close_is_none(given: dict[str, Any]) -> None:
    # A published Java client sends close={} with every order.
    world = TestWorld()
    fields = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.001", "price": "60000"}
    assert call(world, "AddOrder", **fields, **given)["txid"]


@pytest.mark.parametrize("name", ["openOrders"])
def test_version_1_tells_of_all_of_them(name: str) -> None:
    world = TestWorld()
    trade_at(world, 840_000)
    ids = {add(world, **TRAIL), iceberg(world)}
    frames = world.private_v1("M1").event("subscribe", subscription={"name": name, "token": ""})
    frames = [f for f in frames if isinstance(f, list)] or world.private_v1("M1").event(
        "subscribe", subscription={"name": name, "token": world.world.make_token(world.world.keys["M1"], world.now)}
    )
    (rows,) = [f[0] for f in frames if isinstance(f, list)]
    assert {order_id for row in rows for order_id in row} == ids
