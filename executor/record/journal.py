"""The journal: SQLite, WAL, synchronous NORMAL; it knows an order before its bytes leave.

A shell: it stores what the cores record, and returns it at the next start. The epoch is written with a full sync.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import fields
from decimal import Decimal
from operator import attrgetter
from pathlib import Path

import msgspec

from executor.account.ledger import Entry, Holding
from executor.errors import JournalError, JournalUnavailable
from executor.orders.ids import EPOCH_MAX, base36
from executor.record.rows import (
    BeforeRow,
    EventRow,
    FillRow,
    HoldingRow,
    MarkRow,
    MetaRow,
    OrderRow,
    Row,
    SendRow,
    columns,
    order_row,
)
from shared import limits

# 2 added the events; 3 stores the day and the conversions by quote asset; 4 added the marks. An older file is raised to
# this version when it is opened for writing.
SCHEMA = 4
_TABLES = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS strategies (code TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS orders (
  cl_ord_id TEXT PRIMARY KEY, order_id TEXT NOT NULL, strategy TEXT NOT NULL, symbol TEXT NOT NULL,
  slot TEXT NOT NULL, side TEXT NOT NULL, price TEXT NOT NULL, qty TEXT NOT NULL, filled TEXT NOT NULL,
  state TEXT NOT NULL, is_live INTEGER NOT NULL, error TEXT NOT NULL, amend TEXT NOT NULL,
  deadline_ts INTEGER NOT NULL, created_ts INTEGER NOT NULL, touched_ts INTEGER NOT NULL, changed_ts INTEGER NOT NULL,
  stamps TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS orders_live ON orders (is_live) WHERE is_live;
CREATE INDEX IF NOT EXISTS orders_by_order_id ON orders (order_id);
CREATE TABLE IF NOT EXISTS fills (
  n INTEGER PRIMARY KEY, exec_id TEXT NOT NULL UNIQUE, cl_ord_id TEXT NOT NULL, order_id TEXT NOT NULL,
  strategy TEXT NOT NULL, symbol TEXT NOT NULL, side TEXT NOT NULL, price TEXT NOT NULL, qty TEXT NOT NULL,
  cost TEXT NOT NULL, fee TEXT NOT NULL, fee_asset TEXT NOT NULL, fill_ts INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS marks (
  exec_id TEXT PRIMARY KEY, mid TEXT NOT NULL, rate TEXT NOT NULL, after TEXT NOT NULL, is_done INTEGER NOT NULL)
  WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS marks_waiting ON marks (is_done) WHERE NOT is_done;
CREATE TABLE IF NOT EXISTS before (exec_id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ledger (
  ledger_id TEXT PRIMARY KEY, ref_id TEXT NOT NULL, asset TEXT NOT NULL, kind TEXT NOT NULL, amount TEXT NOT NULL,
  fee TEXT NOT NULL, balance TEXT NOT NULL, ts INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ledger_by_ref ON ledger (ref_id);
CREATE TABLE IF NOT EXISTS holdings (asset TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS carried_tallies (
  strategy TEXT NOT NULL, symbol TEXT NOT NULL, count INTEGER NOT NULL, position TEXT NOT NULL,
  last_buy INTEGER NOT NULL, last_sell INTEGER NOT NULL, PRIMARY KEY (strategy, symbol)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS carried_profits (
  symbol TEXT PRIMARY KEY, qty TEXT NOT NULL, cost TEXT NOT NULL, realised TEXT NOT NULL, fees TEXT NOT NULL)
  WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sends (
  sent_ts INTEGER NOT NULL, symbol TEXT NOT NULL, method TEXT NOT NULL, points REAL NOT NULL, orders TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS sends_by_time ON sends (sent_ts);
CREATE TABLE IF NOT EXISTS events (
  id INTEGER PRIMARY KEY, cl_ord_id TEXT NOT NULL, place INTEGER NOT NULL, n INTEGER NOT NULL,
  event_ts INTEGER NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL, data TEXT NOT NULL, UNIQUE (cl_ord_id, place));
"""


# Amounts of the ledger are written as their text.
sqlite3.register_adapter(Decimal, str)


