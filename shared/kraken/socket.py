"""A WebSocket to Kraken that reconnects: the shell over :mod:`shared.kraken.reconnect`.

Frames are handed on as bytes, untouched. Requests that are sent without a connection are dropped and counted: a request
belongs to the connection that it was made for.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable
from typing import Any  # Any: the websockets package types what it receives by its mode

import websockets
from websockets.asyncio.client import ClientConnection, connect

from shared import limits
from shared.errors import ProxyUnusable
from shared.kraken.reconnect import Reconnect
from shared.proxies import proxy_for


class KrakenSocket:
    """One connection at a time to one address, for as long as :meth:`run` is awaited."""

    def __init__(
        self,
        url: str,
        on_open: Callable[[], None],
        on_frame: Callable[[bytes], None],
        on_close: Callable[[str], None],
        user_agent: str,
        reconnect: Reconnect | None = None,
    ) -> None:
        self.url = url
        self.reconnect = reconnect or Reconnect()
        self.dropped = 0
        # Why there is no connection; empty while there is one.
        self.problem = ""
        self._on_open, self._on_frame, self._on_close = on_open, on_frame, on_close
        self._user_agent = user_agent
        self._queue: deque[str] = deque()
        self._wake = asyncio.Event()
        self._connection: ClientConnection | None = None

    @property
    def connected(self) -> bool:
        """True if there is a connection now."""
        return self._connection is not None

    def send(self, text: str) -> bool:
        """Queue a text frame; False (and counted) without a connection or with a full queue."""
        if self._connection is None or len(self._queue) >= limits.WS_QUEUE_FRAMES:
            self.dropped += 1
            return False
        self._queue.append(text)
        self._wake.set()
        return True

    def close(self, why: str) -> None:
        """Drop the connection; :meth:`run` then makes a new one."""
        connection = self._connection
        if connection is not None:
            self._end(why)
            connection.transport.abort()

    async def run(self) -> None:
        """Connect, read, and connect again, until cancelled."""
        while True:
            self.reconnect.attempting(time.monotonic())
            self._opened_at = 0.0
            why = "closed"
            try:
                async with connect(
                    self.url,
                    proxy=proxy_for(self.url),
                    compression=None,
                    max_size=limits.WS_FRAME_BYTES,
                    max_queue=limits.WS_QUEUE_FRAMES,
                    open_timeout=limits.CONNECT_TIMEOUT_S,
                    close_timeout=0.2,
                    ping_interval=None,
                    user_agent_header=self._user_agent,
                ) as connection:
                    why = await self._live(connection)
            except (OSError, TimeoutError, websockets.WebSocketException) as error:
                why = f"{type(error).__name__}: {error}"
            except ProxyUnusable as error:
                why = str(error)
            self.problem = why
            # A connection that never opened lasted 0 s, however long the attempt took.
            self.reconnect.lasted(time.monotonic() - self._opened_at if self._opened_at else 0.0)
            self._end(why)
            await asyncio.sleep(self.reconnect.delay_s(time.monotonic(), random.random()))

    async def _live(self, connection: ClientConnection) -> str:
        self._opened_at = time.monotonic()
        self._connection, self.problem = connection, ""
        writer = asyncio.ensure_future(self._write(connection))
        self._on_open()
        try:
            while True:
                frame: Any = await connection.recv(decode=False)
                if connection is not self._connection:
                    return "dropped by us"
                self._on_frame(bytes(frame))
        except websockets.ConnectionClosed as error:
            return str(error)
        finally:
            writer.cancel()

    async def _write(self, connection: ClientConnection) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                await connection.send(self._queue.popleft())

    def _end(self, why: str) -> None:
        if self._connection is not None:
            self._connection = None
            self.dropped += len(self._queue)
            self._queue.clear()
            self._on_close(why)
