"""Archiving: old rows move from the journal to a file a month in ``data/archive/``, so that the journal stays bounded.

A shell over two SQLite files. Rows are copied first and deleted after, in two transactions: a crash in between leaves
them in both, and the next run deletes them. The sums of the deleted fills stay in the journal, so that positions and
profit start from them. The newest fills and entries stay whatever their age: Kraken sends them again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from executor.account.fill_counts import Tally, add_fill
from executor.account.pnl import Pnl
from executor.errors import JournalError
from executor.record.journal import Journal
from executor.record.rows import FillRow, columns
from shared import limits
from shared.clock import SECOND


def folder(journal: Path) -> Path:
    """Return where the archives of a journal are."""
    return journal.parent / "archive"


def files(journal: Path) -> list[Path]:
    """Return the archives of a journal, oldest first."""
    return sorted(folder(journal).glob("journal-*.sqlite"))


def archived_fills(journal: Path) -> Iterator[FillRow]:
    """Yield all fills in the archives, oldest first; one that a crash left in two files comes twice."""
    for file in files(journal):
        opened = sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)
        try:
            query = f"SELECT {columns(FillRow)} FROM fills ORDER BY n"
            yield from (FillRow(*row) for row in opened.execute(query))
        finally:
            opened.close()


def all_fills(path: Path) -> list[FillRow]:
    """Return every fill ever journaled, each once, archives first. Raises :class:`JournalError`."""
    try:
        fills = {row.exec_id: row for row in archived_fills(path)}
    except sqlite3.Error as error:
        raise JournalError(f"{folder(path)} cannot be read: {error}; move the damaged file away") from error
    if path.exists():
        journal = Journal(path, read_only=True)
        fills |= {row.exec_id: row for row in journal.fills()}
        journal.close()
    return list(fills.values())


def archive(journal: Journal, now_ts: int, rows_most: int = limits.ARCHIVE_ROWS) -> int:
    """Move old rows, at most ``rows_most`` of each table at a time; return how many left the journal."""
    old = now_ts - int(limits.ARCHIVE_AFTER_S * SECOND)
    db = journal.connection
    try:
        last_fill = _last_fill(db, old, rows_most)
        orders = db.execute(
            "SELECT cl_ord_id FROM orders WHERE NOT is_live AND changed_ts < ? LIMIT ?", (old, rows_most)
        ).fetchall()
        kept = db.execute("SELECT ts FROM ledger ORDER BY ts DESC LIMIT 1 OFFSET ?", (limits.ARCHIVE_KEEP,)).fetchone()
        until = min(old, kept[0] if kept else 0)
        entries = db.execute("SELECT ledger_id FROM ledger WHERE ts < ? LIMIT ?", (until, rows_most)).fetchall()
        if not (last_fill or orders or entries):
            return 0
        name = datetime.fromtimestamp(now_ts // SECOND, UTC).strftime("journal-%Y-%m.sqlite")
        _copy(journal, folder(journal.path) / name, last_fill, orders, entries)
        return _delete(db, last_fill, orders, entries)
    except sqlite3.Error as error:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise JournalError(f"{journal.path} could not be archived: {error}") from error


def _last_fill(db: sqlite3.Connection, old: int, rows_most: int) -> int:
    """Return the number of the last fill to move, 0 for none; all before it are old too, so sums stay in order."""
    kept = db.execute("SELECT n FROM fills ORDER BY n DESC LIMIT 1 OFFSET ?", (limits.ARCHIVE_KEEP - 1,)).fetchone()
    if kept is None:
        return 0
    young = db.execute("SELECT min(n) FROM fills WHERE fill_ts >= ?", (old,)).fetchone()[0]
    first = db.execute("SELECT min(n) FROM fills").fetchone()[0]
    last = min(kept[0], young if young is not None else kept[0]) - 1
    return min(last, first + rows_most - 1) if last >= first else 0


def _copy(journal: Journal, file: Path, last_fill: int, orders: list[tuple[str]], entries: list[tuple[str]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Journal(file).close()  # the same tables
    db = journal.connection
    db.execute("ATTACH ? AS old", (str(file),))
    try:
        db.execute("PRAGMA old.synchronous=FULL")
        db.execute("BEGIN IMMEDIATE")
        db.execute("INSERT OR IGNORE INTO old.fills SELECT * FROM main.fills WHERE n <= ?", (last_fill,))
        moved = "SELECT exec_id FROM main.fills WHERE n <= ?"
        db.execute(f"INSERT OR IGNORE INTO old.marks SELECT * FROM main.marks WHERE exec_id IN ({moved})", (last_fill,))
        db.executemany("INSERT OR IGNORE INTO old.orders SELECT * FROM main.orders WHERE cl_ord_id = ?", orders)
        db.executemany("INSERT OR IGNORE INTO old.ledger SELECT * FROM main.ledger WHERE ledger_id = ?", entries)
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")
        db.execute("DETACH old")


def _delete(db: sqlite3.Connection, last_fill: int, orders: list[tuple[str]], entries: list[tuple[str]]) -> int:
    tallies, profits = carried(db)
    db.execute("BEGIN IMMEDIATE")
    query = f"SELECT {columns(FillRow)} FROM fills WHERE n <= ? ORDER BY n"
    for row in db.execute(query, (last_fill,)).fetchall():
        add_fill(tallies, profits, FillRow(*row))
    for (strategy, symbol), tally in tallies.items():
        last = (tally.last.get("buy", 0), tally.last.get("sell", 0))
        values = (strategy, symbol, tally.count, str(tally.position), *last)
        db.execute("INSERT OR REPLACE INTO carried_tallies VALUES (?,?,?,?,?,?)", values)
    for symbol, pnl in profits.items():
        money = (str(pnl.qty), str(pnl.cost), str(pnl.realised), str(pnl.fees))
        db.execute("INSERT OR REPLACE INTO carried_profits VALUES (?,?,?,?,?)", (symbol, *money))
    db.execute("DELETE FROM marks WHERE exec_id IN (SELECT exec_id FROM fills WHERE n <= ?)", (last_fill,))
    moved = db.execute("DELETE FROM fills WHERE n <= ?", (last_fill,)).rowcount
    moved += db.executemany("DELETE FROM orders WHERE cl_ord_id = ?", orders).rowcount
    moved += db.executemany("DELETE FROM ledger WHERE ledger_id = ?", entries).rowcount
    db.execute("COMMIT")
    return moved


def carried(db: sqlite3.Connection) -> tuple[dict[tuple[str, str], Tally], dict[str, Pnl]]:
    """Return the sums of archived fills: counts and positions by strategy and symbol, profit by symbol."""
    tallies = {}
    for strategy, symbol, count, position, buy, sell in db.execute("SELECT * FROM carried_tallies"):
        tallies[strategy, symbol] = Tally(count, Decimal(position), {"buy": buy, "sell": sell})
    profits = {}
    for symbol, *money in db.execute("SELECT * FROM carried_profits"):
        profits[symbol] = Pnl(*(Decimal(amount) for amount in money))
    return tallies, profits
