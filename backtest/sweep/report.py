"""The result of a study as one object, and for people."""

from __future__ import annotations

import msgspec
import numpy as np

from backtest.sweep.days import Split
from backtest.sweep.outcome import DayOutcome, value
from backtest.sweep.overfitting import Overfitting, assess
from backtest.sweep.search import Candidate
from backtest.sweep.study import Objective, Study, Values


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """A set's result in some days; ``score`` is the objective, ``halted`` the days on which trading halted."""

    days: int
    score: float
    pnl: float
    pnl_per_fill_bps: float | None
    fills: int
    drawdown: float
    points_per_h: float
    halted: int = 0
    refused: str = ""


class Ranked(msgspec.Struct, frozen=True, kw_only=True):
    """A set with its figures: the fast engine's on training and test days, the exact engine's on all days."""

    trial: int
    settings: Values
    holds: bool
    train: Figures
    test: Figures | None
    exact: Figures | None


class SplitReport(msgspec.Struct, frozen=True, kw_only=True):
    """One split: its days, the best set by training alone, and what choosing it explains."""

    number: int
    train: list[str]
    test: list[str]
    sets: int
    best: Ranked | None
    importances: dict[str, float]
    overfitting: Overfitting | None


class SweepReport(msgspec.Struct, frozen=True, kw_only=True):
    """The object that ``tradebyte sweep --json`` prints.

    ``ranking`` is of the last split, by the exact engine where it played. ``walk_forward`` sums up the test days of all
    splits, each earned by the set that was the best on the days before them.
    """

    strategy: str
    objective: str
    currency: str
    days: list[str]
    trials: int
    wall_s: float
    splits: list[SplitReport]
    walk_forward: Figures | None
    ranking: list[Ranked]
    warnings: list[str]


def figures(days: int, made: DayOutcome, objective: Objective) -> Figures:
    """Return the figures of summed days."""
    return Figures(
        days=days,
        score=value(made, objective),
        pnl=made.pnl,
        pnl_per_fill_bps=made.pnl / made.turnover * 1e4 if made.turnover else None,
        fills=made.fills,
        drawdown=made.drawdown,
        points_per_h=made.points / made.hours if made.hours else 0.0,
        halted=made.halted,
        refused=made.refused,
    )


def ranked(study: Study, split: Split, candidate: Candidate, exact: DayOutcome | None) -> Ranked:
    """Return a set with its figures."""
    return Ranked(
        trial=candidate.trial,
        settings=candidate.values,
        holds=candidate.holds,
        train=figures(len(split.train), candidate.train, study.objective),
        test=figures(len(split.test), candidate.test, study.objective) if split.test else None,
        exact=None if exact is None else figures(len(split.days), exact, study.objective),
    )


def split_report(study: Study, split: Split, candidates: list[Candidate], importances: dict[str, float]) -> SplitReport:
    """Return the report of a split; ``candidates`` are all, the best first."""
    best = next((each for each in candidates if each.holds), None)
    return SplitReport(
        number=split.number,
        train=split.train,
        test=split.test,
        sets=len(candidates),
        best=None if best is None else ranked(study, split, best, None),
        importances=importances,
        overfitting=None if best is None else _assessed(candidates, best),
    )


def _assessed(candidates: list[Candidate], best: Candidate) -> Overfitting | None:
    """Return what choosing explains, of the sets that traded at all."""
    traded = [each for each in candidates if each.train.fills]
    profits = np.array([each.train.slices for each in traded], np.float64).T
    return assess(profits, traded.index(best)) if best in traded else None


def warnings(splits: list[SplitReport], walk_forward: Figures | None, ranking: list[Ranked]) -> list[str]:
    """Return what a reader must know before believing the ranking."""
    texts = [f"set {each.trial}: {why}" for each in ranking if (why := _difference(each)) is not None]
    for each in splits:
        where = f"split {each.number}: " if len(splits) > 1 else ""
        if each.best is None:
            texts.append(f"{where}no set holds the constraints: loosen them, or widen the ranges")
            continue
        judged = each.overfitting
        if judged is None:
            texts.append(f"{where}too few slices to judge overfitting: more days, or shorter slice_minutes")
        elif judged.deflated_sharpe < 0.95:
            texts.append(
                f"{where}choosing the best of {judged.sets} sets explains the result: deflated Sharpe "
                f"{judged.deflated_sharpe:.2f}, below 0.95"
            )
        if judged is not None and judged.overfit_probability is not None and judged.overfit_probability > 0.2:
            texts.append(
                f"{where}the best of half of the time is below the median of the other half in "
                f"{judged.overfit_probability:.0%} of the ways to halve it"
            )
    if walk_forward is None:
        texts.append("no test days: every figure is of the days that chose the sets; set walk_forward")
    return texts


def _difference(each: Ranked) -> str | None:
    """Return why a set's exact run is not what was screened, None where it may be."""
    if each.exact is None:
        return None
    if each.exact.halted:
        return f"trading halted on {each.exact.halted} of {each.exact.days} day(s) of the exact run"
    if not each.exact.fills:
        return "the exact run filled nothing; 'tradebyte backtest' with these settings says why"
    return None


def lines(report: SweepReport) -> list[str]:
    """Return the report for people."""
    made = [
        f"{report.strategy} by {report.objective}: {report.trials} sets in each of {len(report.splits)} split(s) of "
        f"{len(report.days)} day(s), {report.wall_s:,.1f} s"
    ]
    if report.walk_forward is not None:
        made.append(f"walk-forward, test days of all splits: {_shortly(report.walk_forward, report.currency)}")
    for split in report.splits:
        judged = split.overfitting
        if judged is not None:
            overfit = "-" if judged.overfit_probability is None else f"{judged.overfit_probability:.0%}"
            made.append(
                f"split {split.number}: Sharpe a slice {judged.sharpe:+.3f}, by luck {judged.sharpe_by_luck:+.3f}, "
                f"deflated {judged.deflated_sharpe:.2f}, overfit probability {overfit}"
            )
    for each in report.ranking[:10]:
        made.append(f"set {each.trial}: " + ", ".join(f"{name} {_text(v)}" for name, v in each.settings.items()))
        for name, part in (("train", each.train), ("test", each.test), ("exact", each.exact)):
            if part is not None:
                made.append(f"  {name:5} {part.refused or _shortly(part, report.currency)}")
    return made + [f"warning: {text}" for text in report.warnings]


def _text(setting: object) -> str:
    return f"{setting:.4g}" if isinstance(setting, float) else str(setting)


def _shortly(made: Figures, currency: str) -> str:
    per_fill = "-" if made.pnl_per_fill_bps is None else f"{made.pnl_per_fill_bps:+.3f}"
    return (
        f"{made.pnl:+,.4f} {currency}, {per_fill} bp of turnover, {made.fills:,} fills, drawdown {made.drawdown:,.4f}, "
        f"{made.points_per_h:,.0f} points/h"
    )
