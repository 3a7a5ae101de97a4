"""Results of private REST calls: their texts and what they repeat."""

from __future__ import annotations

import pytest

from tests.unit.simulator.test_rest_arguments import ORDER, call
from tests.unit.simulator.worlds import TestWorld


@pytest.mark.parametrize(
    ("changes", "told"),
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
def test_an_order_is_described_in_the_pair_s_decimals(changes: dict[str, str], told: str) -> None:
    world = TestWorld()
    order = {**ORDER, **changes}
    assert call(world, "AddOrder", **order, validate=True) == {"descr": {"order": told}}
    assert call(world, "AddOrder", **order)["descr"] == {"order": told}
    for more in ({}, {"validate": True}):
        rows = call(world, "AddOrderBatch", pair="XBTUSD", orders=[order, order], **more)["orders"]
        assert [row["descr"] for row in rows] == [{"order": told}] * 2


def test_an_id_that_is_asked_twice_counts_once() -> None:
    world = TestWorld(history_lag_s=(0.0, 0.0))
    (txid,) = call(world, "AddOrder", **{**ORDER, "ordertype": "market"})["txid"]
    world.world.flush(world.now)
    assert call(world, "QueryOrders", txid=f"{txid},{txid}").keys() == {txid}
    trade = next(iter(call(world, "TradesHistory")["trades"]))
    assert call(world, "QueryTrades", txid=f"{trade}, {trade}").keys() == {trade}
