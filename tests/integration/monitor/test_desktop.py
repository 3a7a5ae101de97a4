"""The desktop window on a bus: gone and back, ended by every signal, and over a whole system. Qt runs elsewhere."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import desktop
from tests.integration.monitor.conftest import World
from tests.system import ROOT, System, until

MISSING = desktop.missing_elsewhere()
pytestmark = [pytest.mark.processes, pytest.mark.skipif(bool(MISSING), reason=MISSING)]
CHECKS = Path(__file__).with_name("desktop_checks.py")
# Qt's own, of the platform that has no windows.
OFFSCREEN_SAYS = "This plugin does not support propagateSizeHints()"


def test_the_bus_goes_away_and_comes_back() -> None:
    done = desktop.checked(CHECKS)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc tells when it is up")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(world: World, number: signal.Signals) -> None:
    world.whole()
    process = subprocess.Popen(
        [sys.executable, "-m", "monitor", "desktop", "--config", str(world.file)],
        cwd=ROOT,
        env=desktop.offscreen(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until("it is up", lambda: _is_up(process), 30)
        process.send_signal(number)
        out, said = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert out == ""
    assert [line for line in said.splitlines() if line != OFFSCREEN_SAYS] == []


@pytest.mark.skipif(desktop.XVFB is None, reason="Xvfb is not here (Debian, Ubuntu: apt install xvfb)")
def test_a_whole_system_is_seen_on_a_screen_and_halted_from_the_window(tmp_path: Path) -> None:
    """Once on a screen of its own, for the picture, and once offscreen, where Halt and Yes are pressed."""
    picture = ROOT / "run/screenshots/desktop.png"
    picture.parent.mkdir(parents=True, exist_ok=True)
    system = System(tmp_path).start()
    try:
        system.until_quoting(60)
        with desktop.display() as environment:
            assert "SANDBOX | not halted | 7/7 ready" in _look(system, picture, environment)
        said = _look(system, tmp_path / "offscreen.png", desktop.offscreen(), "halt")
        assert "halted: the executor has pulled everything, nothing of ours is open" in said
        assert system.json("status")["halted"]
        assert system.json("status")["open_orders"] == 0
    finally:
        system.stop()
    assert picture.stat().st_size > 10_000


def _look(system: System, picture: Path, environment: dict[str, str], *more: str) -> str:
    command = [sys.executable, "-m", "tests.desktop", str(system.folder / "config/config.yaml"), str(picture), *more]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line for line in done.stderr.splitlines() if line != OFFSCREEN_SAYS] == []
    return done.stdout


def _is_up(process: subprocess.Popen[str]) -> bool:
    """True if it catches SIGTERM, which it does just before the window is shown."""
    assert process.poll() is None
    status = Path(f"/proc/{process.pid}/status").read_text()
    caught = int(next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt")), 16)
    return bool(caught >> (signal.SIGTERM - 1) & 1)
