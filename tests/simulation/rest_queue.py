"""A process's REST calls, one after another, over a way that may be cut and loses answers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from shared import limits
from shared.clock import SECOND

if TYPE_CHECKING:
    from tests.simulation.host import Host

Done = Callable[[Any, str], None]


class RestQueue:
    """The calls of one life of a process."""

    def __init__(self, host: Host) -> None:
        self.host, self.life = host, host.life
        self._calls: deque[tuple[str, dict[str, str], Done]] = deque()
        self._is_busy = False
        self._nonce = self._nonce_epoch = 0

    def call(self, method: str, params: dict[str, str], done: Done) -> None:
        """Make a call when those before it are done; ``done`` takes its result, or its error."""
        self._calls.append((method, params, done))
        self._next()

    def _next(self) -> None:
        host = self.host
        if self._is_busy or not self._calls or not self._is_alive():
            return
        self._is_busy = True
        method, params, done = self._calls.popleft()
        if host.state.life.epoch != self._nonce_epoch:
            self._nonce_epoch, self._nonce = host.state.life.epoch, 0
        self._nonce += 1
        nonce = host.state.life.epoch * 10**9 + self._nonce
        host.loop.after(host.kraken.delay() / SECOND, self._arrive, method, params, nonce, done)

    def _arrive(self, method: str, params: dict[str, str], nonce: int, done: Done) -> None:
        host = self.host
        wait = host.kraken.delay() / SECOND
        try:
            if not host.network:
                raise ConnectionError("no network")
            result, error = host.kraken.rest(host.config.kraken.api_key, method, params, nonce)
        except ConnectionError as gone:
            result, error, wait = None, str(gone), limits.REST_TIMEOUT_S * host.rng.random()
        host.loop.after(wait, self._answer, result, error, done)

    def _answer(self, result: Any, error: str, done: Done) -> None:
        host = self.host
        if not self._is_alive() or host.is_frozen(self._answer, result, error, done):
            return
        self._is_busy = False
        if error.startswith("EAPI:Invalid nonce"):
            text = f"a newer writer uses this API key: {error}"
            host.state.session.give_way(text)
            host.state.out.give_way(text)
        host.guard(done, result, error)
        if self._is_alive():
            self._next()

    def _is_alive(self) -> bool:
        return self.host.running and self.host.life == self.life
