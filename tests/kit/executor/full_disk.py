"""A journal on a disk that is full."""

from __future__ import annotations

from typing import Any

from executor.errors import JournalError
from executor.record.journal import Journal


class FullDisk(Journal):
    """A journal that can be written again once ``full`` is False."""

    full = False

    def write(self, rows: Any) -> None:
        if self.full:
            raise JournalError("disk full")
        super().write(rows)
