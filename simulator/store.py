"""The exchange's memory on disk (SQLite, WAL): a kill is an outage, not a new world.

Whatever changes is committed in one transaction before its answer leaves. Numbers are the integers of the exchange;
nonces are text, since they have 64 unsigned bits.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from simulator.accounts import Accounts, Journal
from simulator.limits import Counter
from simulator.orders import OPEN, SPOT, Account, Amendment, Fill, LedgerEntry, Order
from simulator.pairs import PAIRS, Pair, pair_of, rounded
from simulator.terms import read_terms

PAGE = 50
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS accounts (
  id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, trigger_ns INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS balances (
  account INTEGER, asset TEXT, amount INTEGER NOT NULL, PRIMARY KEY (account, asset)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS orders (
  number INTEGER PRIMARY KEY, order_id TEXT UNIQUE NOT NULL, account INTEGER NOT NULL, symbol TEXT NOT NULL,
  side TEXT NOT NULL, kind TEXT NOT NULL, qty INTEGER NOT NULL, price INTEGER, tif TEXT NOT NULL,
  expire_ns INTEGER NOT NULL, post_only INTEGER NOT NULL, stp TEXT NOT NULL, cl_ord_id TEXT, userref INTEGER NOT NULL,
  fee_pref TEXT NOT NULL, opened_ns INTEGER NOT NULL, touched_ns INTEGER NOT NULL, filled INTEGER NOT NULL,
  cost INTEGER NOT NULL, fee INTEGER NOT NULL, status TEXT NOT NULL, reason TEXT NOT NULL, amended INTEGER NOT NULL,
  closed_ns INTEGER NOT NULL, visible_ns INTEGER NOT NULL, decimals INTEGER, trigger_price INTEGER,
  triggered INTEGER);
CREATE INDEX IF NOT EXISTS orders_closed ON orders (account, closed_ns);
CREATE INDEX IF NOT EXISTS orders_open ON orders (closed_ns) WHERE closed_ns = 0;
CREATE TABLE IF NOT EXISTS trades (
  exec_id TEXT PRIMARY KEY, trade_id INTEGER NOT NULL, account INTEGER NOT NULL, number INTEGER NOT NULL,
  order_id TEXT NOT NULL, cl_ord_id TEXT, userref INTEGER NOT NULL, symbol TEXT NOT NULL, side TEXT NOT NULL,
  kind TEXT NOT NULL, price INTEGER NOT NULL, qty INTEGER NOT NULL, cost INTEGER NOT NULL, fee INTEGER NOT NULL,
  maker INTEGER NOT NULL, ns INTEGER NOT NULL, visible_ns INTEGER NOT NULL, decimals INTEGER, base_fee INTEGER);
CREATE INDEX IF NOT EXISTS trades_time ON trades (account, ns);
CREATE INDEX IF NOT EXISTS trades_order ON trades (order_id);
CREATE TABLE IF NOT EXISTS ledger (
  ledger_id TEXT PRIMARY KEY, account INTEGER NOT NULL, asset TEXT NOT NULL, kind TEXT NOT NULL,
  amount INTEGER NOT NULL, fee INTEGER NOT NULL, balance INTEGER NOT NULL, ref_id TEXT NOT NULL, ns INTEGER NOT NULL,
  visible_ns INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS ledger_time ON ledger (account, ns);
CREATE INDEX IF NOT EXISTS ledger_ref ON ledger (ref_id);
CREATE TABLE IF NOT EXISTS amends (
  amend_id TEXT PRIMARY KEY, order_id TEXT NOT NULL, kind TEXT NOT NULL, qty INTEGER NOT NULL,
  remaining INTEGER NOT NULL, price INTEGER, trigger_price INTEGER, post_only INTEGER NOT NULL, ns INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS amends_order ON amends (order_id);
CREATE TABLE IF NOT EXISTS counters (
  account INTEGER, symbol TEXT, value REAL NOT NULL, ns INTEGER NOT NULL, PRIMARY KEY (account, symbol)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rest_counters (api_key TEXT PRIMARY KEY, value REAL NOT NULL, ns INTEGER NOT NULL)
  WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS wallets (
  account INTEGER, asset TEXT, wallet TEXT, amount INTEGER NOT NULL, PRIMARY KEY (account, asset, wallet));
CREATE TABLE IF NOT EXISTS nonces (api_key TEXT PRIMARY KEY, nonce TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS venues (
  symbol TEXT PRIMARY KEY, last_price INTEGER NOT NULL, trade_id INTEGER NOT NULL) WITHOUT ROWID;
"""
# Columns that older databases lack; a row without its price decimals has those of the pair's beginning.
_ADDED = (
    ("orders", "decimals"), ("trades", "decimals"), ("orders", "trigger_price"), ("orders", "triggered"),
    ("trades", "base_fee"), ("orders", "value TEXT"), ("orders", "usd_fee"), ("trades", "usd_fee"), ("trades", "usd"),
    ("orders", "terms TEXT"), ("orders", "peak"),
    ("ledger", "subtype TEXT"), ("ledger", "wallet TEXT"),
)  # fmt: skip
# Version 1: cost and fee of orders and trades have the pair's cost decimals, one more than the dollar's of version 0.
_VERSION = 2
_ORDER_COLUMNS = 32
_FILL_COLUMNS = 21
_LEDGER_COLUMNS = 12


