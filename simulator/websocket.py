"""The WebSocket shell: sockets, the delay between client and exchange, and bounded queues.

A request takes the way to the exchange, its turnaround inside, and the answer the way back; a connection keeps its
order both ways. A client that does not read is dropped at the bound and slows nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections import deque
from collections.abc import Callable
from random import Random

from aiohttp import WSMsgType, web

from simulator import errors
from simulator.session import Request, Session
from simulator.wire import NS
from simulator.world import World
from simulator.ws_v1.private import PrivateSessionV1
from simulator.ws_v1.public import PublicSessionV1
from simulator.ws_v2.private import PrivateSession
from simulator.ws_v2.public import PublicSession

# Prefixes of the private side's hosts; level3 has a host of its own.
PRIVATE_HOSTS = ("ws-auth.", "ws-l3.")
FRAME_BYTES_MAX = 64 * 1024
QUEUE_BYTES_MAX = 8 * 1024 * 1024
QUEUE_FRAMES_MAX = 20_000
INBOX_MAX = 500
CONNECTIONS_MAX = 500
ATTEMPTS_MAX, ATTEMPTS_NS, ADDRESSES_MAX = 150, 600 * NS, 1000
# Medians in ms of what a request takes inside the exchange (MARKET.md), and the spread of their logarithm.
TURNAROUND_MS = {
    "amend_order": 1.2,
    "cancel_order": 2.4,
    "add_order": 6.9,
    "edit_order": 7.0,
    "batch_add": 7.0,
    "batch_cancel": 7.0,
    "cancel_all": 8.4,
    "amendOrder": 1.2,
    "cancelOrder": 2.4,
    "addOrder": 6.9,
    "editOrder": 7.0,
    "cancelAll": 8.4,
}
TURNAROUND_SPREAD = 0.45
_log = logging.getLogger("simulator")


class Clock:
    """The wall clock in ns, never going back unless a fault moves it."""

    def __init__(self) -> None:
        self._last = 0
        self._offset = 0

    def __call__(self) -> int:
        """Return the exchange's time."""
        self._last = max(self._last, time.time_ns())
        return self._last + self._offset

    def put_off(self, offset_ns: int) -> None:
        """Keep the exchange's time so far from the wall clock's from now on."""
        self._offset = offset_ns

    def steady(self) -> int:
        """Return ns that pass evenly, for delays."""
        return time.monotonic_ns()


class VirtualClock(Clock):
    """A clock that stands still until it is put forward."""

    def __init__(self, start: int) -> None:
        super().__init__()
        self._last = start

    def __call__(self) -> int:
        """Return the exchange's time."""
        return self._last + self._offset

    def steady(self) -> int:
        """Return the exchange's time, without what a fault puts it off by."""
        return self._last

    def advance(self, by: int) -> None:
        """Put the clock forward by so many ns."""
        self._last += by


class Delays:
    """Draw turnarounds; the way between client and exchange takes ``one_way_ns`` each way.

    ``none`` is for virtual time, which no answer waits for.
    """

    def __init__(self, one_way_ms: float, seed: int, *, none: bool = False) -> None:
        self.none = none
        self.one_way_ns = 0 if none else int(one_way_ms * 1e6)
        self._rng = Random(f"delays {seed}")

    def turnaround_ns(self, method: str) -> int:
        """Draw the time (ns) that a request of this kind takes inside the exchange."""
        median = TURNAROUND_MS.get(method)
        if median is None or self.none:
            return 0
        return int(self._rng.lognormvariate(math.log(median), TURNAROUND_SPREAD) * 1e6)