def _insert(table: str, kind: type, verb: str = "INSERT OR REPLACE") -> tuple[str, Callable[[Row], tuple[object, ...]]]:
    """Return the statement that writes a row of a kind, and what takes its values out, in the columns' order."""
    names = [field.name for field in fields(kind)]
    take = attrgetter(*names)
    values = take if len(names) > 1 else lambda row: (take(row),)
    return f"{verb} INTO {table} ({columns(kind)}) VALUES ({', '.join('?' * len(names))})", values


_INSERTS = {
    OrderRow: _insert("orders", OrderRow),
    FillRow: _insert("fills", FillRow, "INSERT OR IGNORE"),
    BeforeRow: _insert("before", BeforeRow, "INSERT OR IGNORE"),
    SendRow: _insert("sends", SendRow, "INSERT"),
    HoldingRow: _insert("holdings", HoldingRow),
    MetaRow: _insert("meta", MetaRow),
    EventRow: _insert("events", EventRow),
    MarkRow: _insert("marks", MarkRow),
    Entry: _insert("ledger", Entry, "INSERT OR IGNORE"),
}


class Journal:
    """One file, one writer. Every method may raise :class:`JournalError`."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        try:
            if read_only:
                self._db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=2)
                return
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, isolation_level=None, timeout=2)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            schema = self.get("schema") if self._has_meta() else None
            if schema is not None and int(schema) > SCHEMA:
                raise JournalError(
                    f"{path} was written by a newer TradeByte (schema {schema}, this one knows {SCHEMA}); "
                    "install that version again, or move the file away to begin a new journal"
                )
            self._db.executescript(_TABLES)
            self.write([MetaRow("schema", str(SCHEMA))])
            # A start may wait for a lock. A pass may not: the next one's cancels would wait too (T9).
            self._db.execute(f"PRAGMA busy_timeout={limits.JOURNAL_BUSY_MS}")
        except sqlite3.OperationalError as error:
            raise JournalUnavailable(f"{path} cannot be used now ({error}); see that the disk has room") from error
        except sqlite3.DatabaseError as error:
            raise JournalError(
                f"{path} cannot be used ({error}); move it away to begin a new journal: "
                "fills so far stay at the exchange, and in the file"
            ) from error

    def write(self, rows: Iterable[Row]) -> None:
        """Write all rows in one transaction."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for row in rows:
                statement, values = _INSERTS[type(row)]
                self._db.execute(statement, values(row))
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            # A full disk or a lock passes: a start tries again later.
            kind = JournalUnavailable if isinstance(error, sqlite3.OperationalError) else JournalError
            raise kind(f"{self.path} cannot be written: {error}") from error

    def next_epoch(self, unix_s: int) -> int:
        """Return a new epoch, above every one before it and on the disk before this returns."""
        return self.raise_epoch(max(int(self.get("epoch") or 0) + 1, unix_s))

    def raise_epoch(self, epoch: int) -> int:
        """Write ``epoch`` with a full sync; return it."""
        if epoch > EPOCH_MAX:
            raise JournalError(f"epoch {epoch} does not fit an order id; see that this machine's clock is right")
        self._db.execute("PRAGMA synchronous=FULL")
        try:
            self.write([MetaRow("epoch", str(epoch))])
        finally:
            self._db.execute("PRAGMA synchronous=NORMAL")
        return epoch

    def get(self, key: str) -> str | None:
        """Return a named value."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def strategy_code(self, name: str) -> str:
        """Return the three characters that stand for a strategy in order ids, registered at first use."""
        row = self._db.execute("SELECT code FROM strategies WHERE name = ?", (name,)).fetchone()
        if row is not None:
            return str(row[0])
        count = self._db.execute("SELECT count(*) FROM strategies").fetchone()[0]
        code = base36(count + 1, 3)
        self._db.execute("INSERT INTO strategies VALUES (?, ?)", (code, name))
        return code

    def live_orders(self) -> list[OrderRow]:
        """Return the orders that had not ended when the journal was last written."""
        rows = self._db.execute(f"SELECT {columns(OrderRow)} FROM orders WHERE is_live")
        return [order_row(row) for row in rows]

    def find_order(self, cl_ord_id: str, order_id: str) -> tuple[str, str] | None:
        """Return (cl_ord_id, strategy) of an order by either id, or None."""
        row = self._db.execute(
            "SELECT cl_ord_id, strategy FROM orders WHERE cl_ord_id = ? OR (order_id = ? AND order_id != '')",
            (cl_ord_id, order_id),
        ).fetchone()
        return None if row is None else (str(row[0]), str(row[1]))

    def next_event(self, cl_ord_id: str) -> int:
        """Return the number of an order's next event."""
        last = self._db.execute("SELECT max(n) FROM events WHERE cl_ord_id = ?", (cl_ord_id,)).fetchone()[0]
        return 0 if last is None else int(last) + 1

    def fills(self) -> list[FillRow]:
        """Return all fills that are not archived, oldest first."""
        return [FillRow(*row) for row in self._db.execute(f"SELECT {columns(FillRow)} FROM fills ORDER BY n")]

    def waiting_marks(self) -> list[tuple[FillRow, MarkRow]]:
        """Return the fills whose last mid is still to come, with their marks so far."""
        names = ", ".join([f"fills.{field.name}" for field in fields(FillRow)] + [f.name for f in fields(MarkRow)[1:]])
        query = f"SELECT {names} FROM marks JOIN fills USING (exec_id) WHERE NOT is_done ORDER BY n"
        width = len(fields(FillRow))
        return [
            (
                FillRow(*row[:width]),
                MarkRow(str(row[0]), row[width], row[width + 1], row[width + 2], bool(row[width + 3])),
            )
            for row in self._db.execute(query)
        ]

    def knows_fill(self, exec_id: str) -> bool:
        """True if this fill was counted, or is older than the journal."""
        query = "SELECT 1 FROM fills WHERE exec_id = ?1 UNION ALL SELECT 1 FROM before WHERE exec_id = ?1"
        return self._db.execute(query, (exec_id,)).fetchone() is not None

    def holdings(self) -> dict[str, Holding]:
        """Return every asset's holding."""
        holdings = {}
        for asset, state in self._db.execute("SELECT asset, state FROM holdings"):
            holdings[asset] = msgspec.json.decode(state, type=Holding)
        return holdings

    def knows_entry(self, ledger_id: str) -> bool:
        """True if this ledger entry was counted."""
        return self._db.execute("SELECT 1 FROM ledger WHERE ledger_id = ?", (ledger_id,)).fetchone() is not None

    def assets_settled(self, exec_id: str) -> set[str]:
        """Return the assets whose ledger entry of this fill was counted."""
        return {str(row[0]) for row in self._db.execute("SELECT asset FROM ledger WHERE ref_id = ?", (exec_id,))}

    def sends(self, since_ts: int) -> list[SendRow]:
        """Return the transactions sent since then, oldest first."""
        rows = self._db.execute(
            f"SELECT {columns(SendRow)} FROM sends WHERE sent_ts >= ? ORDER BY sent_ts", (since_ts,)
        )
        return [SendRow(*row) for row in rows]

    @property
    def connection(self) -> sqlite3.Connection:
        """Return the open database, for archiving."""
        return self._db

    def prune(self, before_ts: int) -> None:
        """Delete transactions that are too old to be on any counter."""
        try:
            self._db.execute("DELETE FROM sends WHERE sent_ts < ?", (before_ts,))
        except sqlite3.Error as error:
            raise JournalError(f"{self.path} cannot be written: {error}") from error

    def prune_events(self) -> None:
        """Delete the oldest events beyond the limit, a few at a time; write nothing while the limit is kept."""
        try:
            first, last = (self._db.execute(f"SELECT {end}(id) FROM events").fetchone()[0] for end in ("min", "max"))
            if first is not None and last - first >= limits.EVENTS_KEPT:
                until = min(last - limits.EVENTS_KEPT, first + limits.EVENTS_PRUNED - 1)
                self._db.execute("DELETE FROM events WHERE id <= ?", (until,))
        except sqlite3.Error as error:
            raise JournalError(f"{self.path} cannot be written: {error}") from error

    def close(self) -> None:
        """End the connection; what was written stays."""
        self._db.close()

    def _has_meta(self) -> bool:
        return bool(self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone())
