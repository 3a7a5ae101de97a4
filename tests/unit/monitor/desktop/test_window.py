"""The window offscreen, and its command where there is no Qt or no display; Qt stays out of this process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests import desktop

ROOT = Path(__file__).resolve().parents[4]
CHECKS = Path(__file__).with_name("window_checks.py")
MISSING = desktop.missing_elsewhere()
needs_qt = pytest.mark.skipif(bool(MISSING), reason=MISSING)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "config.yaml"
    file.write_text("trading: {pairs: [BTC/USD]}\n")
    return file


def run(code: str, config: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``tradebyte desktop`` after some code, without the display that may be here."""
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    environ = {name: value for name, value in desktop.offscreen().items() if name not in names} | environment
    text = f"import sys; {code}; from monitor.cli.app import app; app(['desktop', '--config', {str(config)!r}])"
    return subprocess.run(
        [sys.executable, "-c", text], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False
    )


@needs_qt
def test_every_state_and_button() -> None:
    done = desktop.checked(CHECKS)
    assert done.returncode == 0, done.stdout + done.stderr


def test_without_pyqt6_it_says_how_to_install_it(config: Path) -> None:
    done = run("sys.modules['PyQt6'] = None", config)
    assert (done.returncode, done.stdout) == (1, "")
    assert ".venv/bin/pip install -e '.[desktop]'" in done.stderr
    assert "GPL" in done.stderr
    assert "Traceback" not in done.stderr


@needs_qt
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="displays are named so on Linux")
@pytest.mark.parametrize("display", [{}, {"DISPLAY": ":9876", "QT_QPA_PLATFORM": "xcb"}])
def test_without_a_display_it_says_so(config: Path, display: dict[str, str]) -> None:
    done = run("pass", config, **display)
    assert (done.returncode, done.stdout) == (1, "")
    assert "DISPLAY" in done.stderr
    assert "tradebyte top" in done.stderr
    assert "Traceback" not in done.stderr
