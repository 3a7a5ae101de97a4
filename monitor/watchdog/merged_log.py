"""One log of the whole system for people, ``logs/tradebyte.log``: warnings, alerts, and changes of state.

Each process keeps its own, fuller log; this is the place to look first. Rotated, so bounded.
"""

from __future__ import annotations

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

from shared import limits
from shared.bus import Received
from shared.clock import rfc3339
from shared.messages import Alert, Heartbeat, LogLine

NAME: Final = "tradebyte.log"


class Lines:
    """Keeps what is worth a line: messages come in, lines of text come out."""

    def __init__(self, names: list[str]) -> None:
        self._names = frozenset(names)
        self._states: dict[str, tuple[int, str, str]] = {}

    def line(self, received: Received) -> str | None:
        """Return the line of a message, None for one that says nothing new."""
        match received.message:
            case Alert() as alert:
                return self._line(alert.ts, alert.src, alert.level, alert.text)
            case LogLine() as log if log.event != "alert":  # the alert itself comes as well
                fields = " ".join(f"{key}={value}" for key, value in log.fields.items())
                return self._line(log.ts, log.src, log.level, f"{log.event} {fields}".rstrip())
            case Heartbeat() as beat if beat.process in self._names:
                state = (beat.boot, str(beat.state), beat.why)
                if self._states.get(beat.process) == state:
                    return None
                self._states[beat.process] = state
                why = f": {beat.why}" if beat.why else ""
                return self._line(beat.ts, beat.process, "info", f"{beat.state} (pid {beat.pid}){why}")
            case _:
                return None

    @staticmethod
    def _line(ts: int, source: str, level: str, text: str) -> str:
        flat = " ".join(text.split())
        return f"{rfc3339(max(ts, 0))} {level.upper():<8} {source}: {flat}"


class MergedLog:
    """Writes the merged log's file."""

    def __init__(self, folder: Path, names: list[str]) -> None:
        self._lines = Lines(names)
        self._handler = RotatingFileHandler(
            folder / NAME, maxBytes=limits.LOG_FILE_BYTES, backupCount=limits.LOG_FILES, encoding="utf-8"
        )

    def take(self, received: Received) -> None:
        """Write the line of a message, if it has one. A full disk is logging's problem and never ends the monitor."""
        line = self._lines.line(received)
        if line is not None:
            self._handler.emit(logging.makeLogRecord({"msg": line}))
