"""The outcomes that a study has already: a Parquet file for each finished task, written at once or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from backtest.errors import DataError
from backtest.sweep.outcome import DayOutcome
from backtest.sweep.tasks import Done, EngineKind

PARTS, RESULTS = "parts", "results.parquet"
SCHEMA = pa.schema(
    {
        "engine": pa.string(),
        "split": pa.int32(),
        "trial": pa.int32(),
        "day": pa.string(),
        "hours": pa.float64(),
        "pnl": pa.float64(),
        "turnover": pa.float64(),
        "fills": pa.int64(),
        "requests": pa.int64(),
        "points": pa.float64(),
        "drawdown": pa.float64(),
        "peak": pa.float64(),
        "trough": pa.float64(),
        "slices": pa.list_(pa.float64()),
        "halted": pa.int64(),
        "refused": pa.string(),
        "wall_s": pa.float64(),
    }
)
Key = tuple[EngineKind, int, int, str]


class Results:
    """The outcomes of a study's folder by engine, split, trial and day."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._outcomes: dict[Key, DayOutcome] = {}
        for file in sorted((folder / PARTS).glob("*.parquet")):
            self._take(pq.read_table(file).to_pylist())

    def has(self, engine: EngineKind, split: int, trial: int, day: str) -> bool:
        """True if that was played already."""
        return (engine, split, trial, day) in self._outcomes

    def outcome(self, engine: EngineKind, split: int, trial: int, day: str) -> DayOutcome:
        """Return what was played."""
        return self._outcomes[engine, split, trial, day]

    def add(self, done: Done) -> None:
        """Keep a task's outcomes. Raises DataError if they cannot be written."""
        task = done.task
        rows = [
            {
                "engine": str(task.engine),
                "split": task.split,
                "trial": trial,
                "day": task.day,
                "wall_s": done.wall_s / len(done.outcomes),
                **msgspec.structs.asdict(outcome),
            }
            for trial, outcome in done.outcomes.items()
        ]
        name = f"{task.engine}-{task.split}-{min(task.sets)}-{task.day}.parquet"
        _write(pa.Table.from_pylist(rows, SCHEMA), self._folder / PARTS / name)
        self._take(rows)

    def finish(self) -> None:
        """Write everything as one file."""
        tables = [pq.read_table(file) for file in sorted((self._folder / PARTS).glob("*.parquet"))]
        if tables:
            _write(pa.concat_tables(tables), self._folder / RESULTS)

    def _take(self, rows: list[dict[str, object]]) -> None:
        names = {field.name for field in msgspec.structs.fields(DayOutcome)}
        for row in rows:
            key = EngineKind(str(row["engine"])), int(str(row["split"])), int(str(row["trial"])), str(row["day"])
            self._outcomes[key] = msgspec.convert({name: row[name] for name in names}, DayOutcome)


def _write(table: pa.Table, file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part")
        pq.write_table(table, part, compression="zstd")
        os.replace(part, file)
    except OSError as error:
        raise DataError(f"{file}: {error.strerror or error}; mend that, and run the same command again") from error