class Connection:
    """One client: messages to it wait in an outbox, in order; ``due`` orders its requests."""

    def __init__(self, socket: web.WebSocketResponse, delays: Delays, clock: Clock, drop: Callable[[], None]) -> None:
        self.socket = socket
        self.delays = delays
        self.clock = clock
        self.dropped = False
        self._drop = drop
        self._outbox: deque[tuple[int, str]] = deque()
        self._bytes = 0
        self._ready = asyncio.Event()
        self._last_due = 0

    def send(self, text: str) -> None:
        """Queue a message; past the bound the client is dropped."""
        if self.dropped:
            return
        self._bytes += len(text)
        if self._bytes > QUEUE_BYTES_MAX or len(self._outbox) >= QUEUE_FRAMES_MAX:
            self.dropped = True
            self._outbox.clear()
            self._drop()
            return
        self._outbox.append((self.clock.steady() + self.delays.one_way_ns, text))
        self._ready.set()

    @property
    def queued(self) -> int:
        """Return the number of messages that wait."""
        return len(self._outbox)

    async def write(self) -> None:
        """Send what is due, in order, until the connection ends."""
        outbox = self._outbox
        while True:
            if not outbox:
                self._ready.clear()
                await self._ready.wait()
            now = self.clock.steady()
            if outbox and outbox[0][0] > now:
                await asyncio.sleep((outbox[0][0] - now) / NS)
            while outbox and outbox[0][0] <= now:
                _, text = outbox.popleft()
                await self.socket.send_str(text)
                self._bytes -= len(text)

    def due(self, arrived: int, method: str) -> int:
        """Return when (steady clock) the exchange acts on a request; never before an earlier one of this connection."""
        self._last_due = max(self._last_due, arrived + self.delays.turnaround_ns(method))
        return self._last_due


def _close_with(socket: web.WebSocketResponse, code: int) -> None:
    asyncio.ensure_future(socket.close(code=code))  # noqa: RUF006 - the reader sees it end


def _is_private_host(request: web.Request) -> bool:
    return request.host.startswith(PRIVATE_HOSTS)


