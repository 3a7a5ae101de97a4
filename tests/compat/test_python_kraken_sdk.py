"""The unmodified python-kraken-sdk works with the simulator; only the addresses in its classes are redirected."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.integration.simulator.running import VISITOR, Running, looped

kraken_spot = pytest.importorskip("kraken.spot")
base_api = pytest.importorskip("kraken.base_api")
websocket = pytest.importorskip("kraken.spot.websocket")
pytestmark = pytest.mark.processes
UPDATES = 250


@pytest.fixture
def redirected(simulator: Running, monkeypatch: pytest.MonkeyPatch) -> Running:
    monkeypatch.setattr(base_api.SpotClient, "URL", simulator.url)
    monkeypatch.setattr(base_api.SpotAsyncClient, "URL", simulator.url, raising=False)
    monkeypatch.setattr(websocket.SpotWSClientBase, "WS_URL", f"ws://127.0.0.1:{simulator.port}")
    monkeypatch.setattr(websocket.SpotWSClientBase, "AUTH_WS_URL", f"ws://127.0.0.1:{simulator.port}/auth")
    return simulator


@looped
async def test_its_order_book_finds_every_checksum_good(redirected: Running) -> None:
    assert redirected.process is not None
    updates: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    enough = asyncio.Event()

    class Book(kraken_spot.SpotOrderBookClient):  # type: ignore[misc,name-defined]
        async def on_book_update(self, pair: str, message: dict[str, Any]) -> None:
            (errors if "error" in message else updates).append(message)
            assert self.get(pair=pair)["valid"] or errors
            if len(updates) >= UPDATES or errors:
                enough.set()

    client = Book(depth=10)
    await client.start()
    await client.add_book(pairs=["BTC/USD", "ETH/USD", "SOL/USD"])
    await asyncio.wait_for(enough.wait(), 110)
    await client.close()
    assert not errors
    assert {update["data"][0]["symbol"] for update in updates} == {"BTC/USD", "ETH/USD", "SOL/USD"}


def test_its_rest_clients_sign_place_read_and_cancel(redirected: Running) -> None:
    key, secret = VISITOR
    assert redirected.process is not None
    user = kraken_spot.User(key=key, secret=secret)
    trade = kraken_spot.Trade(key=key, secret=secret)
    assert float(user.get_account_balance()["ZUSD"]) == 100_000
    placed = trade.create_order(
        ordertype="limit", side="buy", pair="XBTUSD", volume="0.001", price="60000.1", oflags=["post"]
    )
    (txid,) = placed["txid"]
    assert placed["descr"]["order"] == "buy 0.00100000 XBTUSD @ limit 60000.1"
    assert user.get_open_orders()["open"][txid]["vol"] == "0.00100000"
    assert "amend_id" in trade.amend_order(extra_params={"txid": txid, "order_qty": "0.002", "limit_price": "60001.0"})
    assert user.get_orders_info(txid=txid)[txid]["descr"]["price"] == "60001.0"
    assert trade.cancel_order(txid=txid)["count"] == 1
    assert user.get_open_orders()["open"] == {}
    assert user.get_closed_orders()["closed"][txid]["status"] == "canceled"


@looped
async def test_its_websocket_client_trades_and_hears_of_it(redirected: Running) -> None:
    key, secret = VISITOR
    assert redirected.process is not None
    heard: list[dict[str, Any]] = []
    done = asyncio.Event()

    class Client(kraken_spot.SpotWSClient):  # type: ignore[misc,name-defined]
        async def on_message(self, message: dict[str, Any]) -> None:
            heard.append(message)
            rows = message["data"] if message.get("channel") == "executions" else []
            if any(row["exec_type"] == "canceled" for row in rows):
                done.set()

    client = Client(key=key, secret=secret, no_public=True)
    await client.start()
    await client.subscribe(params={"channel": "executions"})
    await client.send_message(
        message={
            "method": "add_order",
            "params": {
                "order_type": "limit",
                "side": "buy",
                "symbol": "BTC/USD",
                "order_qty": 0.001,
                "limit_price": 60000.1,
                "post_only": True,
            },
        }
    )
    await client.send_message(message={"method": "cancel_all"})
    await asyncio.wait_for(done.wait(), 60)
    await client.close()
    kinds = [m["data"][0]["exec_type"] for m in heard if m.get("channel") == "executions" and m["data"]]
    assert kinds == ["pending_new", "new", "canceled"]
