"""The private WebSocket version 1 of a real process, by a client of the websockets library."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
import websockets

from simulator.testing import Kraken, running_kraken
from tests.integration.simulator.running import Running, looped

pytestmark = pytest.mark.processes


@looped
async def test_an_old_client_subscribes_trades_and_hears_of_it(simulator: Running) -> None:
    token = (await asyncio.to_thread(simulator.ask, "GetWebSocketsToken"))["token"]
    seen: list[Any] = []
    async with websockets.connect(f"ws://127.0.0.1:{simulator.port}/auth") as connection:

        async def until(wanted: Callable[[Any], Any]) -> Any:
            while True:
                seen.append(json.loads(await asyncio.wait_for(connection.recv(), 20)))
                if wanted(seen[-1]):
                    return seen[-1]

        async def ask(event: str, **members: Any) -> Any:
            await connection.send(json.dumps({"event": event, **members}))
            return await until(lambda frame: isinstance(frame, dict) and frame["event"] == f"{event}Status")

        assert (await until(lambda frame: isinstance(frame, dict)))["event"] == "systemStatus"
        for name in ("openOrders", "ownTrades"):
            subscription = {"name": name, "token": token}
            await connection.send(json.dumps({"event": "subscribe", "subscription": subscription}))
            await until(lambda frame, name=name: isinstance(frame, list) and frame[1] == name)  # type: ignore[misc]
        order = {"pair": "XBT/USD", "type": "buy", "ordertype": "limit", "volume": "0.001", "price": "60000"}
        placed = await ask("addOrder", token=token, **order)
        assert placed["status"] == "ok"
        assert (await ask("cancelOrder", token=token, txid=[placed["txid"]]))["status"] == "ok"
        bought = await ask("addOrder", token=token, **{**order, "ordertype": "market"})
        trades = await until(lambda frame: isinstance(frame, list) and frame[1] == "ownTrades")
        assert {row["ordertxid"] for item in trades[0] for row in item.values()} == {bought["txid"]}
        armed = await ask("cancelAllOrdersAfter", token=token, timeout=60)
        assert armed["triggerTime"] > armed["currentTime"]
        await connection.send('{"event":"ping","reqid":3}')
        await until(lambda frame: isinstance(frame, dict) and frame == {"event": "pong", "reqid": 3})
    sequences = [frame[2]["sequence"] for frame in seen if isinstance(frame, list) and frame[1] == "openOrders"]
    assert sequences == list(range(1, len(sequences) + 1))
    closed = await asyncio.to_thread(simulator.ask, "QueryOrders", txid=f"{placed['txid']},{bought['txid']}")
    assert {row["status"] for row in closed.values()} == {"closed", "canceled"}


@looped
async def test_its_address_is_given_and_is_no_page() -> None:
    def start() -> tuple[Any, Kraken]:
        context = running_kraken()
        return context, context.__enter__()

    context, kraken = await asyncio.to_thread(start)
    try:
        async with websockets.connect(kraken.ws_v1_auth_url) as connection:
            assert json.loads(await connection.recv())["event"] == "systemStatus"
    finally:
        await asyncio.to_thread(context.__exit__, None, None, None)
