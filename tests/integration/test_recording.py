"""A running system recorded and replayed: what is heard is what was recorded, byte for byte. And recorders killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import zmq

from backtest.data.columns import Kind
from backtest.data.sources import read
from book import implementation
from book.verify import Verifier
from collector.recording.files import FRAME_TOPICS, Recording, find, frames
from shared import bus, config, limits
from shared.bus import subscriber
from shared.clock import boot_ns
from shared.config.trading import Trading
from shared.messages import FeedFrame
from tests.system import System, running, until

pytestmark = pytest.mark.processes


@contextlib.contextmanager
def started(system: System, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A process of the collector's, killed at the end if it is still there."""
    process = subprocess.Popen(
        [sys.executable, "-m", *words],
        cwd=system.folder,
        env=system.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def recorded(system: System) -> list[list[bytes]]:
    """Return what can be read of the recording now, topics as they are on the bus."""
    folder = system.folder / "data/recordings"
    if not list(folder.glob("*.arrows")):
        return []
    return [[row.topic.encode() + b"\0", row.payload] for row in Recording(find([folder])).rows()]


def symbols_with_snapshot(system: System) -> set[str]:
    """Return the symbols whose book can be built from what is recorded so far."""
    if not recorded(system):
        return set()
    recording = Recording(find([system.folder / "data/recordings"]), FRAME_TOPICS)
    shots = [json.loads(frame) for frame in frames(recording) if b'"type":"snapshot"' in frame]
    return {each["data"][0]["symbol"] for each in shots}


def verified(raw_frames: list[bytes]) -> dict[str, Any]:
    verifier = Verifier(Trading().feed_depth, implementation)
    for frame in raw_frames:
        verifier.take(frame)
    return verifier.report()


def listener(endpoints: list[str], topic: bytes = b"") -> zmq.Socket[bytes]:
    """A reader that loses nothing, however late it reads."""
    socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.SUB)
    socket.setsockopt(zmq.RCVHWM, 0)
    socket.setsockopt(zmq.SUBSCRIBE, topic)
    for endpoint in endpoints:
        socket.connect(endpoint)
    return socket


def heard_until_ended(socket: zmq.Socket[bytes], process: subprocess.Popen[str]) -> list[list[bytes]]:
    heard: list[list[bytes]] = []

    def ended() -> bool:
        gone = process.poll() is not None
        while socket.poll(50):
            heard.append(socket.recv_multipart())
        return gone

    until("the replay ended", ended, 60)
    socket.close(linger=0)
    return heard


def test_a_recorded_system_replays_byte_for_byte(tmp_path: Path) -> None:
    system = System(tmp_path)
    # The recorder is there first, so that the first snapshots are in the recording.
    with started(system, "monitor", "record", "--json") as recorder:
        try:
            until("the recorder is there", (tmp_path / "data/recordings/recorder.lock").exists, 30)
            system.start().until_quoting(60)
            pairs = set(system.config.trading.pairs)
            until("every book's snapshot is recorded", lambda: symbols_with_snapshot(system) == pairs, 30, every=1)
            until("enough is recorded", lambda: len(recorded(system)) > 550, 60, every=1)
        finally:
            recorder.send_signal(signal.SIGINT)  # to the command only: it hands it on, or the terminal does
            recorder.send_signal(signal.SIGTERM)
            out, err = recorder.communicate(timeout=30)
            system.stop()
    assert recorder.returncode == 0, err
    summary = json.loads(out)
    messages = recorded(system)
    assert summary["messages"] == len(messages) > 500
    assert summary["skipped"] == summary["without_header"] == 0
    kinds = {parts[0].decode().rstrip("\0").split(".")[0] for parts in messages}
    assert {"feed", "book", "target", "order", "position", "account", "control", "heartbeat"} <= kinds
    raw_frames = list(frames(Recording(find([tmp_path / "data/recordings"]), FRAME_TOPICS)))
    live = verified(raw_frames)
    assert live["checked"] > 0
    assert live["failed"] == 0

    with started(system, "monitor", "replay", "--speed", "max", "--json") as replay:
        own = until("its configuration is written", lambda: list(tmp_path.glob("run/replay/config/config.yaml")), 30)[0]
        until("the configuration is whole", lambda: "monitor" in own.read_text(), 5)
        heard = heard_until_ended(listener(bus.addresses(config.load(own, environ={}))), replay)
        report = json.loads(replay.stdout.read())  # type: ignore[union-attr]
    assert heard == messages
    assert (report["messages"], report["reader_stalled"], report["problems"]) == (len(messages), False, [])

    endpoint = bus.address(system.config, str(system.config.bus["collector"]))
    arguments = ("collector", "--replay", str(tmp_path / "data/recordings"), "--speed", "max")
    socket = listener([endpoint], b"feed.book.")
    with started(system, *arguments) as collector:
        parts = heard_until_ended(socket, collector)
    decoder = subscriber._decoders["feed.book"]
    again: list[bytes] = []
    for _, payload in parts:
        message = decoder.decode(payload)
        assert isinstance(message, FeedFrame)
        again.append(message.frame)
    assert again == raw_frames
    assert verified(again) == live


