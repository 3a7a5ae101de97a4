"""Puts window and threads together, and takes them apart again, however it ends."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import NoReturn

from PyQt6.QtCore import QSocketNotifier, QTimer
from PyQt6.QtWidgets import QApplication
from PyQt6.sip import voidptr

from monitor.desktop.window import Window
from monitor.desktop.worker import BusThread
from monitor.ui.controls import Actions
from shared.config import Config


def run(config: Config, begun: Callable[[Window], None] = lambda _window: None) -> list[str]:
    """Show the window until it is closed or a signal comes; return the outcomes of actions under way then.

    ``begun`` is called with the window once it is shown and the bus is read.
    """
    app = QApplication(["tradebyte"])
    app.setApplicationName("TradeByte")
    window = Window(config.trading.pairs, Actions(config, "desktop"), f"Listening where {config.source} says.")
    bus = BusThread(config)
    bus.came.connect(window.take)
    bus.failed.connect(window.fail)
    window.taken.connect(bus.taken)
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: None)
    # Qt waits outside of Python: a signal wakes it by the socket.
    notifier = QSocketNotifier(voidptr(ours.fileno()), QSocketNotifier.Type.Read)
    notifier.activated.connect(lambda *_: app.quit())
    # Qt ends the process at an uncaught error of ours.
    sys.excepthook = lambda kind, error, _trace: window.fail(f"{kind.__name__}: {error}")
    window.show()
    bus.start()
    QTimer.singleShot(0, lambda: begun(window))
    try:
        app.exec()
    finally:
        notifier.setEnabled(False)
        window.hide()
        if not bus.stop():
            print("tradebyte: the thread that reads the bus did not end in time", file=sys.stderr)
        outcomes = window.acting.finish()
        signal.set_wakeup_fd(before)
        sys.excepthook = sys.__excepthook__
        ours.close()
        theirs.close()
    return outcomes


def leave(code: int) -> NoReturn:
    """End the process at once: PyQt's own clean-up at Python's end visits freed objects, and crashes at times."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
