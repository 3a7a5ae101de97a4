"""Captured frames, played by the collector, go through bus, book and strategy to targets."""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from shared import bus
from shared.messages import Account, AssetPosition, Fees, Instruments, Position, Rate, Target
from tests.frames import frames_path
from tests.kit.pairs import BTC
from tests.system import System, until


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[tuple[System, list[subprocess.Popen[bytes]]]]:
    system = System(tmp_path)
    started: list[subprocess.Popen[bytes]] = []
    yield system, started
    for process in started:
        process.terminate()
    for process in started:
        process.wait(20)


def start(system: System, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", *words], cwd=system.folder, env=system.environment)


@pytest.mark.processes
@pytest.mark.parametrize("speed", ["max", "20"])
def test_a_capture_becomes_targets(processes: tuple[System, list[subprocess.Popen[bytes]]], speed: str) -> None:
    """The test stands in for the executor: it publishes instrument, position and account itself."""
    system, started = processes
    capture = frames_path("public_v2/book10_BTCUSD_python-kraken-sdk_repadded.jsonl")
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context.instance()
    where = bus.address(system.config, str(system.config.bus["executor"]))
    executor = bus.Publisher(context, where, "executor", 1, None)
    reader = bus.attach(system.config, ["target"])
    executor.publish("feed.instrument", Instruments(pairs={"BTC/USD": BTC}, assets={"BTC": 10, "USD": 4}))
    executor.publish(
        "position.market_maker.BTC/USD",
        Position(strategy="market_maker", symbol="BTC/USD", valid=True, qty_precision=8),
    )
    rates = {"USD": Rate(rate="1", valid=True), "BTC": Rate(rate="29500", valid=True, way=["BTC/USD"])}
    assets = {"BTC": AssetPosition(position="0", worth="0")}
    fees = {"BTC/USD": Fees(maker="0.00", taker="0.10")}
    executor.publish("account", Account(valid=True, fees=fees, rates=rates, assets=assets))
    started += [start(system, "book"), start(system, "strategy")]
    started.append(start(system, "collector", "--replay", str(capture), "--speed", speed))
    targets: list[Target] = []

    def enough() -> bool:
        executor.serve_subscriptions()
        for received in reader.drain():
            if isinstance(received.message, Target):
                targets.append(received.message)
        return any(target.quotes for target in targets)

    until("a target with quotes", enough, 40, every=0.02)
    target = next(target for target in targets if target.quotes)
    assert {quote.side for quote in target.quotes} == {"buy", "sell"}
    bids = [quote.price for quote in target.quotes if quote.side == "buy"]
    asks = [quote.price for quote in target.quotes if quote.side == "sell"]
    assert max(bids) < min(asks)
    assert 290_000 < target.quotes[0].price < 300_000
    assert 0 < target.received <= target.booked <= target.decided
    executor.socket.close()
    reader.close()


@pytest.mark.processes
def test_a_replay_ends_with_its_file_and_a_missing_one_is_refused(
    processes: tuple[System, list[subprocess.Popen[bytes]]],
) -> None:
    system, started = processes
    capture = frames_path("public_v1/trade_10pairs_cryptofeed.jsonl")
    # Nobody listens, so it waits for a while before it plays.
    started.append(start(system, "collector", "--replay", str(capture), "--speed", "max"))
    refused = system.run("collector", "--replay", "no/such/file")
    assert refused.returncode == 78
    assert "no/such/file" in refused.stderr
    assert system.run("collector", "--replay", str(capture), "--speed", "0").returncode == 2
    assert started[0].wait(60) == 0


@pytest.mark.processes
@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b"", 78, "it is empty"),
        (b"\xff\xfe{\x00", 78, "it is UTF-16 text"),
        (b"\x1f\x8bno gzip", 78, "name a readable recording"),
        (b"hello\nworld\n", 1, "no frame of a book or of trades is in the file"),
        (gzip.compress(b'{"channel":"heartbeat"}\n' * 9000)[:-20], 1, "the capture cannot be read further"),
    ],
    ids=["empty", "utf-16", "damaged", "text", "broken off"],
)
def test_a_file_that_is_no_capture_is_refused_with_words(
    processes: tuple[System, list[subprocess.Popen[bytes]]], content: bytes, code: int, said: str
) -> None:
    system, _ = processes
    capture = system.folder / "capture"
    capture.write_bytes(content)
    reader = bus.attach(system.config, ["feed.book"])
    ran = system.run("collector", "--replay", str(capture), "--speed", "max")
    reader.close()
    assert (ran.returncode, said in ran.stderr) == (code, True), ran.stderr
