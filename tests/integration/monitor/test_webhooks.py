"""A monitor with webhooks, over real processes and HTTP: what they get, that none is waited for, and no secret told."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared import config, halt

from .conftest import World
from .test_monitor import Running, until

pytestmark = pytest.mark.processes

SECRET = "B0TT0KEN-1234567890-ABCDEFGHIJKLMNOP"


class Service:
    """Takes what is posted; with ``hangs`` set it answers nothing until it is stopped."""

    def __init__(self, hangs: bool = False) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.over = threading.Event()
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                service.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                if hangs:
                    service.over.wait(120)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/{SECRET}/sendMessage"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self.over.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def services() -> Iterator[tuple[Service, Service]]:
    made = Service(), Service(hangs=True)
    yield made
    for each in made:
        each.stop()


def told_to(world: World, *urls: str) -> None:
    """Write the webhooks into the world's configuration."""
    tree = yaml.safe_load(world.file.read_text())
    template = {"text": "{level} {kind}: {text}", "chat_id": 5}
    tree["monitor"]["webhooks"] = [{"url": url, "level": "critical", "template": template} for url in urls]
    world.file.write_text(yaml.safe_dump(tree))
    world.config = config.load(world.file, environ=dict(os.environ))


def page_of(world: World, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{world.monitor_port}{path}", timeout=10) as answer:
        return str(answer.read().decode())


def everything_written(folder: Path) -> str:
    files = [file for name in ("logs", "run", "data") for file in (folder / name).rglob("*") if file.is_file()]
    return "".join(file.read_text(errors="replace") for file in files)


def test_alerts_and_their_ends_are_posted_and_the_address_is_nowhere(
    world: World, services: tuple[Service, Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    good, hanging = services
    monkeypatch.setenv("TEST_HOOK", good.url)
    told_to(world, hanging.url, "${TEST_HOOK}", "http://127.0.0.1:1/" + SECRET)
    monitor = Running(world)
    try:
        until(lambda: monitor.halted() is False)
        halt.halt(world.config.halt_file, 'for a "test"')
        until(lambda: good.bodies)
        halt.resume(world.config.halt_file)
        until(lambda: len(good.bodies) >= 2)
        texts = [body["text"] for body in good.bodies]
        assert texts[0] == "critical halted: trading is halted: for a \"test\"; 'tradebyte resume' ends it"
        assert texts[1] == "info resumed: trading is no longer halted"
        assert good.bodies[0]["chat_id"] == 5
        # The one that hangs was asked, and held up nobody; the one that is down is told of, once, by number and host.
        until(lambda: hanging.bodies)
        (text,) = until(lambda: monitor.alerted("webhook-3"))
        assert text.startswith("webhook 3 (127.0.0.1) does not take alerts: cannot be reached")
        until(lambda: 'tradebyte_webhook_sent_total{webhook="2"} 2.0' in page_of(world, "/metrics"))
        everything = json.dumps([alert.text for alert in monitor.alerts]) + everything_written(world.folder)
        everything += "".join(page_of(world, path) for path in ("/api/alerts", "/api/logs", "/api/status", "/metrics"))
        assert SECRET not in everything
    finally:
        monitor.close()


def test_the_test_command_says_what_came_of_each(world: World, services: tuple[Service, Service]) -> None:
    good, _ = services
    told_to(world, good.url, "http://127.0.0.1:1/" + SECRET)
    monitor = Running(world)
    try:
        until(lambda: monitor.halted() is False)
        ran: subprocess.CompletedProcess[str] = world.tradebyte("alert-test", "--json")
        came = {each["sink"]: each["ok"] for each in json.loads(ran.stdout)["sinks"]}
        assert came == {
            "bus": True,
            "log": True,
            "views": True,
            "webhook 1 (127.0.0.1)": True,
            "webhook 2 (127.0.0.1)": False,
        }, ran.stdout
        assert ran.returncode == 1
        assert len(good.bodies) == 1
        for arguments in (["alert-test"], ["config", "show"], ["config", "show", "--json"]):
            ran = world.tradebyte(*arguments)
            assert SECRET not in ran.stdout + ran.stderr
    finally:
        monitor.close()


def test_the_test_command_tries_webhooks_with_nothing_running(world: World, services: tuple[Service, Service]) -> None:
    good, _ = services
    told_to(world, good.url)
    ran = world.tradebyte("alert-test")
    assert ran.returncode == 1
    assert "the monitor does not answer" in ran.stdout
    assert len(good.bodies) == 1
