"""A whole study: every split is searched, the best of the last run exactly, and the report is made."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from backtest.errors import DataError
from backtest.sweep import report
from backtest.sweep.days import Split
from backtest.sweep.outcome import DayOutcome, summed
from backtest.sweep.pools import Pool
from backtest.sweep.results import Results
from backtest.sweep.search import Candidate, Search
from backtest.sweep.study import Study
from backtest.sweep.tasks import Conditions, EngineKind, Task
from shared.clock import SECOND
from shared.config import Config
from shared.config.strategies import Strategy
from shared.config.trading import Trading

IDENTITY = "study.json"
Files = dict[str, dict[str, str]]
# Hears a stage's name, how much of it is done, and how much it is.
Progress = Callable[[str, int, int], None]


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """All that results in a folder depend on: another of these needs another folder."""

    study: Study
    strategy: Strategy
    trading: Trading


def conditions(study: Study, config: Config) -> Conditions:
    """Return what all tasks of a study share."""
    assert study.strategy is not None
    latency_ms = study.screen.latency_ms
    return Conditions(
        config=config,
        strategy=study.strategy,
        every_ms=study.screen.every_ms,
        latency_ms=config.simulator.one_way_delay_ms if latency_ms is None else latency_ms,
        queue=study.screen.queue,
        slice_ns=int(study.slice_minutes * 60 * SECOND),
        seed=study.seed,
    )


def claim(folder: Path, study: Study, config: Config) -> None:
    """Note in a folder what its results are of. Raises DataError if that is another study."""
    assert study.strategy is not None
    # More sets and more finalists only add to what is there.
    same = msgspec.structs.replace(study, trials=2, finalists=0)
    identity = Identity(study=same, strategy=config.strategies[study.strategy], trading=config.trading)
    written = msgspec.json.format(msgspec.json.encode(identity), indent=2)
    file = folder / IDENTITY
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            file.write_bytes(written)
        elif file.read_bytes() != written:
            raise DataError(f"{folder} holds another study, or other settings of it ({file}): name another --out")
    except OSError as error:
        raise DataError(f"{folder}: {error.strerror or error}; name another folder with --out") from error


class Driver:
    """Runs a study in its folder; what is there already is not played again."""

    def __init__(self, study: Study, splits: list[Split], files: Files, folder: Path, pool: Pool) -> None:
        self._study, self._splits, self._files = study, splits, files
        self._folder, self._pool = folder, pool
        self.results = Results(folder)
        self.searches = [Search(study, split, files, folder) for split in splits]

    def run(self, currency: str, progress: Progress) -> tuple[report.SweepReport, list[list[Candidate]]]:
        """Return the report, and all sets of each split, the best first."""
        began = time.monotonic()
        trials = self._study.trials
        for number, search in enumerate(self.searches):
            done = number * trials

            def screened(sets: int, done: int = done) -> None:
                progress("sets screened", done + sets, trials * len(self.searches))

            search.run(self._pool, self.results, screened)
        candidates = [search.candidates(self.results) for search in self.searches]
        exact = self._finals(candidates[-1], progress)
        self.results.finish()
        return self._report(currency, candidates, exact, time.monotonic() - began), candidates

    def _finals(self, candidates: list[Candidate], progress: Progress) -> dict[int, DayOutcome]:
        """Play the best of the last split exactly, a task a set and day; return what each earned."""
        split = self._splits[-1]
        finalists = [each for each in candidates if each.holds][: self._study.finalists]
        tasks = [
            Task(EngineKind.EXACT, split.number, day, self._files[day], {each.trial: each.values})
            for each in finalists
            for day in split.days
            if not self.results.has(EngineKind.EXACT, split.number, each.trial, day)
        ]
        for number, done in enumerate(self._pool.results(tasks), 1):
            self.results.add(done)
            progress("days played exactly", number, len(tasks))
        return {
            each.trial: summed(
                [self.results.outcome(EngineKind.EXACT, split.number, each.trial, day) for day in split.days]
            )
            for each in finalists
        }

    def _report(
        self, currency: str, candidates: list[list[Candidate]], exact: dict[int, DayOutcome], wall_s: float
    ) -> report.SweepReport:
        study, last = self._study, self._splits[-1]
        assert study.strategy is not None
        made = [
            report.split_report(study, split, theirs, search.importances())
            for split, theirs, search in zip(self._splits, candidates, self.searches, strict=True)
        ]
        ranking = [report.ranked(study, last, each, exact.get(each.trial)) for each in candidates[-1]]
        ranking.sort(key=lambda each: (each.exact is None, -each.exact.score if each.exact is not None else 0.0))
        chosen = [best.test for theirs in candidates if (best := next((c for c in theirs if c.holds), None))]
        tested = sum(len(split.test) for split in self._splits)
        walk = report.figures(tested, summed(chosen), study.objective) if tested else None
        return report.SweepReport(
            strategy=study.strategy,
            objective=study.objective,
            currency=currency,
            days=sorted({day for split in self._splits for day in split.days}),
            trials=study.trials,
            wall_s=round(wall_s, 3),
            splits=made,
            walk_forward=walk,
            ranking=ranking,
            warnings=report.warnings(made, walk, ranking),
        )
