"""The process shell with real processes: hangs end with a stack, orphans stop in order, crash loops halt."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from shared.messages import ProcessState
from tests.system import System, until

pytestmark = pytest.mark.processes

HANGS = """
import time
from shared.messages import ProcessState
from shared.process.loop import Process
from shared.process.command_line import load_config
process = Process("book", load_config("book", None), [])
process.state(ProcessState.READY)
def a_turn_that_never_ends(now):
    time.sleep(1000)
process.run_polled(lambda received: None, a_turn_that_never_ends)
"""
DIES = """
from shared.messages import ProcessState
from shared.process.loop import Process
from shared.process.command_line import load_config
process = Process("book", load_config("book", None), [])
process.state(ProcessState.DEGRADED, "no feed yet")
raise SystemExit(3)
"""


def script(system: System, text: str, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", text], cwd=system.folder, env={**system.environment, **environment})


@pytest.fixture(scope="module", autouse=True)
def hanging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, subprocess.Popen[bytes]]]:
    """A process that hangs from the beginning; its end, which takes a while, is looked at last."""
    folder = tmp_path_factory.mktemp("hanging")
    process = script(System(folder), HANGS)
    yield folder, process
    process.kill()
    process.wait()


def test_five_failed_starts_in_a_row_halt_and_a_sixth_waits(tmp_path: Path) -> None:
    system = System(tmp_path)
    for _ in range(5):
        assert script(system, DIES).wait(60) == 3
        assert not system.config.halt_file.exists()
    assert script(system, DIES).wait(60) == 3
    assert "failed to start 5 times in a row" in system.config.halt_file.read_text()


def test_a_process_that_trading_does_not_need_halts_nothing_however_often_it_fails(tmp_path: Path) -> None:
    system = System(tmp_path)
    dies = DIES.replace(
        'Process("book", load_config("book", None), []', 'Process("relay", load_config("relay", None), []'
    )
    dies = dies.replace("None), [])", "None), [], is_needed_for_trading=False)")
    for _ in range(6):
        assert script(system, dies).wait(60) == 3
    assert "failed to start 5 times in a row" in (tmp_path / "logs/relay.log").read_text()
    assert not system.config.halt_file.exists()


@pytest.mark.parametrize("component", ["book", "collector", "strategy", "relay"])
def test_sigterm_ends_in_order(tmp_path: Path, component: str) -> None:
    system = System(tmp_path)
    process = subprocess.Popen([sys.executable, "-m", component], cwd=tmp_path, env=system.environment)
    name = "strategy.market_maker" if component == "strategy" else component
    until(f"{component} is heard", lambda: system.heartbeat(name), 30)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0

    def stopping() -> bool:
        beat = system.heartbeat(name)
        return beat is not None and beat.state is ProcessState.STOPPING

    until("the last heartbeat says stopping", stopping, 5)


def test_processes_whose_supervisord_is_gone_stop_and_leave_no_order(tmp_path: Path) -> None:
    system = System(tmp_path)
    pids: dict[str, int] = {}
    try:
        system.start().until_quoting(60)
        pids = {name: beat.pid for name in system.config.process_names if (beat := system.heartbeat(name))}
        assert system._supervisord is not None
        os.kill(system._supervisord.pid, signal.SIGKILL)
        system._supervisord.wait()
        until("every process is gone", lambda: not any(psutil.pid_exists(pid) for pid in pids.values()), 30)
        log = (tmp_path / "logs/executor.log").read_text()
        assert "supervisord is gone" in log
        assert "all orders pulled" in log
    finally:
        for pid in pids.values():
            if psutil.pid_exists(pid):
                os.kill(pid, signal.SIGKILL)
        system.stop()


def test_a_boot_that_was_superseded_is_not_listened_to(tmp_path: Path) -> None:
    """A process restarted within the same second still has a higher boot."""
    system = System(tmp_path)
    boots = []
    for _ in range(2):
        process = subprocess.Popen([sys.executable, "-m", "book"], cwd=tmp_path, env=system.environment)
        system.last.clear()
        beat = until("the book is heard", lambda: system.heartbeat("book"), 30)
        boots.append(beat.boot)
        process.kill()
        process.wait()
        time.sleep(0.1)
    assert boots[1] > boots[0]


def test_a_process_over_its_memory_limit_restarts_in_order(tmp_path: Path) -> None:
    def small(tree: dict[str, Any]) -> None:
        tree["monitor"] |= {"memory_threshold_mb": 5, "memory_limit_mb": 5}

    system = System(tmp_path, small)
    assert system.run("book").returncode == 70
    log = (tmp_path / "logs/book.log").read_text()
    assert "is above 5 MB" in log
    assert "restarting in order" in log
    assert "event='stopped'" in log


def test_bad_input_25_file_descriptors_exhausted(tmp_path: Path) -> None:
    """Given few descriptors a process takes all that it may have; without any for a connection it tries again later."""
    system = System(tmp_path)

    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (24, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))

    process = subprocess.Popen(
        [sys.executable, "-m", "collector"], cwd=tmp_path, env=system.environment, preexec_fn=few
    )
    try:
        until("the collector is heard", lambda: system.heartbeat("collector"), 30)
        soft, _ = psutil.Process(process.pid).rlimit(psutil.RLIMIT_NOFILE)
        assert soft > 24
    finally:
        process.terminate()
        assert process.wait(20) == 0


def test_a_process_that_hangs_ends_and_leaves_its_stack_in_its_log(
    hanging: tuple[Path, subprocess.Popen[bytes]],
) -> None:
    folder, process = hanging
    assert process.wait(60) not in (0, 75, 78)
    assert "a_turn_that_never_ends" in (folder / "logs/book.log").read_text()
