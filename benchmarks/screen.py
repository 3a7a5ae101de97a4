"""The fast engine's rows a second: ``python -m benchmarks.screen PATH``, PATH being any recorded day.

The day is played again and again, its times shifted, until there are enough rows; only one pair of it. Each repeat is
CPU time of the thread, data in memory. ``play alone`` advances the market without a decision.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from backtest.data.columns import Columns
from backtest.data.sources import read
from backtest.exact.replayed import Tape, merge
from backtest.screen.built_in import FixedRule, Rule, RustMarket, maker_rule, play
from backtest.screen.callback import CallbackScreen
from backtest.screen.played import Pace, Played
from backtest.venue.implementation import Market, load_market
from benchmarks import report
from shared.clock import MS, SECOND
from shared.config import Trading
from shared.messages import Fees
from strategy.models.market_maker import MarketMaker, Settings

ROWS, REPEATS = 1_000_000, 5
ONE_WAY_NS = 10 * MS
PACES = (("every 100 ms", 100 * MS), ("every touch", None))
SETTINGS = Settings(edge_bps=0.5)


@dataclass(frozen=True, slots=True)
class Line:
    """One measured row of the table."""

    what: str
    when: str
    rows_per_s: list[float]
    fills: int


def repeated(tape: Tape, rows: int) -> Tape:
    """Return a tape played again until it has so many rows, a second between the plays."""
    times = -(-rows // len(tape.ticks))
    span = int(tape.exchange_ts[-1] - tape.exchange_ts[0]) + SECOND
    shifts = np.repeat(np.arange(times, dtype=np.int64) * span, len(tape.ticks))
    return dataclasses.replace(
        tape,
        exchange_ts=np.tile(tape.exchange_ts, times) + shifts,
        heard_ts=np.tile(tape.heard_ts, times) + shifts,
        symbol=np.tile(tape.symbol, times),
        kind=np.tile(tape.kind, times),
        side=np.tile(tape.side, times),
        ticks=np.tile(tape.ticks, times),
        lots=np.tile(tape.lots, times),
        flags=np.tile(tape.flags, times),
        order=np.tile(tape.order, times),
    )


def measure(what: str, when: str, tape: Tape, run: Callable[[Market], int], repeats: int) -> Line:
    """Return how many rows a second ``run`` plays on a market; it returns its fills."""
    speeds, fills = [], 0
    for _ in range(repeats):
        market = load_market(1)
        tape.play_on(market)
        began = time.thread_time()
        fills = run(market)
        speeds.append(len(tape.ticks) / (time.thread_time() - began))
    return Line(what, when, speeds, fills)


def lines(columns: Columns, rows: int, repeats: int) -> list[Line]:
    """Return all that is measured."""
    pair, trading, fees = columns.pair, Trading(), Fees(maker="0.0", taker="0.1")
    tape = repeated(merge({pair.symbol: columns}), rows)
    end = int(tape.exchange_ts[-1])
    maker = maker_rule(SETTINGS, trading, pair, fees.maker)
    assert maker is not None
    lot = 10**pair.qty_precision // 1000
    fixed = FixedRule(distance_bps=0.5, qty=lot, max_position=10 * lot, price_step=pair.price_increment)

    def alone(market: Market) -> int:
        market.advance(end, 0)
        return 0

    def by_rule(rule: Rule, pace: Pace) -> Callable[[Market], int]:
        def run(market: Market) -> int:
            assert isinstance(market, RustMarket)
            return len(play(market, rule, pace, end).fills)

        return run

    def by_class(pace: Pace) -> Callable[[Market], int]:
        def run(market: Market) -> int:
            strategy = MarketMaker(SETTINGS)
            played: Played = CallbackScreen(market, strategy, "maker", pair, fees, trading, pace).run(end)
            return len(played.fills)

        return run

    measured = [measure("play alone", "", tape, alone, repeats)]
    for when, every in PACES:
        pace = Pace(every, ONE_WAY_NS)
        measured.append(measure("fixed distance, in Rust", when, tape, by_rule(fixed, pace), repeats))
        measured.append(measure("market maker, in Rust", when, tape, by_rule(maker, pace), repeats))
        measured.append(measure("market maker, its class", when, tape, by_class(pace), 1))
    return measured


def table(columns: Columns, rows: int, measured: list[Line], command: str) -> str:
    """Return the section for RESULTS.md."""
    head = (
        f"## Fast engine\n\n{report.today()}, `{command}`. {report.machine()}.\n\n"
        f"{columns.pair.symbol}, {columns.table.num_rows:,} recorded rows ({columns.depth} levels a side) played again "
        f"until {rows:,}; delay {ONE_WAY_NS // MS} ms each way, queue rule pro_rata. Rows a second of CPU time, median "
        "(range).\n\n| strategy | decides | rows/s | fills |\n| --- | --- | ---: | ---: |\n"
    )
    body = [
        f"| {line.what} | {line.when} | **{statistics.median(line.rows_per_s):,.0f}** "
        f"({min(line.rows_per_s):,.0f} to {max(line.rows_per_s):,.0f}) | {line.fills:,} |\n"
        for line in measured
    ]
    return head + "".join(body)


def main() -> None:
    """Measure, print, and write the section."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("path", help="a recorded day of one pair")
    options.add_argument("--rows", type=int, default=ROWS)
    options.add_argument("--repeats", type=int, default=REPEATS)
    chosen = options.parse_args()
    columns = next(iter(read([chosen.path]).columns.values()))
    if not isinstance(load_market(1), RustMarket):
        sys.exit("the Rust module is not built: make setup")
    measured = lines(columns, chosen.rows, chosen.repeats)
    body = table(columns, chosen.rows, measured, f"python -m benchmarks.screen {chosen.path}")
    print(body)
    report.write("screen", body)


if __name__ == "__main__":
    main()
