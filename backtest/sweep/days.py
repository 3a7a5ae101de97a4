"""The days of a study: a file a pair and UTC day, and the splits into days to train on and days that judge."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from backtest.data.formats import day_files
from backtest.data.places import Place, place
from backtest.data.sources import parts
from backtest.data.tally import Tally
from backtest.data.writing import DayWriter
from backtest.errors import DataError
from backtest.sweep.study import Data, WalkForward

# Extracted columns of paths that are something else, within the study's folder; this file says that they are whole.
EXTRACTED, WHOLE = "columns", "whole"


@dataclass(frozen=True, slots=True)
class Split:
    """Days by date, each before the next; no ``test`` where the study has no walk-forward."""

    number: int
    train: list[str]
    test: list[str]

    @property
    def days(self) -> list[str]:
        """Return all days."""
        return [*self.train, *self.test]


def files_by_day(data: Data, folder: Path, symbols: Collection[str]) -> dict[str, dict[str, str]]:
    """Return the files of each day by symbol, of these pairs; what is not extracted yet is, below ``folder``.

    Raises DataError.
    """
    days: dict[str, dict[str, str]] = {}
    for file in [each for path in data.paths for each in _day_files(path, folder)]:
        parent, _, name = file.path.rpartition("/")
        symbol = parent.rpartition("/")[2].replace("-", "/")
        day = name.removesuffix(day_files.SUFFIX)
        is_within = (not data.first or day >= data.first) and (not data.last or day <= data.last)
        if symbol in symbols and is_within:
            days.setdefault(day, {})[symbol] = file.text
    if not days:
        raise DataError(f"{', '.join(data.paths)}: no day of {', '.join(symbols)} is in it; mend data or trading.pairs")
    return dict(sorted(days.items()))


def _day_files(path: str, folder: Path) -> list[Place]:
    named = place(path)
    files = named.files() if named.is_folder else [named]
    days = [file for file in files if file.name.endswith(day_files.SUFFIX)]
    return days or _extracted(path, folder)


def _extracted(path: str, folder: Path) -> list[Place]:
    """Return a path's days as extracted below the folder, once."""
    target = folder / EXTRACTED / path.strip("/").replace("/", "_")
    if not (target / WHOLE).exists():
        tally = Tally()
        writer = DayWriter(place(str(target)), path, overwrite=True)
        for part in parts([path], tally, None):
            writer.take(part, tally)
        writer.finish(tally)
        target.mkdir(parents=True, exist_ok=True)
        (target / WHOLE).touch()
    return [file for file in place(str(target)).files() if file.name.endswith(day_files.SUFFIX)]


def splits(days: list[str], walk: WalkForward | None) -> list[Split]:
    """Return the splits of these days, oldest first. Raises DataError if there are too few days for one."""
    if walk is None:
        return [Split(0, days, [])]
    needed = walk.train_days + walk.test_days
    if len(days) < needed:
        raise DataError(f"walk_forward needs {needed} days, and the data have {len(days)}: {', '.join(days)}")
    # From the newest back, so that the last split judges on the last days.
    ends = sorted(range(len(days), needed - 1, -walk.test_days))
    return [
        Split(number, days[end - needed : end - walk.test_days], days[end - walk.test_days : end])
        for number, end in enumerate(ends)
    ]
