"""The monitor process itself, over real processes, pids, supervisord and HTTP."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq

from monitor.errors import SupervisorAbsent
from monitor.watchdog import supervisor
from shared import bus, halt
from shared.messages import Alert, Control

from .conftest import ROOT, World

pytestmark = pytest.mark.processes

# Only a bound for a test that fails; nothing is asserted about how long anything takes.
LONGEST_S = 45


def until(done: Callable[[], Any]) -> Any:
    """Wait for something true, and return it."""
    end = time.monotonic() + LONGEST_S
    while not (answer := done()):
        assert time.monotonic() < end, "did not happen"
        time.sleep(0.05)
    return answer


class Running:
    """A monitor process and what it publishes."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.process = subprocess.Popen(
            [sys.executable, "-m", "monitor", "--config", str(world.file)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._context: zmq.Context[Any] = zmq.Context()
        self._subscriber = bus.Subscriber(self._context, bus.addresses(world.config), ["alert", "control"])
        self.alerts: list[Alert] = []
        self.controls: list[Control] = []

    def get(self, path: str) -> tuple[int, dict[str, Any]] | None:
        """Return what HTTP answers, None while it does not."""
        url = f"http://127.0.0.1:{self.world.monitor_port}{path}"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)
        except OSError:
            assert self.process.poll() is None, self.process.communicate()[0]
            return None

    def alerted(self, kind: str) -> list[str]:
        """Return the texts of the alerts of a kind so far."""
        for received in self._subscriber.drain():
            if isinstance(received.message, Alert):
                self.alerts.append(received.message)
            elif isinstance(received.message, Control):
                self.controls.append(received.message)
        return [alert.text for alert in self.alerts if alert.kind == kind]

    def halted(self) -> bool | None:
        """Return the newest ``control``."""
        self.alerted("")
        return self.controls[-1].halted if self.controls else None

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        finally:
            self.process.kill()
            self.process.communicate()
            self._subscriber.socket.close()
            self._context.term()


@pytest.fixture
def monitor(world: World) -> Iterator[Running]:
    running = Running(world)
    try:
        until(lambda: running.get("/health"))
        yield running
    finally:
        running.close()


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """Return some process with a pid."""
    process = subprocess.Popen(["sleep", "600"])
    yield process
    process.kill()
    process.wait()


def test_health_is_good_once_every_process_is_ready(world: World, monitor: Running) -> None:
    answer = monitor.get("/health")
    assert answer is not None
    assert answer[0] == 503
    world.whole()
    code, body = until(lambda: (health := monitor.get("/health")) and health[0] == 200 and health)
    assert (code, body["not_ready"], body["books"]) == (200, [], {"BTC/USD": "live"})
    _, status = until(lambda: monitor.get("/api/status"))
    assert status["positions"] == {"BTC/USD": "0.00150000"}
    assert status["processes"]["monitor"]["pid"] == monitor.process.pid


def test_prometheus_finds_every_process_and_the_machine(world: World, monitor: Running) -> None:
    world.whole()
    url = f"http://127.0.0.1:{world.monitor_port}/metrics"

    def scraped() -> str:
        with urllib.request.urlopen(url, timeout=5) as answer:
            assert answer.headers["Content-Type"].startswith("text/plain")
            return str(answer.read().decode())

    def all_up(text: str) -> bool:
        return all(f'tradebyte_process_up{{process="{name}"}} 1.0' in text for name in world.config.process_names)

    text = until(lambda: all_up(metrics := scraped()) and metrics)
    assert 'tradebyte_orders_open{symbol="BTC/USD"} 1.0' in text
    assert "tradebyte_machine_disk_free_bytes" in text


def test_a_stale_symbol_is_told_once_and_when_it_is_back(world: World, monitor: Running) -> None:
    info = {"state": "live", "age_ms": 61_000, "checksums_ok": 5, "checksums_failed": 0}
    until(lambda: monitor.halted() is False)
    world.say("book", "book.status", books={"BTC/USD": {**info, "stale": True}}, rust=False)
    (text,) = until(lambda: monitor.alerted("stale"))
    assert text.startswith("BTC/USD is stale")
    world.say("book", "book.status", books={"BTC/USD": {**info, "age_ms": 5}}, rust=False)
    assert until(lambda: monitor.alerted("stale-over")) == ["BTC/USD has updates again"]
    assert len(monitor.alerted("stale")) == 1


def test_a_death_is_told_when_the_pid_ends(world: World, monitor: Running, sleeper: subprocess.Popen[bytes]) -> None:
    world.beat("book", sleeper.pid)
    until(lambda: (health := monitor.get("/health")) and health[1]["processes"]["book"] == "ready")
    until(lambda: monitor.halted() is False)
    world.hush("heartbeat.book")
    sleeper.kill()
    (text,) = until(lambda: monitor.alerted("process-dead"))
    assert f"book (pid {sleeper.pid}) died" in text


def test_the_halt_switch_is_shown_on_the_bus(world: World, monitor: Running) -> None:
    until(lambda: monitor.halted() is False)
    halt.halt(world.config.halt_file, "for a test")
    until(lambda: monitor.halted() is True)
    assert until(lambda: monitor.alerted("halted"))
    assert monitor.controls[-1].why == "for a test"
    halt.resume(world.config.halt_file)
    until(lambda: monitor.halted() is False)
    assert until(lambda: monitor.alerted("resumed"))


