"""The halt file, for the executor. A halt holds even while the file cannot be written, and the write is retried."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from shared import halt


class HaltSwitch:
    """Turns the halt on and reads it; ``alert`` is called with each halt, and with why one cannot be written."""

    def __init__(self, file: Path, alert: Callable[[str], None]) -> None:
        self._file, self._alert = file, alert
        self._unwritten: halt.Halt | None = None
        self._problem = ""

    def is_on(self) -> bool:
        """True while the halt file is there, or should be."""
        return self._unwritten is not None or halt.is_halted(self._file)

    def turn_on(self, why: halt.Halt) -> None:
        """Halt, and write the file; a halt that cannot be written holds, and :meth:`retry` writes it later."""
        if self._unwritten is None:
            self._alert(why.words)
        self._unwritten = why
        self.retry()

    def retry(self) -> None:
        """Write a halt that is not on the disk yet."""
        if self._unwritten is None:
            return
        try:
            halt.halt_trading(self._file, self._unwritten)
        except OSError as error:
            if self._problem != str(error):
                self._problem = str(error)
                self._alert(f"data/HALT cannot be written ({error}): halted all the same, but not over a restart")
        else:
            self._unwritten, self._problem = None, ""

    @property
    def reason(self) -> str:
        """Return what the halt file says."""
        return halt.reason(self._file)
