"""The halt file as the executor keeps it: a halt that the disk does not take holds all the same, and is tried again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from shared import halt


class HaltSwitch:
    """``alert`` tells people what they must know: a halt, or that it cannot be written."""

    def __init__(self, file: Path, alert: Callable[[str], None]) -> None:
        self._file, self._alert = file, alert
        self._unwritten: halt.Halt | None = None
        self._problem = ""

    def is_on(self) -> bool:
        """True while the halt file is there, or should be."""
        return self._unwritten is not None or halt.is_halted(self._file)

    def turn_on(self, why: halt.Halt) -> None:
        """Write the halt file; where it cannot be written, halted all the same, and tried again."""
        if self._unwritten is None:
            self._alert(why.words)
        self._unwritten = why
        self.retry()

    def retry(self) -> None:
        """Write a halt that the disk has not taken yet."""
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
