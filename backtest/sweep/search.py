"""The search of one split: Optuna is asked for sets, they are played, and it is told what they earned.

Everything is in the study's folder as soon as it is known: what was asked and told in Optuna's journal, what was played
in a file a task. The sampler begins anew for each set with a seed of its own, so a search that was interrupted at any
moment goes on to the very result that it would have had.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, TrialState

from backtest.sweep.days import Split
from backtest.sweep.outcome import DayOutcome, excesses, holds, summed, value
from backtest.sweep.pools import Pool
from backtest.sweep.results import Results
from backtest.sweep.study import Choice, FloatRange, Range, SamplerKind, Study, Value, Values
from backtest.sweep.tasks import EngineKind, Task

# Sets that are asked for before any of them is told; a task of a day has at most as many.
BATCH = 50
JOURNAL = "optuna.journal"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A set of settings and what it earned in the split's days, by the fast engine."""

    trial: int
    values: Values
    train: DayOutcome
    test: DayOutcome
    by_day: dict[str, DayOutcome]
    holds: bool
    score: float


def distributions(ranges: dict[str, Range]) -> dict[str, BaseDistribution]:
    """Return the ranges as Optuna has them."""
    made: dict[str, BaseDistribution] = {}
    for name, each in ranges.items():
        if isinstance(each, Choice):
            made[name] = CategoricalDistribution(each.values)
        elif isinstance(each, FloatRange):
            made[name] = FloatDistribution(each.low, each.high, log=each.log)
        else:
            made[name] = IntDistribution(each.low, each.high, log=each.log)
    return made


def sampler(kind: SamplerKind, seed: int) -> BaseSampler:
    """Return a sampler at its beginning."""
    if kind is SamplerKind.RANDOM:
        return RandomSampler(seed=seed)
    if kind is SamplerKind.NSGA2:
        return NSGAIISampler(seed=seed, population_size=BATCH)
    # Sets that are still played count as bad ones: those of a batch keep away from each other.
    return TPESampler(seed=seed, constant_liar=True, multivariate=True)


class Search:
    """One split's search in a folder."""

    def __init__(self, study: Study, split: Split, files: dict[str, dict[str, str]], folder: Path) -> None:
        self._study, self._split, self._files = study, split, files
        backend = JournalFileBackend(str(folder / JOURNAL), JournalFileOpenLock(str(folder / JOURNAL)))
        storage = optuna.storages.JournalStorage(backend)
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._optuna = optuna.create_study(
            storage=storage, study_name=f"split-{split.number}", direction="maximize", load_if_exists=True
        )
        self._distributions = distributions(study.ranges)

    @property
    def finished(self) -> int:
        """Return how many sets are done with."""
        return sum(trial.state.is_finished() for trial in self._optuna.get_trials(deepcopy=False))

    def run(self, pool: Pool, results: Results, progress: Callable[[int], None]) -> None:
        """Search until all sets are told; ``progress`` hears how many were after each task."""
        while True:
            batch = self._ask()
            if not batch:
                return
            done = self.finished
            tasks = self._tasks(batch, results, pool.size)
            for number, played in enumerate(pool.results(tasks), 1):
                results.add(played)
                progress(done + len(batch) * number // len(tasks))
            for trial in batch:
                self._tell(trial, results)

    def _ask(self) -> list[FrozenTrial]:
        """Return the sets of a batch: first those of an interrupted one."""
        trials = self._optuna.get_trials(deepcopy=False)
        for trial in trials:
            if not trial.state.is_finished() and trial.params.keys() != self._distributions.keys():
                # Killed while it was asked for: nobody knows the rest of it.
                self._optuna.tell(trial.number, state=TrialState.FAIL)
        trials = self._optuna.get_trials(deepcopy=False)
        batch = [trial.number for trial in trials if not trial.state.is_finished()]
        finished = len(trials) - len(batch)
        last = min(self._study.trials, (finished // BATCH + 1) * BATCH)
        for number in range(len(trials), last):
            seed = zlib.crc32(f"{self._study.seed} {self._split.number} {number}".encode())
            self._optuna.sampler = sampler(self._study.sampler, seed)
            batch.append(self._optuna.ask(self._distributions).number)
        every = self._optuna.get_trials(deepcopy=False)
        return [every[number] for number in batch]

    def _tasks(self, batch: list[FrozenTrial], results: Results, workers: int) -> list[Task]:
        """Return what is left to play: a task a day, more where there are fewer days than workers."""
        days = self._split.days
        parts = max(1, min(len(batch), -(-workers // len(days))))
        tasks = []
        for day in days:
            for part in range(parts):
                sets = {
                    trial.number: values_of(trial)
                    for trial in batch[part::parts]
                    if not results.has(EngineKind.SCREEN, self._split.number, trial.number, day)
                }
                if sets:
                    tasks.append(Task(EngineKind.SCREEN, self._split.number, day, self._files[day], sets))
        return tasks

    def _tell(self, running: FrozenTrial, results: Results) -> None:
        train = summed([results.outcome(EngineKind.SCREEN, self._split.number, running.number, day)
                        for day in self._split.train])  # fmt: skip
        if train.refused:
            self._optuna.tell(running.number, state=TrialState.FAIL)
            return
        trial = optuna.Trial(self._optuna, running._trial_id)
        for name, excess in excesses(train, self._study.constraints).items():
            trial.set_constraint(name, excess)
        self._optuna.tell(trial, value(train, self._study.objective))

    def candidates(self, results: Results) -> list[Candidate]:
        """Return all sets that could be played, the best first; one that breaks a constraint comes after all others."""
        made = []
        for trial in self._optuna.get_trials(deepcopy=False):
            if trial.state is not TrialState.COMPLETE:
                continue
            by_day = {
                day: results.outcome(EngineKind.SCREEN, self._split.number, trial.number, day)
                for day in self._split.days
            }
            train = summed([by_day[day] for day in self._split.train])
            test = summed([by_day[day] for day in self._split.test])
            made.append(
                Candidate(
                    trial=trial.number,
                    values=values_of(trial),
                    train=train,
                    test=test,
                    by_day=by_day,
                    holds=holds(train, self._study.constraints),
                    score=value(train, self._study.objective),
                )
            )
        return sorted(made, key=lambda each: (not each.holds, -each.score, each.trial))

    def importances(self) -> dict[str, float]:
        """Return how much of the objective each setting decides, the most important first; empty if none can tell."""
        evaluator = optuna.importance.PedAnovaImportanceEvaluator()
        try:
            return optuna.importance.get_param_importances(self._optuna, evaluator=evaluator)
        except (RuntimeError, ValueError):
            # Too few sets were told, or all of them alike.
            return {}


def values_of(trial: FrozenTrial) -> Values:
    """Return a set's settings."""
    return {name: _plain(setting) for name, setting in trial.params.items()}


def _plain(setting: object) -> Value:
    assert isinstance(setting, str | int | float | bool)
    return setting
