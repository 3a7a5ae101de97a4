"""``python -m backtest score``: the queue models against the truth, from recorded single orders (level3) and trades.

Our own orders, where a recording has them, are taken out of its book and played: in truth by FIFO among the recorded
orders, and by each model from the book by price alone. Without any, orders of one lot are put at the back of the touch,
at every so many of its changes.
"""

from __future__ import annotations

import argparse
import sys

import msgspec
import pyarrow.compute as pc

from backtest import command_line
from backtest.data.columns import Kind
from backtest.errors import BacktestError, DataError
from backtest.single_orders import reading
from backtest.single_orders.score import Score, score
from backtest.single_orders.stream import moments
from backtest.single_orders.truth import Play
from shared.clock import SECOND

COMMAND = "score"


def main(arguments: list[str]) -> None:
    """Run the command."""
    options = _parser().parse_args(arguments)
    try:
        scores = scored(options.paths, options.pair, options.every, options.horizon)
    except BacktestError as error:
        command_line.fail(COMMAND, str(error))
    if options.json:
        print(msgspec.json.encode(scores).decode())
        return
    for each in scores:
        print("\n".join(lines(each)))


def scored(paths: list[str], symbols: list[str] | None, every: int, horizon_s: float) -> list[Score]:
    """Return the score of each pair that has single orders and trades. Raises DataError."""
    read = reading.read(paths, symbols)
    tally = read.tally
    if tally.checksums_failed or tally.bad:
        text = f"{tally.checksums_failed} checksums failed, {tally.bad_rows} frames were not read"
        named = [f"{bad.file}:{bad.line}: {bad.why}" for bad in tally.bad[:5]]
        print(f"{COMMAND}: {text}", *named, sep="\n  ", file=sys.stderr)
    scores = []
    for symbol, orders in sorted(read.orders.items()):
        trades = read.tables[symbol].filter(pc.equal(read.tables[symbol]["kind"], int(Kind.TRADE)))
        if not trades.num_rows:
            raise DataError(f"{symbol}: there are no trades of it beside its single orders; record feed.trade too")
        own = frozenset(read.own.intersection(orders.table["order_id"].to_pylist()))
        play = Play(symbol, orders.depth, every, int(horizon_s * SECOND), own)
        scores.append(score(symbol, orders.depth, play.play(moments(orders, trades))))
    return scores


def lines(made: Score) -> list[str]:
    """Return a pair's score as text."""
    head = "model     filled  agree  early  missed  fill time: bias  error s  queue: bias  error"
    rows = [
        f"{name:<9} {each.filled:>6}  {_text(each.agreement, 3):>5}  {each.early:>5}  {each.missed:>6}  "
        f"{_text(each.fill_time_bias_s, 2):>15}  {_text(each.fill_time_error_s, 2):>7}  "
        f"{_text(each.queue_bias, 3):>11}  {_text(each.queue_error, 3):>5}"
        for name, each in made.models.items()
    ]
    kind = "own orders" if made.own else "orders"
    return [f"{made.symbol}: {made.orders} {kind}, {made.filled} filled in truth", head, *rows, ""]


def _text(value: float | None, decimals: int) -> str:
    return "-" if value is None else f"{value:.{decimals}f}"


def _parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(
        prog=f"python -m backtest {COMMAND}",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("paths", nargs="+", metavar="PATH", help="recordings or captures with level3 and trades")
    options.add_argument("--pair", action="append", metavar="SYMBOL", help="only this pair (BTC/USD); may come again")
    options.add_argument("--every", type=_count, default=10, metavar="N", help="touch changes to an order (10)")
    options.add_argument("--horizon", type=_seconds, default=60.0, metavar="S", help="an order's life in seconds (60)")
    options.add_argument("--json", action="store_true", help="one JSON list, an object a pair, instead of text")
    return options


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return int(text)


def _seconds(text: str) -> float:
    if not text.replace(".", "", 1).isdecimal() or float(text) <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return float(text)
