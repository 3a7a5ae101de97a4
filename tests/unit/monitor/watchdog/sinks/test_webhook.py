"""A webhook that is slow, down, or talks nonsense: said in our words, tried again, and never in anybody's way."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.watchdog.sinks import webhook
from monitor.watchdog.sinks.outbox import Outcome
from monitor.watchdog.sinks.webhook import Webhooks
from shared import limits
from shared.config import Config, parse
from shared.messages import Alert

SECRET = "services-T000-B000-XXXXXXXXXXXXXXXX"
ALERT = Alert(level="critical", kind="halted", text='trading is halted: "by hand"', src="monitor", ts=10**18)


class Service:
    """A service on this machine that does as it is told; ``bodies`` has all that it took."""

    def __init__(self, port: int = 0) -> None:
        self.bodies: list[Any] = []
        self.act: Callable[[BaseHTTPRequestHandler], None] = lambda handler: self.answer(handler, 204)
        self.hangs = threading.Event()
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                service.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                service.act(self)

            def log_message(self, *_args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @staticmethod
    def answer(handler: BaseHTTPRequestHandler, status: int, **headers: str) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    def hang(self, _handler: BaseHTTPRequestHandler) -> None:
        self.hangs.wait(60)

    def stop(self) -> None:
        self.hangs.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    yield made
    made.stop()


def config_of(port: int, **more: Any) -> Config:
    tree = {"monitor": {"webhooks": [{"url": f"http://127.0.0.1:{port}/{SECRET}", **more}]}}
    return parse(yaml.safe_dump(tree), Path("c.yaml"), Path("/tmp"), {})


def tried(port: int) -> Outcome:
    (outcome,) = asyncio.run(webhook.try_all(config_of(port), ALERT))
    assert SECRET not in outcome.why
    return outcome


def test_it_is_sent_as_json(service: Service) -> None:
    assert tried(service.port) == Outcome(ok=True, why="HTTP 204")
    (body,) = service.bodies
    assert (body["text"], body["kind"], body["level"]) == (ALERT.text, "halted", "critical")


@pytest.mark.parametrize(
    ("status", "again"), [(500, True), (503, True), (429, True), (408, True), (400, False), (404, False), (410, False)]
)
def test_what_a_status_means(service: Service, status: int, again: bool) -> None:
    service.act = lambda handler: service.answer(handler, status)
    outcome = tried(service.port)
    assert (outcome.ok, outcome.again) == (False, again)
    assert f"HTTP {status}" in outcome.why


def test_a_redirect_is_not_followed(service: Service) -> None:
    other = Service()
    try:
        service.act = lambda handler: service.answer(handler, 307, Location=f"http://127.0.0.1:{other.port}/")
        outcome = tried(service.port)
    finally:
        other.stop()
    assert (outcome.ok, outcome.again, other.bodies) == (False, False, [])


def test_one_that_hangs_is_given_up(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WEBHOOK_TIMEOUT_S", 0.3)
    service.act = service.hang
    assert tried(service.port) == Outcome(ok=False, why="no answer within 0.3 s", again=True)


def test_one_that_nobody_serves_is_said_to_be_so(service: Service) -> None:
    service.stop()
    outcome = tried(service.port)
    assert outcome.again
    assert "cannot be reached: " in outcome.why


@pytest.mark.parametrize("garbage", [b"\x00\xff\x00\xff\n\n", b"HTTP/9.9 hello\r\n\r\n", b"SSH-2.0-OpenSSH\r\n", b""])
def test_one_that_answers_garbage_is_survived(service: Service, garbage: bytes) -> None:
    def act(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(garbage)
        handler.close_connection = True

    service.act = act
    outcome = tried(service.port)
    assert (outcome.ok, outcome.again) == (False, True)
    assert outcome.why


def test_a_webhook_that_is_down_holds_up_neither_the_loop_nor_the_other(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first hangs, the second takes all; then the first is killed and comes back, and gets what waited."""
    monkeypatch.setattr(limits, "WEBHOOK_TIMEOUT_S", 2.5)  # a busy machine may be slow to take one
    monkeypatch.setattr(limits, "WEBHOOK_PAUSE_FIRST_S", 0.05)
    bad = Service()
    bad.act = bad.hang
    config = config_of(bad.port)
    config.monitor.webhooks.extend(config_of(service.port).monitor.webhooks)
    hooks = Webhooks(config)

    async def play() -> None:
        running = asyncio.ensure_future(hooks.run())

        async def until(true: Callable[[], bool]) -> None:
            end = time.monotonic() + 30
            while not true():
                assert time.monotonic() < end
                await asyncio.sleep(0.01)

        for _ in range(5):
            hooks.take(ALERT)
        await until(lambda: len(service.bodies) == 5)
        await until(lambda: bool(hooks.troubles()))
        (name, condition), *more = hooks.troubles().items()
        assert (name, condition.alert_kind, more) == ("webhook 1", "webhook-1", [])
        assert "webhook 1 (127.0.0.1) does not take alerts: no answer within 2.5 s" in condition.text
        # What is told of the first goes to the second alone.
        hooks.take(Alert(level="warning", kind=condition.alert_kind, text=condition.text))
        await until(lambda: len(service.bodies) == 6)
        # The service has it before the answer is read here.
        await until(lambda: [figure.waiting for figure in hooks.figures()] == [5, 0])
        await asyncio.to_thread(bad.stop)
        await until(lambda: "cannot be reached" in hooks.figures()[0].trouble)
        again = Service(bad.port)
        try:
            await until(lambda: len(again.bodies) == 5)
            await until(lambda: hooks.troubles() == {})
        finally:
            await asyncio.to_thread(again.stop)
        running.cancel()
        assert [(figure.sent, figure.dropped) for figure in hooks.figures()] == [(5, 0), (6, 0)]
        assert SECRET not in repr([hooks.figures(), config.monitor.webhooks])

    try:
        asyncio.run(play())
    finally:
        bad.stop()


def test_a_flood_is_bounded_and_counted() -> None:
    hooks = Webhooks(config_of(1))
    for _ in range(limits.WEBHOOK_QUEUE + 7):
        hooks.take(ALERT)
    (figures,) = hooks.figures()
    assert (figures.waiting, figures.dropped) == (limits.WEBHOOK_QUEUE, 7)


def test_a_test_alert_of_the_monitor_is_not_sent_twice() -> None:
    hooks = Webhooks(config_of(1, level="info"))
    hooks.take(Alert(level="info", kind=webhook.TEST_KIND, text="x"))
    assert hooks.figures()[0].waiting == 0