def test_a_killed_recorder_loses_no_more_than_its_last_second(tmp_path: Path) -> None:
    """The test is the system: it publishes, so that what was said when is known."""
    system = System(tmp_path)
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context.instance()
    publisher = bus.Publisher(context, bus.address(system.config, str(system.config.bus["book"])), "book", 1, None)
    with started(system, "collector", "record") as recorder:
        seq = 0

        def say_and_look() -> int:
            nonlocal seq
            publisher.serve_subscriptions()
            for _ in range(100):
                seq += 1
                publisher.publish_encoded(f"log.{seq % 7}", b"\x81\xa3seq" + bytes([seq % 100]))
            return len(recorded(system)) > 2000

        until("some of it is on the disk", say_and_look, 60)
        killed_at = boot_ns()
        recorder.send_signal(signal.SIGKILL)
        recorder.wait()
    publisher.socket.close()
    (path,) = (tmp_path / "data/recordings").glob("*.arrows")
    whole = pa.ipc.open_stream(path.read_bytes())
    rows = 0
    last = 0
    with contextlib.suppress(pa.ArrowInvalid, OSError):
        for batch in whole:
            rows, last = rows + batch.num_rows, batch.column("heard")[-1].as_py()
    assert rows > 2000
    # The flush is due every second; the rest is what a busy machine may take to get round to it.
    assert killed_at - last < (limits.RECORD_FLUSH_S + 4) * 1e9
    assert len(list(Recording([path]).rows())) == rows


def test_a_folder_has_one_recorder_and_a_replay_never_takes_a_bus_that_is_live(tmp_path: Path) -> None:
    system = System(tmp_path)
    with started(system, "collector", "record") as recorder:
        lock = tmp_path / "data/recordings/recorder.lock"
        until("the first holds the folder", lambda: lock.exists() and lock.read_text(), 30)
        second = system.run("collector", "record")
        assert second.returncode == 75
        assert f"pid {recorder.pid}" in second.stderr
        recorder.send_signal(signal.SIGINT)
        out, _ = recorder.communicate(timeout=30)
        assert "no message was heard" in out
    nothing = system.run("collector", "replay")
    assert nothing.returncode == 78
    assert "no recording is in this folder" in nothing.stderr
    some = tmp_path / "some.arrows"
    some.write_bytes(b"")
    refused = system.run("collector", "replay", str(some), "--folder", str(tmp_path))
    assert refused.returncode == 78
    assert "a system's own" in refused.stderr
    os.unlink(tmp_path / "config/config.yaml")
    (tmp_path / "elsewhere.yaml").write_text("kraken:\n  sandbox: true\n")
    live = system.run("collector", "replay", str(some), "--folder", str(tmp_path), "--config", "elsewhere.yaml")
    assert live.returncode == 78
    assert "is the live bus" in live.stderr


def test_a_recording_that_begins_late_begins_with_its_books_and_trading_goes_on(tmp_path: Path) -> None:
    with running(tmp_path) as system:
        system.until_quoting(60)
        done = system.run("collector", "record", "--folder", str(tmp_path / "late"), "--seconds", "4", "--json")
        assert done.returncode == 0, done.stderr
        status = system.json("status")
    made = read([str(tmp_path / "late")])
    assert made.columns.keys() == {"BTC/USD", "ETH/USD", "SOL/USD"}
    for symbol, columns in made.columns.items():
        assert columns.depth == Trading().feed_depth
        assert columns.table["kind"].to_pylist().count(Kind.SNAPSHOT) > 100
        assert status["books"][symbol]["state"] == "live"
        assert status["books"][symbol]["coverage_bps"] > 5
    assert (made.tally.checksums_failed, made.tally.gaps.total(), made.tally.bad_rows) == (0, 0, 0)
    assert made.tally.checksums_ok > 30
