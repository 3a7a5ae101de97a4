"""A person at the window: ``python -m tests.desktop CONFIG PICTURE [halt]``, in a process of its own for Qt's sake.

Waits until the whole system is seen, takes a picture of the window, presses Halt and Yes where that is asked for, and
closes the window; prints what was said. Fails where something does not come.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

XVFB = shutil.which("Xvfb")
ROOT = Path(__file__).resolve().parents[1]
PATIENCE_S = 60.0
LONG_S = 45.0


def missing_elsewhere() -> str:
    """Why no window can be made here, found out in another process; empty where it can."""
    command = [sys.executable, "-c", "import PyQt6.QtWidgets, pyqtgraph"]
    done = subprocess.run(command, env=offscreen(), capture_output=True, text=True, check=False)
    why = (done.stderr.strip().splitlines() or ["?"])[-1]
    return f"the desktop extra or a library of Qt's is not here: {why}" if done.returncode else ""


def offscreen() -> dict[str, str]:
    """The environment for a window that nobody sees."""
    return {**os.environ, "QT_QPA_PLATFORM": "offscreen"}


def checked(file: Path) -> subprocess.CompletedProcess[str]:
    """A file of tests, offscreen and in a process of its own, which ends as the window's does."""
    code = "import sys, pytest; from monitor.desktop.app import leave; leave(pytest.main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "-q", "-p", "no:xdist", "-p", "no:cacheprovider", str(file)]
    return subprocess.run(command, cwd=ROOT, env=offscreen(), capture_output=True, text=True, timeout=110, check=False)


@contextlib.contextmanager
def display() -> Iterator[dict[str, str]]:
    """A screen of its own (Xvfb), as the environment for it."""
    assert XVFB is not None
    ours, theirs = os.pipe()
    command = [XVFB, "-displayfd", str(theirs), "-screen", "0", "1400x900x24", "-nolisten", "tcp"]
    process = subprocess.Popen(command, pass_fds=(theirs,), stderr=subprocess.DEVNULL)
    os.close(theirs)
    try:
        with os.fdopen(ours) as said:
            number = said.readline().strip()
        assert number, "Xvfb did not start"
        yield {**os.environ, "DISPLAY": f":{number}", "QT_QPA_PLATFORM": "xcb"}
    finally:
        process.terminate()
        process.wait()


def main(config: Path, picture: Path, *, is_to_halt: bool, watch_s: float) -> None:
    """Looks, and acts."""
    from PyQt6.QtWidgets import QApplication, QMessageBox

    from monitor.desktop import app
    from monitor.desktop.window import Window
    from shared import config as configuration

    def wait(what: str, true: Callable[[], object]) -> None:
        end = time.monotonic() + PATIENCE_S
        while not true():
            QApplication.processEvents()
            time.sleep(0.01)
            if time.monotonic() > end:
                raise SystemExit(f"did not happen: {what}")

    def look(window: Window) -> None:
        def is_whole() -> bool:
            frame = window.frame
            if frame is None or not frame.snapshot.open_orders:
                return False
            return (
                all(one.state == "ready" for one in frame.snapshot.processes.values()) and window.ladder.rowCount() > 3
            )

        wait("the whole system is seen", is_whole)
        end = time.monotonic() + watch_s
        wait("it was watched", lambda: time.monotonic() > end)
        assert window.grab().save(str(picture))
        print(" | ".join(label.text() for label in window.badges))
        if is_to_halt:
            window.halt.click()
            assert window.box is not None
            print(window.box.text())
            agree = window.box.button(QMessageBox.StandardButton.Yes)
            assert agree is not None
            agree.click()
            wait("halted", lambda: window.notice.text().startswith("halted"))
            print(window.notice.text())
            wait("it is shown", lambda: window.badges[1].text() == "HALTED")
        window.close()

    app.run(configuration.load(config, environ={}), look)
    app.leave(0)


if __name__ == "__main__":
    options = sys.argv[3:]
    main(
        Path(sys.argv[1]), Path(sys.argv[2]), is_to_halt="halt" in options, watch_s=LONG_S if "long" in options else 1.0
    )
