"""A study's file: what to search, on which data, for what. Errors name file, line and key."""

from __future__ import annotations

import difflib
import re
from enum import StrEnum
from pathlib import Path

import msgspec

from backtest.venue.queue_models import QueueModel
from shared.config import Config, yaml_text
from shared.config.errors import explained
from shared.errors import ConfigError, YamlProblem
from strategy.loading import load_strategy

Value = str | int | float | bool
Values = dict[str, Value]


class Objective(StrEnum):
    """The figure that is made as large as possible."""

    PNL = "pnl"
    """Profit in the trading currency."""
    PNL_PER_FILL_BPS = "pnl_per_fill_bps"
    """Profit by turnover, in bp."""
    SHARPE = "sharpe"
    """Mean profit of a slice of time by its standard deviation."""


class SamplerKind(StrEnum):
    """The one of Optuna's samplers that chooses the sets."""

    RANDOM = "random"
    TPE = "tpe"
    NSGA2 = "nsga2"


class FloatRange(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True, tag_field="kind", tag="float"):
    """Any number from ``low`` to ``high``; ``log`` looks at the small ones as closely as at the large."""

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        _check_order(self.low, self.high, self.log)


class IntRange(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True, tag_field="kind", tag="int"):
    """Any whole number from ``low`` to ``high``."""

    low: int
    high: int
    log: bool = False

    def __post_init__(self) -> None:
        _check_order(self.low, self.high, self.log)


class Choice(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True, tag_field="kind", tag="choice"):
    """One of some values."""

    values: list[Value]

    def __post_init__(self) -> None:
        if len(self.values) < 2:
            raise ValueError("values: name two or more")


Range = FloatRange | IntRange | Choice


def _check_order(low: float, high: float, log: bool) -> None:
    if not low < high:
        raise ValueError(f"low {low:g} must be below high {high:g}")
    if log and low <= 0:
        raise ValueError(f"low must be above 0 with log, found {low:g}")


class Data(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Paths as every command of the room reads them; the ``first`` and ``last`` day (UTC, ``2026-07-24``) to use."""

    paths: list[str]
    first: str = ""
    last: str = ""

    def __post_init__(self) -> None:
        if not self.paths:
            raise ValueError("paths: name at least one")
        for day in (self.first, self.last):
            if day and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", day):
                raise ValueError(f"{day} is no day such as 2026-07-24")


class Constraints(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Bounds of the training days; a set beyond one is never the best. ``max_points_per_h`` counts by pair and hour."""

    max_drawdown: float | None = None
    min_fills: int = 1
    max_points_per_h: float | None = None


class WalkForward(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Splits: the sampler sees ``train_days``, the ``test_days`` after them judge; both move on by ``test_days``."""

    train_days: int
    test_days: int

    def __post_init__(self) -> None:
        if self.train_days < 1 or self.test_days < 1:
            raise ValueError("train_days and test_days must be 1 or more")


class Screening(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The engines' options: a decision every N ms (null: at each touch), the delay one way, the rule of the queue."""

    every_ms: float | None = None
    latency_ms: float | None = None
    queue: QueueModel = QueueModel.PRO_RATA

    def __post_init__(self) -> None:
        if self.every_ms is not None and not 0.001 <= self.every_ms <= 86_400_000:
            raise ValueError(f"every_ms must be 0.001 to 86400000, found {self.every_ms:g}")
        if self.latency_ms is not None and not 0 <= self.latency_ms <= 60_000:
            raise ValueError(f"latency_ms must be 0 to 60000, found {self.latency_ms:g}")


class Study(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A search: ``trials`` sets are screened in each split, the best ``finalists`` of the last split run exactly.

    ``slice_minutes`` is the time whose profits the Sharpe ratio and the overfitting figures are made of.
    """

    data: Data
    ranges: dict[str, Range]
    strategy: str | None = None
    objective: Objective = Objective.PNL_PER_FILL_BPS
    constraints: Constraints = Constraints()
    walk_forward: WalkForward | None = None
    sampler: SamplerKind = SamplerKind.TPE
    trials: int = 200
    finalists: int = 20
    seed: int = 1
    slice_minutes: float = 60
    screen: Screening = Screening()

    def __post_init__(self) -> None:
        if not self.ranges:
            raise ValueError("ranges: name at least one setting")
        if not 2 <= self.trials <= 1_000_000:
            raise ValueError(f"trials must be 2 to 1000000, found {self.trials}")
        if not 0 <= self.finalists <= 1000:
            raise ValueError(f"finalists must be 0 to 1000, found {self.finalists}")
        if not 0 < self.slice_minutes <= 1440:
            raise ValueError(f"slice_minutes must be above 0 and at most 1440, found {self.slice_minutes:g}")


def read(file: Path, config: Config) -> Study:
    """Return a study of a strategy of the configuration. Raises ConfigError."""
    try:
        tree, lines = yaml_text.read(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read ({error}); it must be UTF-8 text you may read") from error
    except YamlProblem as problem:
        raise ConfigError(f"{file}:{problem.line}: {problem}") from problem

    def where(key: str) -> str:
        while key and key not in lines:
            key = re.sub(r"(\.|^)[^.\[]+$|\[[^\]]*\]$", "", key)
        return f"{file}:{lines.get(key, 1)}"

    try:
        study = msgspec.convert(tree, Study, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(explained(str(error), tree, where, Study)) from error
    name = study.strategy or next(iter(config.strategies))
    if name not in config.strategies:
        known = ", ".join(config.strategies)
        raise ConfigError(f"{where('strategy')}: strategy: no {name!r} in the configuration; there is: {known}")
    kind, _ = load_strategy(config, name)
    allowed = [field.encode_name for field in msgspec.structs.fields(kind.Settings)]
    for setting in study.ranges:
        if setting not in allowed:
            close = difflib.get_close_matches(setting, allowed, 1)
            mend = f"did you mean '{close[0]}'?" if close else f"there is: {', '.join(allowed)}"
            raise ConfigError(f"{where(f'ranges.{setting}')}: ranges.{setting}: {name} has no such setting; {mend}")
    return msgspec.structs.replace(study, strategy=name)
