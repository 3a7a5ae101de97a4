"""``tradebyte desktop``: everything in a window, until it is closed. An optional extra."""

from __future__ import annotations

import os
import subprocess
import sys

from monitor.cli.common import ConfigOption, fail, load, say

INSTALL = ".venv/bin/pip install -e '.[desktop]'"
LIBRARIES = "libegl1 libgl1 libxkbcommon0 libdbus-1-3 libfontconfig1 libxcb-cursor0 libxkbcommon-x11-0"
PROBE = "from PyQt6.QtGui import QGuiApplication; QGuiApplication(['tradebyte'])"
PROBE_S = 30.0


def desktop(config: ConfigOption = None) -> None:
    """Show ladder, mid and trades, profit and processes in a window; buttons halt, resume and flatten, and ask first.

    Works without the monitor; closing it touches nothing. Needs PyQt6, which is an optional extra.
    """
    settings = load(config, required=True)
    try:
        # Only this command takes Qt, which many do not have.
        from monitor.desktop.app import leave, run
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("PyQt6", "pyqtgraph", "numpy"):
            raise
        fail(f"the window needs PyQt6 and pyqtgraph, which are not here; PyQt6 is GPL. Install them: {INSTALL}")
    except ImportError as error:
        fail(f"Qt does not load ({error}); on Debian or Ubuntu: apt install {LIBRARIES}")
    why = no_display()
    if why:
        fail(why)
    for line in run(settings):
        say(f"tradebyte: {line}")
    leave(0)


def no_display() -> str:
    """Return why a window cannot be shown here, and what to do; empty where it can.

    Qt aborts the process that tries in vain, so another one tries first.
    """
    environ = os.environ
    if not any(environ.get(name) for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY")) and _is_linux():
        return (
            "there is no display to show a window on (DISPLAY and WAYLAND_DISPLAY are not set). Type it in a terminal "
            "of your desktop, or over 'ssh -X'; 'tradebyte top' shows the same in a terminal"
        )
    try:
        done = subprocess.run(
            [sys.executable, "-c", PROBE], capture_output=True, text=True, timeout=PROBE_S, check=False
        )
    except subprocess.TimeoutExpired:
        return f"the display did not answer within {PROBE_S:.0f} s; see DISPLAY and QT_QPA_PLATFORM"
    if done.returncode == 0:
        return ""
    said = " ".join(line.strip() for line in done.stderr.splitlines() if line.strip())[:400]
    why = said or f"exit code {done.returncode}"
    return (
        f"Qt cannot show a window here: {why} See DISPLAY and QT_QPA_PLATFORM; where a library is missing (Debian, "
        f"Ubuntu): apt install {LIBRARIES}. 'tradebyte top' shows the same in a terminal"
    )


def _is_linux() -> bool:
    return sys.platform.startswith("linux")
