"""Compare the priced moves with a fixed pace: ``python -m benchmarks.rate_budget [--engine screen] [--seeds 6]``.

The default strategy on one pair of the synthetic market, the same seeds for both rules. The fixed pace (once in
``limits.AMEND_EVERY_S``) is what moves fall back to while the volatility is not known. In the exact engine it never is,
and the market answers our orders. The fast engine plays both rules on one record of the market without us.

Prints the tables of docs/decisions/rate-budget.md; differences are of runs with the same seed, with a 95 % interval.
``rate limits`` are the exchange's rejects; the fast engine counts the requests that Kraken's counter would have
rejected, and its highest level in all runs.
"""

from __future__ import annotations

import argparse
import math
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from statistics import mean, stdev

import msgspec

from backtest.data.columns import Columns
from backtest.exact import run, setting
from backtest.exact.crowd_rows import crowd_columns
from backtest.exact.run import Options
from backtest.report import figures
from backtest.screen import run as screen
from backtest.screen.account import account
from backtest.screen.moves import Moves
from backtest.screen.played import Pace
from backtest.screen.rate_points import rate_use
from backtest.venue.queue_models import QueueModel
from executor.market import Market
from shared.attribution import MarkedFill
from shared.clock import MS
from shared.config import Config
from shared.config.load import load
from shared.kraken.counters import TIERS
from simulator.pairs.pairs import PAIRS

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
    # The counter's highest level, which only the fast engine counts.
    highest: float | None = None


def _unknown(self: Market, symbol: str) -> float | None:  # noqa: ARG001
    return None


def attempt(trial: Trial) -> Earned:
    """Run one trial in the exact engine."""
    if not trial.is_priced:
        Market.sigma = _unknown  # type: ignore[method-assign]
    outcome = run.on_synthetic(_prepared(trial), trial.seconds, Options(STRATEGY, trial.seed))
    pnl, fills = figures.profit(outcome), figures.marked(outcome)
    rejects = sum("Rate limit exceeded" in entry.text for entry in outcome.log)
    return Earned(trial, _bps(pnl, fills), float(pnl), len(fills), outcome.points, rejects)


def attempt_screen(trial: Trial) -> Earned:
    """Run one trial in the fast engine."""
    config = _prepared(trial)
    loaded = screen.load(config, _columns(trial.regime, trial.seed, trial.seconds), QueueModel.PRO_RATA)
    moves = Moves.PRICED if trial.is_priced else Moves.PACED
    pace = Pace(None, int(config.simulator.one_way_delay_ms * MS), moves=moves)
    played, _ = screen.play_on(config, STRATEGY, loaded, loaded.market, pace)
    last = played.mids.at(loaded.end_ts, loaded.pair.price_precision)
    assert last is not None
    made = account(PAIRS[PAIR], loaded.maker_rate, played.fills, played.mids, loaded.end_ts, last)
    use = rate_use(played.operations, TIERS[config.trading.tier])
    return Earned(
        trial, _bps(made.pnl, made.fills), float(made.pnl), len(made.fills), use.points, use.over, use.highest
    )


@lru_cache(maxsize=1)
def _columns(regime: str, seed: int, seconds: float) -> Columns:
    """Return a record of the market without us, which both rules are played on, one after the other."""
    config = _prepared(Trial(regime, seed, seconds, is_priced=True))
    return crowd_columns(config.simulator, PAIR, config.trading.feed_depth, seconds)


def _prepared(trial: Trial) -> Config:
    """Return a trial's configuration; a daily loss does not halt it, so that all last as long."""
    config = load(Path(__file__).parents[1] / "config" / "config.yaml")
    trading = msgspec.structs.replace(config.trading, max_daily_loss=Decimal(10**6))
    config = msgspec.structs.replace(config, trading=trading)
    return setting.prepare(config, STRATEGY, [PAIR], [PAIR], trial.seed, trial.regime)


def _bps(pnl: Decimal, fills: Sequence[MarkedFill]) -> float:
    turnover = sum((fill.qty * fill.price for fill in fills), Decimal(0))
    return float(pnl / turnover) * 10_000 if turnover else 0.0


def table(earned: list[Earned], hours: float) -> list[str]:
    """Return the table's lines."""
    runs: dict[tuple[str, bool], list[Earned]] = defaultdict(list)
    for one in sorted(earned, key=lambda one: one.trial.seed):
        runs[one.trial.regime, one.trial.is_priced].append(one)
    has_level = any(one.highest is not None for one in earned)
    lines = [
        "| regime | rule | bp a fill | more, of the same seed | P&L/h | fills/h | points/h | rate limits |"
        + " highest level |" * has_level,
        "| --- | --- | --- | --- | --- | --- | --- | --- |" + " --- |" * has_level,
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
            level = f" {max(e.highest or 0.0 for e in each):.0f} |" if has_level else ""
            lines.append(
                f"| {regime} | {name} | {mean(e.bps for e in each):+.2f} | {more} | {pnl / spans:+.2f} "
                f"| {fills / spans:.0f} | {points / spans:.0f} | {limited} |{level}"
            )
    return lines


def main() -> None:
    """Run the command."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--engine", choices=("exact", "screen"), default="exact", help="which engine plays (exact)")
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
    if chosen.engine == "screen":
        # Both rules of a seed in one process, which makes the market once.
        with ProcessPoolExecutor(chosen.workers) as pool:
            earned = list(pool.map(attempt_screen, trials, chunksize=2))
    else:
        # A process each, since the rule is switched for the process.
        with ProcessPoolExecutor(chosen.workers, max_tasks_per_child=1) as pool:
            earned = list(pool.map(attempt, trials))
    print("\n".join(table(earned, chosen.hours)))


if __name__ == "__main__":
    main()
