"""The reconnecting socket: what keeps it from connecting is told and tried again, whatever it is."""

from __future__ import annotations

import asyncio
import errno
from types import SimpleNamespace
from typing import Any, cast

import pytest

from collector.__main__ import Collector
from collector.feed.feed import Feed
from executor.shell import Shell
from shared.config import Config
from shared.kraken import socket as module
from shared.kraken.reconnect import Reconnect
from shared.kraken.socket import KrakenSocket
from shared.process.loop import Process
from tests.kit.executor_world import World


@pytest.mark.parametrize(
    "error", [OSError(errno.EMFILE, "Too many open files"), ConnectionRefusedError(), TimeoutError()]
)
def test_no_error_of_connecting_ends_it(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    async def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(module, "ws_connect", fails)
    monkeypatch.setattr(Reconnect, "delay_s", lambda *_: 0.0)
    made = KrakenSocket("ws://127.0.0.1:1/", lambda: None, lambda _: None, lambda _: None, "tests")

    async def run() -> None:
        task = asyncio.ensure_future(made.run())
        while made.reconnect.attempts < 3:
            await asyncio.sleep(0)
        assert not task.done()
        assert not made.send("lost")
        task.cancel()

    asyncio.run(run())
    assert made.dropped == 1


def process() -> Any:
    nothing = {name: lambda *_: None for name in ("state", "publish", "dispatch")}
    publisher = SimpleNamespace(snapshot_requests=0)
    return SimpleNamespace(config=Config(), drops=0, details={}, publisher=publisher, **nothing)


def test_the_collectors_heartbeat_shows_what_its_socket_dropped() -> None:
    beats = process()
    collector = Collector(cast(Process, beats), Feed(["BTC/USD"], 10))
    collector.socket.send("without a connection")
    collector.on_turn(0)
    assert beats.drops == 1


def test_the_executors_heartbeat_shows_what_its_socket_dropped() -> None:
    beats, world = process(), World()
    shell = Shell(cast(Process, beats), world.state, world.executor, cast(Any, None))
    shell.private.socket.send("without a connection")
    shell.say_state(world.now)
    assert beats.drops == 1
