"""The private connection's shell: a fresh token for each connection, REST calls in order with rising nonces."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol  # Any: Kraken's answers, read by the core that made the call

from executor.effects import RestCall
from shared.background import Background
from shared.config import Config
from shared.errors import RestError, RestRefused, SecretError
from shared.kraken.errors import Meaning, meaning
from shared.kraken.key_backoff import KeyBackoff
from shared.kraken.rest import Rest
from shared.kraken.socket import KrakenSocket
from shared.kraken.token import METHOD, fetch_token
from shared.process.logs import logger
from shared.version import tradebyte_version


class Listener(Protocol):
    """Called with what happens on the private connection."""

    def token_requested(self) -> None:
        """Count the call for a token as it leaves."""

    def opened(self, token: str) -> None:
        """Begin a connection with this token."""

    def frames(self, frames: list[bytes]) -> None:
        """Take in the frames of one read."""

    def closed(self, why: str) -> None:
        """End the connection."""

    def rest_answer(self, call: RestCall, result: object) -> None:
        """Take in a REST call's answer."""

    def rest_failed(self, call: RestCall, why: str) -> None:
        """Take in that a REST call had no usable answer."""

    def newer_writer(self, why: str) -> None:
        """Give way: the exchange has seen a higher nonce of the key than ours."""


class RestCalls(Protocol):
    """The calls of :class:`shared.kraken.rest.Rest` that are made here."""

    async def public(self, method: str, params: Mapping[str, str] | None = None) -> Any:
        """Make a public call."""

    async def private(self, method: str, params: Mapping[str, str], nonce: int) -> Any:
        """Make a private call."""

    async def close(self) -> None:
        """End the session."""


class Private:
    """WebSocket and REST of the executor's key. A nonce is ``epoch`` * 10**9 + counter.

    ``rest`` is a client to use instead of the configured one.
    """

    def __init__(
        self, config: Config, epoch: Callable[[], int], listener: Listener, rest: RestCalls | None = None
    ) -> None:
        kraken = config.kraken
        agent = f"TradeByte/{tradebyte_version()}"
        self._token_problem = ""
        self._key = KeyBackoff()
        self.socket = KrakenSocket(kraken.ws_auth_url, self._opened, listener.frames, listener.closed, agent)
        self._rest = rest or Rest(kraken.rest_url, kraken.api_key, kraken.api_secret, agent)
        self._epoch = epoch
        self._counter = 0
        self._counted_epoch = 0
        self._listener = listener
        self._lock = asyncio.Lock()
        self._background = Background(self._failed)

    @property
    def problem(self) -> str:
        """Return why there is no private stream; empty if nothing is known to be wrong."""
        return self._token_problem or self.socket.problem

    async def call(self, method: str, params: dict[str, str]) -> Any:  # Kraken's answer, read by the caller
        """Make a private REST call; nonces leave in order. Raises RestRefused or RestError."""
        async with self._lock:
            if self._key.is_locked_out(time.monotonic()):
                raise RestRefused(self._key.errors)
            try:
                return await self._rest.private(method, params, self._nonce())
            except RestRefused as error:
                if self._key.locked_out(error.errors, time.monotonic()):
                    self.socket.reconnect.hold(self._key.until_s)
                if any(meaning(text) is Meaning.NEWER_WRITER for text in error.errors):
                    self._listener.newer_writer(", ".join(error.errors))
                raise

    def start(self, call: RestCall) -> None:
        """Make a REST call of the core in the background."""

        async def make() -> None:
            try:
                if call.is_public:
                    result = await self._rest.public(call.method, call.params)
                else:
                    result = await self.call(call.method, call.params)
            except (RestRefused, RestError, SecretError) as error:
                self._listener.rest_failed(call, str(error))
            else:
                self._listener.rest_answer(call, result)

        self._background.start(make())

    async def close(self) -> None:
        """End the REST session."""
        await self._rest.close()

    def _nonce(self) -> int:
        epoch = self._epoch()
        if epoch != self._counted_epoch:
            self._counted_epoch, self._counter = epoch, 0
        self._counter += 1
        return epoch * 10**9 + self._counter

    def _opened(self) -> None:
        self._background.start(self.subscribe())

    async def subscribe(self) -> None:
        """Fetch a token for the open connection, and hand it to the listener; without one drop the connection."""
        self._listener.token_requested()
        fetched = await fetch_token(lambda: self.call(METHOD, {}), self.socket, self._key)
        self._token_problem = fetched.problem
        if not fetched.is_wanted:
            return
        if fetched.problem:
            self.socket.close(fetched.problem)
        else:
            self._listener.opened(fetched.token)

    def _failed(self, error: BaseException) -> None:
        """Log the error that ended a task, and drop the connection for a new one."""
        self._token_problem = f"the private connection failed: {type(error).__name__}"
        logger("executor").error("private connection failed", exc_info=error)
        self.socket.close(self._token_problem)
