"""The exact engine's times real time: ``python -m benchmarks.exact PATH``, PATH being any recorded day.

One pair of the day is played again and again, its times shifted, and stretched to so many book messages a second. Each
repeat is CPU time of the thread of the whole run; data are in memory.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import sys
import time
from dataclasses import dataclass

import numpy as np

from backtest.data.columns import Columns, Flag
from backtest.data.sources import read
from backtest.exact import run, setting
from backtest.exact.replayed import Tape, merge
from backtest.exact.run import Options
from backtest.screen.built_in import RustMarket
from backtest.venue.implementation import load_market
from benchmarks import report
from benchmarks.screen import repeated
from shared.clock import SECOND
from shared.config import Config, load

COPIES, REPEATS = 5, 5
FRAMES_PER_S = (None, 30.0)


@dataclass(frozen=True, slots=True)
class Line:
    """One measured row: the data's rates, and each repeat's times real time."""

    frames_per_s: float
    rows_per_s: float
    times: list[float]
    seconds: float
    rows: int
    fills: int
    requests: int
    passes: int


def stretched(tape: Tape, factor: float) -> Tape:
    """Return a tape that takes so many times as long."""
    first = int(tape.exchange_ts[0])

    def slower(ts: np.ndarray[tuple[int], np.dtype[np.int64]]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return np.asarray(first + (ts - first) * factor, np.int64)

    return dataclasses.replace(tape, exchange_ts=slower(tape.exchange_ts), heard_ts=slower(tape.heard_ts))


def measure(config: Config, columns: Columns, copies: int, frames_per_s: float | None, repeats: int) -> Line:
    """Return what a run costs, at the data's own pace or stretched to another."""
    symbol = columns.pair.symbol
    tape = repeated(merge({symbol: columns}), len(columns.table) * copies)
    frames = int((tape.flags & Flag.LAST).astype(bool).sum())
    own = frames / _seconds(tape)
    tape = stretched(tape, own / frames_per_s) if frames_per_s is not None else tape
    times = []
    for _ in range(repeats):
        began = time.thread_time()
        outcome = run.on_tape(config, tape, {symbol: columns.pair}, Options("market_maker"))
        times.append(_seconds(tape) / (time.thread_time() - began))
    seconds, rows = _seconds(tape), len(tape.ticks)
    return Line(
        frames / seconds,
        rows / seconds,
        times,
        seconds,
        rows,
        len(outcome.fills),
        len(outcome.sent),
        outcome.passes,
    )


def _seconds(tape: Tape) -> float:
    return int(tape.exchange_ts[-1] - tape.exchange_ts[0]) / SECOND


def table(columns: Columns, measured: list[Line], command: str) -> str:
    """Return the section for RESULTS.md."""
    head = (
        f"## Exact engine\n\n{report.today()}, `{command}`. {report.machine()}.\n\n"
        f"{columns.pair.symbol}, {columns.table.num_rows:,} recorded rows played {COPIES} times, as recorded and "
        "stretched; the default market maker with the whole executor. Of CPU time, median (range).\n\n"
        "| book messages/s | rows/s of data | times real time | rows/s played | fills | requests | passes |\n"
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
    )
    return head + "".join(_row(line) for line in measured)


def _row(line: Line) -> str:
    median = statistics.median(line.times)
    return (
        f"| {line.frames_per_s:.0f} | {line.rows_per_s:.0f} | **{median:,.0f}** "
        f"({min(line.times):,.0f} to {max(line.times):,.0f}) | {median * line.rows_per_s:,.0f} | "
        f"{line.fills} | {line.requests:,} | {line.passes:,} |\n"
    )


def main() -> None:
    """Measure, print, and write the section."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("path", help="a recorded day of one pair")
    options.add_argument("--repeats", type=int, default=REPEATS)
    chosen = options.parse_args()
    if not isinstance(load_market(1), RustMarket):
        sys.exit("the Rust module is not built: make setup")
    columns = next(iter(read([chosen.path]).columns.values()))
    symbol = columns.pair.symbol
    config = setting.prepare(load(None), "market_maker", [symbol], [symbol], 1)
    measured = [measure(config, columns, COPIES, rate, chosen.repeats) for rate in FRAMES_PER_S]
    body = table(columns, measured, f"python -m benchmarks.exact {chosen.path}")
    print(body)
    report.write("exact", body)


if __name__ == "__main__":
    main()
