"""``tradebyte screen``: what a strategy would roughly have earned, in a fraction of a second.

The strategy meets the recorded queues with a constant delay and a simple keeper of its quotes: no risk gate, no
journal, and no rate budget unless --moves asks for it. The market maker runs in Rust where its moves are free; any
other strategy, and other moves, by its own class. What survives here is worth ``tradebyte backtest``, which runs the
live code.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console

from backtest import command_line
from backtest.data.sources import read
from backtest.errors import BacktestError, DataError
from backtest.exact import setting
from backtest.screen import report
from backtest.screen.moves import Moves
from backtest.screen.played import Pace
from backtest.screen.report import ScreenReport
from backtest.screen.run import PairRun, screen
from backtest.venue.queue_models import QueueModel
from shared.clock import MS
from shared.errors import ConfigError

COMMAND = "screen"


def main(arguments: list[str]) -> None:
    """Run the command."""
    options = _parser().parse_args(arguments)
    config = command_line.configuration(options.config)
    try:
        name = setting.choose_strategy(config, options.strategy)
        data = read(options.paths, begin=options.begin, end=options.end)
        traded = setting.traded_pairs(config, name, data.columns)
        one_way_ms = config.simulator.one_way_delay_ms if options.latency_ms is None else options.latency_ms
        every_ns = None if options.every_ms is None else int(options.every_ms * MS)
        pace = Pace(every_ns, int(one_way_ms * MS), moves=Moves(options.moves))
        runs = screen(config, name, {symbol: data.columns[symbol] for symbol in traded}, options.queue, pace)
        made = report.make(runs, name, options.queue, pace, config.trading)
        if options.out is not None:
            _write(options.out, made, runs)
    except (BacktestError, ConfigError) as error:
        command_line.fail(COMMAND, str(error))
    if options.json:
        print(msgspec.json.encode(made).decode())
        return
    _show(made, Console(width=None if sys.stdout.isatty() else 120, highlight=False))


def _parser() -> argparse.ArgumentParser:
    options = command_line.parser(COMMAND, __doc__ or "")
    options.add_argument("paths", nargs="+", metavar="PATH", help="recordings, captures or extracted columns")
    options.add_argument("--strategy", metavar="NAME", help="which of the configured strategies (else the first)")
    options.add_argument("--from", dest="begin", type=command_line.moment, metavar="T", help="from then on (UTC)")
    options.add_argument("--to", dest="end", type=command_line.moment, metavar="T", help="until before then")
    options.add_argument("--every-ms", type=_positive, metavar="N", help="decide every N ms (else at each touch)")
    options.add_argument(
        "--queue",
        choices=[each.value for each in QueueModel],
        default=QueueModel.PRO_RATA,
        help="where in a queue others cancel (pro_rata)",
    )
    options.add_argument(
        "--latency-ms",
        type=command_line.delay_ms,
        metavar="MS",
        help="one way, up to 60000 (else simulator.one_way_delay_ms)",
    )
    options.add_argument(
        "--moves",
        choices=[each.value for each in Moves],
        default=Moves.FREE.value,
        help="orders move at once (free), once in 10 s (paced), or when it is worth their rate points (priced)",
    )
    options.add_argument("--out", type=Path, metavar="DIR", help="write report.json and fills.parquet there")
    return options


def _positive(text: str) -> float:
    return command_line.number(text, 0.001, 86_400_000)


def _write(folder: Path, made: ScreenReport, runs: list[PairRun]) -> None:
    rows = [
        {"symbol": run.symbol, **fill._asdict(), "mid": str(mark.mid), "fee": str(mark.fee)}
        for run in runs
        for fill, mark in zip(run.played.fills, run.account.fills, strict=True)
    ]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "report.json").write_bytes(msgspec.json.format(msgspec.json.encode(made), indent=2))
        pq.write_table(pa.Table.from_pylist(rows, schema=FILLS), folder / "fills.parquet", compression="zstd")
    except OSError as error:
        raise DataError(f"{folder}: {error.strerror or error}; name another folder with --out") from error


FILLS = pa.schema(
    {
        "symbol": pa.string(),
        "ts": pa.int64(),
        "order_id": pa.int64(),
        "side": pa.string(),
        "price": pa.int64(),
        "qty": pa.int64(),
        "ahead": pa.int64(),
        "opened_ts": pa.int64(),
        "ahead_at_fill": pa.int64(),
        "mid": pa.string(),
        "fee": pa.string(),
    }
)


def _show(made: ScreenReport, console: Console) -> None:
    console.print(
        f"{made.strategy} ({', '.join(made.pairs)}): {made.seconds:,.0f} s of data, {made.rows:,} rows in "
        f"{made.wall_s:.3f} s ({made.rows_per_s:,.0f} rows/s, {made.engine})"
    )
    names = ", ".join(
        f"{name} {float(getattr(made.attribution, name)):,.4f}" for name in made.attribution.__struct_fields__
    )
    console.print(f"profit {float(made.pnl):,.4f} {made.currency}: {names}")
    console.print(f"fills {made.fills}, requests {made.requests}, refused {made.refused}, decisions {made.decisions}")
    highest = max(made.rate_level_highest.values())
    console.print(
        f"moves {made.moves}, rate points {made.rate_points:g}: the counter rose to {highest:g} of "
        f"{made.rate_level_most:g}, {made.rate_rejects} requests beyond"
    )
    marks = ", ".join(f"{h} s {'-' if bps is None else f'{bps:+.2f}'}" for h, bps in made.markouts_bps.items())
    console.print(f"markouts in bp: {marks}")
    for name, bound in made.bounds.items():
        console.print(f"{name} ({bound.queue}): {bound.fills} fills, {float(bound.pnl):,.4f} {made.currency}")
