"""The unmodified krakenex signs, trades and looks back; only its address is changed."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.testing import Kraken

krakenex = pytest.importorskip("krakenex", reason="krakenex is not installed")
pytestmark = pytest.mark.processes


def test_it_trades_amends_cancels_and_looks_back(kraken: Kraken) -> None:
    client = krakenex.API(*kraken.key)
    client.uri = kraken.rest_url

    def private(method: str, **fields: Any) -> Any:
        answer = client.query_private(method, fields)
        assert answer["error"] == [], answer
        return answer["result"]

    def public(method: str, **fields: Any) -> Any:
        answer = client.query_public(method, fields)
        assert answer["error"] == [], answer
        return answer["result"]

    assert public("Time")["unixtime"]
    assert "XXBTZUSD" in public("AssetPairs", pair="XBTUSD")
    assert len(public("Depth", pair="XBTUSD", count=5)["XXBTZUSD"]["bids"]) == 5
    order = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.001", "price": "60000.1"}
    assert "txid" not in private("AddOrder", **order, validate="true")
    (txid,) = private("AddOrder", **order, oflags="post", userref=7)["txid"]
    assert private("AmendOrder", txid=txid, limit_price="60001.0")["amend_id"]
    edited = private("EditOrder", txid=txid, pair="XBTUSD", volume="0.002")["txid"]
    assert private("QueryOrders", txid=edited)[edited]["vol"] == "0.00200000"
    assert private("CancelAllOrdersAfter", timeout=60)["triggerTime"]
    assert private("CancelOrder", txid=edited) == {"count": 1}
    assert private("CancelAllOrdersAfter", timeout=0)["triggerTime"] == "0"
    private("AddOrder", pair="XBTUSD", type="buy", ordertype="market", volume="0.001")
    (trade,) = {tuple(t["ordertxid"] for t in private("TradesHistory")["trades"].values())}
    assert len(set(trade)) == 1
    assert private("TradeBalance", asset="ZUSD")["eb"]
    assert client.query_private("AddOrder", {**order, "volume": "9"})["error"] == ["EOrder:Insufficient funds"]
