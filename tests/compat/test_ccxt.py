"""The unmodified ccxt works with the simulator, over REST and (ccxt.pro) WebSocket v2; only its addresses differ."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest

from simulator.testing import Kraken, running_kraken
from tests.integration.simulator.running import looped

ccxt = pytest.importorskip("ccxt", reason="ccxt is not installed")
pro = pytest.importorskip("ccxt.pro", reason="ccxt is not installed")
pytestmark = pytest.mark.processes
BOOKS = 60


def redirect(exchange: Any, kraken: Kraken) -> Any:
    """Return a ccxt exchange that is pointed at a simulator."""
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
        print(f"markets: {len(markets)} pairs, status, ticker, depth, trades, candles, fees")


def test_its_rest_client_places_orders_of_each_kind_in_batches_too() -> None:
    with running_kraken(virtual=True) as kraken:
        key, secret = kraken.maker
        exchange = redirect(ccxt.kraken({"apiKey": key, "secret": secret}), kraken)
        exchange.load_markets()

        def later() -> Any:
            """Return the client, after a while: Kraken's limits of calls are kept."""
            kraken.advance(10)
            return exchange

        def place(kind: str, side: str, price: float | None, **params: Any) -> str:
            return str(later().create_order("BTC/USD", kind, side, 0.001, price, params)["id"])

        bid = exchange.fetch_order_book("BTC/USD", 1)["bids"][0][0]
        over, under = round(bid * 1.1, 1), round(bid * 0.9, 1)
        resting = {
            place("limit", "buy", 60_000.0, clientOrderId="mine"): "limit",
            place("market", "sell", None, stopLossPrice=under): "stop-loss",
            place("limit", "sell", 60_000.0, stopLossPrice=under): "stop-loss-limit",
            place("market", "sell", None, takeProfitPrice=over): "take-profit",
            place("limit", "sell", under, takeProfitPrice=over): "take-profit-limit",
            place("market", "sell", None, trailingAmount=5000): "trailing-stop",
            place("market", "sell", None, trailingPercent=5): "trailing-stop",
        }
        kinds = {order["id"]: order["info"]["descr"]["ordertype"] for order in later().fetch_open_orders()}
        assert kinds == resting
        ended = {
            place("limit", "buy", round(bid * 1.01, 1), timeInForce="IOC"): "closed",
            place("limit", "buy", round(bid * 1.01, 1), timeInForce="FOK"): "closed",
            place("limit", "buy", 60_000.0, timeInForce="IOC"): "canceled",
            place("limit", "buy", round(bid * 1.01, 1), postOnly=True): "canceled",
        }
        assert {order: later().fetch_order(order)["status"] for order in ended} == ended
        assert later().cancel_order(None, "BTC/USD", {"clientOrderId": "mine"})
        terms = {"symbol": "BTC/USD", "type": "limit", "side": "buy", "amount": 0.001}
        batch = later().create_orders([{**terms, "price": 60_000.0}, {**terms, "price": 60_001.0}])
        assert [order["price"] for order in batch] == [60_000.0, 60_001.0]
        assert later().cancel_orders([order["id"] for order in batch])
        assert later().cancel_all_orders_after(60_000)
        kraken.advance(61)
        assert later().fetch_open_orders() == []
        trades = later().fetch_my_trades("BTC/USD")
        assert {trade["order"] for trade in trades} == {order for order, how in ended.items() if how == "closed"}
        order = trades[0]["order"]
        mine = later().fetch_order_trades(order, "BTC/USD", None, None, {"trades": [t["id"] for t in trades]})
        assert {trade["id"] for trade in mine} == {trade["id"] for trade in trades}
        entry = later().fetch_ledger()[-1]
        assert later().fetch_ledger_entry(entry["id"])["id"] == entry["id"]
        assert entry["referenceId"] in {trade["id"] for trade in trades}
        print("order: eleven kinds; edit, cancel, batch, dead man's switch over REST")
        print(f"history: {len(trades)} trades, closed orders, ledger")


def _with_nobodys_key(exchange: Any) -> None:
    exchange.apiKey = "nobody's"
    exchange.fetch_balance()


