"""Threads beside the window's: one that reads the bus, and one for each action."""

from __future__ import annotations

import threading
from collections.abc import Callable

from PyQt6.QtCore import QObject, QThread, pyqtSignal

from monitor.desktop.frame import Frame, Framer
from monitor.ui.controls import Outcome
from monitor.ui.reader import Reading
from monitor.ui.snapshot import Snapshot, Watch
from shared import limits
from shared.config import Config


class BusThread(QThread):
    """Reads the bus and emits the newest frame by ``came``, never before the last one was drawn: nothing queues."""

    came = pyqtSignal(Frame)
    failed = pyqtSignal(str)

    def __init__(self, config: Config) -> None:
        super().__init__()
        self._framer = Framer(config)
        self._is_taken = threading.Event()
        self._is_taken.set()
        self._reading = Reading(config, limits.DESKTOP_DRAW_EVERY_S, self._hand_over, self._is_taken.is_set)

    def run(self) -> None:
        """Read the bus until the end."""
        why = self._reading.run()
        if why:
            self.failed.emit(why)

    def taken(self) -> None:
        """Note that the window is done with its frame."""
        self._is_taken.set()

    def stop(self) -> bool:
        """End the thread and wait; return false if it did not end in time."""
        self._reading.end()
        return self.wait(int(limits.DESKTOP_STOP_S * 1000))

    def _hand_over(self, watch: Watch, snapshot: Snapshot) -> None:
        self._is_taken.clear()
        self.came.emit(self._framer.frame(watch, snapshot))


class ActionThreads(QObject):
    """Runs actions, one of a name at a time; ``done`` carries name, success and outcome."""

    done = pyqtSignal(str, bool, str)

    def __init__(self) -> None:
        super().__init__()
        self._under_way: dict[str, threading.Thread] = {}
        self.outcomes: dict[str, str] = {}

    def begin(self, name: str, act: Callable[[], Outcome]) -> bool:
        """Begin an action; return false if one of this name is under way."""
        before = self._under_way.get(name)
        if before is not None and before.is_alive():
            return False
        thread = threading.Thread(target=self._run, args=(name, act), name=name)
        self._under_way[name] = thread
        thread.start()
        return True

    def finish(self) -> list[str]:
        """Wait for what is under way, as when the window is closed; return the outcomes."""
        waited = {name: thread for name, thread in self._under_way.items() if thread.is_alive()}
        for thread in waited.values():
            thread.join()
        return [self.outcomes[name] for name in waited]

    def _run(self, name: str, act: Callable[[], Outcome]) -> None:
        try:
            is_done, text = act()
        except Exception as error:  # noqa: BLE001 - whatever it is, a person must know that it did not work
            is_done, text = False, f"{type(error).__name__}: {error}"
        self.outcomes[name] = text if is_done else f"{name} did not work: {text}"
        self.done.emit(name, is_done, self.outcomes[name])
