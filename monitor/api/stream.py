"""``/stream``: a WebSocket that says every change. A client that is slow is skipped, one that is stopped is closed.

Each client has a task of its own that waits for nothing but its own socket; what it was not ready for is never
queued. So none of them can delay the monitor or another client.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct

import msgspec
from aiohttp import WSMsgType, web

from monitor.api.hub import Hub, framed
from monitor.api.site import SECTIONS, SLOW_SECTIONS, SectionName, Site
from monitor.errors import Problem
from shared import limits
from shared.process.logs import logger


class Subscription(msgspec.Struct, frozen=True):
    """A client's first message: the sections that it wants."""

    sections: list[SectionName]


class Client:
    """One connection: what it wants, and what it was last sent."""

    def __init__(self, socket_: web.WebSocketResponse, transport: asyncio.Transport, wanted: list[str]) -> None:
        self._socket, self._transport, self.wanted = socket_, transport, wanted
        self._known = dict.fromkeys(wanted, 0)
        self._sent = dict.fromkeys(wanted, 0)

    async def send(self, hub: Hub) -> None:
        """Send what is new, unless the client has not taken yet what was sent before."""
        if self._transport.get_write_buffer_size() > 0:
            return
        for name in self.wanted:
            news = hub.news(name, self._known[name])
            if news is not None:
                self._known[name], kind, raw = news
                self._sent[name] += 1
                await self._socket.send_str(framed(name, self._sent[name], kind, raw).decode())

    def drop(self) -> None:
        """End the connection; what a client has not read goes with it."""
        if self._transport.get_write_buffer_size() > 0:
            _set(self._transport, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()


class Stream:
    """All clients, and the one task that looks for changes while there are any."""

    def __init__(self, site: Site) -> None:
        self._hub = Hub(site.encoded)
        self._clients: set[Client] = set()
        self._open = 0
        self._looked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one client until it goes or is closed."""
        if self._open >= limits.STREAM_CLIENTS:
            text = f"{limits.STREAM_CLIENTS} clients have a stream already"
            raise Problem(503, "too_many_clients", text, "close some, or share one stream")
        self._open += 1
        try:
            # Without a pong the connection is closed: a ping after two thirds of the time, the rest to answer it.
            beat_s = limits.STREAM_SILENT_S * 2 / 3
            opened = web.WebSocketResponse(heartbeat=beat_s, compress=False, max_msg_size=limits.STREAM_ASK_BYTES)
            await opened.prepare(request)
            transport = request.transport
            if transport is not None:
                await self._talk(opened, transport)
            return opened
        finally:
            self._open -= 1

    async def _talk(self, opened: web.WebSocketResponse, transport: asyncio.Transport) -> None:
        # The kernel's buffer is a queue too: keep it small.
        _set(transport, socket.SO_SNDBUF, limits.STREAM_BUFFER_BYTES)
        wanted = await _subscribed(opened)
        if wanted is None:
            return
        client = Client(opened, transport, wanted)
        self._clients.add(client)
        if self._task is None:
            self._task = asyncio.ensure_future(self._look())
        tasks = {asyncio.ensure_future(self._send(client)), asyncio.ensure_future(_until_gone(opened))}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                with contextlib.suppress(ConnectionError, RuntimeError):  # it went while something was being sent
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            self._clients.discard(client)
            client.drop()

    async def _send(self, client: Client) -> None:
        looked = self._looked
        while True:
            await looked.wait()
            looked = self._looked
            await client.send(self._hub)

    async def _look(self) -> None:
        turn = 0
        every = round(limits.STREAM_SLOWLY_S / limits.STREAM_EVERY_S)
        while self._clients:
            wanted = {name for client in self._clients for name in client.wanted}
            for name in SECTIONS:
                if name in wanted and (turn % every == 0 or name not in SLOW_SECTIONS or self._hub.lacks(name)):
                    self._take(name)
            turn += 1
            looked, self._looked = self._looked, asyncio.Event()
            looked.set()
            await asyncio.sleep(limits.STREAM_EVERY_S)
        self._task = None

    def _take(self, name: str) -> None:
        try:
            self._hub.look(name)
        except Exception as error:  # noqa: BLE001 - one section's, logged; the others go on
            logger("monitor").warning("a section cannot be shown", section=name, why=repr(error)[:500])

    async def close(self) -> None:
        """Close every connection, since the monitor ends."""
        for client in list(self._clients):
            client.drop()
        if self._task is not None:
            self._task.cancel()


async def _subscribed(opened: web.WebSocketResponse) -> list[str] | None:
    """Return the sections that a client wants, all if it does not say; None if it goes or names an unknown one."""
    try:
        first = await opened.receive(timeout=limits.STREAM_ASK_S)
    except TimeoutError:
        return list(SECTIONS)
    if first.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
        return None
    try:
        wanted = set(msgspec.json.decode(first.data, type=Subscription).sections)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        await opened.close(code=1008, message=f"not understood: {error}".encode()[:120])
        return None
    return [name for name in SECTIONS if name in wanted]


def _set(transport: asyncio.Transport, option: int, value: int | bytes) -> None:
    with contextlib.suppress(OSError):  # it is gone already
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, option, value)


async def _until_gone(opened: web.WebSocketResponse) -> None:
    """Read on, so that pongs and a close are seen; ignore what else a client says."""
    while True:
        message = await opened.receive()
        if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
            return
