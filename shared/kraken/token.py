"""Fetch the token of an authenticated WebSocket connection by REST (KRAKEN.md 1)."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec

from shared.errors import RestError, RestRefused, SecretError
from shared.kraken.errors import explained
from shared.kraken.key_backoff import KeyBackoff
from shared.kraken.socket import KrakenSocket

METHOD = "GetWebSocketsToken"


class _Answer(msgspec.Struct):
    token: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """A token, or the problem that there is none; ``is_wanted`` is False once its connection is gone."""

    token: str = ""
    problem: str = ""
    is_wanted: bool = True


async def fetch_token(call: Callable[[], Awaitable[object]], socket: KrakenSocket, key: KeyBackoff) -> Fetched:
    """Fetch a token for the open connection by ``call``, the REST call; a rejected key holds the socket back."""
    connection = socket.reconnect.attempts
    token = problem = ""
    try:
        token = msgspec.convert(await call(), _Answer).token
        key.accepted()
    except RestRefused as error:
        if key.refused(error.errors, time.monotonic()):
            socket.reconnect.hold(key.until_s)
        left_s = key.left_s(time.monotonic())
        again = f"; tried again in {left_s:.0f} s" if left_s else ""
        problem = f"no WebSocket token: {explained(error.errors)}{again}"
    except (RestError, SecretError, msgspec.ValidationError) as error:
        problem = f"no WebSocket token: {error}"
    # A later connection fetches its own.
    return Fetched(token, problem, socket.connected and connection == socket.reconnect.attempts)