def _marks(n: int) -> str:
    return ",".join("?" * n)


class Store:
    """The database; ``path`` may be ``:memory:``."""

    def __init__(self, path: Path | str) -> None:
        if isinstance(path, Path):
            path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(str(path), isolation_level=None, timeout=5)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)
        for table, column in _ADDED:
            name, _, kind = column.partition(" ")
            if name not in {row[1] for row in self._db.execute(f"PRAGMA table_info({table})")}:
                self._db.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind or 'INTEGER'}")
        self._migrate()

    def _migrate(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version < 1:
            for table in ("orders", "trades"):
                self._db.execute(f"UPDATE {table} SET cost = cost * 10, fee = fee * 10")
        if version < 2:
            # All was quoted in USD then, DOGE/USD with nine cost decimals, the others with five.
            self._db.execute(
                "UPDATE trades SET usd_fee = fee, usd = CASE symbol WHEN 'DOGE/USD' THEN (cost + 50000) / 100000"
                " ELSE (cost + 5) / 10 END"
            )
            self._db.execute("UPDATE orders SET usd_fee = fee")
            self._db.execute(f"PRAGMA user_version={_VERSION}")
        self._db.execute("COMMIT")

    def close(self) -> None:
        """Closes the database."""
        self._db.close()

    # --- writing -------------------------------------------------------------------------------------------------

    def commit(self, exchange: Accounts, journal: Journal) -> None:
        """Writes everything in ``journal`` in one transaction."""
        db = self._db
        accounts = exchange.accounts
        db.execute("BEGIN IMMEDIATE")
        try:
            db.executemany(
                f"INSERT OR REPLACE INTO orders VALUES ({_marks(_ORDER_COLUMNS)})",
                [_order_row(order) for order in journal.orders.values()],
            )
            db.executemany(
                f"INSERT INTO trades VALUES ({_marks(_FILL_COLUMNS)})", [_fill_row(fill) for fill in journal.fills]
            )
            db.executemany(
                f"INSERT INTO ledger VALUES ({_marks(_LEDGER_COLUMNS)})", [_ledger_row(e) for e in journal.ledger]
            )
            db.executemany(
                f"INSERT INTO amends VALUES ({_marks(9)})",
                [(a.amend_id, a.order_id, a.kind, a.qty, a.remaining, a.price, a.trigger, a.post_only, a.ns)
                 for a in journal.amends],
            )  # fmt: skip
            db.executemany(
                "INSERT OR REPLACE INTO balances VALUES (?,?,?)",
                [(entry.account, entry.asset, entry.balance) for entry in journal.ledger if entry.wallet == SPOT],
            )
            db.executemany(
                "INSERT OR REPLACE INTO wallets VALUES (?,?,?,?)",
                [(e.account, e.asset, e.wallet, e.balance) for e in journal.ledger if e.wallet != SPOT],
            )
            db.executemany(
                "UPDATE accounts SET trigger_ns=? WHERE id=?",
                [(accounts[index].trigger_ns, index) for index in journal.accounts],
            )
            counters = [(index, symbol, accounts[index].counter(symbol)) for index, symbol in journal.counters]
            db.executemany(
                "INSERT OR REPLACE INTO counters VALUES (?,?,?,?)",
                [(index, symbol, counter.value, counter.ns) for index, symbol, counter in counters],
            )
            self._put("serial", str(exchange.serial))
            db.execute("COMMIT")
        except BaseException:
            db.execute("ROLLBACK")
            raise

    def nonce(self, api_key: str, nonce: int) -> None:
        """Keeps a key's highest nonce."""
        self._db.execute("INSERT OR REPLACE INTO nonces VALUES (?,?)", (api_key, str(nonce)))

    def rest_counter(self, api_key: str, counter: Counter) -> None:
        """Keeps a key's REST counter."""
        self._db.execute("INSERT OR REPLACE INTO rest_counters VALUES (?,?,?)", (api_key, counter.value, counter.ns))

    def venues(self, rows: Iterable[tuple[str, int, int]]) -> None:
        """Keeps (symbol, last price, a trade id that has not been used) of each pair."""
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany("INSERT OR REPLACE INTO venues VALUES (?,?,?)", list(rows))
        self._db.execute("COMMIT")

    def shift(self, now: int, offset_ns: int) -> None:
        """The clock, which is at ``now``, is put off by ``offset_ns`` in all: what is timed keeps its distance."""
        by = offset_ns - self.clock_offset_ns
        db = self._db
        db.execute("BEGIN IMMEDIATE")
        for table in ("orders", "trades", "ledger"):
            # What is to be seen in the histories from then on.
            after = min(now, now + by)
            db.execute(f"UPDATE {table} SET visible_ns = visible_ns + ? WHERE visible_ns > ?", (by, after))
        db.execute("UPDATE orders SET touched_ns = touched_ns + ? WHERE closed_ns = 0", (by,))
        db.execute("UPDATE orders SET expire_ns = expire_ns + ? WHERE closed_ns = 0 AND expire_ns > 0", (by,))
        db.execute("UPDATE accounts SET trigger_ns = trigger_ns + ? WHERE trigger_ns > 0", (by,))
        for table in ("counters", "rest_counters"):
            db.execute(f"UPDATE {table} SET ns = ns + ?", (by,))
        self._put("clock_offset_ns", str(offset_ns))
        db.execute("COMMIT")

    @property
    def clock_offset_ns(self) -> int:
        """How far the clock was put off that these times are of."""
        return int(self.meta("clock_offset_ns", "0"))

    def _put(self, name: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?,?)", (name, value))

    # --- the start -----------------------------------------------------------------------------------------------

    def meta(self, name: str, default: str) -> str:
        """A kept value; the default is kept when there was none."""
        row = self._db.execute("SELECT value FROM meta WHERE name=?", (name,)).fetchone()
        if row is None:
            self._put(name, default)
            return default
        return str(row[0])

    def account_id(self, name: str) -> tuple[int, int]:
        """The account's number, made when new, and its switch's trigger time."""
        self._db.execute("INSERT OR IGNORE INTO accounts (name) VALUES (?)", (name,))
        row = self._db.execute("SELECT id, trigger_ns FROM accounts WHERE name=?", (name,)).fetchone()
        return int(row[0]), int(row[1])

    def balances(self, account: int) -> dict[str, int]:
        """What the account's spot wallet holds, in units."""
        return dict(self._db.execute("SELECT asset, amount FROM balances WHERE account=?", (account,)).fetchall())

    def wallets(self, account: int) -> dict[str, dict[str, int]]:
        """What the account's other wallets hold, in units, by asset and wallet."""
        held: dict[str, dict[str, int]] = {}
        rows = self._db.execute("SELECT asset, wallet, amount FROM wallets WHERE account=?", (account,))
        for asset, wallet, amount in rows.fetchall():
            held.setdefault(asset, {})[wallet] = amount
        return held

    def changes(self, account: int, after_ns: int) -> list[tuple[str, str, int]]:
        """(asset, wallet, units) of every change of a balance since."""
        return self._db.execute(
            "SELECT asset, coalesce(wallet, ?), amount - fee FROM ledger WHERE account=? AND ns>?",
            (SPOT, account, after_ns),
        ).fetchall()

    def traded(self, account: int, after_ns: int, every_ns: int) -> list[tuple[int, int]]:
        """(ns since the epoch // ``every_ns``, units of the dollar that its trades were worth then), oldest first."""
        return self._db.execute(
            "SELECT ns / ?1, sum(usd) FROM trades WHERE account=?2 AND ns>?3 GROUP BY 1 ORDER BY 1",
            (every_ns, account, after_ns),
        ).fetchall()

    def counters(self, account: Account) -> dict[str, Counter]:
        """The matching engine's counters as they were left."""
        rows = self._db.execute("SELECT symbol, value, ns FROM counters WHERE account=?", (account.index,)).fetchall()
        return {s: Counter(account.tier.threshold, account.tier.decay, value, ns) for s, value, ns in rows}

    def nonces(self) -> dict[str, int]:
        """The highest nonce of each key."""
        return {key: int(nonce) for key, nonce in self._db.execute("SELECT api_key, nonce FROM nonces").fetchall()}

    def rest_counters(self) -> dict[str, tuple[float, int]]:
        """Value and time of each key's REST counter as it was left."""
        return {key: (value, ns) for key, value, ns in self._db.execute("SELECT * FROM rest_counters").fetchall()}

    def venue(self, symbol: str) -> tuple[int, int] | None:
        """Last price and next trade id of a pair."""
        row = self._db.execute("SELECT last_price, trade_id FROM venues WHERE symbol=?", (symbol,)).fetchone()
        return None if row is None else (int(row[0]), int(row[1]))

    def open_orders(self) -> list[Order]:
        """Orders that were open, in the order of their time priority."""
        rows = self._db.execute("SELECT * FROM orders WHERE closed_ns=0 ORDER BY touched_ns, number").fetchall()
        return [_order(row) for row in rows]

    # --- history -------------------------------------------------------------------------------------------------

    def recent_fills(self, account: int, n: int) -> list[Fill]:
        """The last ``n`` fills, oldest first."""
        rows = self._db.execute(
            "SELECT * FROM trades WHERE account=? ORDER BY ns DESC, rowid DESC LIMIT ?", (account, n)
        ).fetchall()
        return [_fill(row) for row in reversed(rows)]

    def fills(self, account: int, start_ns: int, end_ns: int, now: int, offset: int) -> tuple[list[Fill], int]:
        """A page of the visible fills in (start, end], newest first, and how many there are."""
        where = "FROM trades WHERE account=? AND ns>? AND ns<=? AND visible_ns<=?"
        rows, count = self._page(where, "ns", (account, start_ns, end_ns, now), offset)
        return [_fill(row) for row in rows], count

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
        """A page of the visible finished orders closed (or opened) in (start, end], newest first, and their number."""
        by = "opened_ns" if by_open else "closed_ns"
        where = f"FROM orders WHERE account=? AND closed_ns>0 AND {by}>? AND {by}<=? AND visible_ns<=?"
        values: tuple[Any, ...] = (account, start_ns, end_ns, now)
        if userref is not None:
            where, values = f"{where} AND CAST(userref AS TEXT)=?", (*values, userref)
        if cl_ord_id is not None:
            where, values = f"{where} AND cl_ord_id=?", (*values, cl_ord_id)
        rows, count = self._page(where, by, values, offset)
        return [_order(row) for row in rows], count

    def ledger(
        self, account: int, start_ns: int, end_ns: int, now: int, offset: int, kind: str | None, assets: list[str]
    ) -> tuple[list[LedgerEntry], int]:
        """A page of the visible ledger in (start, end], newest first, and how many entries there are."""
        where = "FROM ledger WHERE account=? AND ns>? AND ns<=? AND visible_ns<=?"
        values: tuple[Any, ...] = (account, start_ns, end_ns, now)
        if kind is not None:
            where, values = f"{where} AND kind=?", (*values, kind)
        if assets:
            where, values = f"{where} AND asset IN ({_marks(len(assets))})", (*values, *assets)
        rows, count = self._page(where, "ns", values, offset)
        return [_ledger_entry(row) for row in rows], count

    def _page(self, where: str, by: str, values: tuple[Any, ...], offset: int) -> tuple[list[Any], int]:
        count = int(self._db.execute(f"SELECT count(*) {where}", values).fetchone()[0])
        rows = self._db.execute(
            f"SELECT * {where} ORDER BY {by} DESC, rowid DESC LIMIT {PAGE} OFFSET ?", (*values, min(offset, 2**40))
        ).fetchall()
        return rows, count

    def orders_by_id(self, account: int, ids: list[str]) -> list[Order]:
        """Orders of an account by order id."""
        return [_order(r) for r in self._by_id("orders", "order_id", account, ids)]

    def fills_by_id(self, account: int, ids: list[str]) -> list[Fill]:
        """Fills of an account by exec id."""
        return [_fill(r) for r in self._by_id("trades", "exec_id", account, ids)]

    def ledger_by_id(self, account: int, ids: list[str]) -> list[LedgerEntry]:
        """Ledger entries of an account by ledger id."""
        return [_ledger_entry(r) for r in self._by_id("ledger", "ledger_id", account, ids)]

    def amends(self, order_id: str) -> list[Amendment]:
        """What an order was put into, oldest first."""
        rows = self._db.execute("SELECT * FROM amends WHERE order_id=? ORDER BY rowid LIMIT 1000", (order_id,))
        found: list[list[Any]] = [list(row) for row in rows.fetchall()]
        for row in found:
            row[7] = bool(row[7])
        return [Amendment(*row) for row in found]

    def exec_ids(self, order_id: str) -> list[str]:
        """The fills of an order, oldest first."""
        rows = self._db.execute("SELECT exec_id FROM trades WHERE order_id=? ORDER BY rowid LIMIT 1000", (order_id,))
        return [str(row[0]) for row in rows.fetchall()]

    def ledger_ids(self, ref_id: str) -> list[str]:
        """The ledger entries of a fill."""
        rows = self._db.execute("SELECT ledger_id FROM ledger WHERE ref_id=? ORDER BY rowid LIMIT 10", (ref_id,))
        return [str(row[0]) for row in rows.fetchall()]

    def _by_id(self, table: str, column: str, account: int, ids: list[str]) -> list[Any]:
        query = f"SELECT * FROM {table} WHERE account=? AND {column} IN ({_marks(len(ids))})"
        return self._db.execute(query, (account, *ids)).fetchall()


def _order_row(o: Order) -> tuple[Any, ...]:
    return (
        o.number, o.order_id, o.account, o.pair.symbol, o.side, o.kind, o.qty, o.price, o.tif, o.expire_ns,
        o.post_only, o.stp, o.cl_ord_id, o.userref, o.fee_pref, o.opened_ns, o.touched_ns, o.filled, o.cost, o.fee,
        o.status, o.reason, o.amended, o.closed_ns, o.visible_ns, o.pair.price_precision,
        o.trigger, o.triggered, str(o.value), o.usd_fee, o.terms.text(), o.peak,
    )  # fmt: skip


def _pair(symbol: str, decimals: int | None) -> Pair:
    pair = PAIRS[symbol]
    return pair if decimals in (None, pair.price_precision) else pair_of(symbol, int(decimals or 0))


def _order(row: Any) -> Order:
    values = list(row[:25])
    values[3] = _pair(values[3], row[25])
    values[10], values[22] = bool(values[10]), bool(values[22])
    values += [row[26], bool(row[27])]
    order = Order(*values)
    order.value, order.usd_fee = int(row[28] or 0), row[29] or 0
    order.terms, order.peak = read_terms(row[30]), row[31] or 0
    if not order.value and order.cost:
        pair = order.pair
        order.value = rounded(order.cost, pair.cost_precision - pair.price_precision - pair.qty_precision)
    assert (order.status in OPEN) == (order.closed_ns == 0)
    return order


def _fill_row(f: Fill) -> tuple[Any, ...]:
    return (
        f.exec_id, f.trade_id, f.account, f.number, f.order_id, f.cl_ord_id, f.userref, f.pair.symbol, f.side, f.kind,
        f.price, f.qty, f.cost, f.fee, f.maker, f.ns, f.visible_ns, f.pair.price_precision,
        f.base_fee, f.usd_fee, f.usd,
    )  # fmt: skip


def _fill(row: Any) -> Fill:
    values = list(row[:17])
    values[7], values[14] = _pair(values[7], row[17]), bool(values[14])
    values += [row[18] or 0, row[19] or 0, row[20] or 0]
    return Fill(*values)


def _ledger_row(e: LedgerEntry) -> tuple[Any, ...]:
    return (e.ledger_id, e.account, e.asset, e.kind, e.amount, e.fee, e.balance, e.ref_id, e.ns, e.visible_ns,
            e.subtype, e.wallet)  # fmt: skip


def _ledger_entry(row: Any) -> LedgerEntry:
    values = [*row[:10], row[10] or "", row[11] or SPOT]
    return LedgerEntry(*values)