class Attempts:
    """Connection attempts by address, at most ``most`` in ten minutes (KRAKEN.md 1.11); 0 is no limit.

    An address that passes it is turned away for ten minutes.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._seen: dict[str, deque[int]] = {}
        self._banned: dict[str, int] = {}

    def allowed(self, address: str, now: int) -> bool:
        """Count an attempt (ns of a steady clock); True if it may go on."""
        if not self._most:
            return True
        if now < self._banned.get(address, 0):
            return False
        if len(self._seen) >= ADDRESSES_MAX and address not in self._seen:
            self._seen.clear()
        seen = self._seen.setdefault(address, deque())
        while seen and seen[0] <= now - ATTEMPTS_NS:
            seen.popleft()
        seen.append(now)
        if len(seen) <= self._most:
            self._banned.pop(address, None)
            return True
        self._banned[address] = now + ATTEMPTS_NS
        return False


class WebSockets:
    """All connections of a world; ``flush`` is called after each request."""

    def __init__(self, world: World, clock: Clock, delays: Delays) -> None:
        self.world = world
        self.clock = clock
        self.delays = delays
        self.sessions: dict[Session, Connection] = {}
        self.dropped = 0
        # In virtual time, which may stand still, attempts are not counted.
        self.attempts = Attempts(0 if delays.none else ATTEMPTS_MAX)
        self._ids = Random(f"connections {clock()}")

    async def public(self, request: web.Request) -> web.StreamResponse:
        """Serve ``/v2``; the private side where a client names it by the host alone."""
        return await self._serve(request, PrivateSession if _is_private_host(request) else PublicSession)

    async def private(self, request: web.Request) -> web.StreamResponse:
        """Serve ``/auth/v2``."""
        return await self._serve(request, PrivateSession)

    async def public_v1(self, request: web.Request) -> web.StreamResponse:
        """Serve ``/``; the host chooses the side, as with ``/v2``."""
        return await self._serve(request, PrivateSessionV1 if _is_private_host(request) else PublicSessionV1)

    async def private_v1(self, request: web.Request) -> web.StreamResponse:
        """Serve ``/auth``."""
        return await self._serve(request, PrivateSessionV1)

    async def _serve(
        self, request: web.Request, kind: type[PublicSession | PrivateSession | PublicSessionV1 | PrivateSessionV1]
    ) -> web.StreamResponse:
        if len(self.sessions) >= CONNECTIONS_MAX or not self.attempts.allowed(
            request.remote or "", self.clock.steady()
        ):
            return web.Response(status=429)
        # Own pings would close connections of slow clients; Kraken's sign of life is its heartbeat.
        socket = web.WebSocketResponse(max_msg_size=FRAME_BYTES_MAX, compress=False, autoping=True, timeout=1.0)
        if not socket.can_prepare(request).ok:
            return web.Response(status=426, text="a WebSocket lives here")
        await socket.prepare(request)

        def drop() -> None:
            self.dropped += 1
            if request.transport is not None:
                request.transport.abort()

        connection = Connection(socket, self.delays, self.clock, drop)
        session = kind(self.world, self._ids.randrange(2**54, 2**64), connection.send)
        session.hang_up = drop
        session.close_with = lambda code: _close_with(socket, code)
        self.sessions[session] = connection
        inbox: asyncio.Queue[tuple[int, Request] | None] = asyncio.Queue(INBOX_MAX)
        tasks = [asyncio.create_task(connection.write()), asyncio.create_task(self._work(session, inbox))]
        try:
            session.open(self.clock())
            await self._read(socket, session, connection, inbox)
            # Requests that have arrived are carried out even if the client is gone by then.
            await inbox.put(None)
            await tasks[1]
        finally:
            session.close()
            del self.sessions[session]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with contextlib.suppress(ConnectionError, RuntimeError):
                await socket.close()
        return socket

    async def _read(
        self,
        socket: web.WebSocketResponse,
        session: Session,
        connection: Connection,
        inbox: asyncio.Queue[tuple[int, Request] | None],
    ) -> None:
        async for message in socket:
            if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                arrived = self.clock() + self.delays.one_way_ns
                # Some clients send text in binary frames; bytes that are no UTF-8 become no JSON.
                data = message.data if isinstance(message.data, str) else message.data.decode(errors="replace")
                request = session.read(data, arrived)
                # A full inbox stops the reading, and with it the client.
                # By the steady clock: a fault that moves the other one delays nobody.
                steady = self.clock.steady() + self.delays.one_way_ns
                await inbox.put((connection.due(steady, request.method), request))
            elif message.type is WSMsgType.ERROR:
                break

    async def _work(self, session: Session, inbox: asyncio.Queue[tuple[int, Request] | None]) -> None:
        while (item := await inbox.get()) is not None:
            due, request = item
            wait = due - self.clock.steady()
            if wait > 0:
                await asyncio.sleep(wait / NS)
            now = self.clock()
            try:
                session.handle(request, now)
            except Exception:  # noqa: BLE001 - the bound around each request: logged, answered, survived
                _log.exception("a request failed: %s", request.method)
                session.refuse(request, errors.INTERNAL_ERROR, now)
            self.world.flush(now)
            # Give other connections a turn between the requests of a full inbox.
            await asyncio.sleep(0)

    async def beat(self) -> None:
        """Send heartbeats once a second to everyone, and close idle connections."""
        while True:
            await asyncio.sleep(1.0)
            self.beat_all()

    def beat_all(self) -> None:
        """Send one heartbeat to everyone, and close idle connections."""
        now = self.clock()
        self.world.now = now
        for session, connection in tuple(self.sessions.items()):
            if not session.beat(now):
                asyncio.ensure_future(connection.socket.close())  # noqa: RUF006 - the reader sees it end

    async def drained(self) -> None:
        """Wait until what is due has been handed to the sockets, or for a second."""
        for _ in range(1000):
            if not any(connection.queued for connection in self.sessions.values()):
                return
            await asyncio.sleep(0.001)

    @property
    def crowded(self) -> bool:
        """True if a client's queue is so full that time had better wait for it."""
        return any(connection.queued > QUEUE_FRAMES_MAX // 4 for connection in self.sessions.values())

    async def close(self) -> None:
        """Close every connection."""
        await asyncio.gather(
            *(connection.socket.close() for connection in self.sessions.values()), return_exceptions=True
        )
