"""``tradebyte top`` in a terminal of 80x24 over a whole running system: seen, halted by its key, killed, recovered."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.system import ROOT, System, is_running, running, until

TMUX = shutil.which("tmux")
pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(TMUX is None, reason="tmux, the terminal that the test looks at, is not installed"),
]
LONG_S = 45

SERVERS = itertools.count()


class Terminal:
    """A terminal of 80x24 in a tmux server of its own, with ``tradebyte top`` in it."""

    def __init__(self, system: System) -> None:
        # Short: the path of a socket is bounded. A name of its own: the server before it may still be ending.
        self._tmux = [str(TMUX), "-L", f"tradebyte-test-{os.getpid()}-{next(SERVERS)}", "-f", "/dev/null"]
        command = f"exec {sys.executable} -m monitor top --config {system.folder}/config/config.yaml"
        self._call("new-session", "-d", "-x", "80", "-y", "24", "-c", str(ROOT), command)
        self._call("set-option", "-g", "remain-on-exit", "on")
        self.pid = int(self._call("list-panes", "-F", "#{pane_pid}"))

    def _call(self, *words: str) -> str:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("TMUX", "NO_COLOR"))}
        done = subprocess.run(
            [*self._tmux, *words], env=environment, capture_output=True, text=True, timeout=20, check=True
        )
        return done.stdout

    @property
    def screen(self) -> str:
        return self._call("capture-pane", "-p")

    def press(self, *keys: str) -> None:
        self._call("send-keys", *keys)

    def until(self, *texts: str, seconds: float = LONG_S) -> str:
        """Wait until all of these are on the screen."""
        try:
            until(f"{texts} on the screen", lambda: all(text in self.screen for text in texts), seconds, 0.2)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.screen}") from None
        return self.screen

    def close(self) -> None:
        self._call("kill-server")


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(tmp_path_factory.mktemp("top")) as made:
        yield made


@pytest.fixture
def terminal(system: System) -> Iterator[Terminal]:
    made = Terminal(system)
    yield made
    made.close()


def resting(system: System) -> int:
    return len(system.exchange("OpenOrders")["open"])


def test_it_shows_quotes_halts_when_asked_and_comes_back_with_the_system(system: System, terminal: Terminal) -> None:
    process = psutil.Process(terminal.pid)
    terminal.until("7/7 ready", "12 open", "not halted")
    lines = terminal.screen.splitlines()
    assert lines[0].startswith("SANDBOX")
    own = [line for line in lines if re.match(r"(ask|bid) +[\d-]+ +\d+\.\d+ +\S+ 0\.00\d{6} ", line)]
    assert len(own) == 4, terminal.screen

    terminal.press("h")
    terminal.until("Halt: pull every order", "y yes")
    assert not system.config.halt_file.exists()
    assert resting(system) > 0
    terminal.press("y")
    terminal.until("HALTED", "0 open", "nothing of ours is open")
    assert resting(system) == 0
    terminal.press("r")
    terminal.until("Resume: let quotes be placed again?", "from tradebyte top")
    terminal.press("y")
    terminal.until("not halted", "7/7 ready", "12 open")

    monitor = system.kill("monitor")
    terminal.until("12 open")
    until("the monitor is back", lambda: system.pid("monitor") not in (0, monitor), LONG_S)

    system.stop()
    terminal.until("The system is down", "make run")
    assert "ready" not in terminal.screen
    system.start()
    terminal.until("7/7 ready", "12 open", seconds=60)

    terminal.press("q")
    until("it has ended", lambda: not is_running(process), LONG_S)


def test_a_stopped_terminal_costs_the_system_nothing(system: System, terminal: Terminal) -> None:
    system.until_quoting(LONG_S)
    terminal.until("7/7 ready", "12 open")
    drops = {name: _drops(system, name) for name in system.config.process_names}
    process = psutil.Process(terminal.pid)
    os.kill(terminal.pid, signal.SIGSTOP)
    began = time.time_ns()
    until("ten seconds have passed", lambda: time.time_ns() - began > 10**10, 20, 0.5)
    since = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    system.until_quoting(LONG_S, since)
    assert {name: _drops(system, name) for name in system.config.process_names} == drops
    before = process.memory_info().rss
    os.kill(terminal.pid, signal.SIGCONT)
    terminal.until("7/7 ready", "12 open")
    assert process.memory_info().rss < before + 60 * 2**20


def _drops(system: System, process: str) -> int:
    beat = until(f"{process} is heard", lambda: system.heartbeat(process), 10)
    return int(beat.drops)


def test_without_a_terminal_it_says_what_to_type_instead(tmp_path: Path) -> None:
    made = System(tmp_path / "s")
    done = made.run("monitor", "top", "--config", "config/config.yaml")
    assert done.returncode == 1
    assert "needs a terminal" in done.stderr
    assert "tradebyte status" in done.stderr
    assert done.stdout == ""
