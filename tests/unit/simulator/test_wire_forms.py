"""Forms that published clients need on the wire, each against the captures or the documentation that shows it."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from aiohttp import WSMsgType

from simulator import certificate
from simulator.errors import KrakenError
from simulator.faults import instant
from simulator.websocket import Clock, Connection, Delays, WebSockets
from simulator.wire import parse_time
from tests.kit.simulator.faults import inject
from tests.unit.simulator.worlds import TestWorld, call, limit, market


def test_book_messages_of_a_pair_rise_strictly_in_time_in_both_versions() -> None:
    # frames/public_v2: none of 4,802 captured messages shares its time with the one before it.
    world = TestWorld()
    client, old = world.public(), world.public_v1()
    client.call("subscribe", channel="book", symbol=["BTC/USD"])
    old.event("subscribe", pair=["XBT/USD"], subscription={"name": "book", "depth": 10})
    world.run(60)
    # Several changes of one moment, on both sides.
    for side, price in (("buy", "80000"), ("sell", "90000")):
        world.exchange.add(world.account(), market(side, "0.2"), world.now)
        world.exchange.add(world.account(), limit(side, "0.01", price), world.now)
    world.world.flush(world.now)
    times = [parse_time(f["data"][0]["timestamp"]) for f in client.since(0) if f.get("channel") == "book"]
    assert len(times) > 300
    assert all(a < b for a, b in pairwise(times))
    assert times[-1] < world.now + 10**6
    stamps = [level[2] for f in old.since(0) if isinstance(f, list) for part in f[1:-2] for side in part.values()
              if isinstance(side, list) for level in side if len(level) == 3]  # fmt: skip
    assert len(stamps) > 300


def test_book_times_follow_a_clock_that_is_put_back() -> None:
    world = TestWorld()
    client = world.public()
    client.call("subscribe", channel="book", symbol=["BTC/USD"])
    world.run(2)
    inject(world, "clock", ms=-3_600_000)
    world.now = world.world.now
    world.run(2)
    last = [f for f in client.since(0) if f.get("channel") == "book"][-1]
    assert parse_time(last["data"][0]["timestamp"]) <= world.now + 10**6


def test_an_answer_is_never_from_before_its_request() -> None:
    world = TestWorld()
    client = world.public()
    for method in ("ping", "subscribe", "nonsense"):
        request = client.session.read(json.dumps({"method": method, "req_id": 1}), world.now + 5_000_000)
        client.session.handle(request, world.now)
        answer = client.since(0)[-1]
        assert parse_time(answer["time_out"]) >= parse_time(answer["time_in"])


def test_asset_version_1_answers_under_the_new_names() -> None:
    # Documented, and asked for by Kraken.Net: keys BTC, USD and BTC/USD.
    world = TestWorld()
    assets = call(world, "Assets", assetVersion="1")
    assert {"BTC", "USD", "ETH"} <= set(assets)
    pairs = call(world, "AssetPairs", assetVersion="1")
    assert (pairs["BTC/USD"]["base"], pairs["BTC/USD"]["quote"]) == ("BTC", "USD")
    assert pairs["BTC/USD"]["altname"] == "XBTUSD"
    assert set(call(world, "Assets", assetVersion="0")) >= {"XXBT", "ZUSD"}
    with pytest.raises(KrakenError, match="assetVersion"):
        call(world, "Assets", assetVersion="2")


def test_fees_of_pairs_are_empty_as_captured_in_2026() -> None:
    # frames/rest/AssetPairs_5pairs_live_20260925_bytex.json.
    (row,) = call(TestWorld(), "AssetPairs", pair="XBTUSD").values()
    assert (row["fees"], row["fees_maker"]) == ([], [])


def test_own_trades_of_version_1_say_whose_they_are() -> None:
    # frames/public_v1/docs_Own_Trades.jsonl has userref; cl_ord_id beside it since client ids are there.
    world = TestWorld()
    world.empty()
    client = world.private_v1("M1")
    token = world.world.make_token(world.world.keys["M1"], world.now)
    client.event("subscribe", subscription={"name": "ownTrades", "token": token})
    for named in ({"cl_ord_id": "mine"}, {"userref": 7}, {}):
        world.exchange.add(world.account(), limit("buy", "0.001", "80000", **named), world.now)
        world.exchange.add(world.account("visitor"), limit("sell", "0.001", "80000"), world.now)
        world.world.flush(world.now)
    rows = [row for f in client.since(0) if isinstance(f, list) for part in f[0] for row in part.values()]
    names = [{name: row[name] for name in ("userref", "cl_ord_id") if name in row} for row in rows]
    assert names == [{"cl_ord_id": "mine"}, {"userref": 7}, {}]


def test_userref_of_rest_is_0_when_unset() -> None:
    # frames/rest/kraken-async-rs_open_orders_json.json.
    world = TestWorld()
    call(world, "AddOrder", pair="XBTUSD", type="buy", ordertype="limit", volume="0.001", price="60000")
    (row,) = call(world, "OpenOrders")["open"].values()
    assert row["userref"] == 0


class Frame:
    """A message of a socket as aiohttp gives it."""

    def __init__(self, kind: Any, data: Any) -> None:
        self.type, self.data = kind, data


@pytest.mark.parametrize("kind", ["public", "private", "public_v1", "private_v1"])
def test_requests_in_binary_frames_are_read_like_text(kind: str) -> None:
    world = TestWorld()
    client = getattr(world, kind)()
    ping = {"event": "ping", "reqid": 3} if kind.endswith("v1") else {"method": "ping", "req_id": 3}

    async def run() -> None:
        delays = Delays(0.0, 1, none=True)
        sockets = WebSockets(world.world, Clock(), delays)
        inbox: asyncio.Queue[Any] = asyncio.Queue()

        async def frames() -> Any:
            yield Frame(WSMsgType.BINARY, json.dumps(ping).encode())
            yield Frame(WSMsgType.BINARY, b"\xff\xfe")

        socket: Any = frames()
        connection = Connection(socket, delays, Clock(), lambda: None)
        await sockets._read(socket, client.session, connection, inbox)
        while not inbox.empty():
            client.session.handle(inbox.get_nowait()[1], world.now)

    asyncio.run(run())
    pong, malformed = client.since(0)[-2:]
    assert (pong.get("method") or pong.get("event"), pong.get("req_id", pong.get("reqid"))) == ("pong", 3)
    assert (malformed.get("error") or malformed.get("errorMessage")) == "Malformed request"


def test_the_certificate_is_a_leaf_of_an_authority_whose_key_is_gone(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    certificate.context(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["server.pem", "simulator.key", "simulator.pem"]

    def text(name: str) -> str:
        command = ["openssl", "x509", "-in", str(tmp_path / name), "-noout", "-text"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    leaf = text("server.pem")
    assert "CA:FALSE" in leaf
    assert "CA:TRUE" in text("simulator.pem")
    hosts = ("DNS:ws-auth.kraken.com", "DNS:ws-l3.kraken.com")
    for name in ("DNS:localhost", "IP Address:127.0.0.1", "IP Address:0:0:0:0:0:0:0:1", *hosts):
        assert name in leaf
    verify = ["openssl", "verify", "-CAfile", str(tmp_path / "simulator.pem"), str(tmp_path / "server.pem")]
    assert subprocess.run(verify, check=False, capture_output=True).returncode == 0


def test_clearing_puts_a_pair_back_into_its_own_status() -> None:
    world = TestWorld(pairs=["ACA/EUR", "BTC/USD"])
    inject(world, "pair", symbol="BTC/USD", value="post_only")
    instant.calm(world.world, world.now)
    assert [venue.status for venue in world.exchange.venues.values()] == ["online", "cancel_only"]
