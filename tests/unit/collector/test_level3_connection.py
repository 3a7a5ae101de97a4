"""The second connection's shell: it is there while somebody reads single orders, and a while longer."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from collector import level3_connection as module
from collector.feed.level3 import Level3Feed
from collector.level3_connection import Level3Connection
from shared import limits
from shared.clock import SECOND
from shared.config import Config
from shared.process.loop import Process
from tests.kit.pairs import BTC


class FakeSocket:
    """A connection that stays until it is cancelled."""

    def __init__(self, _url: str, on_open: Any, *_: object) -> None:
        self.reconnect = SimpleNamespace(attempts=0)
        self.problem = ""
        self.running = 0

    async def run(self) -> None:
        self.reconnect.attempts += 1
        self.running += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.running -= 1


class World:
    """The connection, whether somebody reads it, and a clock."""

    def __init__(self) -> None:
        self.is_read = False
        self.now = 0
        publisher = SimpleNamespace(is_named=lambda topic: self.is_read and topic == "feed.level3")
        beats: Any = SimpleNamespace(config=Config(), publisher=publisher, dispatch=lambda _: None, details={})
        self.details = beats.details
        self.feed = Level3Feed([BTC.symbol], 100, {BTC.symbol: BTC})
        self.connection = Level3Connection(cast(Process, beats), self.feed)
        self.socket = cast(FakeSocket, self.connection._socket)

    async def after(self, seconds: float, *, is_read: bool) -> tuple[int, int]:
        """Turn so much later; return how many connections there are, and were tried."""
        self.is_read = is_read
        self.now += int(seconds * SECOND)
        self.connection.on_turn(self.now)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return self.socket.running, self.socket.reconnect.attempts


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(module, "KrakenSocket", FakeSocket)
    return World()


def test_it_is_there_while_somebody_reads_and_a_while_longer(world: World) -> None:
    async def play() -> None:
        assert await world.after(1, is_read=False) == (0, 0)
        assert not world.details["level3"].is_read
        assert await world.after(1, is_read=True) == (1, 1)
        assert world.details["level3"].is_read
        assert await world.after(1, is_read=True) == (1, 1)
        assert await world.after(limits.LEVEL3_KEPT_S, is_read=False) == (1, 1)
        # Who comes back finds it.
        assert await world.after(0, is_read=True) == (1, 1)
        assert await world.after(limits.LEVEL3_KEPT_S + 1, is_read=False) == (0, 1)
        assert not world.details["level3"].is_read
        assert await world.after(1, is_read=True) == (1, 2)

    asyncio.run(play())


def test_an_ended_connection_is_void_for_the_core(world: World) -> None:
    async def play() -> None:
        await world.after(1, is_read=True)
        world.feed.opened("TOKEN", world.now)
        assert world.feed.take().requests
        await world.after(limits.LEVEL3_KEPT_S + 1, is_read=False)
        assert not world.details["level3"].connected
        await world.after(1, is_read=False)
        assert not world.feed.take().requests

    asyncio.run(play())


def test_trouble_of_a_connection_that_nobody_reads_is_not_told(world: World) -> None:
    async def play() -> None:
        await world.after(1, is_read=True)
        world.socket.problem = "refused"
        await world.after(1, is_read=True)
        assert world.details["level3"].problem == "refused"
        await world.after(limits.LEVEL3_KEPT_S + 1, is_read=False)
        assert world.details["level3"].problem == ""

    asyncio.run(play())
