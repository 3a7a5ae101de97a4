"""The token of a connection: handed on while it is wanted, a problem by name, and a rejected key left alone."""

from __future__ import annotations

import asyncio
import time

import pytest

from shared.errors import RestError, RestRefused
from shared.kraken.key_backoff import KeyBackoff
from shared.kraken.socket import KrakenSocket
from shared.kraken.token import Fetched, fetch_token


class Connected(KrakenSocket):
    """A socket that says it has a connection."""

    def __init__(self) -> None:
        super().__init__("wss://nowhere", lambda: None, lambda _: None, lambda _: None, "test")

    @property
    def connected(self) -> bool:
        return True


def fetched(answer: object, *, reconnects: bool = False) -> tuple[Fetched, KrakenSocket]:
    """Return what is fetched from a REST call that has this answer, or raises it."""

    async def run() -> tuple[Fetched, KrakenSocket]:
        socket = Connected()

        async def call() -> object:
            if reconnects:
                socket.reconnect.attempting(time.monotonic())
            if isinstance(answer, Exception):
                raise answer
            return answer

        return await fetch_token(call, socket, KeyBackoff()), socket

    return asyncio.run(run())


def test_a_token_is_for_the_connection_that_it_was_fetched_for() -> None:
    assert fetched({"token": "t", "expires": 900})[0] == Fetched("t")
    assert fetched({"token": "t"}, reconnects=True)[0] == Fetched("t", is_wanted=False)


@pytest.mark.parametrize("answer", [{}, {"token": 5}, [], None, RestError("no answer")])
def test_without_a_token_there_is_a_problem(answer: object) -> None:
    got, socket = fetched(answer)
    assert got.token == ""
    assert got.problem.startswith("no WebSocket token: ")
    assert socket.reconnect.delay_s(time.monotonic(), 0.0) < 2


def test_a_rejected_key_holds_the_next_connection_back() -> None:
    got, socket = fetched(RestRefused(["EGeneral:Temporary lockout"]))
    assert "EGeneral:Temporary lockout" in got.problem
    assert "tried again in" in got.problem
    assert socket.reconnect.delay_s(time.monotonic(), 0.0) > 800
