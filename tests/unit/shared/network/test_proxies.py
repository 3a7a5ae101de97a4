"""Proxies of the environment: none to this machine, the same for REST and WebSocket to any other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from shared.errors import ProxyUnusable, RestError
from shared.kraken.reconnect import Reconnect
from shared.kraken.rest import Rest
from shared.kraken.socket import KrakenSocket
from shared.network import proxies
from shared.network.proxies import proxy_for

VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "socks_proxy")


@pytest.fixture(autouse=True)
def _no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize("variable", ["http_proxy", "https_proxy", "all_proxy", "ALL_PROXY", "HTTPS_PROXY"])
@pytest.mark.parametrize("url", ["http://127.0.0.1:8180", "ws://localhost:1/v2", "wss://[::1]:1/", "https://127.9.9.9"])
def test_no_proxy_stands_between_a_machine_and_itself(monkeypatch: pytest.MonkeyPatch, variable: str, url: str) -> None:
    monkeypatch.setenv(variable, "http://proxy.test:3128")
    assert proxy_for(url) is None


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"https_proxy": "http://a:1"}, "http://a:1"),
        ({"HTTPS_PROXY": "a:1"}, "http://a:1"),
        ({"http_proxy": "http://a:1"}, None),
        ({"all_proxy": "http://b:1"}, "http://b:1"),
        ({"all_proxy": "http://b:1", "https_proxy": "http://a:1"}, "http://a:1"),
        ({"https_proxy": "http://a:1", "no_proxy": "kraken.com"}, None),
        ({"https_proxy": "http://a:1", "no_proxy": "example.com"}, "http://a:1"),
    ],
)
def test_rest_and_websocket_go_the_same_way(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], expected: str | None
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxy_for("https://api.kraken.com/0/public/Time") == expected
    assert proxy_for("wss://ws-auth.kraken.com/v2") == expected


def test_a_socks_proxy_says_which_packages_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", "socks5h://127.0.0.1:1")
    monkeypatch.setattr(proxies, "SOCKS_PACKAGES", {"no_such_module": "aiohttp-socks"})
    with pytest.raises(ProxyUnusable, match="pip install aiohttp-socks"):
        proxy_for("wss://ws.kraken.com/v2")
    with pytest.raises(RestError, match="pip install aiohttp-socks"):
        asyncio.run(Rest("https://api.kraken.com", "", "", "tests").public("Time"))


def test_a_socket_without_what_its_proxy_takes_goes_on_trying_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:1")
    monkeypatch.setattr(proxies, "SOCKS_PACKAGES", {"no_such_module": "aiohttp-socks"})
    monkeypatch.setattr(Reconnect, "delay_s", lambda *_: 0.0)
    made = KrakenSocket("wss://ws.kraken.com/v2", lambda: None, lambda _: None, lambda _: None, "tests")

    async def run() -> None:
        task = asyncio.ensure_future(made.run())
        while made.reconnect.attempts < 3:
            await asyncio.sleep(0)
        assert not task.done()
        task.cancel()

    asyncio.run(run())
    assert "pip install aiohttp-socks" in made.problem


def lines_at_the_proxy(use: Callable[[int], Awaitable[None]]) -> list[bytes]:
    """Runs ``use`` with the port of a proxy that carries nothing; returns the first line of each request to it."""
    lines: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.append(await reader.readline())
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async def run() -> None:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            await use(server.sockets[0].getsockname()[1])

    asyncio.run(run())
    return lines


def test_what_is_sent_to_kraken_reaches_the_proxy_and_not_kraken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Reconnect, "delay_s", lambda *_: 3600.0)
    made = KrakenSocket("wss://kraken.test/v2", lambda: None, lambda _: None, lambda _: None, "tests")

    async def use(port: int) -> None:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        rest = Rest("https://kraken.test", "", "", "tests")
        with pytest.raises(RestError):
            await rest.public("Time")
        await rest.close()
        task = asyncio.ensure_future(made.run())
        while not made.problem:
            await asyncio.sleep(0.01)
        task.cancel()

    assert lines_at_the_proxy(use) == [b"CONNECT kraken.test:443 HTTP/1.1\r\n"] * 2


def test_a_sandboxs_bytes_never_reach_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Invariant 8."""
    monkeypatch.setattr(Reconnect, "delay_s", lambda *_: 3600.0)

    async def use(port: int) -> None:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        made = KrakenSocket("ws://127.0.0.1:1/v2", lambda: None, lambda _: None, lambda _: None, "tests")
        task = asyncio.ensure_future(made.run())
        while not made.problem:
            await asyncio.sleep(0.01)
        task.cancel()
        rest = Rest("http://127.0.0.1:1", "", "", "tests")
        with pytest.raises(RestError):
            await rest.public("Time")
        await rest.close()

    assert lines_at_the_proxy(use) == []


def greeted_at_the_proxy(use: Callable[[int], Awaitable[None]]) -> list[bytes]:
    """Runs ``use`` with the port of a SOCKS 5 proxy that refuses each connection; returns what it was asked for."""
    asked_for: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _version, count = await reader.readexactly(2)
        await reader.readexactly(count)
        writer.write(b"\x05\x00")
        _head, length = await reader.readexactly(4), (await reader.readexactly(1))[0]
        asked_for.append(await reader.readexactly(length))
        writer.write(b"\x05\x02\x00\x01\x00\x00\x00\x00\x00\x00")  # not allowed
        writer.close()

    async def run() -> None:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            await use(server.sockets[0].getsockname()[1])

    asyncio.run(run())
    return asked_for


def test_with_its_packages_a_socks_proxy_carries_both_and_resolves_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for module_name in proxies.SOCKS_PACKAGES:
        pytest.importorskip(module_name)
    monkeypatch.setattr(Reconnect, "delay_s", lambda *_: 3600.0)
    made = KrakenSocket("wss://kraken.test/v2", lambda: None, lambda _: None, lambda _: None, "tests")

    async def use(port: int) -> None:
        monkeypatch.setenv("all_proxy", f"socks5h://127.0.0.1:{port}")
        rest = Rest("https://kraken.test", "", "", "tests")
        with pytest.raises(RestError):
            await rest.public("Time")
        await rest.close()
        task = asyncio.ensure_future(made.run())
        while not made.problem:
            await asyncio.sleep(0.01)
        task.cancel()

    assert greeted_at_the_proxy(use) == [b"kraken.test"] * 2


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_a_socks_proxy_carries_a_websocket_and_resolves_the_name(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setattr(proxies, "SOCKS_PACKAGES", {})
    monkeypatch.setattr(Reconnect, "delay_s", lambda *_: 3600.0)
    made = KrakenSocket("wss://kraken.test/v2", lambda: None, lambda _: None, lambda _: None, "tests")

    async def use(port: int) -> None:
        monkeypatch.setenv("all_proxy", f"{scheme}://127.0.0.1:{port}")
        task = asyncio.ensure_future(made.run())
        while not made.problem:
            await asyncio.sleep(0.01)
        task.cancel()

    assert greeted_at_the_proxy(use) == [b"kraken.test"]
