"""``tradebyte calibrate``: A and k of the arrivals by depth, and the volatility, from recorded data.

The figures are in the units of the models' settings: bp of the mid and seconds. Each pair ends in a ``settings:`` block
for strategy.models.glft and strategy.models.avellaneda_stoikov.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from backtest import command_line
from backtest.calibration import report
from backtest.data.sources import read
from backtest.errors import BacktestError

COMMAND = "calibrate"


def main(arguments: list[str]) -> None:
    """Run the command."""
    options = _parser().parse_args(arguments)
    bounds_bps = tuple(options.fit_bps) if options.fit_bps else None
    try:
        data = read(options.paths, symbols=options.pair, begin=options.begin, end=options.end)
        made = [report.calibrate(columns, bounds_bps) for columns in data.columns.values()]
        if options.out is not None:
            report.write(options.out, made)
    except BacktestError as error:
        command_line.fail(COMMAND, str(error))
    if options.json:
        print(msgspec.json.encode(made).decode())
        return
    for each in made:
        print("\n".join(report.lines(each)))


def _parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(
        prog=f"tradebyte {COMMAND}", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("paths", nargs="+", metavar="PATH", help="recordings, captures or extracted columns")
    options.add_argument("--pair", action="append", metavar="SYMBOL", help="only this pair (BTC/USD); may come again")
    options.add_argument("--from", dest="begin", type=command_line.moment, metavar="T", help="from then on (UTC)")
    options.add_argument("--to", dest="end", type=command_line.moment, metavar="T", help="until before then")
    options.add_argument(
        "--fit-bps", nargs=2, type=float, metavar=("NEAR", "FAR"), help="the fit's range (else chosen from the data)"
    )
    options.add_argument("--out", type=Path, metavar="DIR", help="write calibration.json and arrivals.parquet there")
    options.add_argument("--json", action="store_true", help="one JSON list, an object a pair, instead of text")
    return options
