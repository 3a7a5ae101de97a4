"""Results of private REST calls: their texts and what they repeat."""

from __future__ import annotations

import msgspec
import pytest

from simulator.rest import private as rest_private
from simulator.ws_v2 import reports
from tests.kit.simulator.orders import ORDER
from tests.unit.simulator.worlds import TestWorld, call, limit


@pytest.mark.parametrize(
    ("changes", "description"),
    [
        ({"price": "27500"}, "buy 0.00100000 XBTUSD @ limit 27500.0"),
        ({"ordertype": "market", "volume": "0.0010"}, "buy 0.00100000 XBTUSD @ market"),
        (
            {"type": "sell", "ordertype": "stop-loss", "price": "50000", "volume": ".1"},
            "sell 0.10000000 XBTUSD @ stop loss 50000.0",
        ),
        (
            {"type": "sell", "ordertype": "take-profit-limit", "price": "95000", "price2": "94999.50"},
            "sell 0.00100000 XBTUSD @ take profit 95000.0 -> limit 94999.5",
        ),
    ],
)
def test_an_order_is_described_in_the_pair_s_decimals(changes: dict[str, str], description: str) -> None:
    world = TestWorld()
    order = {**ORDER, **changes}
    assert call(world, "AddOrder", **order, validate=True) == {"descr": {"order": description}}
    assert call(world, "AddOrder", **order)["descr"] == {"order": description}
    for more in ({}, {"validate": True}):
        rows = call(world, "AddOrderBatch", pair="XBTUSD", orders=[order, order], **more)["orders"]
        assert [row["descr"] for row in rows] == [{"order": description}] * 2


def test_cost_and_fee_have_the_pair_s_five_decimals_and_the_ledger_four() -> None:
    world = TestWorld(history_lag_s=(0.0, 0.0))
    world.empty("ETH/USD")
    # As a captured order of Kraken's was told: 0.05 ETH at 750.00 and 0.25 %.
    order = world.exchange.add(world.account("visitor"), limit("buy", "0.05", "750", "ETH/USD"), world.now)
    world.exchange.add(world.account(), limit("sell", "0.05", "750", "ETH/USD"), world.now)
    world.world.flush(world.now)
    expected = {"cost": "37.50000", "fee": "0.09375", "price": "750.00"}
    order_row = call(world, "QueryOrders", txid=order.order_id)[order.order_id]
    (trade,) = call(world, "TradesHistory")["trades"].values()
    assert {name: order_row[name] for name in expected} == {name: trade[name] for name in expected} == expected
    (entry,) = call(world, "Ledgers", asset="ZUSD", type="trade")["ledger"].values()
    assert (entry["amount"], entry["fee"], entry["balance"]) == ("-37.5000", "0.0938", "99962.4062")
    for text in (reports.past_trade(world.account("visitor").fills[0]), reports.finished(order, world.now)):
        assert '"fee_usd_equiv":0.09375' in text


def test_an_id_that_is_asked_twice_counts_once() -> None:
    world = TestWorld(history_lag_s=(0.0, 0.0))
    (txid,) = call(world, "AddOrder", **{**ORDER, "ordertype": "market"})["txid"]
    world.world.flush(world.now)
    assert call(world, "QueryOrders", txid=f"{txid},{txid}").keys() == {txid}
    trade = next(iter(call(world, "TradesHistory")["trades"]))
    assert call(world, "QueryTrades", txid=f"{trade}, {trade}").keys() == {trade}


READS = {
    "query-funds": {
        "Balance", "BalanceEx", "TradeBalance", "TradeVolume", "Earn/Allocations", "Earn/AllocateStatus",
        "Earn/DeallocateStatus",
    },
    "query-open-trades": {"OpenOrders", "OpenPositions", "QueryOrders", "OrderAmends", "Level3"},
    "query-closed-trades": {"ClosedOrders", "QueryOrders", "OrderAmends", "TradesHistory", "QueryTrades"},
    "query-ledger": {"Ledgers", "QueryLedgers", "DepositStatus", "WithdrawStatus"},
}  # fmt: skip


@pytest.mark.parametrize("permission", [*READS, "query"])
def test_each_permission_to_read_opens_its_own_calls(permission: str) -> None:
    world = TestWorld()
    key = world.world.keys["V1"]
    key.key = msgspec.structs.replace(key.key, permissions=[permission])
    allowed = {name for name, made in rest_private.METHODS.items() if key.may(*made.permissions)}
    expected = READS.get(permission) or {name for names in READS.values() for name in names}
    assert allowed == expected | {"GetApiKeyInfo", "Earn/Strategies"}
    permissions = call(world, "GetApiKeyInfo")["permissions"]
    assert permissions == ([permission] if permission in READS else list(READS))


def test_private_channels_take_the_permission_of_what_they_tell() -> None:
    world = TestWorld()
    key = world.world.keys["V1"]
    for permission, opened in (
        ("query-funds", {"balances"}),
        ("query-open-trades", {"executions", "openOrders"}),
        ("query-closed-trades", {"ownTrades"}),
    ):
        key.key = msgspec.structs.replace(key.key, permissions=[permission])
        client, old = world.private("V1"), world.private_v1("V1")
        subscribed = {
            name for name in ("balances", "executions") if client.call("subscribe", channel=name)[0]["success"]
        }
        for name in ("openOrders", "ownTrades"):
            answer = old.event("subscribe", subscription={"name": name, "token": old.token})[0]
            subscribed |= {name} if answer["status"] == "subscribed" else set()
        assert subscribed == opened
