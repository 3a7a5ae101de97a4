"""The second connection's shell: a token by REST with the data key, a socket, and the effects of its core.

It is there while somebody subscribes to single orders by name, as ``record`` does, and a while longer. Whatever happens
here is logged and shown; the public feed goes on.
"""

from __future__ import annotations

import asyncio

from collector.feed.level3 import Figures, Level3Feed
from shared import limits
from shared.background import Background
from shared.bus import topics
from shared.clock import SECOND, boot_ns, wall_ns
from shared.kraken.key_backoff import KeyBackoff
from shared.kraken.reconnect import Reconnect
from shared.kraken.rest import Rest
from shared.kraken.socket import KrakenSocket
from shared.kraken.token import METHOD, fetch_token
from shared.process.loop import Process
from shared.version import tradebyte_version

KEPT_NS = int(limits.LEVEL3_KEPT_S * SECOND)


class Level3Connection:
    """Wires the core of single orders to a socket and the bus."""

    def __init__(self, process: Process, feed: Level3Feed) -> None:
        kraken = process.config.kraken
        agent = f"TradeByte/{tradebyte_version()}"
        self._process, self._feed = process, feed
        self._rest = Rest(kraken.rest_url, kraken.data_key, kraken.data_secret, agent)
        self._key = KeyBackoff()
        self._problem = ""
        self._background = Background(self._failed)
        self._running: asyncio.Task[None] | None = None
        self._read_at = 0
        self._socket = KrakenSocket(
            kraken.ws_level3_url,
            self._opened,
            self._frames,
            self._closed,
            agent,
            Reconnect(limits.LEVEL3_ATTEMPTS_10_MIN),
        )

    def refresh(self, now: int) -> None:
        """Fetch new snapshots for a reader that joined late."""
        self._feed.refresh(now)

    def on_turn(self, now: int) -> None:
        """Connect or end the connection by who reads it, turn the core, and show the state in the heartbeat."""
        if self._process.publisher.is_named(topics.SINGLE_ORDERS):
            self._read_at = now
            if self._running is None:
                self._running = self._background.start(self._socket.run())
        elif self._running is not None and now - self._read_at > KEPT_NS:
            self._running.cancel()
            self._running = None
            self._feed.closed()
        self._feed.turn(now)
        self._carry_out()
        self._process.details["level3"] = self.figures()

    def figures(self) -> Figures:
        """Return the state for people."""
        problem = self._problem or self._socket.problem if self._running is not None else ""
        return self._feed.figures(problem, self._socket.reconnect.attempts, is_read=self._running is not None)

    def _opened(self) -> None:
        self._background.start(self._subscribe())

    def _frames(self, frames: list[bytes]) -> None:
        for raw in frames:
            self._feed.frame(raw, boot_ns())
        self._carry_out()

    def _closed(self, why: str) -> None:
        self._process.log.warning("level3 connection lost, connecting again", why=why)
        self._feed.closed()

    async def _subscribe(self) -> None:
        """Fetch a token for the open connection; without one drop the connection."""
        fetched = await fetch_token(lambda: self._rest.private(METHOD, {}, wall_ns()), self._socket, self._key)
        self._problem = fetched.problem
        if not fetched.is_wanted:
            return
        if fetched.problem:
            self._socket.close(fetched.problem)
        else:
            self._feed.opened(fetched.token, boot_ns())
            self._carry_out()

    def _carry_out(self) -> None:
        wanted = self._feed.take()
        self._process.dispatch(wanted)
        for request in wanted.requests:
            self._socket.send(request)
        if wanted.reconnect:
            self._socket.close(wanted.reconnect)

    def _failed(self, error: BaseException) -> None:
        """Log the error that ended a task; the public feed goes on without it."""
        self._problem = f"the level3 connection failed: {type(error).__name__}"
        self._process.log.error("level3 connection failed", exc_info=error)
        self._feed.closed()
