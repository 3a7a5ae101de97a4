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
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from statistics import stdev
from typing import Final

import msgspec

from backtest import command_line
from backtest.errors import DataError
from backtest.regimes.trials import MODELS, REGIMES, Earned, Trial, attempt
from shared.config import Config

COMMAND = "regimes"
BEGIN: Final = "<!-- Made by 'make regimes'; do not edit up to the next such line. -->"
END: Final = "<!-- The end of what 'make regimes' made. -->"
# The two-sided 95 % quantile of the normal distribution.
Z95: Final = 1.96


def main(arguments: list[str]) -> None:
    """Run the command."""
    options = command_line.parser(COMMAND, __doc__ or "")
    options.add_argument("--seeds", type=int, default=20, help="runs of each model in each regime (20)")
    options.add_argument("--first", type=int, default=1, help="the first seed (1)")
    options.add_argument("--hours", type=float, default=1.0, help="of market a run (1)")
    options.add_argument("--pair", default="BTC/USD", help="the pair that is traded (BTC/USD)")
    options.add_argument("--models", nargs="+", choices=list(MODELS), default=list(MODELS), help="which (all)")
    options.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (one a core)")
    options.add_argument("--page", type=Path, help="write the table between its marks in this page")
    options.add_argument(
        "--keep",
        type=Path,
        metavar="FILE",
        help="a line for each run that is done; one that has its line is not made again. Delete FILE after a change of "
        "the code or the configuration",
    )
    chosen = options.parse_args(arguments)
    config = command_line.configuration(chosen.config)
    trials = [
        Trial(model, regime, seed, chosen.hours * 3600, chosen.pair)
        for seed in range(chosen.first, chosen.first + chosen.seeds)
        for model in chosen.models
        for regime in REGIMES
    ]
    try:
        done = kept(chosen.keep) if chosen.keep is not None else {}
    except DataError as error:
        command_line.fail(COMMAND, str(error))
    for each in _made(config, [trial for trial in trials if trial not in done], chosen.workers):
        done[each.trial] = each
        if chosen.keep is not None:
            keep(chosen.keep, each)
    earned = [done[trial] for trial in trials]
    lines = table(earned, chosen.models)
    models = "" if chosen.models == list(MODELS) else f" --models {' '.join(chosen.models)}"
    first = "" if chosen.first == 1 else f" --first {chosen.first}"
    seeds = f"--seeds {chosen.seeds}{first}"
    how = f"python -m backtest regimes {seeds} --hours {chosen.hours:g} --pair {chosen.pair}{models}"
    if chosen.page is not None:
        write(chosen.page, lines, how)
    if chosen.json:
        print(json.dumps([_plain(each) for each in _ordered(earned)]))
    else:
        print("\n".join(lines))


def _made(config: Config, trials: list[Trial], workers: int) -> Iterator[Earned]:
    """Yield each trial's outcome as it comes in; say on a terminal how much is left."""
    began = time.monotonic()
    with ProcessPoolExecutor(workers) as pool:
        running = [pool.submit(attempt, config, trial) for trial in trials]
        for count, future in enumerate(as_completed(running), 1):
            yield future.result()
            if sys.stderr.isatty():
                left = (time.monotonic() - began) / count * (len(trials) - count)
                print(f"\r{count} of {len(trials)}, {left:.0f} s left ", end="", file=sys.stderr)


def kept(path: Path) -> dict[Trial, Earned]:
    """Return the runs in a file of :func:`keep`, which need not exist. Raises :class:`DataError` for one that is none.

    A last line that was cut off is left out, and the next run begins a new one.
    """
    if not path.exists():
        return {}
    *whole, last = path.read_bytes().split(b"\n")
    if last:
        with path.open("ab") as out:
            out.truncate(out.tell() - len(last))
    try:
        runs = [msgspec.json.decode(line, type=Earned) for line in whole]
    except msgspec.DecodeError as error:
        raise DataError(f"{path} has no runs of 'regimes' ({error}): name another file, or delete it") from None
    return {each.trial: each for each in runs}


def keep(path: Path, earned: Earned) -> None:
    """Append a run to a file, a line of JSON each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as out:
        out.write(msgspec.json.encode(earned) + b"\n")


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
