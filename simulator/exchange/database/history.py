"""Queries of the past: pages of finished orders, fills and ledger entries, and single ones by id."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from simulator.exchange.database.exports import Export
from simulator.exchange.database.rows import Row, marks, read_amendment, read_entry, read_fill, read_order
from simulator.exchange.orders import Amendment, Fill, LedgerEntry, Order

PAGE = 50


class History:
    """Queries over what has been committed."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def recent_fills(self, account: int, n: int) -> list[Fill]:
        """Return the last ``n`` fills, oldest first."""
        rows = self._db.execute(
            "SELECT * FROM trades WHERE account=? ORDER BY ns DESC, rowid DESC LIMIT ?", (account, n)
        ).fetchall()
        return [read_fill(row) for row in reversed(rows)]

    def fills(self, account: int, start_ns: int, end_ns: int, now: int, offset: int) -> tuple[list[Fill], int]:
        """Return a page of the visible fills in (start, end], newest first, and how many there are."""
        where = "FROM trades WHERE account=? AND ns>? AND ns<=? AND visible_ns<=?"
        rows, count = self._page(where, "ns", (account, start_ns, end_ns, now), offset)
        return [read_fill(row) for row in rows], count

    def closed(
        self,
        account: int,
        start_ns: int,
        end_ns: int,
        now: int,
        offset: int,
        *,
        userref: str | None = None,
        cl_ord_id: str | None = None,
        by_open: bool = False,
    ) -> tuple[list[Order], int]:
        """Return a page of the visible orders that closed (or opened) in (start, end], newest first, and the count."""
        by = "opened_ns" if by_open else "closed_ns"
        where = f"FROM orders WHERE account=? AND closed_ns>0 AND {by}>? AND {by}<=? AND visible_ns<=?"
        values: Row = (account, start_ns, end_ns, now)
        if userref is not None:
            where, values = f"{where} AND CAST(userref AS TEXT)=?", (*values, userref)
        if cl_ord_id is not None:
            where, values = f"{where} AND cl_ord_id=?", (*values, cl_ord_id)
        rows, count = self._page(where, by, values, offset)
        return [read_order(row) for row in rows], count

    def ledger(
        self, account: int, start_ns: int, end_ns: int, now: int, offset: int, kind: str | None, assets: list[str]
    ) -> tuple[list[LedgerEntry], int]:
        """Return a page of the visible ledger in (start, end], newest first, and how many entries there are."""
        where = "FROM ledger WHERE account=? AND ns>? AND ns<=? AND visible_ns<=?"
        values: Row = (account, start_ns, end_ns, now)
        if kind is not None:
            where, values = f"{where} AND kind=?", (*values, kind)
        if assets:
            where, values = f"{where} AND asset IN ({marks(len(assets))})", (*values, *assets)
        rows, count = self._page(where, "ns", values, offset)
        return [read_entry(row) for row in rows], count

    def _page(self, where: str, by: str, values: Row, offset: int) -> tuple[list[Row], int]:
        count = int(self._db.execute(f"SELECT count(*) {where}", values).fetchone()[0])
        rows = self._db.execute(
            f"SELECT * {where} ORDER BY {by} DESC, rowid DESC LIMIT {PAGE} OFFSET ?", (*values, min(offset, 2**40))
        ).fetchall()
        return rows, count

    def orders_by_id(self, account: int, ids: list[str]) -> list[Order]:
        """Return orders of an account by order id."""
        return [read_order(r) for r in self._by_id("orders", "order_id", account, ids)]

    def fills_by_id(self, account: int, ids: list[str]) -> list[Fill]:
        """Return fills of an account by exec id."""
        return [read_fill(r) for r in self._by_id("trades", "exec_id", account, ids)]

    def ledger_by_id(self, account: int, ids: list[str]) -> list[LedgerEntry]:
        """Return ledger entries of an account by ledger id."""
        return [read_entry(r) for r in self._by_id("ledger", "ledger_id", account, ids)]

    def amends(self, order_id: str) -> list[Amendment]:
        """Return the states that an order was amended to, oldest first."""
        rows = self._db.execute("SELECT * FROM amends WHERE order_id=? ORDER BY rowid LIMIT 1000", (order_id,))
        return [read_amendment(row) for row in rows.fetchall()]

    def exec_ids(self, order_id: str) -> list[str]:
        """Return the fills of an order, oldest first."""
        rows = self._db.execute("SELECT exec_id FROM trades WHERE order_id=? ORDER BY rowid LIMIT 1000", (order_id,))
        return [str(row[0]) for row in rows.fetchall()]

    def ledger_ids(self, ref_id: str) -> list[str]:
        """Return the ledger entries of a fill."""
        rows = self._db.execute("SELECT ledger_id FROM ledger WHERE ref_id=? ORDER BY rowid LIMIT 10", (ref_id,))
        return [str(row[0]) for row in rows.fetchall()]

    def every_fill(self, account: int, start_ns: int, end_ns: int) -> Iterator[Fill]:
        """Return the fills from start to end, oldest first."""
        query = "SELECT * FROM trades WHERE account=? AND ns>=? AND ns<=? ORDER BY ns, rowid"
        return (read_fill(row) for row in self._db.execute(query, (account, start_ns, end_ns)).fetchall())

    def every_entry(self, account: int, start_ns: int, end_ns: int) -> Iterator[LedgerEntry]:
        """Return the ledger from start to end, oldest first."""
        query = "SELECT * FROM ledger WHERE account=? AND ns>=? AND ns<=? ORDER BY ns, rowid"
        return (read_entry(row) for row in self._db.execute(query, (account, start_ns, end_ns)).fetchall())

    def rewarded(self, account: int, asset: str, wallet: str) -> int:
        """Return units of an asset that a wallet has got as rewards."""
        query = (
            "SELECT coalesce(sum(amount), 0) FROM ledger WHERE account=? AND asset=? AND wallet=?"
            " AND (subtype='reward' OR kind='staking')"
        )
        return int(self._db.execute(query, (account, asset, wallet)).fetchone()[0])

    def exports(self, account: int) -> list[Export]:
        """Return the account's exports, newest first."""
        query = "SELECT * FROM exports WHERE account=? ORDER BY created_ns DESC, rowid DESC"
        return [Export(*row) for row in self._db.execute(query, (account,)).fetchall()]

    def _by_id(self, table: str, column: str, account: int, ids: list[str]) -> list[Row]:
        query = f"SELECT * FROM {table} WHERE account=? AND {column} IN ({marks(len(ids))})"
        return self._db.execute(query, (account, *ids)).fetchall()
