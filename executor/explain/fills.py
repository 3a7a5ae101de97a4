"""``python -m executor fills``: all fills of the journal, oldest first, as a table or a JSON object a line."""

from __future__ import annotations

import argparse
import json
import signal
import sqlite3
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import repeat

from executor.account.fill_counts import Tally, add_fill
from executor.account.pnl import Pnl
from executor.errors import JournalError
from executor.record.archive import all_fills
from executor.record.rows import FillRow
from shared.clock import SECOND, rfc3339
from shared.numbers import plain, round_money
from shared.process.command_line import EXIT_CONFIG, load_config, refuse
from shared.valuation import legs


def as_json(row: FillRow, made: dict[str, str]) -> str:
    """Return a fill as one line of JSON, numbers as decimal text; ``made`` are further members."""
    return json.dumps(
        {
            "exec_id": row.exec_id,
            "cl_ord_id": row.cl_ord_id,
            "order_id": row.order_id,
            "symbol": row.symbol,
            "side": row.side,
            "price": row.price,
            "qty": row.qty,
            "fee": row.fee,
            "ts": rfc3339(row.fill_ts),
            "strategy": row.strategy,
            **made,
        }
    )


def profits(rows: Iterable[FillRow]) -> Iterator[dict[str, str]]:
    """Yield for each fill what all pairs in its quote have realised and paid in fees so far, and its own pair's profit.

    The profit values the open position at the fill's price. Amounts are in the quote asset; others are not added.
    """
    tallies: dict[tuple[str, str], Tally] = {}
    of_pairs: dict[str, Pnl] = {}
    for row in rows:
        add_fill(tallies, of_pairs, row)
        pnl = of_pairs[row.symbol]
        same_quote = [each for symbol, each in of_pairs.items() if legs(symbol)[1] == legs(row.symbol)[1]]
        amounts = {
            "realised": sum(each.realised for each in same_quote),
            "fees_paid": sum(each.fees for each in same_quote),
            "profit": pnl.realised + pnl.unrealised(Decimal(row.price)) - pnl.fees,
        }
        yield {name: plain(round_money(Decimal(amount), 8)) for name, amount in amounts.items()}


def main(arguments: list[str]) -> None:
    """Print the fills that the options select."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # 'fills | head' ends quietly
    options = argparse.ArgumentParser(prog="python -m executor fills", description=__doc__)
    options.add_argument("--config", metavar="PATH")
    options.add_argument("--json", action="store_true", help="one JSON object a line")
    options.add_argument("--symbol", help="only this pair, such as BTC/USD")
    options.add_argument(
        "--since",
        metavar="TIME",
        type=moment,
        default=0,
        help="only from this time on, such as 2026-01-31 or 2026-01-31T12:00:00Z; UTC where it names no offset",
    )
    options.add_argument("--count", type=int, help="only the newest N")
    options.add_argument(
        "--profit",
        action="store_true",
        help="with --json: what all pairs in its quote realised and paid up to each, and its own made",
    )
    chosen = options.parse_args(arguments)
    path = load_config("fills", chosen.config).data / "journal.sqlite"
    try:
        rows = all_fills(path)
    except (JournalError, sqlite3.Error) as error:
        refuse(EXIT_CONFIG, "fills", str(error))
    made = profits(rows) if chosen.profit else repeat({})
    both = [(row, more) for row, more in zip(rows, made, strict=False) if _is_chosen(row, chosen)]
    both = both[-chosen.count :] if chosen.count else both
    if chosen.json:
        sys.stdout.writelines(as_json(row, more) + "\n" for row, more in both)
        return
    if not both:
        print("no fill of these" if rows else "no fills yet")
    for row, _ in both:
        print(f"{rfc3339(row.fill_ts)}  {row.symbol:<9} {row.side:<4} {row.qty:>14} at {row.price:>12}  fee {row.fee}")


def moment(text: str) -> int:
    """Return ns since the epoch of a date or a time that a person typed."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write 2026-01-31 or 2026-01-31T12:00:00Z") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(moment.replace(microsecond=0).timestamp()) * SECOND + moment.microsecond * 1000


def _is_chosen(row: FillRow, chosen: argparse.Namespace) -> bool:
    return chosen.symbol in (None, row.symbol) and row.fill_ts >= chosen.since
