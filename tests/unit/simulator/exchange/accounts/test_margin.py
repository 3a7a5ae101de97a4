"""Margin as a maker meets it: OpenPositions and TradeBalance as Kraken documents them, and the ledger."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from simulator.errors import KrakenError
from simulator.exchange.accounts.margin import CLOSED
from simulator.exchange.engine import Side
from simulator.faults import instant
from simulator.wire import NS
from tests.kit.simulator.orders import ORDER, add, trade_at, watcher
from tests.unit.simulator.worlds import START, TestWorld, call

BUY = {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": "0.5", "leverage": "5"}
SELL = {**BUY, "type": "sell"}
# The members of the documented sample.
MEMBERS = {
    "ordertxid", "posstatus", "pair", "time", "type", "ordertype", "cost", "fee", "vol", "vol_closed", "margin",
    "terms", "rollovertm", "misc", "oflags",
}  # fmt: skip


def opened(path: Path | None = None, **changes: Any) -> TestWorld:
    world = TestWorld(path, history_lag_s=(0.0, 0.0))
    call(world, "AddOrder", **{**BUY, **changes})
    world.world.flush(world.now)
    return world


def ledger(world: TestWorld) -> list[dict[str, Any]]:
    world.world.flush(world.now)
    rows = call(world, "Ledgers")["ledger"].values()
    return [row for row in reversed(rows) if row["type"] != "deposit"]


def test_an_account_without_margin_has_no_positions() -> None:
    assert call(TestWorld(), "OpenPositions") == {}


def test_a_position_opens_without_moving_what_it_is_in(tmp_path: Path) -> None:
    path = tmp_path / "sim.sqlite"
    world = opened(path)
    rows = call(world, "OpenPositions")
    vol = sum(Decimal(row["vol"]) for row in rows.values())
    cost = sum((Decimal(row["cost"]) for row in rows.values()), Decimal(0))
    margin = sum((Decimal(row["margin"]) for row in rows.values()), Decimal(0))
    assert vol == Decimal("0.5")
    assert abs(cost / 5 - margin) < 1
    assert all(set(row) == MEMBERS for row in rows.values())
    (name, row) = next(iter(rows.items()))
    assert (row["posstatus"], row["terms"], row["type"]) == ("open", "0.0200% per 4 hours", "buy")
    assert call(world, "QueryTrades", txid=name)[name]["posstatus"] == "open"
    assert set(next(iter(call(world, "OpenPositions", docalcs="true").values()))) == MEMBERS | {"value", "net"}
    assert {(e["type"], e["asset"], e["amount"]) for e in ledger(world)} == {("margin", "ZUSD", "0.0000")}
    assert call(world, "Balance")["XXBT"] == "1.0000000000"
    balance = call(world, "TradeBalance")
    assert Decimal(balance["m"]) == margin.quantize(Decimal("0.0001"))
    assert Decimal(balance["mf"]) == Decimal(balance["e"]) - Decimal(balance["m"])
    assert Decimal(balance["ml"]) > 100
    again = TestWorld(path, START + NS)
    assert set(call(again, "OpenPositions")) == set(rows)


def test_a_position_of_a_pair_that_is_no_longer_listed_counts_at_its_cost(tmp_path: Path) -> None:
    path = tmp_path / "sim.sqlite"
    opened(path)
    again = TestWorld(path, START + NS, pairs=["ETH/USD"])
    (row, *_) = call(again, "OpenPositions", docalcs="true").values()
    assert row["net"] == "+0.00000"
    assert call(again, "TradeBalance")["n"] == "0.0000"


def test_the_other_side_closes_it_and_books_the_result() -> None:
    world = opened()
    (both,) = call(world, "OpenPositions", consolidation="market", docalcs=True)
    assert (both["pair"], both["type"], both["vol"]) == ("XXBTZUSD", "buy", "0.50000000")
    assert abs(Decimal(both["leverage"]) - 5) < Decimal("0.001")
    call(world, "AddOrder", **SELL)
    assert call(world, "OpenPositions") == {}
    assert call(world, "OpenPositions", consolidation="market") == []
    closing = [row for row in ledger(world) if Decimal(row["amount"])]
    assert closing
    assert {(row["type"], row["asset"]) for row in closing} == {("margin", "ZUSD")}
    assert sum(Decimal(row["amount"]) for row in closing) < 0
    closed = [row for row in call(world, "TradesHistory")["trades"].values() if row["misc"] == "closing"]
    assert sum(Decimal(row["vol"]) for row in closed) == Decimal("0.5")
    total = Decimal(call(world, "Balance")["ZUSD"])
    assert total == 100_000 + sum(Decimal(row["amount"]) - Decimal(row["fee"]) for row in ledger(world))


def test_a_fill_beyond_the_position_opens_one_of_the_other_side() -> None:
    world = opened()
    call(world, "AddOrder", **{**SELL, "volume": "0.8"})
    rows = call(world, "OpenPositions").values()
    assert {row["type"] for row in rows} == {"sell"}
    assert sum(Decimal(row["vol"]) for row in rows) == Decimal("0.3")


def test_a_reduce_only_order_closes_what_is_open_and_no_more() -> None:
    world = TestWorld()
    with pytest.raises(KrakenError, match="EOrder:Reduce only:No position exists"):
        call(world, "AddOrder", **SELL, reduce_only="true")
    call(world, "AddOrder", **BUY)
    resting = call(world, "AddOrder", **{**SELL, "ordertype": "limit", "price": "99000"}, reduce_only="true")["txid"][0]
    order = world.account("visitor").orders[resting]
    call(world, "AddOrder", **{**SELL, "volume": "2"}, reduce_only="true")
    assert call(world, "OpenPositions") == {}
    assert (order.status, order.reason) == ("canceled", CLOSED)


def test_a_conditional_close_of_a_margin_order_closes_the_position() -> None:
    world = TestWorld()
    call(world, "AddOrder", **{**BUY, "volume": "0.1"}, close={"ordertype": "limit", "price": "99000"})
    closers = list(world.account("visitor").orders.values())
    assert {(order.side, order.terms.leverage) for order in closers} == {("sell", 5)}
    assert sum(order.qty for order in closers) == 10**7


def test_a_pair_that_only_reduces_takes_orders_that_reduce() -> None:
    world = TestWorld()
    call(world, "AddOrder", **BUY)
    instant.carry_out(
        world.world,
        world.world.faults.read({"kind": "pair", "symbol": "BTC/USD", "value": "reduce_only"}, 0),
        world.now,
    )
    with pytest.raises(KrakenError, match="EOrder:Reduce only"):
        call(world, "AddOrder", **SELL)
    assert call(world, "AddOrder", **SELL, reduce_only="true")["txid"]
    assert call(world, "OpenPositions") == {}


def test_a_stop_on_margin_takes_more_than_the_account_could_pay() -> None:
    world = TestWorld()
    trade_at(world, 840_000)
    (txid,) = call(
        world, "AddOrder", **{**BUY, "ordertype": "stop-loss", "price": "85000", "volume": "2", "leverage": "10"}
    )["txid"]
    order, venue = world.account("visitor").orders[txid], world.exchange.venues["BTC/USD"]
    orders: list[tuple[Side, int, int]] = [
        ("sell", 860_000, 3 * 10**8),
        ("sell", 850_000, 10**6),
        ("buy", 850_000, 10**6),
    ]
    for side, price, lots in orders:
        world.exchange.settle(venue.submit(venue.crowd_number(), 0, side, price, lots, world.now), world.now)
    assert (order.triggered, order.status) == (True, "filled")


def test_fees_roll_over_every_four_hours() -> None:
    world = opened()
    cost = sum(Decimal(row["cost"]) for row in call(world, "OpenPositions").values())
    world.after(8 * 3600 + 1)
    fees = [Decimal(row["fee"]) for row in ledger(world) if row["type"] == "rollover"]
    assert abs(sum(fees) - 2 * cost * Decimal("0.0002")) < Decimal("0.01")
    (first, *_) = call(world, "OpenPositions").values()
    assert int(first["rollovertm"]) == START // NS + 3 * 4 * 3600


def test_a_position_is_settled_without_a_trade() -> None:
    world = opened(volume="0.2")
    cost = sum(Decimal(row["cost"]) for row in call(world, "OpenPositions").values())
    call(world, "AddOrder", **{**SELL, "ordertype": "settle-position", "volume": "0"})
    assert call(world, "OpenPositions") == {}
    settled = {row["asset"]: Decimal(row["amount"]) for row in ledger(world) if row["type"] == "settled"}
    assert settled["XXBT"] == Decimal("0.2")
    assert abs(settled["ZUSD"] + cost) < 1
    with pytest.raises(KrakenError, match="EOrder:Unknown position"):
        call(world, "AddOrder", **{**SELL, "ordertype": "settle-position", "volume": "0"})


def test_margin_runs_out_and_holds_no_funds() -> None:
    world = TestWorld()
    (txid,) = call(world, "AddOrder", **{**ORDER, "volume": "3", "leverage": "10"})["txid"]
    assert call(world, "BalanceEx")["ZUSD"]["hold_trade"] == "0.0000"
    assert call(world, "OpenOrders")["open"][txid]["descr"]["leverage"] == "10:1"
    with pytest.raises(KrakenError, match="EOrder:Insufficient margin"):
        call(world, "AddOrder", **{**BUY, "volume": "20", "leverage": "2"})
    call(world, "CancelOrder", txid=txid)


def test_reports_tell_margin_and_what_became_of_the_position() -> None:
    world = TestWorld()
    client = watcher(world)
    terms: dict[str, Any] = {"symbol": "BTC/USD", "order_type": "market", "order_qty": 0.1, "margin": True}
    add(world, side="buy", **terms)
    add(world, side="sell", reduce_only=True, **terms)
    pending = [row for row in client.reports() if row["exec_type"] == "pending_new"]
    assert [(row["margin"], row["reduce_only"]) for row in pending] == [(True, False), (True, True)]
    fills = [row for row in client.reports() if row["exec_type"] == "trade"]
    assert {(row["side"], row["margin_borrow"], row["position_status"]) for row in fills} == {
        ("buy", True, "opened"), ("sell", False, "closing"),
    }  # fmt: skip


def test_pairs_tell_their_leverage_as_captured() -> None:
    # AssetPairs of 2026-09-25, KRAKEN.md 4.3; instrument, 1.9.
    world = TestWorld()
    row = call(world, "AssetPairs", pair="XBTUSD")["XXBTZUSD"]
    assert row["leverage_buy"] == [2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert (row["long_position_limit"], row["short_position_limit"]) == (350, 250)
    (_, frame) = world.public().call("subscribe", channel="instrument")
    pair = next(row for row in frame["data"]["pairs"] if row["symbol"] == "BTC/USD")
    assert (pair["marginable"], pair["margin_initial"], pair["position_limit_long"]) == (True, Decimal("0.1"), 350)
