"""The machine's disk: a journal that is full or slow at times, and the files that a person leaves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from executor.errors import JournalError
from executor.record.journal import Journal
from executor.record.rows import Row

if TYPE_CHECKING:
    from tests.simulation.host import Host


class Crash(BaseException):
    """The process dies at this point."""


@dataclass(slots=True)
class Files:
    """The machine's halt file, its flatten file, and the assets that a person accepts."""

    halt: list[str] = field(default_factory=list)
    flatten: list[str] = field(default_factory=list)
    accept: list[str] = field(default_factory=list)


class FlakyJournal(Journal):
    """The journal on a disk that is full at times, of a process that may die before and after each write."""

    def __init__(self, path: Path, host: Host) -> None:
        self._host = host
        super().__init__(path)

    def write(self, rows: Iterable[Row]) -> None:
        """As the journal's."""
        self._host.writes += 1
        self._host.block(self._host.write_s)
        if self._host.disk_full:
            raise JournalError(f"{self.path} cannot be written: database or disk is full")
        self._host.point()
        super().write(rows)
        self._host.point()
