"""The private connection: a key that Kraken refuses is left alone, and nothing that goes wrong is lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import pytest

from executor.effects import RestCall
from executor.exchange.connection import Private
from shared.errors import RestError, RestRefused
from shared.kraken.rest import Rest
from tests.kit.executor_world import configuration
from tests.kit.private_listener import KeepingListener


class Answers:
    """REST that answers each call with the same refusal, and counts."""

    def __init__(self, *errors: str) -> None:
        self.errors, self.calls = list(errors), 0

    async def public(self, method: str, params: Mapping[str, str] | None = None) -> Any:
        raise AssertionError(f"{method} with {params} is not called here")

    async def close(self) -> None: ...

    async def private(self, _method: str, _params: Mapping[str, str], _nonce: int) -> Any:
        self.calls += 1
        raise RestRefused(self.errors)


def ignore(*_: object) -> None: ...


def connected(rest: Answers, use: Callable[[Private], Coroutine[Any, Any, None]]) -> Private:
    """Runs ``use`` with a private connection whose REST is ``rest``."""
    made: list[Private] = []

    async def run() -> None:
        private = Private(configuration(), lambda: 1, KeepingListener(), rest)
        made.append(private)
        await use(private)

    asyncio.run(run())
    return made[0]


@pytest.mark.parametrize(
    ("error", "wait_s"), [("EAPI:Invalid key", 5), ("EGeneral:Temporary lockout", 900), ("EAPI:Invalid signature", 5)]
)
def test_a_refused_key_holds_the_next_connection_back(error: str, wait_s: float) -> None:
    private = connected(Answers(error), Private.subscribe)
    assert private.socket.reconnect.delay_s(time.monotonic(), 0.0) == pytest.approx(wait_s, abs=2)
    assert error in private.problem
    assert "tried again in" in private.problem


def test_while_kraken_answers_nothing_no_call_is_made() -> None:
    rest = Answers("EGeneral:Temporary lockout")

    async def use(private: Private) -> None:
        for _ in range(3):
            with pytest.raises(RestRefused, match="Temporary lockout"):
                await private.call("TradesHistory", {})

    connected(rest, use)
    assert rest.calls == 1


def test_a_right_that_is_missing_for_one_call_stops_no_other() -> None:
    rest = Answers("EGeneral:Permission denied")

    async def use(private: Private) -> None:
        for _ in range(3):
            with pytest.raises(RestRefused):
                await private.call("ClosedOrders", {})

    connected(rest, use)
    assert rest.calls == 3


def test_a_key_that_no_header_can_hold_is_an_error_that_somebody_hears() -> None:
    async def use() -> None:
        server = await asyncio.start_server(ignore, "127.0.0.1", 0)
        rest = Rest(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "a-key\r", "c2Vj", "tests")
        with pytest.raises(RestError, match="is the key whole") as caught:
            await rest.private("Balance", {}, 1)
        assert "a-key" not in str(caught.value)
        await rest.close()
        server.close()

    asyncio.run(use())


def test_a_secret_that_is_none_fails_the_call_and_not_silently() -> None:
    listener = KeepingListener()

    async def run() -> None:
        rest = Rest("http://127.0.0.1:1", "key", "no base64!", "tests")
        private = Private(configuration(), lambda: 1, listener, rest)
        private.start(RestCall("t", "Balance", {}))
        while not listener.failures:
            await asyncio.sleep(0)

    asyncio.run(run())
    assert listener.failures == ["the API secret is not base64; copy it again from Kraken"]


def test_what_nobody_foresaw_is_told_and_the_connection_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []

    class Broken(Answers):
        async def private(self, _method: str, _params: Mapping[str, str], _nonce: int) -> Any:
            raise ZeroDivisionError("never seen before")

    async def use(private: Private) -> None:
        monkeypatch.setattr(private.socket, "close", closed.append)
        private.start(RestCall("t", "Balance", {}))
        while not closed:
            await asyncio.sleep(0)

    private = connected(Broken(), use)
    assert closed == [private.problem] == ["the private connection failed: ZeroDivisionError"]
