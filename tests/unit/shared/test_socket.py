"""The reconnecting socket: what keeps it from connecting is told and tried again, whatever it is."""

from __future__ import annotations

import asyncio
import errno

import pytest

from shared.kraken import socket as module
from shared.kraken.socket import KrakenSocket


@pytest.mark.parametrize(
    "error", [OSError(errno.EMFILE, "Too many open files"), ConnectionRefusedError(), TimeoutError()]
)
def test_no_error_of_connecting_ends_it(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(module, "connect", fails)
    monkeypatch.setattr(module.Reconnect, "delay_s", lambda *_: 0.0)
    made = KrakenSocket("ws://127.0.0.1:1/", lambda: None, lambda _: None, lambda _: None, "tests")

    async def run() -> None:
        task = asyncio.ensure_future(made.run())
        while made.reconnect.attempts < 3:
            await asyncio.sleep(0)
        assert not task.done()
        assert not made.send("lost")
        task.cancel()

    asyncio.run(run())
    assert made.dropped == 1
