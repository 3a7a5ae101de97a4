"""Lines of a CSV file, read with care: a bad one is named and counted, and the others go on."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from backtest.data.places import Place
from backtest.data.rows import bounded
from backtest.data.tally import Tally
from backtest.errors import DataError
from shared.numbers import scale

# So many lines are read before their rows are taken.
LINES_A_PART: Final = 1_000_000
_scale = lru_cache(maxsize=1 << 16)(scale)


class Lines:
    """The rows of one open file as lists of text; ``header`` is the first, ``line`` the number of the newest."""

    def __init__(self, place: Place, tally: Tally) -> None:
        self.place = place
        self.line = 1
        self._part_end = LINES_A_PART
        self._tally = tally
        try:
            self._reader = csv.reader(io.TextIOWrapper(place.open(), encoding="utf-8", newline=""))
            self.header = next(self._reader, [])
        except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
            raise DataError(f"{place.text}: {error}") from error

    def rows(self, *, with_first: bool = False) -> Iterator[list[str]]:
        """Yield the rows after the header, or from it where it is a row itself. Raises DataError."""
        if with_first:
            yield self.header
        try:
            for row in self._reader:
                self.line += 1
                if row:
                    yield row
        except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
            raise DataError(f"{self.place.text}: line {self.line + 1}: {error}") from error

    def is_part_full(self) -> bool:
        """True once after each so many lines, when the rows made of them should be taken."""
        if self.line < self._part_end:
            return False
        self._part_end = self.line + LINES_A_PART
        return True

    def note(self, why: object) -> None:
        """Count the newest row as bad."""
        self._tally.note(self.place.text, self.line, str(why))


def price_of(text: str, precision: int) -> int:
    """Return a price in ticks. Raises ValueError."""
    return bounded(_scale(text, precision), 1)


def qty_of(text: str, precision: int) -> int:
    """Return a quantity in lots. Raises ValueError."""
    return bounded(_scale(text, precision))


def time_of(text: str, unit_ns: int) -> int:
    """Return a time in ns. Raises ValueError."""
    return bounded(int(text) * unit_ns)
