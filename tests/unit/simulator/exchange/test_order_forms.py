"""Forms of orders that people and other clients use (KRAKEN.md 3.4, 4.5): relative prices, cash, ends and starts."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from simulator.errors import KrakenError
from simulator.wire import NS, iso_seconds
from tests.kit.simulator.orders import BTC, ORDER, add, open_rows, trade_at, watcher
from tests.unit.simulator.worlds import TestWorld, call, market

LIMIT: dict[str, Any] = {"order_type": "limit", "side": "buy", "limit_price": 60000.0, **BTC}


def world_at(last: int = 840_000) -> TestWorld:
    world = TestWorld()
    trade_at(world, last)
    return world


@pytest.mark.parametrize(
    ("changes", "price", "trigger"),
    [
        ({"price": "-100"}, 839_000, None),
        ({"price": "-1%"}, 831_600, None),
        ({"price": "#100"}, 839_000, None),
        ({"price": "#100", "type": "sell"}, 841_000, None),
        ({"price": "-0.001%"}, 839_992, None),
        ({"ordertype": "stop-loss", "price": "+5%"}, None, 882_000),
        ({"ordertype": "stop-loss", "price": "#50"}, None, 840_500),
        ({"ordertype": "stop-loss", "type": "sell", "price": "#50"}, None, 839_500),
        ({"ordertype": "take-profit", "price": "#50"}, None, 839_500),
        ({"ordertype": "stop-loss-limit", "price": "+50", "price2": "+60"}, 840_600, 840_500),
    ],
)
def test_a_price_may_be_relative_to_the_last_trade(changes: dict[str, Any], price: int, trigger: int) -> None:
    world = world_at()
    (txid,) = call(world, "AddOrder", **{**ORDER, **changes})["txid"]
    order = world.account("visitor").orders[txid]
    assert (order.price, order.trigger) == (price, trigger)


def test_an_amendment_may_be_relative_and_a_trigger_tells_what_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "sim.sqlite"
    world = TestWorld(path)
    trade_at(world, 840_000)
    txid = add(world, order_type="stop-loss", side="sell", triggers={"price": -2.5, "price_type": "pct"}, **BTC)
    world.after(2)
    for there in (world, TestWorld(path, world.now + NS)):
        triggers = open_rows(there)[txid]["triggers"]
        assert (triggers["price"], triggers["price_type"], triggers["actual_price"]) == (
            Decimal("-2.5"), "pct", Decimal("81900.0"),
        )  # fmt: skip
    (resting,) = call(world, "AddOrder", **ORDER)["txid"]
    call(world, "AmendOrder", txid=resting, limit_price="-5%")
    assert world.account("visitor").orders[resting].price == 798_000
    (stop,) = call(world, "AddOrder", **{**ORDER, "ordertype": "stop-loss", "price": "+5%"})["txid"]
    row = call(world, "OpenOrders")["open"][stop]
    assert (row["descr"]["price"], row["stopprice"]) == ("+5.0000%", "88200.0")
    assert row["descr"]["order"] == "buy 0.00100000 XBTUSD @ stop loss +5.0000%"


def test_a_market_buy_may_be_told_in_the_quote_asset() -> None:
    world = TestWorld()
    client = watcher(world)
    add(world, order_type="market", side="buy", symbol="BTC/USD", cash_order_qty=840.0)
    (pending, *_, last) = client.reports()
    assert (pending["cash_order_qty"], last["exec_type"]) == (Decimal("840.0"), "filled")
    assert 835 < last["cum_cost"] <= 840
    (txid,) = call(world, "AddOrder", pair="XBTUSD", type="buy", ordertype="market", volume="84", oflags="viqc")["txid"]
    world.after(10)
    row = call(world, "ClosedOrders")["closed"][txid]
    assert (row["vol"], row["oflags"]) == ("84.00000000", "fciq,viqc")
    assert 83 < Decimal(row["cost"]) <= 84


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"cash_order_qty": "5"}, "Cash_order_qty field must be a number_float"),
        ({"cash_order_qty": 840.0, "side": "sell"}, "EGeneral:Invalid arguments:cash_order_qty"),
        ({"cash_order_qty": 840.0, "margin": True}, "EGeneral:Invalid arguments:cash_order_qty"),
        ({"cash_order_qty": -1.0}, "EGeneral:Invalid arguments:cash_order_qty"),
        ({"cash_order_qty": 0.01}, "EOrder:Order minimum not met"),
        ({"cash_order_qty": 150_000.0}, "EOrder:Insufficient funds"),
        ({}, "EGeneral:Invalid arguments:volume"),
    ],
)
def test_cash_is_refused_where_it_makes_no_sense(changes: dict[str, Any], error: str) -> None:
    (frame,) = (
        TestWorld()
        .private()
        .call("add_order", **{"order_type": "market", "side": "buy", "symbol": "BTC/USD", **changes})
    )
    assert frame["error"] == error


@pytest.mark.parametrize("form", ["+3600", 3600, "GTD"])
def test_an_end_comes_in_every_form_and_the_order_expires_then(form: Any) -> None:
    world = TestWorld()
    ends = world.now // NS + 3600
    fields = {"expiretm": form if form == "+3600" else ends, **({"timeinforce": "GTD"} if form == "GTD" else {})}
    (txid,) = call(world, "AddOrder", **ORDER, **fields)["txid"]
    row = call(world, "OpenOrders")["open"][txid]
    assert row["expiretm"] == ends
    order = world.account("visitor").orders[txid]
    world.after(3599)
    assert order.status == "new"
    world.after(2)
    assert order.status == "expired"


def test_a_scheduled_order_is_pending_until_its_start(tmp_path: Path) -> None:
    path = tmp_path / "sim.sqlite"
    world = TestWorld(path)
    client = watcher(world)
    starts = iso_seconds(world.now // NS + 60)
    txid = add(world, effective_time=starts, **LIMIT)
    order = world.account().orders[txid]
    venue = world.exchange.venues["BTC/USD"]
    assert venue.engine.order(order.number) is None
    assert [row["exec_type"] for row in client.reports()] == ["pending_new"]
    assert client.reports()[0]["effective_time"].startswith(starts[:-1])
    assert world.account().held("USD")
    row = open_rows(world)[txid]
    assert (row["exec_type"], row["order_status"]) == ("pending_new", "pending_new")
    world.after(30)
    again = TestWorld(path, world.now)
    assert again.account().orders[txid].scheduled
    again.after(31)
    order = again.account().orders[txid]
    assert order.status == "new"
    assert again.exchange.venues["BTC/USD"].engine.order(order.number) is not None


def test_rest_shows_a_scheduled_order_as_pending_and_cancels_it() -> None:
    world = TestWorld()
    (txid,) = call(world, "AddOrder", **ORDER, starttm="+60")["txid"]
    row = call(world, "OpenOrders")["open"][txid]
    assert (row["status"], row["starttm"]) == ("pending", world.now // NS + 60)
    assert call(world, "CancelOrder", txid=txid) == {"count": 1}
    world.after(61)
    assert not world.account("visitor").orders


def test_a_scheduled_order_is_amended_before_its_start() -> None:
    world = TestWorld()
    (txid,) = call(world, "AddOrder", **ORDER, starttm="+60")["txid"]
    call(world, "AmendOrder", txid=txid, limit_price="61000", order_qty="0.002")
    order = world.account("visitor").orders[txid]
    assert (order.price, order.qty, order.status) == (610_000, 200_000, "pending_new")
    world.after(61)
    assert world.exchange.venues["BTC/USD"].book.bids.qty[610_000] >= 200_000


def test_a_scheduled_market_order_spends_its_cash_at_its_start() -> None:
    world = TestWorld()
    (txid,) = call(
        world, "AddOrder", pair="XBTUSD", type="buy", ordertype="market", volume="84", oflags="viqc", starttm="+10"
    )["txid"]
    order = world.account("visitor").orders[txid]
    world.after(11)
    assert order.status == "filled"
    with pytest.raises(KrakenError, match="starttm"):
        call(world, "AddOrder", **ORDER, starttm="+2678401")


def test_a_clock_that_is_put_off_keeps_the_distance_of_a_start() -> None:
    world = TestWorld()
    txid = add(world, effective_time=iso_seconds(world.now // NS + 60), **LIMIT)
    world.world.set_clock(3600 * NS)
    assert world.account().orders[txid].start_ns == world.now + 3660 * NS
    assert market("buy", "1").start_ns == 0
