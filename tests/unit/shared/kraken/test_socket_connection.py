"""The socket against a server on this machine: frames in and out, how it is dropped, and what ends a connection."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import picows
import pytest
from picows import WSMsgType

from shared import limits
from shared.errors import ProxyUnusable
from shared.kraken import socket as module
from shared.kraken.reconnect import Reconnect
from shared.kraken.socket import ENDED, TOO_LARGE, KrakenSocket


class Server(picows.WSListener):
    """The server's end of one connection: what came, and a way to send."""

    def __init__(self) -> None:
        self.came: list[bytes] = []
        self.transport: picows.WSTransport

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        self.transport = transport

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        if frame.msg_type is WSMsgType.CLOSE:
            transport.disconnect()
        else:
            self.came.append(frame.get_payload_as_bytes())

    def send(self, text: bytes, kind: WSMsgType = WSMsgType.TEXT, *, fin: bool = True) -> None:
        self.transport.send(kind, text, fin=fin)


class Seen:
    """A socket to such a server, and what it said."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Reconnect, "delay_s", lambda *_: 0.0)
        self.servers: list[Server] = []
        self.frames: list[bytes] = []
        self.ends: list[str] = []
        self.opened = 0
        self.agents: list[str] = []
        self.socket: KrakenSocket

    def on_open(self) -> None:
        self.opened += 1

    def run(self, play: Callable[[Seen], Awaitable[None]]) -> None:
        """Play against an open connection."""
        asyncio.run(self._run(play))

    async def _run(self, play: Callable[[Seen], Awaitable[None]]) -> None:
        def accept(request: picows.WSUpgradeRequest) -> Server:
            self.agents.append(request.headers["User-Agent"])
            self.servers.append(Server())
            return self.servers[-1]

        server = await picows.ws_create_server(accept, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        self.socket = KrakenSocket(
            f"ws://127.0.0.1:{port}/v2", self.on_open, self.on_frames, self.ends.append, "tests/1"
        )
        task = asyncio.ensure_future(self.socket.run())
        try:
            await until(lambda: self.socket.connected or task.done())
            playing = asyncio.ensure_future(play(self))
            await asyncio.wait({playing, task}, return_when=asyncio.FIRST_COMPLETED)
            for done in (playing, task):
                if done.done():
                    done.result()
        finally:
            task.cancel()
            server.close()

    def on_frames(self, frames: list[bytes]) -> None:
        self.frames += frames


async def until(condition: Callable[[], object]) -> None:
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("it did not come to that")


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    return Seen(monkeypatch)


def test_frames_come_as_bytes_and_texts_go_out_in_order(seen: Seen) -> None:
    async def play(seen: Seen) -> None:
        assert seen.socket.send("one")
        assert seen.socket.send("two")
        await until(lambda: seen.servers[0].came == [b"one", b"two"])
        seen.servers[0].send(b"a frame")
        seen.servers[0].send("€".encode(), WSMsgType.BINARY)
        await until(lambda: seen.frames == [b"a frame", "€".encode()])

    seen.run(play)
    assert (seen.opened, seen.socket.dropped, seen.socket.problem, seen.agents) == (1, 0, "", ["tests/1"])


def test_a_request_made_as_the_connection_opens_is_the_first_to_leave(seen: Seen) -> None:
    def on_open() -> None:
        assert seen.socket.send("first")

    seen.on_open = on_open  # type: ignore[method-assign]

    async def play(seen: Seen) -> None:
        seen.socket.send("second")
        await until(lambda: seen.servers[0].came == [b"first", b"second"])

    seen.run(play)


def test_cancelled_it_ends_the_connection_and_says_nothing_of_it(seen: Seen) -> None:
    async def play(seen: Seen) -> None:
        made = KrakenSocket(seen.socket.url, seen.on_open, seen.on_frames, seen.ends.append, "tests/1")
        running = asyncio.ensure_future(made.run())
        await until(lambda: made.connected)
        running.cancel()
        await asyncio.wait({running})
        assert not made.connected
        assert not made.send("late")

    seen.run(play)
    assert seen.ends == []


def test_a_message_in_several_frames_is_handed_on_whole(seen: Seen) -> None:
    async def play(seen: Seen) -> None:
        server = seen.servers[0]
        server.send(b"a mess", fin=False)
        server.send(b"age in th", WSMsgType.CONTINUATION, fin=False)
        server.transport.send_ping(b"between")
        server.send(b"ree", WSMsgType.CONTINUATION)
        server.send(b"the next")
        await until(lambda: len(seen.frames) == 2)

    seen.run(play)
    assert seen.frames == [b"a message in three", b"the next"]


def test_a_message_that_is_too_large_in_all_ends_the_connection(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WS_FRAME_BYTES", 1000)

    async def play(seen: Seen) -> None:
        server = seen.servers[0]
        server.send(b"x" * 600, fin=False)
        server.send(b"x" * 600, WSMsgType.CONTINUATION)
        await until(lambda: seen.ends)

    seen.run(play)
    assert (seen.ends, seen.frames) == ([TOO_LARGE], [])


def test_a_connection_that_was_dropped_is_not_listened_to_and_a_new_one_comes(seen: Seen) -> None:
    async def play(seen: Seen) -> None:
        seen.servers[0].send(b"already on its way")
        seen.socket.close("no answer")
        assert not seen.socket.connected
        assert not seen.socket.send("lost")
        seen.socket.close("no answer")  # there is none any more
        await until(lambda: seen.socket.connected)
        seen.servers[1].send(b"new")
        await until(lambda: seen.frames)

    seen.run(play)
    assert (seen.frames, seen.ends, seen.opened, seen.socket.dropped) == ([b"new"], ["no answer"], 2, 1)


def test_while_the_kernel_takes_no_more_requests_wait_in_order_and_a_full_queue_counts(
    seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "WS_QUEUE_FRAMES", 20)
    text = "x" * 1_000_000

    async def play(seen: Seen) -> None:
        server = seen.servers[0]
        server.transport.underlying_transport.pause_reading()
        taken = [seen.socket.send(f"{number} {text}") for number in range(60)]
        refused = taken.count(False)
        assert refused
        assert seen.socket.dropped == refused
        server.transport.underlying_transport.resume_reading()
        await until(lambda: len(server.came) == 60 - refused)
        numbers = [int(frame.partition(b" ")[0]) for frame in server.came]
        assert numbers == [number for number, was_taken in enumerate(taken) if was_taken]

    seen.run(play)


def test_what_a_lost_connection_leaves_in_the_queue_is_counted(seen: Seen) -> None:
    async def play(seen: Seen) -> None:
        link = seen.socket._link
        assert link is not None
        link.pause_writing()
        assert seen.socket.send("one")
        assert seen.socket.send("two")
        seen.servers[0].transport.disconnect(graceful=False)
        await until(lambda: seen.ends)

    seen.run(play)
    assert (seen.ends, seen.socket.dropped) == ([ENDED], 2)


def test_the_other_sides_reason_is_said(seen: Seen) -> None:
    async def play(seen: Seen) -> None:
        seen.servers[0].transport.send_close(picows.WSCloseCode.SERVICE_RESTART, b"back soon")
        await until(lambda: len(seen.ends) == 1 and seen.socket.connected)

    seen.run(play)
    (end,) = seen.ends
    assert "1012" in end
    assert "back soon" in end


def test_what_a_callback_raises_ends_the_run(seen: Seen) -> None:
    def on_frames(_: list[bytes]) -> None:
        raise ZeroDivisionError("a bug")

    seen.on_frames = on_frames  # type: ignore[method-assign, assignment]

    async def play(seen: Seen) -> None:
        seen.servers[0].send(b"a frame")
        await asyncio.sleep(5)

    with pytest.raises(ZeroDivisionError, match="a bug"):
        seen.run(play)
    assert len(seen.ends) == 1


def test_frames_of_one_read_are_handed_on_together_and_before_the_end_is_told(seen: Seen) -> None:
    happened: list[object] = []

    async def play(seen: Seen) -> None:
        link = seen.socket._link
        assert link is not None
        link._on_frames = happened.append
        seen.socket._on_close = happened.append
        a, b, c = (picows.picows._make_test_ws_frame(WSMsgType.TEXT, text, True, False) for text in (b"a", b"b", b"c"))
        link.on_ws_frame(link._transport, a)  # type: ignore[arg-type]
        link.on_ws_frame(link._transport, b)  # type: ignore[arg-type]
        assert happened == []
        await asyncio.sleep(0)
        assert happened == [[b"a", b"b"]]
        link.on_ws_frame(link._transport, c)  # type: ignore[arg-type]
        seen.socket.close("no answer")
        await asyncio.sleep(0)

    seen.run(play)
    assert happened == [[b"a", b"b"], [b"c"], "no answer"]


def test_a_proxy_that_cannot_be_used_is_the_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Reconnect, "delay_s", lambda *_: 0.0)

    def unusable(_url: str) -> str:
        raise ProxyUnusable("no SOCKS here")

    monkeypatch.setattr(module, "proxy_for", unusable)
    made = KrakenSocket("ws://127.0.0.1:1/", lambda: None, lambda _: None, lambda _: None, "tests")

    async def play() -> None:
        task = asyncio.ensure_future(made.run())
        await until(lambda: made.reconnect.attempts >= 2)
        task.cancel()

    asyncio.run(play())
    assert made.problem == "no SOCKS here"


def test_a_refusal_of_the_other_side_names_its_status(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Reconnect, "delay_s", lambda *_: 0.0)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async def play() -> None:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            made = KrakenSocket(url, lambda: None, lambda _: None, lambda _: None, "tests")
            task = asyncio.ensure_future(made.run())
            await until(lambda: made.problem)
            task.cancel()
            assert "429" in made.problem

    asyncio.run(play())


def test_the_letter_that_a_proxy_resolves_names_is_left_out() -> None:
    """picows knows ``socks5`` and ``socks4`` only."""
    known = module._known_scheme
    assert (known("socks5h://a:1"), known("socks4a://b:2")) == ("socks5://a:1", "socks4://b:2")
    assert (known("http://c:3"), known(None)) == ("http://c:3", None)


def test_frames_that_come_after_the_connection_was_given_up_and_pings_are_passed_over(seen: Seen) -> None:
    async def play(seen: Seen) -> None:
        link = seen.socket._link
        assert link is not None
        frame = picows.picows._make_test_ws_frame(WSMsgType.TEXT, b"late", True, False)
        ping = picows.picows._make_test_ws_frame(WSMsgType.PING, b"", True, False)
        link.on_ws_frame(link._transport, ping)  # type: ignore[arg-type]
        link.abort()
        link.on_ws_frame(link._transport, frame)  # type: ignore[arg-type]

    seen.run(play)
    assert seen.frames == []
