"""The unmodified ccxt works with the simulator, over REST and (ccxt.pro) WebSocket v2; only its addresses differ."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from simulator.testing import Kraken, running_kraken
from tests.integration.simulator.running import looped

ccxt = pytest.importorskip("ccxt", reason="ccxt is not installed")
pro = pytest.importorskip("ccxt.pro", reason="ccxt is not installed")
pytestmark = pytest.mark.processes
BOOKS = 60


def redirect(exchange: Any, kraken: Kraken) -> Any:
    """Points a ccxt exchange at a simulator."""
    urls = exchange.urls["api"]
    urls["public"] = urls["private"] = kraken.rest_url
    if "ws" in urls:
        urls["ws"] |= {"privateV2": kraken.ws_auth_url, "publicV2": kraken.ws_url, "public": kraken.ws_v1_url}
    exchange.enableRateLimit = False
    return exchange


def test_its_rest_client_lives_a_whole_session() -> None:
    with running_kraken() as kraken:
        key, secret = kraken.maker
        exchange = redirect(ccxt.kraken({"apiKey": key, "secret": secret}), kraken)
        markets = exchange.load_markets()
        assert markets["BTC/USD"]["precision"]["price"] == 0.1
        assert markets["BTC/USD"]["limits"]["amount"]["min"] == 0.00005
        assert exchange.fetch_status()["status"] == "ok"
        assert exchange.fetch_time() > 0
        book = exchange.fetch_order_book("BTC/USD", 10)
        assert book["bids"][0][0] < book["asks"][0][0]
        assert exchange.fetch_ticker("ETH/USD")["bid"] > 0
        assert exchange.fetch_balance()["USD"]["total"] == 100_000
        bid = book["bids"][0][0]

        order = exchange.create_order("BTC/USD", "limit", "buy", 0.001, 60_000.1, {"postOnly": True})
        assert exchange.fetch_open_orders("BTC/USD")[0]["id"] == order["id"]
        edited = exchange.edit_order(order["id"], "BTC/USD", "limit", "buy", 0.002, 60_100.0)
        assert edited["id"]
        (standing,) = exchange.fetch_open_orders("BTC/USD")
        assert (standing["price"], standing["amount"]) == (60_100.0, 0.002)
        exchange.cancel_order(standing["id"], "BTC/USD")
        assert exchange.fetch_order(standing["id"])["status"] == "canceled"

        stop = exchange.create_order("BTC/USD", "market", "sell", 0.001, None, {"stopLossPrice": 50_000.0})
        (waiting,) = exchange.fetch_open_orders("BTC/USD")
        assert waiting["id"] == stop["id"]
        assert waiting["triggerPrice"] == 50_000.0
        assert exchange.cancel_all_orders_after(60_000)
        assert exchange.cancel_all_orders()

        bought = exchange.create_order("BTC/USD", "market", "buy", 0.001)
        assert exchange.fetch_order(bought["id"])["status"] == "closed"
        taken = exchange.create_order("BTC/USD", "limit", "sell", 0.001, round(bid * 0.99, 1), {"timeInForce": "IOC"})
        assert taken["id"]
        trades = exchange.fetch_my_trades("BTC/USD")
        assert sum(trade["amount"] for trade in trades if trade["side"] == "buy") == pytest.approx(0.001)
        assert {order["id"] for order in exchange.fetch_closed_orders("BTC/USD")} >= {bought["id"]}
        assert len(exchange.fetch_ledger()) >= 4
        assert exchange.fetch_trades("BTC/USD")
        assert exchange.fetch_ohlcv("BTC/USD")
        fee = exchange.fetch_trading_fee("BTC/USD")
        assert (fee["maker"], fee["taker"]) == (0.0, 0.001)


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda e: e.create_order("BTC/USD", "limit", "buy", 100, 60_000.0), "InsufficientFunds"),
        (lambda e: e.cancel_order("OAAAAA-AAAAA-AAAAAA", "BTC/USD"), "OrderNotFound"),
        (lambda e: e.create_order("BTC/USD", "limit", "buy", 0.0001, 1.0), "InvalidOrder"),
    ],
)
def test_it_knows_the_errors(make: Any, error: str, kraken: Kraken) -> None:
    key, secret = kraken.maker
    exchange = redirect(ccxt.kraken({"apiKey": key, "secret": secret}), kraken)
    exchange.load_markets()
    with pytest.raises((getattr(ccxt, error), ccxt.ExchangeError)):
        make(exchange)


@looped
async def test_its_websocket_client_follows_books_and_its_own_orders() -> None:
    def start() -> Any:
        context = running_kraken()
        return context, context.__enter__()

    context, kraken = await asyncio.to_thread(start)
    key, secret = kraken.key
    exchange = redirect(pro.kraken({"apiKey": key, "secret": secret}), kraken)
    # Its own checksum check is left off, as it ships: it splits numbers that it has read as floats.
    try:
        await exchange.load_markets()
        for _ in range(BOOKS):
            book = await asyncio.wait_for(exchange.watch_order_book("BTC/USD", 10), 60)
            assert book["bids"][0][0] < book["asks"][0][0]
        assert (await asyncio.wait_for(exchange.watch_ticker("BTC/USD"), 60))["bid"]
        assert await asyncio.wait_for(exchange.watch_trades("BTC/USD"), 60)
        watching = asyncio.ensure_future(exchange.watch_orders())
        await asyncio.sleep(1)
        order = await asyncio.wait_for(exchange.create_order_ws("BTC/USD", "limit", "buy", 0.001, 60_000.1), 60)
        orders = await asyncio.wait_for(watching, 60)
        assert orders[-1]["id"] == order["id"]
        assert await asyncio.wait_for(exchange.cancel_order_ws(order["id"]), 60)
        balance = await asyncio.wait_for(exchange.watch_balance(), 60)
        assert balance["USD"]["total"] == 100_000
    finally:
        await exchange.close()
        await asyncio.to_thread(context.__exit__, None, None, None)
