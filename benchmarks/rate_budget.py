"""Compare the priced moves with a fixed pace: ``python -m benchmarks.rate_budget [--seeds 6] [--hours 0.5]``.

The default strategy on one pair of the synthetic market, by the exact engine, the same seeds for both rules. The fixed
pace (once in ``limits.AMEND_EVERY_S``) is what moves fall back to while the volatility is not known; here it never is.
Prints the table of docs/decisions/rate-budget.md; differences are of runs with the same seed, with a 95 % interval.
"""

from __future__ import annotations

import argparse
import math
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from statistics import mean, stdev

import msgspec

from backtest.exact import run, setting
from backtest.exact.run import Options
from backtest.report import figures
from executor.market import Market
from shared.config.load import load

REGIMES = ("calm", "trending", "volatile", "thin")
PAIR, STRATEGY = "BTC/USD", "market_maker"
Z95 = 1.96


@dataclass(frozen=True, slots=True)
class Trial:
    """One run to make."""

    regime: str
    seed: int
    seconds: float
    is_priced: bool


@dataclass(frozen=True, slots=True)
class Earned:
    """A run's profit in bp of its turnover, with what it took."""

    trial: Trial
    bps: float
    pnl: float
    fills: int
    points: float
    rate_rejects: int


def _unknown(self: Market, symbol: str) -> float | None:  # noqa: ARG001
    return None


def attempt(trial: Trial) -> Earned:
    """Run one trial; a daily loss does not halt it, so that all last as long."""
    if not trial.is_priced:
        Market.sigma = _unknown  # type: ignore[method-assign]
    config = load(Path(__file__).parents[1] / "config" / "config.yaml")
    trading = msgspec.structs.replace(config.trading, max_daily_loss=Decimal(10**6))
    config = msgspec.structs.replace(config, trading=trading)
    prepared = setting.prepare(config, STRATEGY, [PAIR], [PAIR], trial.seed, trial.regime)
    outcome = run.on_synthetic(prepared, trial.seconds, Options(STRATEGY, trial.seed))
    pnl = figures.profit(outcome)
    turnover = sum((fill.qty * fill.price for fill in figures.marked(outcome)), Decimal(0))
    return Earned(
        trial,
        float(pnl / turnover) * 10_000 if turnover else 0.0,
        float(pnl),
        len(outcome.fills),
        outcome.points,
        sum("Rate limit exceeded" in entry.text for entry in outcome.log),
    )


def table(earned: list[Earned], hours: float) -> list[str]:
    """Return the table's lines."""
    runs: dict[tuple[str, bool], list[Earned]] = defaultdict(list)
    for one in sorted(earned, key=lambda one: one.trial.seed):
        runs[one.trial.regime, one.trial.is_priced].append(one)
    lines = [
        "| regime | rule | bp a fill | more, of the same seed | P&L/h | fills/h | points/h | rate limits |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for regime in REGIMES:
        paced, priced = runs[regime, False], runs[regime, True]
        rules: tuple[tuple[str, list[Earned], list[Earned]], ...] = (
            ("paced", paced, []),
            ("priced", priced, paced),
        )
        for name, each, other in rules:
            if not each:
                continue
            more = ""
            if other:
                gains = [new.bps - old.bps for new, old in zip(each, other, strict=True)]
                error = Z95 * stdev(gains) / math.sqrt(len(gains)) if len(gains) > 1 else math.nan
                more = f"{mean(gains):+.2f} ± {error:.2f}"
            spans = hours * len(each)
            pnl, fills, points = (sum(e.pnl for e in each), sum(e.fills for e in each), sum(e.points for e in each))
            limited = sum(e.rate_rejects for e in each)
            lines.append(
                f"| {regime} | {name} | {mean(e.bps for e in each):+.2f} | {more} | {pnl / spans:+.2f} "
                f"| {fills / spans:.0f} | {points / spans:.0f} | {limited} |"
            )
    return lines


def main() -> None:
    """Run the command."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seeds", type=int, default=6, help="runs of each rule in each regime (6)")
    options.add_argument("--first", type=int, default=1, help="the first seed (1)")
    options.add_argument("--hours", type=float, default=0.5, help="of market a run (0.5)")
    options.add_argument("--regimes", nargs="+", choices=REGIMES, default=list(REGIMES), help="which (all)")
    options.add_argument("--workers", type=int, default=2, help="processes (2)")
    chosen = options.parse_args()
    trials = [
        Trial(regime, seed, chosen.hours * 3600, is_priced)
        for regime in chosen.regimes
        for seed in range(chosen.first, chosen.first + chosen.seeds)
        for is_priced in (False, True)
    ]
    # A process each, since the rule is switched for the process.
    with ProcessPoolExecutor(chosen.workers, max_tasks_per_child=1) as pool:
        earned = list(pool.map(attempt, trials))
    print("\n".join(table(earned, chosen.hours)))


if __name__ == "__main__":
    main()
