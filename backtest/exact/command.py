"""``tradebyte backtest``: what a strategy would have earned, decided and executed by the live code.

The real book, strategy, planner, risk gate, budget, order states, dead man's switch and journal run in virtual time
against recorded data or the simulator's market. The same data, settings and seed give the same requests, byte for byte.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import msgspec
from rich.console import Console

from backtest import command_line
from backtest.data.coverage import coverage_bps
from backtest.data.formats import recorded_orders
from backtest.data.sources import read
from backtest.errors import BacktestError, DataError
from backtest.exact import run, setting
from backtest.exact.run import Options, Outcome
from backtest.report import figures, files, report, text
from backtest.report.delays import measure
from backtest.venue.latency import LatencyKind
from shared.config import Config

COMMAND = "backtest"
QUEUES = ("pro_rata", "power", "log", "front", "back")
REGIMES = ("calm", "trending", "volatile", "thin", "flash_crash")


def main(arguments: list[str]) -> None:
    """Run the command."""
    options = _parser().parse_args(arguments)
    config = command_line.configuration(options.config)
    try:
        outcome, market, coverage = _run(config, options)
        course, delays = figures.course(outcome), measure(outcome, recorded_orders.read(options.paths))
        made = report.make(outcome, course, delays, market, config.trading.currency, coverage)
        if options.out is not None:
            files.write(options.out, made, outcome, course, delays)
    except BacktestError as error:
        command_line.fail(COMMAND, str(error))
    if options.json:
        print(msgspec.json.encode(made).decode())
        return
    text.show(made, Console(width=None if sys.stdout.isatty() else 120, highlight=False))
    if options.out is not None:
        print(f"written to {options.out}: report.html, report.json and tables")


def _parser() -> argparse.ArgumentParser:
    options = command_line.parser(COMMAND, __doc__ or "")
    options.add_argument("paths", nargs="*", metavar="PATH", help="recordings, captures or extracted columns")
    options.add_argument("--strategy", metavar="NAME", help="which of the configured strategies (else the first)")
    options.add_argument("--from", dest="begin", type=command_line.moment, metavar="T", help="from then on (UTC)")
    options.add_argument("--to", dest="end", type=command_line.moment, metavar="T", help="until before then")
    options.add_argument("--seed", type=int, default=1, help="of everything that is drawn (1)")
    options.add_argument(
        "--queue", choices=QUEUES, default="pro_rata", help="where in a queue others cancel (pro_rata)"
    )
    options.add_argument(
        "--latency",
        choices=[each.value for each in LatencyKind],
        default=LatencyKind.CONSTANT.value,
        help="constant, drawn, or as recorded",
    )
    options.add_argument(
        "--latency-ms",
        type=command_line.delay_ms,
        metavar="MS",
        help="one way, up to 60000 (else simulator.one_way_delay_ms)",
    )
    options.add_argument("--market", choices=["synthetic"], help="the simulator's own market instead of a PATH")
    options.add_argument("--hours", type=_hours, default=1.0, help="of the synthetic market (1)")
    options.add_argument("--regime", choices=REGIMES, help="of the synthetic market (else simulator.regime)")
    options.add_argument("--out", type=Path, metavar="DIR", help="write the report there: a page, JSON and tables")
    return options


def _hours(text: str) -> float:
    return command_line.number(text, 0.001, 10_000)


def _run(config: Config, options: argparse.Namespace) -> tuple[Outcome, str, dict[str, float | None]]:
    """Return the outcome, the market's name and its coverage."""
    name = setting.choose_strategy(config, options.strategy)
    one_way = config.simulator.one_way_delay_ms if options.latency_ms is None else options.latency_ms
    chosen = Options(name, options.seed, options.queue, latency=LatencyKind(options.latency), one_way_ms=one_way)
    if options.market == "synthetic":
        if options.paths:
            raise DataError("name either a PATH or --market synthetic")
        traded = config.strategy_pairs(name)
        prepared = setting.prepare(config, name, list(traded), list(traded), options.seed, options.regime)
        regime = prepared.simulator.regime
        return run.on_synthetic(prepared, options.hours * 3600, chosen), f"synthetic market, {regime}", {}
    if not options.paths:
        raise DataError("name recorded data, or --market synthetic for the simulator's own market")
    data = read(options.paths, begin=options.begin, end=options.end)
    traded = setting.traded_pairs(config, name, data.columns)
    listed = [*traded, *setting.references(config, traded, data.columns)]
    prepared = setting.prepare(config, name, traded, listed, options.seed)
    columns = {symbol: data.columns[symbol] for symbol in listed}
    coverage = {symbol: coverage_bps(part) for symbol, part in columns.items()}
    return run.on_columns(prepared, columns, chosen), ", ".join(options.paths), coverage
