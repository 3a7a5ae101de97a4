"""The simulator as a process: what clients see over its sockets, and what a kill leaves."""

from __future__ import annotations

import asyncio
import json
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import websockets

from tests.integration.simulator.running import EX_HELD, HALT, MAKER, PEOPLE, VISITOR, Running, Socket, looped
from tests.kit.simulator.followers import Follower, OldFollower

pytestmark = pytest.mark.processes
ORDER = {"symbol": "BTC/USD", "side": "buy", "order_type": "limit", "order_qty": 0.001, "limit_price": 60000.0}


@looped
async def test_books_of_all_pairs_hold_their_checksums_over_the_wire(simulator: Running) -> None:
    async with simulator.public() as client:
        status = await client.receive()
        assert status["channel"] == "status"
        await client.call("subscribe", channel="book", symbol=["BTC/USD", "ETH/USD", "SOL/USD"], depth=10)
        followers: dict[str, Follower] = {}
        updates = 0
        while updates < 150:
            frame = await client.until(lambda f: f.get("channel") == "book")
            symbol = frame["data"][0]["symbol"]
            if frame["type"] == "snapshot":
                followers[symbol] = Follower(10, client.texts[-1])
            else:
                followers[symbol].take(client.texts[-1])
                updates += 1
        assert set(followers) == {"BTC/USD", "ETH/USD", "SOL/USD"}


@looped
async def test_version_1_books_hold_their_checksums_over_the_wire(simulator: Running) -> None:
    async with websockets.connect(f"ws://127.0.0.1:{simulator.port}/") as connection:
        client = Socket(connection, "")
        assert (await client.receive())["event"] == "systemStatus"
        subscription = {"name": "book", "depth": 10}
        await connection.send(
            json.dumps({"event": "subscribe", "pair": ["XBT/USD", "ETH/USD"], "subscription": subscription})
        )
        followers: dict[str, OldFollower] = {}
        updates = 0
        while updates < 60:
            frame: Any = await client.until(lambda f: isinstance(f, list))
            if "as" in frame[1]:
                followers[frame[-1]] = OldFollower(10, client.texts[-1])
            else:
                followers[frame[-1]].take(client.texts[-1])
                updates += 1
        assert set(followers) == {"XBT/USD", "ETH/USD"}


@looped
async def test_an_order_lives_over_websocket_and_rest_alike(simulator: Running) -> None:
    async with simulator.private() as client:
        await client.call("subscribe", channel="executions", snap_trades=True)
        await client.call("subscribe", channel="balances")
        added = await client.call("add_order", **ORDER, cl_ord_id="mine", post_only=True)
        order_id = added["result"]["order_id"]
        opened = await asyncio.to_thread(simulator.ask, "OpenOrders", PEOPLE)
        assert opened["open"][order_id]["descr"]["pair"] == "XBTUSD"
        assert opened["open"][order_id]["cl_ord_id"] == "mine"
        amended = await client.call("amend_order", order_id=order_id, limit_price=61000.5)
        assert amended["success"]
        queried = await asyncio.to_thread(simulator.ask, "QueryOrders", PEOPLE, txid=order_id)
        assert queried[order_id]["descr"]["price"] == "61000.5"
        bought = await client.call("add_order", **{**ORDER, "order_type": "market"} | {"limit_price": None})
        assert bought["success"], bought
        await client.execution("filled")
        trades = (await asyncio.to_thread(simulator.ask, "TradesHistory", PEOPLE))["trades"]
        ledger = (await asyncio.to_thread(simulator.ask, "Ledgers", VISITOR))["ledger"]
        assert all(entry["type"] == "deposit" for entry in ledger.values())
        fills = [f["data"][0] for f in client.frames if f.get("channel") == "executions" and f["type"] == "update"]
        reported = {row["exec_id"]: row for row in fills if row["exec_type"] == "trade"}
        assert set(trades) == set(reported)
        for exec_id, row in trades.items():
            assert Decimal(row["cost"]) == reported[exec_id]["cost"]
            assert row["pair"] == "XXBTZUSD"
        await client.call("cancel_all")
        assert (await asyncio.to_thread(simulator.ask, "OpenOrders", PEOPLE))["open"] == {}


