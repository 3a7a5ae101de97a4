"""The reconnecting socket: what keeps it from connecting is told and tried again, whatever it is."""

from __future__ import annotations

import asyncio
import errno
from types import SimpleNamespace
from typing import Any, cast

import pytest
import websockets

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
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(module, "connect", fails)
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


def test_what_a_lost_connection_leaves_in_the_queue_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone:
        """A connection that ends as soon as somebody listens, before anything was written."""

        async def __aenter__(self) -> Gone:
            return self

        async def __aexit__(self, *_: object) -> None: ...

        async def recv(self, decode: bool) -> bytes:
            raise websockets.ConnectionClosedError(None, None)

        async def send(self, _text: str) -> None: ...

    monkeypatch.setattr(module, "connect", lambda *_, **__: Gone())
    monkeypatch.setattr(Reconnect, "delay_s", lambda *_: 0.0)
    opened: list[bool] = []

    def on_open() -> None:
        if not opened:
            opened.append(made.send("one") and made.send("two"))

    made = KrakenSocket("ws://127.0.0.1:1/", on_open, lambda _: None, lambda _: None, "tests")

    async def run() -> None:
        task = asyncio.ensure_future(made.run())
        while made.reconnect.attempts < 3:
            await asyncio.sleep(0)
        task.cancel()

    asyncio.run(run())
    assert opened == [True]
    assert made.dropped == 2


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
