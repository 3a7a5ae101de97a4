"""Stop-loss and take-profit orders, edits, and what an amendment leaves behind (KRAKEN.md 3.4)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from simulator import errors
from simulator.errors import KrakenError
from simulator.exchange.engine import Side
from simulator.exchange.orders import Order, OrderRequest
from simulator.pairs.pairs import PAIRS
from tests.unit.simulator.worlds import Client, TestWorld, call, limit, market

BTC = PAIRS["BTC/USD"]


def stop(kind: str, side: Side, trigger: int, price: int | None = None, qty: str = "0.001") -> OrderRequest:
    at = None if price is None else Decimal(price) / 10
    return OrderRequest(BTC, side, kind, Decimal(qty), at, trigger=Decimal(trigger) / 10)


def quiet(world: TestWorld) -> int:
    """Leave one bid and one ask far apart; return the last price."""
    world.empty()
    last = world.exchange.venues["BTC/USD"].last_price
    visitor = world.account("visitor")
    for side, price in (("buy", last - 2000), ("sell", last + 2000)):
        world.exchange.add(visitor, limit(side, "0.3", f"{price / 10:.1f}"), world.now)
    return last


def print_at(world: TestWorld, price: int) -> None:
    """Have two strangers trade a little at a price."""
    venue = world.exchange.venues["BTC/USD"]
    for side in ("buy", "sell"):
        events = venue.submit(venue.crowd_number(), 0, side, price, 1000, world.now, "gtc" if side == "buy" else "ioc")
        world.exchange.settle(events, world.now)


def client_of(world: TestWorld) -> Client:
    client = world.private()
    client.call("subscribe", channel="executions")
    return client


@pytest.mark.parametrize(
    ("kind", "side", "trigger", "before", "at"),
    [
        ("stop-loss", "sell", -500, -499, -500),
        ("stop-loss", "buy", 500, 499, 501),
        ("take-profit", "sell", 500, 499, 500),
        ("take-profit", "buy", -500, -499, -600),
    ],
)
def test_an_order_waits_until_the_last_trade_reaches_its_trigger(
    kind: str, side: Side, trigger: int, before: int, at: int
) -> None:
    world = TestWorld()
    last = quiet(world)
    order = world.exchange.add(world.account(), stop(kind, side, last + trigger), world.now)
    print_at(world, last + before)
    assert (order.status, order.waits) == ("new", True)
    print_at(world, last + at)
    assert order.status == "filled"
    assert world.account().fills[-1].kind == kind


def test_a_waiting_buy_reserves_the_taker_s_fee_that_it_may_pay() -> None:
    world = TestWorld()
    last = quiet(world)
    maker, visitor = world.account(), world.account("visitor")
    wanted = stop("take-profit-limit", "buy", last - 500, last - 400)
    # 0.001 at 83960.0 and 0.1 % of it: 84.04396 USD.
    maker.balances["USD"] = 84_0439
    with pytest.raises(KrakenError, match=errors.INSUFFICIENT_FUNDS):
        world.exchange.add(maker, wanted, world.now)
    maker.balances["USD"] = 84_0440
    order = world.exchange.add(maker, wanted, world.now)
    assert maker.free("USD") == 0
    with pytest.raises(KrakenError, match=errors.INSUFFICIENT_FUNDS):
        world.exchange.amend(maker, order, None, Decimal(last - 399) / 10, False, world.now)
    with pytest.raises(KrakenError, match=errors.INSUFFICIENT_FUNDS):
        world.exchange.edit(maker, order, stop("take-profit-limit", "buy", last - 500, last - 399), world.now)
    world.exchange.add(visitor, limit("sell", "0.001", f"{(last - 400) / 10:.1f}"), world.now)
    print_at(world, last - 500)
    (fill,) = maker.fills
    assert (fill.maker, fill.fee, maker.balances["USD"]) == (False, 8396, 0)


def test_a_waiting_post_only_buy_reserves_the_maker_s_fee() -> None:
    world = TestWorld()
    last = quiet(world)
    maker = world.account()
    maker.balances["USD"] = 83_9600
    world.exchange.add(
        maker, replace(stop("take-profit-limit", "buy", last - 500, last - 400), post_only=True), world.now
    )
    assert maker.free("USD") == 0


def test_its_reports_tell_of_the_trigger_and_of_its_release() -> None:
    world = TestWorld()
    last = quiet(world)
    client = client_of(world)
    (ack, *_) = client.call(
        "add_order", symbol="BTC/USD", side="sell", order_type="stop-loss-limit", order_qty=0.001,
        limit_price=(last - 2500) / 10, triggers={"reference": "last", "price": (last - 500) / 10},
    )  # fmt: skip
    assert ack["success"], ack
    pending, new = client.reports()
    assert pending["triggers"]["status"] == "untriggered"
    assert pending["triggers"]["price"] == Decimal(last - 500) / 10
    assert (pending["order_type"], new["exec_type"]) == ("stop-loss-limit", "new")
    again = world.private()
    (_, snapshot) = again.call("subscribe", channel="executions")
    assert snapshot["data"][0]["triggers"]["status"] == "untriggered"
    print_at(world, last - 500)
    world.world.flush(world.now)
    assert [row["exec_type"] for row in client.reports()[2:]] == ["status", "trade", "filled"]
    released = client.reports()[2]
    assert (released["order_status"], released["triggers"]["status"]) == ("triggered", "triggered")


def test_one_release_releases_the_next() -> None:
    world = TestWorld()
    last = quiet(world)
    account = world.account()
    venue = world.exchange.venues["BTC/USD"]
    # A bid for the first stop to sell into, below the second stop's trigger.
    world.exchange.settle(venue.submit(venue.crowd_number(), 0, "buy", last - 700, 100_000, world.now), world.now)
    first = world.exchange.add(account, stop("stop-loss", "sell", last - 100), world.now)
    second = world.exchange.add(account, stop("stop-loss", "sell", last - 600), world.now)
    print_at(world, last - 100)
    assert (first.status, second.status) == ("filled", "filled")
    assert not world.exchange.lifecycle.triggers.waiting


def test_a_waiting_order_is_amended_cancelled_and_kept_over_a_restart(tmp_path: Any) -> None:
    world = TestWorld(tmp_path / "db")
    account = world.account()
    bid, _ = world.touch()
    order = world.exchange.add(account, stop("stop-loss", "sell", bid - 5000), world.now)
    other = world.exchange.add(account, stop("stop-loss", "sell", bid - 6000), world.now)
    world.exchange.amend(account, order, None, None, False, world.now, Decimal(bid - 4000) / 10)
    assert order.trigger == bid - 4000
    with pytest.raises(KrakenError, match="EGeneral:Invalid arguments"):
        world.exchange.amend(account, order, None, Decimal(80000), False, world.now)
    world.exchange.cancel(account, other, world.now)
    world.world.flush(world.now)
    world.store.close()
    again = TestWorld(tmp_path / "db", now=world.now)
    (kept,) = again.account().orders.values()
    assert (kept.trigger, kept.waits, kept.kind) == (bid - 4000, True, "stop-loss")
    assert again.exchange.lifecycle.triggers.waiting["BTC/USD"]
    assert again.exchange.venues["BTC/USD"].engine.order(kept.number) is None


def test_a_waiting_order_holds_its_funds_and_one_that_cannot_pay_any_more_is_cancelled() -> None:
    world = TestWorld()
    last = quiet(world)
    account = world.account()
    world.exchange.add(account, stop("stop-loss", "sell", last - 500, qty="0.9"), world.now)
    with pytest.raises(KrakenError, match="Insufficient funds"):
        world.exchange.add(account, limit("sell", "0.2", f"{(last + 1900) / 10:.1f}"), world.now)
    buyer = world.exchange.add(account, stop("stop-loss", "buy", last + 100, qty="1.17"), world.now)
    venue = world.exchange.venues["BTC/USD"]
    # Nothing is offered but at a far higher price.
    for number in venue.engine.queue("sell", last + 2000):
        world.exchange.lifecycle.pull(world.exchange.orders[number], "canceled", "test", world.now)
    far = last * 2
    world.exchange.settle(venue.submit(venue.crowd_number(), 0, "sell", far, 10**9, world.now), world.now)
    print_at(world, last + 100)
    assert (buyer.status, buyer.reason) == ("canceled", "Out of funds")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"order_type": "hidden"}, "EGeneral:Invalid arguments:ordertype"),
        ({"order_type": "trailing-stop"}, "EGeneral:Invalid arguments:triggers.price_type"),
        ({"triggers": None}, "EGeneral:Invalid arguments:triggers"),
        ({"triggers": {"reference": "index", "price": 80000.0}}, "EGeneral:Invalid arguments:Index unavailable"),
        ({"triggers": {"price": 80000.0, "price_type": "bp"}}, "EGeneral:Invalid arguments:triggers.price_type"),
        ({"triggers": {"price": "80000"}}, "Price field must be a number_float"),
        (
            {"triggers": {"price": 80000.01}},
            "EOrder:Invalid price:XBT/USD price can only be specified up to 1 decimals.",
        ),
        ({"limit_price": 80000.0}, "EGeneral:Invalid arguments:price"),
        ({"post_only": True}, "EGeneral:Invalid arguments:post_only"),
        ({"time_in_force": "fok"}, "EGeneral:Invalid arguments:timeinforce"),
        ({"reduce_only": True}, "EOrder:Reduce only:Non-PC"),
        ({"margin": 1}, "EGeneral:Invalid arguments:margin"),
        ({"cash_order_qty": 5.0}, "EGeneral:Invalid arguments:volume"),
        ({"effective_time": "2020-01-01T00:00:00Z"}, "EGeneral:Invalid arguments:effective_time"),
        ({"conditional": {"order_type": "limit"}}, "EGeneral:Invalid arguments:conditional"),
    ],
)
def test_what_is_not_simulated_is_refused_in_krakens_words(change: dict[str, Any], error: str) -> None:
    order = {
        "symbol": "BTC/USD", "side": "sell", "order_type": "stop-loss", "order_qty": 0.001,
        "triggers": {"price": 80000.0}, **change,
    }  # fmt: skip
    (frame,) = TestWorld().private().call("add_order", **order)
    assert frame["error"] == error


def placed(world: TestWorld, client: Client) -> Order:
    (ack, *_) = client.call(
        "add_order", symbol="BTC/USD", side="buy", order_type="limit", order_qty=0.001, limit_price=70000.0,
        order_userref=5,
    )  # fmt: skip
    return world.account().orders[ack["result"]["order_id"]]


def test_an_edit_is_a_new_order_in_the_place_of_the_old() -> None:
    world = TestWorld()
    client = client_of(world)
    order = placed(world, client)
    before = world.account().counter("BTC/USD").now(world.now)
    (answer, *_) = client.call("edit_order", order_id=order.order_id, symbol="BTC/USD", limit_price=71000.0)
    assert answer["result"]["original_order_id"] == order.order_id
    new = world.account().orders[answer["result"]["order_id"]]
    assert (new.price, new.qty, new.userref) == (710_000, order.qty, 5)
    assert (order.status, order.reason) == ("canceled", "Order replaced")
    assert world.account().counter("BTC/USD").now(world.now) - before == 7
    assert [row["exec_type"] for row in client.reports()[2:]] == ["canceled", "pending_new", "new"]
    assert client.call("edit_order", order_id=order.order_id, symbol="BTC/USD")[0]["error"] == errors.UNKNOWN_ORDER


def test_an_edit_that_is_refused_leaves_the_old_order() -> None:
    world = TestWorld()
    client = client_of(world)
    order = placed(world, client)
    (answer, *_) = client.call("edit_order", order_id=order.order_id, symbol="BTC/USD", order_qty=100000)
    assert answer["error"] == errors.INSUFFICIENT_FUNDS
    assert order.order_id in world.account().orders
    named = world.exchange.add(world.account(), limit(cl_ord_id="mine"), world.now)
    (answer, *_) = client.call("edit_order", order_id=named.order_id, symbol="BTC/USD", order_qty=0.002)
    assert answer["error"] == "EOrder:Invalid order"


def rest(world: TestWorld, method: str, **fields: str) -> Any:
    world.world.flush(world.now)
    result = call(world, method, "M1", **fields)
    world.world.flush(world.now)
    return result


def test_rest_places_edits_and_describes_triggered_orders() -> None:
    world = TestWorld()
    made = rest(
        world, "AddOrder", pair="XBTUSD", type="sell", ordertype="stop-loss-limit", volume="0.001", price="60000.5",
        price2="59000.0",
    )  # fmt: skip
    assert made["descr"]["order"] == "sell 0.00100000 XBTUSD @ stop loss 60000.5 -> limit 59000.0"
    (txid,) = made["txid"]
    row = rest(world, "OpenOrders")["open"][txid]
    assert (row["descr"]["price"], row["descr"]["price2"], row["trigger"]) == ("60000.5", "59000.0", "last")
    assert row["stopprice"] == "60000.5"
    edited = rest(world, "EditOrder", txid=txid, pair="XBTUSD", price="61000.0", volume="0.002")
    assert set(edited) == {"status", "txid", "originaltxid", "volume", "price", "price2", "orders_cancelled", "descr"}
    assert edited["descr"]["order"] == "sell 0.00200000 XBTUSD @ stop loss 61000.0 -> limit 59000.0"
    assert (edited["originaltxid"], edited["orders_cancelled"]) == (txid, 1)
    new = edited["txid"]
    assert rest(world, "AmendOrder", txid=new, trigger_price="61500.0")["amend_id"]
    amends = rest(world, "OrderAmends", order_id=new)
    assert [(a["amend_type"], a["trigger_price"]) for a in amends["amends"]] == [
        ("original", "61000.0"),
        ("user", "61500.0"),
    ]
    closed = rest(world, "ClosedOrders")
    assert closed["closed"][txid]["reason"] == "Order replaced"


def test_closed_orders_are_found_by_either_client_id_and_counted_if_asked() -> None:
    world = TestWorld()
    account = world.account()
    for name, userref in (("one", 0), (None, 7), (None, 8)):
        world.exchange.add(account, limit(cl_ord_id=name, userref=userref), world.now)
    world.exchange.cancel_all(account, world.now)
    assert rest(world, "ClosedOrders", cl_ord_id="one")["count"] == 1
    (row,) = rest(world, "ClosedOrders", userref="7")["closed"].values()
    assert row["userref"] == 7
    assert "count" not in rest(world, "ClosedOrders", without_count="true")


def test_trade_balance_is_all_that_the_account_has() -> None:
    world = TestWorld()
    figures = rest(world, "TradeBalance")
    assert set(figures) == {"eb", "tb", "m", "n", "c", "v", "e", "mf", "uv"}
    assert Decimal(figures["eb"]) == pytest.approx(Decimal(100_000 + 84_000 + 50_000 + 60_000), rel=Decimal("0.01"))
    assert Decimal(rest(world, "TradeBalance", asset="XBT")["eb"]) == pytest.approx(Decimal("3.5"), rel=Decimal("0.01"))


def test_candles_and_spreads_are_told_by_rest() -> None:
    world = TestWorld()
    world.run(130)
    candles = call(world, "OHLC", pair="XBTUSD", interval="1")
    rows = candles["XXBTZUSD"]
    assert len(rows) >= 2
    assert [type(value) for value in rows[0]] == [int, str, str, str, str, str, str, int]
    assert candles["last"] == rows[-2][0]
    with pytest.raises(KrakenError):
        call(world, "OHLC", pair="XBTUSD", interval="7")
    spreads = call(world, "Spread", pair="XBTUSD")
    assert 10 < len(spreads["XXBTZUSD"]) <= 200
    assert all(Decimal(bid) < Decimal(ask) for _, bid, ask in spreads["XXBTZUSD"])


@pytest.mark.parametrize(
    ("rule", "statuses"),
    [
        ("cancel_newest", ("new", "canceled")),
        ("cancel_oldest", ("canceled", "new")),
        ("cancel_both", ("canceled", "canceled")),
    ],
)
def test_an_account_never_trades_with_itself(rule: str, statuses: tuple[str, str]) -> None:
    world = TestWorld()
    quiet(world)
    account = world.account()
    old = world.exchange.add(account, limit("buy", "0.001", "84000.0"), world.now)
    new = world.exchange.add(account, limit("sell", "0.001", "84000.0", stp=rule), world.now)
    assert (old.status, new.status) == statuses
    assert not account.fills


def test_a_market_order_beyond_the_book_ends_with_what_it_got() -> None:
    world = TestWorld()
    quiet(world)
    order = world.exchange.add(world.account(), market("sell", "0.5"), world.now)
    assert (order.status, order.filled) == ("canceled", 30_000_000)
