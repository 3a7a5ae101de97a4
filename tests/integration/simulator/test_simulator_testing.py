"""The exchange in other people's tests: context manager, pytest plugin, TLS, a replay from the command line."""

from __future__ import annotations

import asyncio
import json
import shutil
import ssl
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
import websockets

from simulator.testing import running_kraken
from tests.frames import frames_path
from tests.integration.simulator.running import ROOT, Running, Socket, free_port, looped

pytestmark = pytest.mark.processes
SOMEBODYS_TEST = """
import asyncio
import json
import urllib.request

import pytest
import websockets

pytest_plugins = ["simulator.pytest_plugin"]


@pytest.fixture
def kraken_settings():
    return {"virtual": True, "seed": 9, "unconfirmed": {"trade_snapshot": True}}


def test_it(kraken):
    with urllib.request.urlopen(f"{kraken.rest_url}/0/public/Time") as response:
        before = json.load(response)["result"]["unixtime"]
    kraken.advance(60)
    with urllib.request.urlopen(f"{kraken.rest_url}/0/public/Time") as response:
        assert json.load(response)["result"]["unixtime"] == before + 60
    kraken.fault("refuse", path="rest", method="Time", text="EService:Busy")
    with urllib.request.urlopen(f"{kraken.rest_url}/0/public/Time") as response:
        assert json.load(response) == {"error": ["EService:Busy"]}
    assert kraken.injected() == {"refuse": 1}
    kraken.clear_faults()
    assert len(kraken.key) == len(kraken.maker) == 2
    assert asyncio.run(trade_snapshot(kraken.ws_url))


async def trade_snapshot(url):
    async with websockets.connect(url) as connection:
        await connection.send('{"method":"subscribe","params":{"channel":"trade","symbol":["BTC/USD"]}}')
        while '"snapshot":' not in (frame := await connection.recv()):
            pass
        return json.loads(frame)["result"]["snapshot"]
"""


def test_the_plugin_gives_a_kraken_to_somebody_s_test(tmp_path: Path) -> None:
    (tmp_path / "test_somebody.py").write_text(SOMEBODYS_TEST)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_it_speaks_https_and_wss_with_a_certificate_made_here() -> None:
    with running_kraken(tls=True) as kraken:
        trust = ssl.create_default_context(cafile=str(kraken.certificate))
        with urllib.request.urlopen(f"{kraken.rest_url}/0/public/SystemStatus", context=trust) as response:
            assert json.load(response)["result"]["status"] == "online"
        assert (kraken.folder / "tls" / "simulator.key").stat().st_mode & 0o077 == 0

        async def status(url: str) -> str:
            async with websockets.connect(url, ssl=trust) as connection:
                return str(await connection.recv())

        assert '"system":"online"' in asyncio.run(status(kraken.ws_url))
        assert '"systemStatus"' in asyncio.run(status(kraken.ws_v1_url))
        with pytest.raises(OSError):
            urllib.request.urlopen(kraken.rest_url, context=ssl.create_default_context())


@looped
async def test_a_recording_is_replayed_from_the_command_line(tmp_path: Path) -> None:
    capture = frames_path("public_v2/book10_BTCUSD_python-kraken-sdk_repadded.jsonl")
    simulator = Running(tmp_path, ("replay", str(capture)))
    simulator.start()
    try:
        async with simulator.public() as client:
            await client.call("subscribe", channel="book", symbol=["BTC/USD"], depth=10)
            frame = await client.until(lambda f: f.get("channel") == "book")
            assert 29_000 < frame["data"][0]["bids"][0]["price"] < 30_000
            await client.until(lambda f: f.get("channel") == "book" and f["type"] == "update")
    finally:
        simulator.kill()


@pytest.mark.parametrize("arguments", [("replay", "/nothing"), ("run", "file"), ("--clock", "virtual", "--start", "x")])
def test_a_wrong_command_line_is_refused_with_78(arguments: tuple[str, ...], tmp_path: Path) -> None:
    simulator = Running(tmp_path, arguments)
    assert simulator.spawn().wait(30) == 78
    assert "simulator:" in (tmp_path / "stderr").read_text()


@looped
async def test_a_killed_kraken_is_started_again() -> None:
    with running_kraken() as kraken:
        async with websockets.connect(kraken.ws_url) as connection:
            assert "status" in (await Socket(connection, "").receive())["channel"]
        await asyncio.to_thread(kraken.kill)
        await asyncio.to_thread(kraken.start)
        async with websockets.connect(kraken.ws_url) as connection:
            assert "status" in (await Socket(connection, "").receive())["channel"]


def test_rest_calls_public_and_private_take_the_way_there_and_back() -> None:
    with running_kraken(one_way_delay_ms=150.0) as kraken:
        for request in (
            f"{kraken.rest_url}/0/public/Time",
            urllib.request.Request(f"{kraken.rest_url}/0/private/Balance", b"nonce=1"),
        ):
            begun = time.monotonic()
            with urllib.request.urlopen(request, timeout=60) as response:
                response.read()
            assert time.monotonic() - begun >= 0.3


def test_it_takes_the_port_that_a_client_insists_on() -> None:
    wanted = free_port()
    with running_kraken(port=wanted) as kraken:
        assert kraken.rest_url == f"http://127.0.0.1:{wanted}"
        with urllib.request.urlopen(f"{kraken.rest_url}/0/public/Time") as response:
            assert json.load(response)["error"] == []