def test_private_calls_are_checked_in_krakens_words(simulator: Running) -> None:
    now = time.time_ns()
    assert simulator.post("Balance", ("nobody", MAKER[1]))["error"] == ["EAPI:Invalid key"]
    assert simulator.post("Balance", signature="AAAA")["error"] == ["EAPI:Invalid signature"]
    assert simulator.post("Balance", signature="\xff\xfe")["error"] == ["EAPI:Invalid signature"]
    assert simulator.post("Balance", nonce=now + 10**12)["error"] == []
    assert simulator.post("Balance", nonce=now + 10**12)["error"] == ["EAPI:Invalid nonce"]
    assert simulator.post("Balance", nonce="1" * 5000)["error"] == ["EAPI:Invalid nonce"]
    assert simulator.post("Nothing", nonce=now + 10**12 + 1)["error"] == ["EGeneral:Unknown method"]
    assert simulator.post("Balance", HALT)["error"] == ["EGeneral:Permission denied"]
    assert simulator.post("CancelAll", HALT)["result"] == {"count": 0}
    assert simulator.post("CancelOrder", PEOPLE, txid="OAAAAA-AAAAA-AAAAAA")["error"] == ["EOrder:Unknown order"]
    assert simulator.get("Nothing")["error"] == ["EGeneral:Unknown method"]
    assert simulator.get("Depth", pair="XXBTZEUR")["error"] == ["EQuery:Unknown asset pair"]


def test_the_call_counter_of_a_key_fills_and_is_refused(simulator: Running) -> None:
    answers = [simulator.post("TradesHistory", VISITOR)["error"] for _ in range(7)]
    assert answers[:4] == [[], [], [], []]
    assert ["EAPI:Rate limit exceeded"] in answers
    assert simulator.post("TradesHistory", PEOPLE)["error"] == []


def test_orders_go_over_rest_in_form_and_json(simulator: Running) -> None:
    fields: dict[str, Any] = {
        "pair": "XBTUSD",
        "type": "buy",
        "ordertype": "limit",
        "volume": "0.001",
        "price": "60000.1",
    }
    checked = simulator.ask("AddOrder", **fields, validate="true")
    assert checked == {"descr": {"order": "buy 0.00100000 XBTUSD @ limit 60000.1"}}
    placed = simulator.ask("AddOrder", as_json=True, **fields, oflags="post", cl_ord_id="one")
    (txid,) = placed["txid"]
    assert simulator.ask("AmendOrder", txid=txid, limit_price="60001.1")["amend_id"].startswith("T")
    batch = simulator.ask(
        "AddOrderBatch",
        as_json=True,
        pair="XXBTZUSD",
        orders=[{**fields, "price": "59000"}, {**fields, "volume": "1.5"}],
    )["orders"]
    assert "txid" in batch[0]
    assert batch[1] == {"error": "EOrder:Insufficient funds"} or "txid" in batch[1]
    held = Decimal(simulator.ask("BalanceEx")["ZUSD"]["hold_trade"])
    assert held >= Decimal("119")
    rate = simulator.ask("TradeVolume", pair="XBTUSD")
    assert (rate["fees_maker"]["XXBTZUSD"]["fee"], rate["fees"]["XXBTZUSD"]["fee"]) == ("0.0000", "0.1000")
    assert simulator.ask("CancelOrder", txid=txid) == {"count": 1}
    assert simulator.ask("CancelOrderBatch", as_json=True, orders=[batch[0]["txid"]]) == {"count": 1}
    armed = simulator.ask("CancelAllOrdersAfter", timeout="30")
    assert armed["triggerTime"] > armed["currentTime"]
    assert simulator.ask("CancelAllOrdersAfter", timeout="0")["triggerTime"] == "0"


def test_the_public_calls_answer_as_krakens_do(simulator: Running) -> None:
    assert simulator.get("SystemStatus")["result"]["status"] == "online"
    assert abs(simulator.get("Time")["result"]["unixtime"] - time.time()) < 30
    assert simulator.get("Assets", asset="XBT")["result"]["XXBT"]["decimals"] == 10
    assert simulator.get("AssetPairs", pair="BTC/USD")["result"]["BTC/USD"]["pair_decimals"] == 1
    ticker = simulator.get("Ticker", pair="XBTUSD,SOLUSD")["result"]
    assert Decimal(ticker["XXBTZUSD"]["a"][0]) > Decimal(ticker["XXBTZUSD"]["b"][0])
    depth = simulator.get("Depth", pair="ETHUSD", count=5)["result"]["XETHZUSD"]
    assert (len(depth["asks"]), len(depth["bids"])) == (5, 5)
    assert simulator.get("Trades", pair="SOLUSD")["result"]["last"]


