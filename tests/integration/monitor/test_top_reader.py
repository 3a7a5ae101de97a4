"""The terminal screen's reader and acts, on a bus whose processes are pretended; nothing of the system runs."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator

import pytest

from monitor.ui.controls import Actions
from monitor.ui.reader import Reader
from tests.integration.monitor.conftest import ROOT, World
from tests.system import until

pytestmark = pytest.mark.processes


@pytest.fixture
def reader(world: World) -> Iterator[Reader]:
    made = Reader(world.config)
    made.start()
    yield made
    made.stop()


def test_it_listens_sees_the_system_and_says_when_it_is_gone(world: World, reader: Reader) -> None:
    until("it has looked", lambda: reader.latest is not None, 10)
    assert reader.latest is not None
    assert reader.latest.heard in ("listening", "down")
    world.whole()
    world.beat("monitor")
    until("the system is up", lambda: reader.latest and reader.latest.heard == "up", 10)
    until("the order is known", lambda: reader.latest and reader.latest.open_orders == 1, 10)
    for name in world.config.process_names:
        world.hush(f"heartbeat.{name}")
    until("the system is down", lambda: reader.latest and reader.latest.heard == "down", 10)
    world.beat("book")
    until("it is back", lambda: reader.latest and reader.latest.heard == "up", 10)


def test_halt_is_seen_from_its_file_without_any_process(world: World, reader: Reader) -> None:
    world.config.halt_file.parent.mkdir(parents=True, exist_ok=True)
    written = world.config.halt_file.with_name("HALT.new")
    written.write_text("lunch")
    written.replace(world.config.halt_file)  # at once: an empty file halts too, without a reason
    until("halted", lambda: reader.latest and reader.latest.control.halted, 10)
    assert reader.latest is not None
    assert reader.latest.control.why == "lunch"


def test_acts_say_what_came_of_them_also_when_nothing_runs(world: World) -> None:
    actions = Actions(world.config, "top")
    assert actions.resume() == (True, "was not halted")
    is_done, text = actions.flatten()
    assert (is_done, "the executor is not heard" in text) == (False, True)
    is_done, text = actions.restart("book")
    assert not is_done
    assert "supervisord does not answer" in text
    assert "make run" in text
    is_done, text = actions.restart("bok")
    assert (is_done, "is no process here" in text) == (False, True)
    is_done, text = actions.halt()
    assert not is_done
    assert "dead man's switch" in text
    assert world.config.halt_file.exists()
    assert "from tradebyte top" in world.config.halt_file.read_text()
    is_done, text = actions.flatten()
    assert (is_done, "halted" in text) == (False, True)
    is_done, text = actions.resume()
    assert (is_done, "from tradebyte top" in text) == (True, True)
    assert not world.config.halt_file.exists()


def test_halt_is_told_done_when_the_executor_says_so(world: World) -> None:
    world.orders()
    world.beat("executor", state="halted")
    is_done, text = Actions(world.config, "top").halt()
    assert (is_done, text) == (True, "halted: the executor has pulled everything, nothing of ours is open")


def test_a_terminal_that_takes_nothing_loses_no_message(world: World) -> None:
    """Its writes block, as after Ctrl-S; the bus is read on, and when it goes on what is shown is the newest."""
    world.whole()
    world.beat("monitor")
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    command = [sys.executable, "-m", "monitor", "top", "--config", str(world.file)]
    environment = {**os.environ, "TERM": "xterm"}
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, cwd=ROOT, env=environment)
    os.close(slave)
    try:
        began = time.monotonic()
        until("nothing is read for a while", lambda: time.monotonic() - began > 8, 20)
        world.beat("monitor", state="degraded", why="something new")
        seen = ""
        end = time.monotonic() + 60
        while "something new" not in seen and time.monotonic() < end:
            if select.select([master], [], [], 0.2)[0]:
                seen += os.read(master, 65536).decode(errors="replace")
        assert "something new" in seen
        assert "missed" not in seen
        os.write(master, b"q")
        until("it ends", lambda: _drained(master, process), 30)
        assert process.returncode == 0
    finally:
        process.kill()
        process.wait()
        os.close(master)


def _drained(master: int, process: subprocess.Popen[bytes]) -> bool:
    while select.select([master], [], [], 0)[0]:
        try:
            if not os.read(master, 65536):
                break
        except OSError:
            break
    return process.poll() is not None
