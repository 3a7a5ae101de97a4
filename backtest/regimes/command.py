"""``python -m backtest regimes``: every model in every regime of the synthetic market, several seeds each.

Writes the table between its two marks in a page, with the command that made it.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from statistics import stdev
from typing import Final

from backtest import command_line
from backtest.regimes.trials import MODELS, REGIMES, Earned, Trial, attempt

COMMAND = "regimes"
BEGIN: Final = "<!-- Made by 'make regimes'; do not edit up to the next such line. -->"
END: Final = "<!-- The end of what 'make regimes' made. -->"
# The two-sided 95 % quantile of the normal distribution.
Z95: Final = 1.96


def main(arguments: list[str]) -> None:
    """Run the command."""
    options = command_line.parser(COMMAND, __doc__ or "")
    options.add_argument("--seeds", type=int, default=20, help="runs of each model in each regime (20)")
    options.add_argument("--hours", type=float, default=1.0, help="of market a run (1)")
    options.add_argument("--pair", default="BTC/USD", help="the pair that is traded (BTC/USD)")
    options.add_argument("--models", nargs="+", choices=list(MODELS), default=list(MODELS), help="which (all)")
    options.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (one a core)")
    options.add_argument("--page", type=Path, help="write the table between its marks in this page")
    chosen = options.parse_args(arguments)
    config = command_line.configuration(chosen.config)
    trials = [
        Trial(model, regime, seed, chosen.hours * 3600, chosen.pair)
        for seed in range(1, chosen.seeds + 1)
        for model in chosen.models
        for regime in REGIMES
    ]
    earned: list[Earned] = []
    began = time.monotonic()
    with ProcessPoolExecutor(chosen.workers) as pool:
        for future in as_completed([pool.submit(attempt, config, trial) for trial in trials]):
            earned.append(future.result())
            if sys.stderr.isatty():
                left = (time.monotonic() - began) / len(earned) * (len(trials) - len(earned))
                print(f"\r{len(earned)} of {len(trials)}, {left:.0f} s left ", end="", file=sys.stderr)
    lines = table(earned, chosen.models)
    how = f"python -m backtest regimes --seeds {chosen.seeds} --hours {chosen.hours:g} --pair {chosen.pair}"
    if chosen.page is not None:
        write(chosen.page, lines, how)
    if chosen.json:
        print(json.dumps([_plain(each) for each in _ordered(earned)]))
    else:
        print("\n".join(lines))


def _ordered(earned: list[Earned]) -> list[Earned]:
    return sorted(earned, key=lambda each: (each.trial.model, each.trial.regime, each.trial.seed))


def _plain(each: Earned) -> dict[str, object]:
    trial = each.trial
    return {
        "model": trial.model,
        "regime": trial.regime,
        "seed": trial.seed,
        "fills": each.fills,
        "turnover": str(each.turnover),
        "pnl": str(each.pnl),
        "points": each.points,
    }


def table(earned: list[Earned], models: list[str]) -> list[str]:
    """Return the table's lines: means over the seeds, with 95 % intervals of the profit a seed."""
    cells: dict[tuple[str, str], list[Earned]] = defaultdict(list)
    for each in _ordered(earned):
        cells[each.trial.model, each.trial.regime].append(each)
    lines = [
        "| model | regime | profit a fill, bp | spread | adverse | drift | fees | fills/h | points/h | refused/h |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for model in models:
        lines += [_line(model, regime, runs) for regime in REGIMES if (runs := cells.get((model, regime)))]
    return lines


def _line(model: str, regime: str, runs: list[Earned]) -> str:
    turnover = float(sum(each.turnover for each in runs))
    if not turnover:
        return f"| {model} | {regime} | no fills | | | | | 0 | | |"
    hours = sum(each.trial.seconds for each in runs) / 3600
    parts = [
        _bps(float(sum(getattr(e, name) for e in runs)), turnover) for name in ("spread", "adverse", "drift", "fees")
    ]
    means = [_ratio(each) for each in runs if each.turnover]
    pooled = _bps(float(sum(each.pnl for each in runs)), turnover)
    error = Z95 * stdev(means) / math.sqrt(len(means)) if len(means) > 1 else math.nan
    rates = [sum(e.fills for e in runs), sum(e.points for e in runs), sum(e.rejects for e in runs)]
    columns = " | ".join(f"{value:+.2f}" for value in parts)
    return (
        f"| {model} | {regime} | {pooled:+.2f} ± {error:.2f} | {columns} | "
        + " | ".join(f"{rate / hours:.0f}" for rate in rates)
        + " |"
    )


def _ratio(each: Earned) -> float:
    return _bps(float(each.pnl), float(each.turnover))


def _bps(amount: float, turnover: float) -> float:
    return amount / turnover * 10_000 if turnover else 0.0


def write(page: Path, lines: list[str], how: str) -> None:
    """Replace what stands between the marks of a page. Raises ValueError for a page without them."""
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} has no marks {BEGIN!r} and {END!r}")
    body = "\n".join(["", f"Made by `{how}`, default settings of each model.", "", *lines, ""])
    page.write_text(f"{before}{BEGIN}\n{body}\n{END}{after}", encoding="utf-8")