@looped
async def test_a_kill_and_a_restart_are_an_outage_and_not_a_new_world(simulator: Running) -> None:
    async with simulator.private() as client, simulator.private(VISITOR) as visitor:
        await client.call("subscribe", channel="executions")
        first = (await client.call("add_order", **ORDER, cl_ord_id="stays"))["result"]["order_id"]
        await client.call("add_order", symbol="BTC/USD", side="buy", order_type="market", order_qty=0.002)
        await client.execution("filled")
        await visitor.call("add_order", **ORDER)
        await visitor.call("cancel_all_orders_after", timeout=1)
        await client.call("cancel_all_orders_after", timeout=600)
        simulator.kill()
        await client.ended()
    nonce = next(simulator._nonces)
    await asyncio.sleep(2.1)  # the trigger is told in whole seconds: up to a second later than asked for
    simulator.start()
    assert simulator.post("Balance", nonce=nonce - 1000)["error"] == ["EAPI:Invalid nonce"]
    assert list(simulator.ask("OpenOrders")["open"]) == [first]
    history = simulator.ask("TradesHistory")["trades"]
    assert sum(Decimal(row["vol"]) for row in history.values()) == Decimal("0.002")
    balances = simulator.ask("Balance")
    cost = sum(Decimal(row["cost"]) + Decimal(row["fee"]) for row in history.values())
    assert Decimal(balances["ZUSD"]) == 100_000 - cost
    assert Decimal(balances["XXBT"]) == Decimal("1.002")
    assert simulator.ask("OpenOrders", VISITOR)["open"] == {}, "the switch ran on while the exchange was down"
    closed = simulator.ask("ClosedOrders", VISITOR)["closed"]
    assert [row["reason"] for row in closed.values()] == ["CancelAllOrdersAfter Timeout"]
    async with simulator.private() as client:
        await client.call("subscribe", channel="executions", snap_trades=True)
        snapshot = await client.until(lambda f: f.get("channel") == "executions")
        assert snapshot["data"][0]["cl_ord_id"] == "stays"
        assert {row["exec_id"] for row in snapshot["data"][1:]} == set(history)
        book = await asyncio.to_thread(simulator.get, "Depth", pair="XBTUSD", count=500)
        assert ["60000.00000", "0.001"] in [level[:2] for level in book["result"]["XXBTZUSD"]["bids"]]
        assert (await client.call("cancel_order", order_id=[first]))["success"]


@looped
async def test_a_client_that_does_not_read_slows_nobody(simulator: Running) -> None:
    async with simulator.public() as slow, simulator.public() as quick:
        for client in (slow, quick):
            await client.call("subscribe", channel="book", symbol=["BTC/USD"], depth=1000)
        slow.connection.transport.pause_reading()
        for _ in range(20):
            await quick.until(lambda f: f.get("channel") == "book")


@looped
async def test_what_has_left_a_client_is_acted_on_though_the_client_is_gone(simulator: Running) -> None:
    async with simulator.private() as client:
        for _ in range(5):
            params = {"token": client.token, **ORDER}
            await client.connection.send(json.dumps({"method": "add_order", "params": params}))
        await client.connection.close()
    opened: dict[str, Any] = {}
    while len(opened) < 5:
        opened = (await asyncio.to_thread(simulator.ask, "OpenOrders"))["open"]
        await asyncio.sleep(0.6)
    assert len(opened) == 5


@looped
async def test_rubbish_ends_no_process(simulator: Running) -> None:
    for path in ("/v2", "/auth/v2"):
        async with websockets.connect(f"ws://127.0.0.1:{simulator.port}{path}") as connection:
            await connection.recv()
            for rubbish in ("", "null", "{", "[[[", '{"method":{}}', "\u0000", '{"method":"subscribe","params":{}}'):
                await connection.send(rubbish)
                while "heartbeat" in (answer := str(await connection.recv())):
                    pass
                assert json.loads(answer)["success"] is False
            await connection.send(b"\x00\xff")
            await connection.send("x" * 100_000)
            await Socket(connection, "").ended()
    assert simulator.get("Time")["error"] == []
    assert simulator.process is not None
    assert simulator.process.poll() is None


def test_a_taken_port_is_refused_naming_the_holder(simulator: Running, tmp_path: Path) -> None:
    other = Running(tmp_path / "other")
    text = other.config.read_text().replace(f"port: {other.port}", f"port: {simulator.port}")
    other.config.write_text(text)
    process = other.spawn()
    assert process.wait(30) == EX_HELD
    said = (other.folder / "stderr").read_text()
    assert simulator.process is not None
    assert f"pid {simulator.process.pid}" in said
    assert "simulator.port" in said


def test_sigterm_ends_it_in_order(simulator: Running) -> None:
    assert simulator.stop() == 0
