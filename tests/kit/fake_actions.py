"""Actions of a view that do nothing, for tests of the terminal and of the window."""

from __future__ import annotations

import threading

from monitor.ui.controls import Outcome


class FakeActions:
    """Keeps which actions were called, and in which threads; ``gate`` holds an action until it is set."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.threads: set[threading.Thread] = set()
        self.gate = threading.Event()
        self.gate.set()
        self.outcome: Outcome | Exception = (True, "it is done")

    def _do(self, name: str) -> Outcome:
        assert self.gate.wait(30)
        self.threads.add(threading.current_thread())
        self.done.append(name)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def halt(self) -> Outcome:
        return self._do("halt")

    def resume(self) -> Outcome:
        return self._do("resume")

    def flatten(self) -> Outcome:
        return self._do("flatten")

    def restart(self, process: str) -> Outcome:
        return self._do(f"restart {process}")
