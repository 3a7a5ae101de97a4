"""``python -m executor fills``: all fills of the journal, oldest first, as a table or a JSON object a line."""

from __future__ import annotations

import argparse
import json
import signal
import sqlite3
import sys

from executor.archive import all_fills
from executor.journal import FillRow, JournalError
from shared.clock import rfc3339
from shared.process import EXIT_CONFIG, load_config, refuse


def as_json(row: FillRow) -> str:
    """A fill as one line of JSON, numbers as decimal text."""
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
        }
    )


def main(arguments: list[str]) -> None:
    """Prints the fills that the options select."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # 'fills | head' ends quietly
    options = argparse.ArgumentParser(prog="python -m executor fills", description=__doc__)
    options.add_argument("--config", metavar="PATH")
    options.add_argument("--json", action="store_true", help="one JSON object a line")
    options.add_argument("--symbol", help="only this pair, such as BTC/USD")
    options.add_argument(
        "--since", metavar="TIME", default="", help="only from this time on, such as 2026-01-31T12:00:00Z"
    )
    options.add_argument("--count", type=int, help="only the newest N")
    chosen = options.parse_args(arguments)
    path = load_config("fills", chosen.config).data / "journal.sqlite"
    try:
        rows = all_fills(path)
    except (JournalError, sqlite3.Error) as error:
        refuse(EXIT_CONFIG, "fills", str(error))
    rows = [row for row in rows if chosen.symbol in (None, row.symbol) and rfc3339(row.fill_ts) >= chosen.since]
    rows = rows[-chosen.count :] if chosen.count else rows
    if chosen.json:
        sys.stdout.writelines(as_json(row) + "\n" for row in rows)
        return
    if not rows:
        print("no fills yet")
    for row in rows:
        print(f"{rfc3339(row.fill_ts)}  {row.symbol:<9} {row.side:<4} {row.qty:>14} at {row.price:>12}  fee {row.fee}")
