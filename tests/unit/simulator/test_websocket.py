"""The delay and the bounds of a connection's queue."""

from __future__ import annotations

import asyncio
from typing import Any

from simulator.session import Request
from simulator.websocket import (
    ATTEMPTS_MAX,
    QUEUE_BYTES_MAX,
    QUEUE_FRAMES_MAX,
    Attempts,
    Clock,
    Connection,
    Delays,
    WebSockets,
)
from simulator.wire import NS
from tests.unit.simulator.worlds import TestWorld


class Slow:
    """A socket that takes nothing until it is let go."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.open = asyncio.Event()
        self.full = asyncio.Event()

    async def send_str(self, text: str) -> None:
        await self.open.wait()
        self.sent.append(text)
        if len(self.sent) == 100:
            self.full.set()


def test_a_client_that_reads_nothing_is_dropped_at_the_bound() -> None:
    async def run() -> None:
        for size, most in ((1, QUEUE_FRAMES_MAX), (1024 * 1024, QUEUE_BYTES_MAX // (1024 * 1024))):
            drops: list[int] = []
            socket: Any = Slow()
            connection = Connection(socket, Delays(0.0, 1), Clock(), lambda: drops.append(1))  # noqa: B023
            writer = asyncio.create_task(connection.write())
            for _ in range(most + 10):
                connection.send("x" * size)
            assert connection.dropped
            assert drops == [1]
            writer.cancel()

    asyncio.run(run())


def test_messages_leave_in_order_and_not_before_their_way() -> None:
    async def run() -> None:
        socket: Any = Slow()
        socket.open.set()
        connection = Connection(socket, Delays(20.0, 1), Clock(), lambda: None)
        writer = asyncio.create_task(connection.write())
        for number in range(100):
            connection.send(str(number))
        assert not socket.sent
        await socket.full.wait()
        assert socket.sent == [str(number) for number in range(100)]
        writer.cancel()

    asyncio.run(run())


def test_requests_of_a_connection_keep_their_order_whatever_they_take() -> None:
    connection = Connection(Slow(), Delays(0.0, 5), Clock(), lambda: None)  # type: ignore[arg-type]
    methods = ["cancel_all", "amend_order", "ping", "add_order", "batch_add", "cancel_order"] * 50
    dues = [connection.due(1000 + number, method) for number, method in enumerate(methods)]
    assert dues == sorted(dues)


def test_connections_take_turns_however_much_one_of_them_has_asked() -> None:
    done: list[str] = []

    class Noted:
        def __init__(self, name: str) -> None:
            self.name = name

        def handle(self, _request: Any, _now: int) -> None:
            done.append(self.name)

    async def run() -> None:
        sockets = WebSockets(TestWorld().world, Clock(), Delays(0.0, 1, none=True))
        waits = []
        for name, requests in (("flood", 50), ("other", 3)):
            inbox: asyncio.Queue[Any] = asyncio.Queue()
            for item in [*[(0, Request("ping", {}, None, 0))] * requests, None]:
                inbox.put_nowait(item)
            waits.append(sockets._work(Noted(name), inbox))  # type: ignore[arg-type]
        await asyncio.gather(*waits)

    asyncio.run(run())
    assert done[:6] == ["flood", "other"] * 3
    assert len(done) == 53


def test_turnarounds_have_the_measured_medians_and_a_tail() -> None:
    delays = Delays(10.0, 3)
    for method, median in (("amend_order", 1.2), ("add_order", 6.9), ("cancel_all", 8.4)):
        drawn = sorted(delays.turnaround_ns(method) / 1e6 for _ in range(2001))
        assert 0.9 * median < drawn[1000] < 1.1 * median
        assert drawn[1980] > 2 * median
    assert delays.turnaround_ns("ping") == 0


def test_who_connects_too_often_is_turned_away_for_ten_minutes() -> None:
    attempts = Attempts(ATTEMPTS_MAX)
    assert all(attempts.allowed("127.0.0.1", at * NS) for at in range(ATTEMPTS_MAX))
    assert not attempts.allowed("127.0.0.1", 200 * NS)
    assert attempts.allowed("::1", 200 * NS)
    assert not attempts.allowed("127.0.0.1", 700 * NS)
    assert attempts.allowed("127.0.0.1", 801 * NS)
    assert all(Attempts(0).allowed("127.0.0.1", 0) for _ in range(1000))
