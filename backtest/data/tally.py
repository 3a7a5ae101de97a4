"""Counts of what was read, and what could not be."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from backtest.data.columns import Mark

# So many bad rows are kept with their place; all are counted.
BAD_ROWS_KEPT: Final = 100


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row, line or frame that could not be read; ``line`` counts from 1 in its file."""

    file: str
    line: int
    why: str


@dataclass(slots=True)
class Tally:
    """Counts of what was read: frames, rows made, checksums, gaps by their mark, and bad rows with their places.

    ``gaps`` counts every event, also those after which the book was not trusted anyway, which leave no mark.
    ``trades_missed`` are messages with trades that were lost: the book is as good as before. ``seconds`` are of data.
    """

    frames: int = 0
    rows: int = 0
    checksums_ok: int = 0
    checksums_failed: int = 0
    gaps: Counter[Mark] = field(default_factory=Counter)
    trades_missed: int = 0
    bad: list[BadRow] = field(default_factory=list)
    bad_rows: int = 0
    seconds: float = 0.0

    def note(self, file: str, line: int, why: str) -> None:
        """Count a bad row, and keep it where there is room."""
        self.bad_rows += 1
        if len(self.bad) < BAD_ROWS_KEPT:
            self.bad.append(BadRow(file, line, why[:200]))

    def counts(self) -> dict[str, object]:
        """Return the counts as a day file's metadata have them."""
        return {
            "frames": self.frames,
            "checksums_ok": self.checksums_ok,
            "checksums_failed": self.checksums_failed,
            "gaps": {mark.name.lower(): count for mark, count in sorted(self.gaps.items())},
            "trades_missed": self.trades_missed,
            "bad_rows": self.bad_rows,
        }
