"""A listener of the private connection that keeps what it hears."""

from __future__ import annotations

from typing import Any

from executor.effects import RestCall


class KeepingListener:
    """An :class:`executor.exchange.connection.Listener` that keeps its calls."""

    def __init__(self) -> None:
        self.token_calls = 0
        self.tokens: list[str] = []
        self.closures: list[str] = []
        self.failures: list[str] = []

    def token_requested(self) -> None:
        self.token_calls += 1

    def opened(self, token: str) -> None:
        self.tokens.append(token)

    def frames(self, frames: list[bytes]) -> None: ...

    def closed(self, why: str) -> None:
        self.closures.append(why)

    def rest_answer(self, call: RestCall, result: Any) -> None: ...

    def rest_failed(self, call: RestCall, why: str) -> None:
        self.failures.append(why)

    def newer_writer(self, why: str) -> None: ...