@pytest.fixture(scope="module")
def refusing() -> Iterator[Kraken]:
    """Return one for all refusals, which change nothing."""
    with running_kraken() as running:
        yield running


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda e: e.create_order("BTC/USD", "limit", "buy", 100, 60_000.0), "InsufficientFunds", "EOrder"),
        (lambda e: e.cancel_order("OAAAAA-AAAAA-AAAAAA", "BTC/USD"), "OrderNotFound", "EOrder:Unknown order"),
        (lambda e: e.create_order("BTC/USD", "limit", "buy", 0.00001, 60_000.0), "InvalidOrder", "Order minimum"),
        # Kraken's text for this one is documented; ccxt has no entry for it, so its general exception is what comes.
        (
            lambda e: e.create_order("BTC/USD", "limit", "buy", 0.0001, 1.0),
            "ExchangeError",
            "EOrder:Cost minimum not met",
        ),
        (
            lambda e: e.create_order("BTC/USD", "hidden", "buy", 0.001),
            "ExchangeError",
            "EGeneral:Invalid arguments:ordertype",
        ),
        (lambda e: e.public_get_assets({"asset": "NO"}), "BadSymbol", "EQuery:Unknown asset"),
        (_with_nobodys_key, "AuthenticationError", "EAPI:Invalid key"),
    ],
)
def test_it_knows_the_errors(make: Any, error: str, text: str, refusing: Kraken) -> None:
    key, secret = refusing.maker
    exchange = redirect(ccxt.kraken({"apiKey": key, "secret": secret}), refusing)
    exchange.load_markets()
    with pytest.raises(ccxt.BaseError, match=text) as refused:
        make(exchange)
    assert type(refused.value) is getattr(ccxt, error)


@looped
async def test_its_websocket_client_follows_books_and_its_own_orders(book_s: float) -> None:
    def start() -> Any:
        context = running_kraken()
        return context, context.__enter__()

    context, kraken = await asyncio.to_thread(start)
    key, secret = kraken.key
    exchange = redirect(pro.kraken({"apiKey": key, "secret": secret}), kraken)
    # Its own checksum check is left off, as it ships: it splits numbers that it has read as floats.
    try:
        await exchange.load_markets()
        until, books = time.monotonic() + book_s, 0
        while books < BOOKS or time.monotonic() < until:
            book = await asyncio.wait_for(exchange.watch_order_book("BTC/USD", 10), 60)
            assert book["bids"][0][0] < book["asks"][0][0]
            books += 1
        print(f"books: {books} updates of one pair; its own checksum is off, as it ships")
        assert (await asyncio.wait_for(exchange.watch_ticker("BTC/USD"), 60))["bid"]
        assert await asyncio.wait_for(exchange.watch_trades("BTC/USD"), 60)
        watching = asyncio.ensure_future(exchange.watch_orders())
        await asyncio.sleep(1)
        order = await asyncio.wait_for(exchange.create_order_ws("BTC/USD", "limit", "buy", 0.001, 60_000.1), 60)
        orders = await asyncio.wait_for(watching, 60)
        assert orders[-1]["id"] == order["id"]
        edited = await asyncio.wait_for(
            exchange.edit_order_ws(order["id"], "BTC/USD", "limit", "buy", 0.002, 60_001.0), 60
        )
        assert edited["id"] == order["id"]
        assert await asyncio.wait_for(exchange.cancel_order_ws(order["id"]), 60)
        balance = await asyncio.wait_for(exchange.watch_balance(), 60)
        assert balance["USD"]["total"] == 100_000
        stop = await asyncio.wait_for(
            exchange.create_order_ws("BTC/USD", "market", "sell", 0.001, None, {"stopLossPrice": 50_000.0}), 60
        )
        assert stop["id"]
        filling = asyncio.ensure_future(exchange.watch_my_trades())
        bought = await asyncio.wait_for(exchange.create_order_ws("BTC/USD", "market", "buy", 0.001), 60)
        trades = await asyncio.wait_for(filling, 60)
        assert {trade["order"] for trade in trades} == {bought["id"]}
        assert await asyncio.wait_for(exchange.cancel_all_orders_ws(), 60)
        print("private feed: orders, trades and balances of add, amend, cancel, stop, a market buy over WebSocket")
    finally:
        await exchange.close()
        await asyncio.to_thread(context.__exit__, None, None, None)
