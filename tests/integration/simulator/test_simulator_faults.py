"""Faults over HTTP and the wire."""

from __future__ import annotations

import asyncio
import http.client
import io
import json
import time
import urllib.error
import zipfile
from typing import Any

import aiohttp
import pytest

from tests.integration.simulator.running import MAKER, VISITOR, Running, looped

pytestmark = pytest.mark.processes
ORDER = {"symbol": "BTC/USD", "side": "buy", "order_type": "limit", "order_qty": 0.001, "limit_price": 60000.0}


@looped
async def test_faults_are_set_seen_done_and_cleared_over_http(simulator: Running) -> None:
    async with simulator.private(VISITOR) as client, simulator.public() as public:
        await public.receive()
        ids = simulator.control("faults", "POST", [{"kind": "refuse", "method": "add_order", "text": "EService:Busy"}])[
            "ids"
        ]
        assert (await client.call("add_order", **ORDER))["error"] == "EService:Busy"
        summary = simulator.control("faults")
        assert [rule["id"] for rule in summary["set"]] == ids
        assert summary["counts"] == {"refuse": 1}
        assert summary["injected"][0]["where"] == "add_order"
        simulator.control("faults", "DELETE", query=f"?id={ids[0]}")
        assert (await client.call("add_order", **ORDER))["success"]
        simulator.control("faults", "POST", {"kind": "status", "value": "cancel_only"})
        frame = await public.until(lambda f: f.get("channel") == "status")
        assert frame["data"][0]["system"] == "cancel_only"
        assert (await client.call("add_order", **ORDER))["error"] == "EService:Market in cancel_only mode"
        simulator.control("faults", "DELETE")
        assert (await asyncio.to_thread(simulator.get, "SystemStatus"))["result"]["status"] == "online"
        simulator.control("faults", "POST", {"kind": "drop", "path": "private"})
        await client.ended()


def test_a_wrong_fault_is_told_so(simulator: Running) -> None:
    for body in ({"kind": "nothing"}, "text", {"kind": "pair", "symbol": "X"}):
        with pytest.raises(urllib.error.HTTPError) as error:
            simulator.control("faults", "POST", body)
        assert error.value.code == 400
        assert json.load(error.value)["error"]
    assert simulator.control("faults")["set"] == []


def test_rest_is_refused_broken_late_and_off_the_clock(simulator: Running) -> None:
    simulator.control(
        "faults", "POST", {"kind": "refuse", "path": "rest", "method": "Balance", "text": "EService:Unavailable"}
    )
    assert simulator.post("Balance", MAKER)["error"] == ["EService:Unavailable"]
    simulator.control("faults", "DELETE")
    simulator.control("faults", "POST", {"kind": "rest_broken", "method": "Time", "count": 1})
    with pytest.raises(urllib.error.HTTPError) as error:
        simulator.get("Time")
    assert error.value.code == 502
    simulator.control("faults", "POST", {"kind": "answer_late", "method": "Time", "ms": 400, "count": 1})
    before = time.monotonic()
    simulator.get("Time")
    assert time.monotonic() - before >= 0.4
    simulator.control("faults", "POST", {"kind": "answer_never", "method": "AddOrder", "count": 1})
    order: dict[str, Any] = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.001", "price": "60000"}
    with pytest.raises((urllib.error.URLError, ConnectionError, OSError)):
        simulator.post("AddOrder", **order)
    assert len(simulator.ask("OpenOrders")["open"]) == 1
    simulator.control("faults", "POST", {"kind": "clock", "ms": 50_000})
    assert simulator.get("Time")["result"]["unixtime"] - time.time() > 40
    simulator.control("faults", "DELETE")
    assert abs(simulator.get("Time")["result"]["unixtime"] - time.time()) < 10


def test_rest_answers_are_cut_short_slow_or_pages_of_html(simulator: Running) -> None:
    def fault(**members: object) -> None:
        simulator.control("faults", "POST", {"method": "Time", "count": 1, **members})

    fault(kind="rest_broken", value="503")
    with pytest.raises(urllib.error.HTTPError) as error:
        simulator.get("Time")
    assert (error.value.code, error.value.headers.get_content_type()) == (503, "text/html")
    fault(kind="rest_truncated")
    with pytest.raises(json.JSONDecodeError):
        simulator.get("Time")
    fault(kind="rest_cut")
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        simulator.get("Time")
    fault(kind="rest_slow", ms=40)
    assert simulator.get("Time")["error"] == []
    assert set(simulator.control("faults")["counts"]) == {"rest_broken", "rest_truncated", "rest_cut", "rest_slow"}


@looped
async def test_a_connection_ends_with_the_close_code_of_a_fault(simulator: Running) -> None:
    async with simulator.public() as public:
        await public.receive()
        simulator.control("faults", "POST", {"kind": "drop", "path": "public", "value": "1012", "count": 1})
        await public.ended()
        assert public.connection.close_code == 1012


def test_rest_bodies_are_odd_where_a_fault_says_so_and_files_are_not(simulator: Running) -> None:
    name = simulator.ask("AddExport", VISITOR, report="ledgers", description="mine")["id"]
    for kind, value in (("odd_members", "unknown"), ("odd_numbers", "exponent")):
        simulator.control("faults", "POST", {"kind": kind, "value": value, "path": "rest"})
    balances = simulator.post("Balance", VISITOR)
    assert "x_unknown" in balances
    assert balances["result"]["ZUSD"] == "1.000000000E+5"
    assert simulator.get("Depth", pair="XBTUSD", count=1)["error"] == []
    simulator.control("faults", "DELETE")
    simulator.control("faults", "POST", {"kind": "odd_numbers", "value": "text", "path": "rest"})
    assert isinstance(simulator.get("Depth", pair="XBTUSD", count=1)["result"]["XXBTZUSD"]["asks"][0][2], int)
    deadline = time.monotonic() + 30
    while simulator.ask("ExportStatus", VISITOR, report="ledgers")[0]["status"] != "Processed":
        assert time.monotonic() < deadline
        time.sleep(1)
    packed = zipfile.ZipFile(io.BytesIO(simulator.file("RetrieveExport", VISITOR, id=name)))
    assert packed.namelist() == ["ledgers.csv"]


@looped
async def test_single_orders_are_followed_at_the_host_that_kraken_has_for_them(simulator: Running) -> None:
    token = await asyncio.to_thread(simulator.ask, "GetWebSocketsToken")
    request = {"method": "subscribe", "params": {"channel": "level3", "symbol": ["BTC/USD"], "token": token["token"]}}
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{simulator.url}/v2", headers={"Host": "ws-l3.kraken.com"}) as socket,
    ):
        await socket.send_json(request)
        kinds: list[str] = []
        while kinds[-1:] != ["update"]:
            frame = await asyncio.wait_for(socket.receive_json(), 20)
            kinds += [frame["type"]] if frame.get("channel") == "level3" else []
    assert kinds == ["snapshot", "update"]
