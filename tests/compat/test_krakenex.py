"""The unmodified krakenex signs, trades and looks back; only its address is changed."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest

from simulator.testing import Kraken, running_kraken

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
    print("markets: time, pairs, depth")
    print("order: validate, add, amend, edit, cancel, dead man's switch, a market buy, a refusal")


def test_it_asks_for_the_book(kraken: Kraken, book_s: float) -> None:
    client = krakenex.API()
    client.uri = kraken.rest_url
    until, books = time.monotonic() + book_s, 0
    while not books or time.monotonic() < until:
        book = client.query_public("Depth", {"pair": "XBTUSD", "count": 10})["result"]["XXBTZUSD"]
        assert [len(book[side]) for side in ("bids", "asks")] == [10, 10]
        assert Decimal(book["bids"][0][0]) < Decimal(book["asks"][0][0])
        books += 1
        time.sleep(min(1.0, book_s))
    print(f"books: {books} times Depth; it has no feed and no checksum")


def test_it_places_orders_of_each_kind_and_finds_them_again() -> None:
    with running_kraken(virtual=True) as kraken:
        client = krakenex.API(*kraken.key)
        client.uri = kraken.rest_url

        def private(method: str, **fields: Any) -> Any:
            kraken.advance(13)
            answer = client.query_private(method, fields)
            assert answer["error"] == [], answer
            return answer["result"]

        def place(kind: str, side: str = "buy", **fields: Any) -> str:
            order = {"pair": "XBTUSD", "type": side, "ordertype": kind, "volume": "0.001", **fields}
            return str(private("AddOrder", **order)["txid"][0])

        bid = Decimal(client.query_public("Ticker", {"pair": "XBTUSD"})["result"]["XXBTZUSD"]["b"][0])
        over, under, near = (str((bid * Decimal(by)).quantize(Decimal("0.1"))) for by in ("1.1", "0.9", "1.01"))
        resting = {
            place("limit", price="60000", cl_ord_id="mine"): "limit",
            place("limit", price="60001", timeinforce="GTD", expiretm="+3600"): "limit",
            place("stop-loss", "sell", price=under): "stop-loss",
            place("stop-loss-limit", "sell", price=under, price2="60000"): "stop-loss-limit",
            place("take-profit", "sell", price=over): "take-profit",
            place("take-profit-limit", "sell", price=over, price2=under): "take-profit-limit",
        }
        orders = private("OpenOrders")["open"]
        assert {txid: order["descr"]["ordertype"] for txid, order in orders.items()} == resting
        ended = {
            place("market"): "closed",
            place("limit", price=near, timeinforce="IOC"): "closed",
            place("limit", price=near, timeinforce="FOK"): "closed",
            place("limit", price="60000", timeinforce="IOC"): "canceled",
            place("limit", price=near, oflags="post"): "canceled",
        }
        orders = private("QueryOrders", txid=",".join(ended))
        assert {txid: order["status"] for txid, order in orders.items()} == ended
        assert private("AmendOrder", cl_ord_id="mine", order_qty="0.002")["amend_id"]
        assert private("CancelOrder", cl_ord_id="mine") == {"count": 1}
        private("CancelAllOrdersAfter", timeout=60)
        kraken.advance(61)
        assert private("OpenOrders")["open"] == {}
        closed = private("ClosedOrders")["closed"]
        assert closed.keys() == resting.keys() | ended.keys()
        trades = private("TradesHistory")["trades"]
        assert {row["ordertxid"] for row in trades.values()} == {o for o, how in ended.items() if how == "closed"}
        assert private("QueryTrades", txid=",".join(trades)).keys() == trades.keys()
        ledger = private("Ledgers")["ledger"]
        assert {row["refid"] for row in ledger.values() if row["type"] == "trade"} == trades.keys()
        assert private("GetWebSocketsToken")["expires"] == 900


def test_it_hears_kraken_s_errors(kraken: Kraken) -> None:
    client = krakenex.API(*kraken.key)
    client.uri = kraken.rest_url
    order = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.001", "price": "60000.1"}
    for changes, error in (
        ({"volume": "0.00001"}, "EOrder:Order minimum not met"),
        ({"price": "1", "volume": "0.0001"}, "EOrder:Cost minimum not met"),
        ({"price": "60000.12"}, "EOrder:Invalid price:XBT/USD price can only be specified up to 1 decimals."),
        ({"ordertype": "hidden"}, "EGeneral:Invalid arguments:ordertype"),
        ({"pair": "NOUSD"}, "EQuery:Unknown asset pair"),
    ):
        assert client.query_private("AddOrder", {**order, **changes})["error"] == [error]
    assert client.query_private("CancelOrder", {"txid": "OAAAAA-AAAAA-AAAAAA"})["error"] == ["EOrder:Unknown order"]
