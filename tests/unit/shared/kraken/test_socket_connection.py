"""The socket while it is connected: frames in and out, how it is dropped, and what ends a connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import websockets

from shared import limits
from shared.errors import ProxyUnusable
from shared.kraken import socket as module
from shared.kraken.reconnect import Reconnect
from shared.kraken.socket import KrakenSocket


class Connection:
    """A connection that brings what is put into it, and keeps what is sent."""

    def __init__(self) -> None:
        self.coming: asyncio.Queue[bytes | Exception] = asyncio.Queue()
        self.sent: list[str] = []
        self.transport = SimpleNamespace(abort=lambda: self.coming.put_nowait(b"after the abort"))

    async def __aenter__(self) -> Connection:
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def recv(self, decode: bool) -> bytes:
        frame = await self.coming.get()
        if isinstance(frame, Exception):
            raise frame
        return frame

    async def send(self, text: str) -> None:
        self.sent.append(text)


class Seen:
    """A socket over such connections, and what it told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.connections: list[Connection] = []
        self.frames: list[bytes] = []
        self.ends: list[str] = []
        self.opened = 0

        def connect(*_: object, **__: object) -> Connection:
            self.connections.append(Connection())
            return self.connections[-1]

        monkeypatch.setattr(module, "connect", connect)
        monkeypatch.setattr(Reconnect, "delay_s", lambda *_: 0.0)
        self.socket = KrakenSocket("ws://127.0.0.1:1/", self.on_open, self.frames.append, self.ends.append, "tests")

    def on_open(self) -> None:
        self.opened += 1

    async def until(self, condition: Callable[[], Any]) -> None:
        for _ in range(1000):
            if condition():
                return
            await asyncio.sleep(0)
        raise AssertionError("it did not come to that")

    def run(self, *steps: Callable[[], Any]) -> None:
        """Carry each step out once the one before it has settled; a step's value is the condition that ends it."""

        async def play() -> None:
            task = asyncio.ensure_future(self.socket.run())
            await self.until(lambda: self.socket.connected)
            for step in steps:
                await self.until(step() or (lambda: True))
            task.cancel()

        asyncio.run(play())


def test_frames_come_as_bytes_and_texts_go_out_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Seen(monkeypatch)

    def send() -> Callable[[], Any]:
        assert seen.socket.send("one")
        assert seen.socket.send("two")
        return lambda: seen.connections[0].sent == ["one", "two"]

    def come() -> Callable[[], Any]:
        seen.connections[0].coming.put_nowait(b"a frame")
        return lambda: seen.frames == [b"a frame"]

    seen.run(send, come, lambda: _sent(seen, "three"))
    assert (seen.opened, seen.socket.dropped, seen.socket.problem) == (1, 0, "")


def _sent(seen: Seen, text: str) -> Callable[[], Any]:
    seen.socket.send(text)
    return lambda: text in seen.connections[0].sent


def test_a_connection_that_was_dropped_is_not_listened_to_and_a_new_one_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Seen(monkeypatch)

    def close() -> Callable[[], Any]:
        seen.socket.close("no answer")
        assert not seen.socket.connected
        seen.socket.close("no answer")  # there is none any more
        return lambda: len(seen.connections) == 2 and seen.socket.connected

    seen.run(close)
    assert (seen.frames, seen.ends, seen.opened) == ([], ["no answer"], 2)


def test_a_full_queue_takes_nothing_more_and_counts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Seen(monkeypatch)

    def fill() -> None:
        taken = [seen.socket.send("x") for _ in range(limits.WS_QUEUE_FRAMES + 2)]
        assert taken.count(False) == 2

    seen.run(fill)
    assert seen.socket.dropped == 2


def test_the_other_sides_end_is_told_and_a_connection_that_lasted_is_no_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = Seen(monkeypatch)

    def end() -> Callable[[], Any]:
        seen.connections[0].coming.put_nowait(websockets.ConnectionClosedOK(None, None))
        return lambda: len(seen.connections) == 2

    seen.run(end)
    assert len(seen.ends) == 1


def test_a_proxy_that_cannot_be_used_is_the_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Seen(monkeypatch)

    def unusable(_url: str) -> str:
        raise ProxyUnusable("no SOCKS here")

    monkeypatch.setattr(module, "proxy_for", unusable)

    async def play() -> None:
        task = asyncio.ensure_future(seen.socket.run())
        await seen.until(lambda: seen.socket.reconnect.attempts >= 2)
        task.cancel()

    asyncio.run(play())
    assert (seen.socket.problem, seen.connections) == ("no SOCKS here", [])