def test_warnings_alerts_and_changes_of_state_are_in_one_log(world: World, monitor: Running) -> None:
    file = world.config.logs / "tradebyte.log"
    world.beat("book", state="degraded", why="the feed is silent")
    world.say("collector", "log.collector", level="warning", event="connection lost", fields={"why": "reset by peer"})
    halt.halt(world.config.halt_file, "for a test")
    until(lambda: all(word in file.read_text() for word in ("connection lost", "degraded", "halted")))
    text = file.read_text()
    assert "WARNING  collector: connection lost why=reset by peer\n" in text
    assert "INFO     book: degraded (pid 4000000): the feed is silent\n" in text
    assert text.count("degraded") == 1
    assert "CRITICAL monitor: trading is halted: for a test" in text


def test_garbage_on_the_bus_is_survived(world: World, monitor: Running) -> None:
    world.say("book", "book.status", books="not a map")
    world.say("book", "heartbeat.book", process="book", pid="a pid")
    world.say("book", "no.such.topic", x=1)
    world.beat("executor")
    until(lambda: (health := monitor.get("/health")) and health[1]["processes"]["executor"] == "ready")
    assert monitor.process.poll() is None


def test_a_taken_port_is_refused_with_75_and_by_whom(world: World, monitor: Running, tmp_path: Path) -> None:
    other = World(tmp_path / "other")
    try:
        other.monitor_port = world.monitor_port
        other.write()
        ran = subprocess.run(
            [sys.executable, "-m", "monitor", "--config", str(other.file)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=LONGEST_S,
            check=False,
        )
    finally:
        other.close()
    assert ran.returncode == 75
    assert f"port {world.monitor_port} is taken by pid {monitor.process.pid}" in ran.stderr
    assert "monitor.port" in ran.stderr


def test_it_ends_in_order_when_asked(world: World) -> None:
    running = Running(world)
    try:
        until(lambda: running.get("/health"))
        running.process.terminate()
        assert running.process.wait(LONGEST_S) == 0
    finally:
        running.close()


SUPERVISORD = """
[supervisord]
nodaemon=true
logfile={folder}/logs/supervisord.log
pidfile={folder}/run/supervisord.pid
[unix_http_server]
file={socket}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[program:book]
command=sleep 600
stopwaitsecs=1
startsecs=0
autorestart=unexpected
exitcodes=0,78
[program:executor]
command=sleep 600
stopwaitsecs=1
startsecs=0
autorestart=unexpected
exitcodes=0,78
"""


@pytest.fixture
def supervised(world: World) -> Iterator[supervisor.Supervisor]:
    """Return a supervisord whose book and executor only sleep."""
    supervisord = supervisor.supervisord_of(world.config)
    for name in ("run", "logs"):
        (world.folder / name).mkdir(exist_ok=True)
    file = world.folder / "supervisord.conf"
    file.write_text(SUPERVISORD.format(folder=world.folder, socket=supervisord.path))
    process = subprocess.Popen(
        [sys.executable, "-m", "supervisor.supervisord", "-c", str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )

    def runs() -> bool:
        assert process.poll() is None, process.communicate()[0]
        try:
            return all(supervisord.info(name).statename == "RUNNING" for name in ("book", "executor"))
        except SupervisorAbsent:
            return False

    try:
        until(runs)
        yield supervisord
    finally:
        process.terminate()
        process.communicate(timeout=LONGEST_S)


def test_restart_stops_and_starts(world: World, supervised: supervisor.Supervisor) -> None:
    before = supervised.info("book").pid
    ran = world.tradebyte("restart", "book", "--json")
    assert ran.returncode == 0, ran.stderr
    after = supervised.info("book").pid
    assert json.loads(ran.stdout) == {"restarted": {"book": after}, "kept_orders": False}
    assert after not in (0, before)


def test_restart_keep_hangs_up_and_starts(world: World, supervised: supervisor.Supervisor) -> None:
    before = supervised.info("executor").pid
    ran = world.tradebyte("restart", "executor", "--keep", "--json")
    assert ran.returncode == 0, ran.stderr
    after = supervised.info("executor").pid
    assert json.loads(ran.stdout) == {"restarted": {"executor": after}, "kept_orders": True}
    assert after not in (0, before)
    log = (world.folder / "logs" / "supervisord.log").read_text()
    assert "executor (terminated by SIGHUP" in log


def test_restart_of_a_program_that_is_not_there_says_so(world: World, supervised: supervisor.Supervisor) -> None:
    ran = world.tradebyte("restart", "collector")
    assert ran.returncode == 1
    assert "no program of that name" in ran.stderr
    assert supervised.info("book").statename == "RUNNING"


def test_a_hung_process_is_restarted_through_supervisord(
    world: World, supervised: supervisor.Supervisor, monitor: Running
) -> None:
    before = supervised.info("book").pid
    until(lambda: monitor.halted() is False)
    os.kill(before, signal.SIGSTOP)
    world.beat("book", before)
    until(lambda: (health := monitor.get("/health")) and health[1]["processes"]["book"] == "ready")
    world.hush("heartbeat.book")
    (text,) = until(lambda: monitor.alerted("hung"))
    assert f"book (pid {before}) is hung" in text
    until(lambda: supervised.info("book").pid not in (0, before))
