"""A WebSocket to Kraken that reconnects: the shell over :mod:`shared.kraken.reconnect`.

Frames are handed on as bytes, untouched, those of one read together; requests leave at once. Requests that are sent
without a connection are dropped and counted: a request belongs to the connection that it was made for.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable

from picows import WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect
from python_socks import ProxyError

from shared import limits
from shared.errors import ProxyUnusable
from shared.kraken.reconnect import Reconnect
from shared.network.proxies import is_socks, proxy_for

ENDED = "the connection ended without a close frame"
TOO_LARGE = "a message larger than any of Kraken's"


class KrakenSocket:
    """One connection at a time to one address, for as long as :meth:`run` is awaited.

    ``on_open``, ``on_frames`` and ``on_close`` are called from the event loop; what they raise ends :meth:`run`.
    Frames that have been read are handed on before their connection's end is told.
    """

    def __init__(
        self,
        url: str,
        on_open: Callable[[], None],
        on_frames: Callable[[list[bytes]], None],
        on_close: Callable[[str], None],
        user_agent: str,
        reconnect: Reconnect | None = None,
    ) -> None:
        self.url = url
        self.reconnect = reconnect or Reconnect()
        self.dropped = 0
        # Why there is no connection; empty while there is one.
        self.problem = ""
        self._on_open, self._on_frames, self._on_close = on_open, on_frames, on_close
        self._user_agent = user_agent
        self._link: _Link | None = None

    @property
    def connected(self) -> bool:
        """True if there is a connection now."""
        return self._link is not None

    def send(self, text: str) -> bool:
        """Send a text frame; False (and counted) without a connection or with a full queue."""
        if self._link is None or not self._link.send(text.encode()):
            self.dropped += 1
            return False
        return True

    def close(self, why: str) -> None:
        """Drop the connection; :meth:`run` then makes a new one."""
        link = self._link
        if link is not None:
            self._end(why)
            link.abort()

    async def run(self) -> None:
        """Connect, read, and connect again, until cancelled: the connection then ends without ``on_close``."""
        while True:
            self.reconnect.attempting(time.monotonic())
            link = _Link(self._opened, self._on_frames)
            try:
                await self._connect(link)
                await link.over.wait()
                why = link.why
            except (OSError, TimeoutError, WSError, ProxyError) as error:
                why = f"{type(error).__name__}: {error}"
            except ProxyUnusable as error:
                why = str(error)
            except asyncio.CancelledError:
                self._link = None
                raise
            finally:
                link.abort()
            self.problem = why
            # A connection that never opened lasted 0 s, however long the attempt took.
            self.reconnect.lasted(time.monotonic() - link.opened_at if link.opened_at else 0.0)
            self._end(why)
            if link.error is not None:
                raise link.error
            await asyncio.sleep(self.reconnect.delay_s(time.monotonic(), random.random()))

    async def _connect(self, link: _Link) -> None:
        async with asyncio.timeout(limits.CONNECT_TIMEOUT_S):
            await ws_connect(
                lambda: link,
                self.url,
                proxy=_known_scheme(proxy_for(self.url)),
                max_frame_size=limits.WS_FRAME_BYTES,
                max_redirects=0,
                websocket_handshake_timeout=limits.CONNECT_TIMEOUT_S,
                extra_headers={"User-Agent": self._user_agent},
                logger_name="kraken",
            )

    def _opened(self, link: _Link) -> None:
        self._link, self.problem = link, ""
        self._on_open()

    def _end(self, why: str) -> None:
        if self._link is not None:
            self._link.hand_on()
            self.dropped += self._link.waiting
            self._link = None
            self._on_close(why)


def _known_scheme(proxy: str | None) -> str | None:
    """Return a proxy's address as picows takes it: it does not know ``socks5h`` and ``socks4a``.

    Their last letter says that the proxy resolves host names, which it does for version 5 anyway.
    """
    if proxy is None or not is_socks(proxy):
        return proxy
    scheme, _, rest = proxy.partition("://")
    return f"{scheme.rstrip('ah')}://{rest}"


class _Link(WSListener):
    """One connection, from its opening to its end: ``over`` is set then, and ``why`` says why it ended.

    ``error`` is what a callback raised.
    """

    def __init__(self, on_open: Callable[[_Link], None], on_frames: Callable[[list[bytes]], None]) -> None:
        self.over = asyncio.Event()
        self.why = ENDED
        self.error: Exception | None = None
        self.opened_at = 0.0
        self._on_open, self._on_frames = on_open, on_frames
        self._transport: WSTransport | None = None
        self._is_over = False
        # Messages that were read and not handed on.
        self._read: list[bytes] = []
        # The parts so far of a message in several frames.
        self._parts = bytearray()
        # What waits while the kernel takes no more.
        self._is_full = False
        self._queue: deque[bytes] = deque()

    @property
    def waiting(self) -> int:
        """Return how many requests have not left."""
        return len(self._queue)

    def send(self, text: bytes) -> bool:
        """Send a text frame; False with a full queue."""
        assert self._transport is not None
        if not self._is_full:
            self._transport.send(WSMsgType.TEXT, text)
        elif len(self._queue) < limits.WS_QUEUE_FRAMES:
            self._queue.append(text)
        else:
            return False
        return True

    def hand_on(self) -> None:
        """Hand on what has been read."""
        read, self._read = self._read, []
        if read and self.error is None:
            self._guarded(lambda: self._on_frames(read))

    def abort(self) -> None:
        """End the connection at once; nothing that still comes is handed on."""
        self._is_over = True
        if self._transport is not None:
            self._transport.disconnect(graceful=False)

    # --- called by picows ----------------------------------------------------------------------------------------

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Begin."""
        self._transport, self.opened_at = transport, time.monotonic()
        self._guarded(lambda: self._on_open(self))

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Keep a message until all of this read are there; one in several frames when its last has come."""
        if self._is_over:
            return
        if frame.msg_type is WSMsgType.CLOSE:
            reason = frame.get_close_reason()
            self.why = f"closed by the other side: {frame.get_close_code()}{f' {reason}' if reason else ''}"
            transport.disconnect()
        elif frame.msg_type in (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION):
            payload = frame.get_payload_as_bytes()
            if frame.fin and not self._parts:
                self._take(payload)
                return
            self._parts += payload
            if len(self._parts) > limits.WS_FRAME_BYTES:
                self.why = TOO_LARGE
                self.abort()
            elif frame.fin:
                self._take(bytes(self._parts))
                self._parts.clear()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """End."""
        self._is_over = True
        self.over.set()

    def pause_writing(self) -> None:
        """Keep what is sent, since the kernel takes no more."""
        self._is_full = True

    def resume_writing(self) -> None:
        """Send what was kept."""
        self._is_full = False
        while self._queue and not self._is_full:
            assert self._transport is not None
            self._transport.send(WSMsgType.TEXT, self._queue.popleft())

    def _take(self, message: bytes) -> None:
        if not self._read:
            asyncio.get_running_loop().call_soon(self.hand_on)
        self._read.append(message)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - run() raises it, which ends the process
            self.error, self.why = error, repr(error)
            self.abort()
