"""REST calls against a server on this machine: what leaves, what comes back, and how each failure is told."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from shared import limits
from shared.errors import ProxyUnusable, RestError, RestRefused
from shared.kraken import rest as module
from shared.kraken.rest import Rest, parse_answer
from shared.kraken.signing import sign

SECRET = "a2V5"
Call = Callable[[Rest], Awaitable[Any]]


class Server:
    """Answers every call with one body, and keeps what it was asked."""

    def __init__(self, body: bytes = b'{"error":[],"result":{"a":"1"}}', status: int = 200) -> None:
        self.body, self.status = body, status
        self.requests: list[tuple[str, str, bytes, dict[str, str]]] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.method, request.path_qs, await request.read(), dict(request.headers)))
        response = web.StreamResponse(status=self.status)
        await response.prepare(request)
        for start in range(0, len(self.body), 7):  # in pieces, as a network brings it
            await response.write(self.body[start : start + 7])
            for _ in range(20):  # turns of the loop in which the piece arrives
                await asyncio.sleep(0)
        await response.write_eof()
        return response


def call(made: Server, *calls: Call) -> list[Any]:
    """Make calls in one session; an exception of one is its result."""

    async def run() -> list[Any]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", made.answer)
        async with TestServer(app) as server:
            rest = Rest(str(server.make_url("/")), "KEY", SECRET, "tests/1")
            try:
                return [await _result(each, rest) for each in calls]
            finally:
                await rest.close()
                await rest.close()  # a second time it does nothing

    return asyncio.run(run())


async def _result(each: Call, rest: Rest) -> Any:
    try:
        return await each(rest)
    except (RestError, RestRefused) as error:
        return error


def public(rest: Rest) -> Awaitable[Any]:
    return rest.public("Time")


def test_a_public_call_has_its_parameters_in_its_address() -> None:
    made = Server()
    assert call(made, public, lambda rest: rest.public("Ticker", {"pair": "XBT/USD"})) == [{"a": "1"}, {"a": "1"}]
    assert [(verb, path, body) for verb, path, body, _ in made.requests] == [
        ("GET", "/0/public/Time", b""),
        ("GET", "/0/public/Ticker?pair=XBT/USD", b""),
    ]
    assert made.requests[0][3]["User-Agent"] == "tests/1"


def test_a_private_call_is_a_signed_form_and_json_where_a_parameter_is_a_list() -> None:
    made = Server()
    call(
        made, lambda rest: rest.private("AddOrder", {"pair": "X"}, 5), lambda rest: rest.private("Batch", {"a": [1]}, 6)
    )
    (verb, path, form, headers), (_, _, listed, more) = made.requests
    assert (verb, path, form) == ("POST", "/0/private/AddOrder", b"nonce=5&pair=X")
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert (headers["API-Key"], headers["API-Sign"]) == ("KEY", sign(SECRET, path, "5", form))
    assert (listed, more["Content-Type"]) == (b'{"nonce":"6","a":[1]}', "application/json")


@pytest.mark.parametrize(
    ("body", "status", "kind", "text"),
    [
        (b'{"error":["EOrder:Insufficient funds"]}', 200, RestRefused, "EOrder:Insufficient funds"),
        (b"<html>busy</html>", 502, RestError, "HTTP 502: b'<html>busy</html>'"),
        (b"<html>busy</html>", 200, RestError, "not Kraken's JSON: b'<html>busy</html>'"),
    ],
)
def test_an_answer_that_is_no_result_says_why(body: bytes, status: int, kind: type[Exception], text: str) -> None:
    (error,) = call(Server(body, status), public)
    assert isinstance(error, kind)
    assert text in str(error)


def test_an_answer_is_read_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REST_BODY_BYTES", 20)
    (error,) = call(Server(b'{"error":[],"result":"' + b"x" * 100 + b'"}'), public)
    assert str(error) == 'not Kraken\'s JSON: b\'{"error":[],"result"\''


def test_warnings_are_no_refusal_and_an_answer_without_a_result_is_an_empty_one() -> None:
    assert parse_answer(b'{"error":["WGeneral:slow"],"result":7}') == 7
    assert parse_answer(b'{"error":["WGeneral:slow"]}') == {}


# --- what keeps it from being asked ----------------------------------------------------------------------------------


def raising(error: Exception) -> Callable[..., Any]:
    def fails(*_: object, **__: object) -> Any:
        raise error

    return fails


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("key\n"), "the request cannot be made; is the key whole?"),
        (ProxyUnusable("no SOCKS here"), "no SOCKS here"),
        (OSError(111, "Connection refused"), ""),
        (aiohttp.ClientError("gone"), ""),
        (TimeoutError(), ""),
    ],
)
def test_what_keeps_a_call_from_being_made_names_the_host_and_never_the_key(
    monkeypatch: pytest.MonkeyPatch, error: Exception, text: str
) -> None:
    monkeypatch.setattr(module, "proxy_for", raising(error))
    (failure,) = call(Server(), public)
    assert isinstance(failure, RestError)
    assert str(failure).startswith("127.0.0.1:")
    assert str(failure).endswith(text)
    assert "key\n" not in str(failure)


def test_a_socks_proxy_has_a_connector_of_its_own_and_its_refusal_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refused(Exception):
        """As aiohttp_socks raises it."""

    addresses: list[str] = []

    class Connector(aiohttp.TCPConnector):
        async def connect(self, *_: object, **__: object) -> Any:
            raise Refused("not allowed")

    def connector(proxy: str) -> aiohttp.TCPConnector:
        addresses.append(proxy)
        return Connector()

    monkeypatch.setattr(module, "proxy_for", lambda _url: "socks5://127.0.0.1:1080")
    monkeypatch.setattr(module, "socks_connector", connector)
    monkeypatch.setitem(sys.modules, "aiohttp_socks", SimpleNamespace(ProxyError=Refused))
    first, again = call(Server(), public, public)
    assert addresses == ["socks5://127.0.0.1:1080"]  # one session for both calls
    assert str(first).endswith(": the SOCKS proxy refuses it: not allowed")
    assert str(again) == str(first)


def test_an_http_proxy_carries_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Server()

    async def run() -> Any:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", made.answer)
        async with TestServer(app) as proxy:
            monkeypatch.setattr(module, "proxy_for", lambda _url: str(proxy.make_url("/")))
            rest = Rest("http://kraken.invalid", "KEY", SECRET, "tests/1")
            try:
                return await rest.public("Time")
            finally:
                await rest.close()

    assert asyncio.run(run()) == {"a": "1"}
    assert made.requests[0][3]["Host"] == "kraken.invalid"
