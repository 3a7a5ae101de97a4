"""Sentences about a request without an answer: the reason, and never the address."""

from __future__ import annotations

import asyncio
import socket
import threading

import aiohttp
import pytest

from shared.errors import RestError
from shared.kraken.rest import Rest
from shared.network.http_errors import why_unanswered


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (TimeoutError(), "no answer within 3 s"),
        (aiohttp.ServerDisconnectedError(), "it closed the connection without an answer"),
        (aiohttp.ClientPayloadError("half of it"), "its answer broke off"),
        (ConnectionResetError(104, "Connection reset by peer"), "the connection broke: Connection reset by peer"),
        (aiohttp.ClientOSError(32, "Broken pipe"), "the connection broke: Broken pipe"),
        (aiohttp.InvalidURL("https://host/secret"), "the request failed (InvalidURL)"),
    ],
)
def test_each_has_its_words(error: Exception, sentence: str) -> None:
    assert why_unanswered(error, 3.0) == sentence


async def _asked(url: str) -> str:
    rest = Rest(url, "", "", "test")
    try:
        with pytest.raises(RestError) as failed:
            await rest.public("Time")
    finally:
        await rest.close()
    return str(failed.value)


def test_a_call_that_reaches_nobody_says_where_and_why() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound, and nobody listens
        port = held.getsockname()[1]
        assert asyncio.run(_asked(f"http://127.0.0.1:{port}")) == (
            f"127.0.0.1:{port}: cannot be reached: Connection refused"
        )


def test_who_does_not_speak_tls_is_not_told_by_a_number_of_another_kind() -> None:
    with socket.create_server(("127.0.0.1", 0)) as plain:

        def answer() -> None:
            with plain.accept()[0] as taken:
                taken.recv(1024)
                taken.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        port = plain.getsockname()[1]
        assert asyncio.run(_asked(f"https://127.0.0.1:{port}")) == (
            f"127.0.0.1:{port}: cannot be reached: it speaks no TLS that is known here"
        )
