"""``python -m backtest extract PATH... --out DIR``: market data of any supported form into columns, by pair and day.

Writes ``DIR/BTC-USD/2026-07-24.parquet``. Exit codes: 0 something was written; 1 nothing was; 2 the command is wrong.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from contextlib import nullcontext
from typing import NoReturn

import msgspec
from rich.console import Console

from backtest import command_line
from backtest.data.places import place
from backtest.data.sources import parts
from backtest.data.tally import Tally
from backtest.data.writing import DayWriter
from backtest.errors import DataError
from collector.recording.files import counted, plain

EXIT_NOTHING = 1
NAME = "extract"


class Summary(msgspec.Struct, frozen=True):
    """The outcome, as ``--json`` prints it; ``seconds`` are of data, ``wall_s`` those that it took."""

    rows: int
    frames: int
    seconds: float
    wall_s: float
    rows_per_s: int
    pairs: list[str]
    files: list[str]
    bytes: int
    checksums_ok: int
    checksums_failed: int
    gaps: dict[str, int]
    trades_missed: int
    bad_rows: int
    coverage_bps: dict[str, float]


def main(arguments: list[str]) -> NoReturn:
    """Run the command, and exit with its code."""
    options = _options(arguments)
    command_line.configuration(options.config)
    tally = Tally()
    began = time.monotonic()
    try:
        writer = DayWriter(place(options.out), ", ".join(options.paths), overwrite=options.overwrite)
        _extract(options.paths, options.pair or None, tally, writer)
    except DataError as error:
        _name_bad_rows(tally)
        command_line.fail(NAME, str(error))
    _name_bad_rows(tally)
    summary = _summary(tally, writer, time.monotonic() - began)
    print(json.dumps(msgspec.to_builtins(summary)) if options.json else "\n".join(_sentences(summary)), flush=True)
    raise SystemExit(0 if summary.files else EXIT_NOTHING)


def _options(arguments: list[str]) -> argparse.Namespace:
    made = command_line.parser(NAME, "Make typed columns (Parquet) of market data, by pair and UTC day.")
    made.add_argument("paths", nargs="+", metavar="PATH", help="recordings, captures, CSV files; s3:// and gs:// too")
    made.add_argument("--out", required=True, metavar="DIR", help="where the files go; s3:// and gs:// too")
    made.add_argument("--pair", action="append", metavar="SYMBOL", help="only this pair (BTC/USD); may come again")
    made.add_argument("--overwrite", action="store_true", help="write days anew that are there already")
    return made.parse_args(arguments)


def _extract(paths: list[str], symbols: list[str] | None, tally: Tally, writer: DayWriter) -> None:
    console = Console(stderr=True, highlight=False)
    with console.status("reading") if console.is_terminal else nullcontext() as status:
        for part in parts(paths, tally, symbols):
            writer.take(part, tally)
            if status is not None:
                status.update(f"{tally.frames:,} frames, {writer.rows:,} rows")
        writer.finish(tally)


def _name_bad_rows(tally: Tally) -> None:
    """Name on stderr each bad row that was kept, with file and line."""
    for bad in tally.bad:
        print(f"tradebyte {NAME}: {bad.file}:{bad.line}: {bad.why}", file=sys.stderr)
    if (more := tally.bad_rows - len(tally.bad)) > 0:
        print(f"tradebyte {NAME}: and {more:,} bad rows more", file=sys.stderr)


def _summary(tally: Tally, writer: DayWriter, wall_s: float) -> Summary:
    return Summary(
        rows=writer.rows,
        frames=tally.frames,
        seconds=round(writer.seconds, 3),
        wall_s=round(wall_s, 3),
        rows_per_s=round(writer.rows / wall_s),
        pairs=sorted(writer.pairs),
        files=writer.files,
        bytes=writer.bytes,
        checksums_ok=tally.checksums_ok,
        checksums_failed=tally.checksums_failed,
        gaps={mark.name.lower(): count for mark, count in sorted(tally.gaps.items())},
        trades_missed=tally.trades_missed,
        bad_rows=tally.bad_rows,
        coverage_bps=writer.coverage_bps,
    )


def _sentences(summary: Summary) -> list[str]:
    """Return the summary for people, a sentence a line."""
    gaps = ", ".join(f"{name} {count:,}" for name, count in summary.gaps.items()) or "none"
    lines = [
        f"{summary.rows:,} rows of {summary.seconds:,.1f} s in {counted(len(summary.files), 'file')} of "
        f"{plain(summary.bytes)}, {summary.rows_per_s:,} rows/s",
        f"checksums: {summary.checksums_ok:,} hold, {summary.checksums_failed:,} fail; gaps: {gaps}; "
        f"bad rows: {summary.bad_rows:,}",
    ]
    lines += [f"{symbol}: levels reach {bps:g} bp from the mid" for symbol, bps in summary.coverage_bps.items()]
    return lines + summary.files
