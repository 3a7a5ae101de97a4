"""A worker's task: one day by some sets of settings, so that the day's columns are read once."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec
import numpy as np

from backtest.data.columns import Columns
from backtest.data.formats import day_files
from backtest.data.places import place
from backtest.exact import run, setting
from backtest.exact.run import Options
from backtest.report import figures
from backtest.screen.played import Pace, Played
from backtest.screen.rate_points import rate_use
from backtest.screen.run import PairMarket, load, play_on
from backtest.sweep.outcome import Array, DayOutcome, summed, traced
from backtest.sweep.study import Values
from shared.clock import MS, SECOND
from shared.config import Config
from shared.errors import ConfigError
from shared.kraken.counters import TIERS

# The curve of profit has at most so many points a day, and none nearer than a second.
CURVE_POINTS = 4000


class EngineKind(StrEnum):
    """The engine that played."""

    SCREEN = "screen"
    EXACT = "exact"


@dataclass(frozen=True, slots=True)
class Conditions:
    """The same of all tasks of a study; ``config`` has the strategy with the settings that are not searched."""

    config: Config
    strategy: str
    every_ms: float | None
    latency_ms: float
    queue: str
    slice_ns: int
    seed: int

    def with_settings(self, values: Values) -> Config:
        """Return the configuration with a set of settings."""
        section = self.config.strategies[self.strategy]
        settings = {**section.settings, **values}
        return msgspec.structs.replace(
            self.config, strategies={self.strategy: msgspec.structs.replace(section, settings=settings)}
        )


@dataclass(frozen=True, slots=True)
class Task:
    """A split's day (its files by symbol) and sets by trial number."""

    engine: EngineKind
    split: int
    day: str
    files: dict[str, str]
    sets: dict[int, Values] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Done:
    """A finished task: outcomes by trial number, and the seconds that it took."""

    task: Task
    outcomes: dict[int, DayOutcome]
    wall_s: float


def perform(conditions: Conditions, task: Task) -> Done:
    """Carry out a task. Raises DataError for data that cannot be played; settings that cannot be are an outcome."""
    began = time.perf_counter()
    columns = {symbol: day_files.read(place(file)) for symbol, file in task.files.items()}
    play = (_Screener if task.engine is EngineKind.SCREEN else _Exact)(conditions, columns)
    outcomes = {}
    for trial, values in task.sets.items():
        try:
            outcomes[trial] = play(conditions.with_settings(values))
        except ConfigError as error:
            outcomes[trial] = DayOutcome(refused=str(error))
    return Done(task, outcomes, time.perf_counter() - began)


class _Screener:
    """Plays a day's pairs, which are loaded once, by any set of settings."""

    def __init__(self, conditions: Conditions, columns: dict[str, Columns]) -> None:
        self._conditions = conditions
        self._pairs = [load(conditions.config, part, conditions.queue) for part in columns.values()]
        every_ns = None if conditions.every_ms is None else int(conditions.every_ms * MS)
        self._pace = Pace(every_ns, int(conditions.latency_ms * MS))

    def __call__(self, config: Config) -> DayOutcome:
        begin_ts, end_ts = min(pair.begin_ts for pair in self._pairs), max(pair.end_ts for pair in self._pairs)
        times = _times(begin_ts, end_ts)
        made, equity = [], np.zeros(len(times))
        for pair in self._pairs:
            market = pair.market.again(self._conditions.queue)
            played, _ = play_on(config, self._conditions.strategy, pair, market, self._pace)
            equity += _equity(pair, played, times)
            made.append(_counts(pair, played, config.trading.tier))
        traced_day = traced(equity, _slices(begin_ts, end_ts, self._conditions.slice_ns))
        return msgspec.structs.replace(
            summed(made),
            pnl=traced_day.pnl,
            drawdown=traced_day.drawdown,
            peak=traced_day.peak,
            trough=traced_day.trough,
            slices=traced_day.slices,
        )


def _counts(pair: PairMarket, played: Played, tier: str) -> DayOutcome:
    scale = 10 ** (pair.pair.price_precision + pair.pair.qty_precision)
    return DayOutcome(
        hours=(pair.end_ts - pair.begin_ts) / (3600 * SECOND),
        turnover=sum(fill.price * fill.qty for fill in played.fills) / scale,
        fills=len(played.fills),
        requests=len(played.operations),
        points=rate_use(played.operations, TIERS[tier]).points,
    )


def _equity(pair: PairMarket, played: Played, times: figures.Times) -> Array:
    """Return the profit at each time, fees as they are before the ledger rounds them."""
    held, cash = _held(pair, played, times)
    return cash + held * figures.sampled(played.mids, times, pair.pair.price_precision)


def _held(pair: PairMarket, played: Played, times: figures.Times) -> tuple[Array, Array]:
    fills = played.fills
    if not fills:
        return np.zeros(len(times)), np.zeros(len(times))
    place = np.searchsorted(np.array([fill.ts for fill in fills], np.int64), times, "right")
    signs = np.array([1.0 if fill.side == "buy" else -1.0 for fill in fills])
    qty = np.array([fill.qty for fill in fills], np.float64) / 10**pair.pair.qty_precision
    cost = qty * np.array([fill.price for fill in fills], np.float64) / 10**pair.pair.price_precision
    fees = cost * (pair.maker_rate / 1e6)
    held = np.concatenate([[0.0], np.cumsum(signs * qty)])
    cash = np.concatenate([[0.0], np.cumsum(-signs * cost - fees)])
    return held[place], cash[place]


class _Exact:
    """Plays a day's pairs by the live code."""

    def __init__(self, conditions: Conditions, columns: dict[str, Columns]) -> None:
        self._conditions, self._columns = conditions, columns

    def __call__(self, config: Config) -> DayOutcome:
        given = self._conditions
        symbols = list(self._columns)
        prepared = setting.prepare(config, given.strategy, symbols, symbols, given.seed)
        options = Options(given.strategy, given.seed, given.queue, one_way_ms=given.latency_ms)
        outcome = run.on_columns(prepared, self._columns, options)
        curve = figures.curve(outcome, CURVE_POINTS)
        equity = np.array([0.0, *curve.equity])
        day = traced(equity, _slices(outcome.begin_ts, outcome.end_ts, given.slice_ns))
        fills = figures.marked(outcome)
        return msgspec.structs.replace(
            day,
            hours=len(symbols) * (outcome.end_ts - outcome.begin_ts) / (3600 * SECOND),
            pnl=float(figures.profit(outcome)),
            turnover=float(sum(fill.qty * fill.price * fill.rate for fill in fills)),
            fills=len(fills),
            requests=len(outcome.sent),
            points=outcome.points,
            halted=int(bool(outcome.halted)),
        )


def _times(begin_ts: int, end_ts: int) -> figures.Times:
    count = int(min(CURVE_POINTS, max(1, (end_ts - begin_ts) // SECOND)))
    return np.linspace(begin_ts, end_ts, count + 1).round().astype(np.int64)


def _slices(begin_ts: int, end_ts: int, slice_ns: int) -> int:
    return max(1, round((end_ts - begin_ts) / slice_ns))
