"""``python -m executor statement``: fills, conversions and results as CSV, for taxes and books.

From the journal and its archives, whether or not anything runs. Realised profit is by weighted average cost, counted
from the first fill on, also where ``--from`` shows later ones only. Amounts are exact decimal text: ``cost``, ``fee``
and ``realised`` in ``asset``, ``*_value`` in ``trading.currency`` at the rate of the moment, which the journal keeps
with each fill; empty where it is not known.
"""

from __future__ import annotations

import argparse
import csv
import signal
import sqlite3
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Final, TextIO

from executor.account.ledger import Entry
from executor.account.pnl import Pnl
from executor.errors import JournalError
from executor.explain.fills import moment
from executor.record.archive import all_fills, files
from executor.record.export import opened
from executor.record.rows import FillRow, columns
from shared.clock import rfc3339
from shared.numbers import EXACT, plain, round_money
from shared.process.command_line import EXIT_CONFIG, load_config, refuse
from shared.valuation import legs

COLUMNS: Final = (
    "time", "kind", "ref_id", "strategy", "pair", "side", "qty", "price", "asset", "cost", "fee", "realised",
    "realised_value", "fee_value", "amount", "balance",
)  # fmt: skip
DECIMALS: Final = 8
ZERO: Final = Decimal(0)
Line = dict[str, str]


@dataclass(slots=True)
class Sums:
    """Sums of the shown fills of one quote asset, or of all in the currency."""

    realised: Decimal = ZERO
    fees: Decimal = ZERO
    # Fills whose rate the journal does not have: no value is given then.
    unvalued: int = 0


@dataclass(slots=True)
class Statement:
    """Goes over all fills, oldest first; gives the lines of those from ``begin`` until before ``end`` (ns)."""

    currency: str
    rates: dict[str, Decimal]
    begin: int
    end: int
    pnl: dict[str, Pnl] = field(default_factory=lambda: defaultdict(Pnl))
    sums: dict[str, Sums] = field(default_factory=lambda: defaultdict(Sums))
    total: Sums = field(default_factory=Sums)

    def fills(self, rows: Iterable[FillRow]) -> Iterator[Line]:
        """Yield a line for each fill that is shown."""
        for row in rows:
            quote = legs(row.symbol)[1]
            pnl = self.pnl[row.symbol]
            before = pnl.realised
            fee = Decimal(row.fee)
            quote_fee = fee if row.fee_asset == quote else ZERO
            pnl.fill("buy" if row.side == "buy" else "sell", Decimal(row.qty), Decimal(row.price), quote_fee)
            if self.begin <= row.fill_ts < self.end:
                yield self._line(
                    row, quote, round_money(pnl.realised, DECIMALS) - round_money(before, DECIMALS), quote_fee
                )

    def _line(self, row: FillRow, quote: str, realised: Decimal, fee: Decimal) -> Line:
        rate = Decimal(1) if quote == self.currency else self.rates.get(row.exec_id)
        sums = self.sums[quote]
        sums.realised += realised
        sums.fees += fee
        values = {"realised_value": "", "fee_value": ""}
        if rate is None:
            self.total.unvalued += 1
        else:
            worth = [round_money(EXACT.multiply(amount, rate), DECIMALS) for amount in (realised, fee)]
            self.total.realised += worth[0]
            self.total.fees += worth[1]
            values = {"realised_value": plain(worth[0]), "fee_value": plain(worth[1])}
        return {
            "time": rfc3339(row.fill_ts),
            "kind": "fill",
            "ref_id": row.exec_id,
            "strategy": row.strategy,
            "pair": row.symbol,
            "side": row.side,
            "qty": row.qty,
            "price": row.price,
            "asset": quote,
            "cost": row.cost,
            "fee": row.fee if row.fee_asset == quote else f"{row.fee} {row.fee_asset}",
            "realised": plain(realised),
            **values,
        }

    def results(self) -> Iterator[Line]:
        """Yield what the shown fills add up to: a line for each quote asset, and one in the currency."""
        for quote, sums in sorted(self.sums.items()):
            yield {"kind": "result", "asset": quote, "fee": plain(sums.fees), "realised": plain(sums.realised)}
        unvalued = f"{self.total.unvalued} fills without a rate" if self.total.unvalued else ""
        yield {
            "kind": "result",
            "asset": self.currency,
            "realised_value": plain(self.total.realised),
            "fee_value": plain(self.total.fees),
            "ref_id": unvalued or "all",
        }


def others(entries: Iterable[Entry], begin: int, end: int) -> Iterator[Line]:
    """Yield a line for each ledger entry that no fill explains: deposits, withdrawals, conversions, rewards."""
    for entry in entries:
        if entry.kind != "trade" and begin <= entry.ts < end:
            yield {
                "time": rfc3339(entry.ts),
                "kind": entry.kind,
                "ref_id": entry.ref_id,
                "asset": entry.asset,
                "fee": plain(entry.fee),
                "amount": plain(entry.amount),
                "balance": plain(entry.balance),
            }


def statement(journal: Path, currency: str, begin: int, end: int, out: TextIO) -> None:
    """Write the whole statement. Raises JournalError and sqlite3.Error for files that cannot be read."""
    sources = [path for path in (*files(journal), journal) if path.exists()]
    made = Statement(currency, _rates(sources), begin, end)
    lines = [
        *made.fills(sorted(all_fills(journal), key=lambda row: row.fill_ts)),
        *others(_entries(sources), begin, end),
    ]
    lines.sort(key=lambda line: line["time"])
    table = csv.DictWriter(out, COLUMNS)
    table.writeheader()
    table.writerows([*lines, *made.results()])


def _rates(sources: list[Path]) -> dict[str, Decimal]:
    """Return the rate of each fill's quote asset by exec id, from files that have marks."""
    rates: dict[str, Decimal] = {}
    for source in sources:
        with closing(opened(source)) as db:
            if _has(db, "marks"):
                rates |= {
                    str(name): Decimal(rate) for name, rate in db.execute("SELECT exec_id, rate FROM marks") if rate
                }
    return rates


def _entries(sources: list[Path]) -> Iterator[Entry]:
    seen: set[str] = set()
    for source in sources:
        with closing(opened(source)) as db:
            for row in db.execute(f"SELECT {columns(Entry)} FROM ledger ORDER BY ts"):
                ledger_id, ref_id, asset, kind, amount, fee, balance, ts = row
                if ledger_id not in seen:
                    seen.add(ledger_id)
                    yield Entry(ledger_id, ref_id, asset, kind, Decimal(amount), Decimal(fee), Decimal(balance), ts)


def _has(db: sqlite3.Connection, table: str) -> bool:
    return bool(db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone())


def main(arguments: list[str]) -> None:
    """Print the statement."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    options = argparse.ArgumentParser(prog="python -m executor statement", description=__doc__)
    options.add_argument("--config", metavar="PATH")
    options.add_argument("--from", dest="begin", metavar="TIME", type=moment, default=0, help="from then on (UTC)")
    options.add_argument("--to", dest="end", metavar="TIME", type=moment, default=2**63 - 1, help="until before then")
    chosen = options.parse_args(arguments)
    configuration = load_config("statement", chosen.config)
    path = configuration.data / "journal.sqlite"
    if not path.exists() and not files(path):
        refuse(1, "statement", f"there is no journal at {path}: no executor has run with this configuration")
    try:
        statement(path, configuration.trading.currency, chosen.begin, chosen.end, sys.stdout)
    except (JournalError, sqlite3.Error) as error:
        refuse(EXIT_CONFIG, "statement", f"{path} or an archive beside it cannot be read: {error}")
