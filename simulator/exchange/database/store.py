"""The exchange's memory on disk (SQLite, WAL): a kill is an outage, not a new world.

Whatever changes is committed in one transaction before its answer leaves. Numbers are the integers of the exchange;
nonces are text, since they have 64 unsigned bits.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from simulator.exchange.database.exports import Export
from simulator.exchange.database.history import History
from simulator.exchange.database.rows import (
    AMENDMENT_COLUMNS,
    FILL_COLUMNS,
    LEDGER_COLUMNS,
    ORDER_COLUMNS,
    POSITION_COLUMNS,
    amendment_row,
    fill_row,
    ledger_row,
    marks,
    order_row,
    position_row,
    read_order,
    read_position,
)  # fmt: skip
from simulator.exchange.database.schema import prepare
from simulator.exchange.limits import Counter
from simulator.exchange.orders import SPOT, Account, Order, Position
from simulator.exchange.state import Journal, State


class Store:
    """The database; ``path`` may be ``:memory:``. ``history`` are the queries over what has been committed."""

    def __init__(self, path: Path | str) -> None:
        if isinstance(path, Path):
            path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(str(path), isolation_level=None, timeout=5)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        prepare(self._db)
        self.history = History(self._db)

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def commit(self, state: State, journal: Journal) -> None:
        """Write everything in ``journal`` in one transaction."""
        db = self._db
        accounts = state.accounts
        db.execute("BEGIN IMMEDIATE")
        try:
            db.executemany(
                f"INSERT OR REPLACE INTO orders VALUES ({marks(ORDER_COLUMNS)})",
                [order_row(order) for order in journal.orders.values()],
            )
            db.executemany(
                f"INSERT INTO trades VALUES ({marks(FILL_COLUMNS)})", [fill_row(fill) for fill in journal.fills]
            )
            db.executemany(
                f"INSERT INTO ledger VALUES ({marks(LEDGER_COLUMNS)})", [ledger_row(e) for e in journal.ledger]
            )
            db.executemany(
                f"INSERT INTO amends VALUES ({marks(AMENDMENT_COLUMNS)})",
                [amendment_row(amendment) for amendment in journal.amends],
            )
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
            db.executemany(
                f"INSERT OR REPLACE INTO positions VALUES ({marks(POSITION_COLUMNS)})",
                [position_row(position) for position in journal.positions.values()],
            )
            self._put("serial", str(state.serial))
            db.execute("COMMIT")
        except BaseException:
            db.execute("ROLLBACK")
            raise

    def nonce(self, api_key: str, nonce: int) -> None:
        """Keep a key's highest nonce."""
        self._db.execute("INSERT OR REPLACE INTO nonces VALUES (?,?)", (api_key, str(nonce)))

    def rest_counter(self, api_key: str, counter: Counter) -> None:
        """Keep a key's REST counter."""
        self._db.execute("INSERT OR REPLACE INTO rest_counters VALUES (?,?,?)", (api_key, counter.value, counter.ns))

    def venues(self, rows: Iterable[tuple[str, int, int]]) -> None:
        """Keep (symbol, last price, a trade id that has not been used) of each pair."""
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany("INSERT OR REPLACE INTO venues VALUES (?,?,?)", list(rows))
        self._db.execute("COMMIT")

    def shift(self, now: int, offset_ns: int) -> None:
        """Move every stored time when the clock, at ``now``, is set ``offset_ns`` off: timers keep their distance."""
        by = offset_ns - self.clock_offset_ns
        db = self._db
        db.execute("BEGIN IMMEDIATE")
        for table in ("orders", "trades", "ledger"):
            # Rows that the histories will show after now.
            after = min(now, now + by)
            db.execute(f"UPDATE {table} SET visible_ns = visible_ns + ? WHERE visible_ns > ?", (by, after))
        db.execute("UPDATE orders SET touched_ns = touched_ns + ? WHERE closed_ns = 0", (by,))
        db.execute("UPDATE orders SET expire_ns = expire_ns + ? WHERE closed_ns = 0 AND expire_ns > 0", (by,))
        db.execute("UPDATE orders SET start_ns = start_ns + ? WHERE closed_ns = 0 AND start_ns > 0", (by,))
        db.execute("UPDATE positions SET rollover_ns = rollover_ns + ?", (by,))
        db.execute("UPDATE accounts SET trigger_ns = trigger_ns + ? WHERE trigger_ns > 0", (by,))
        for table in ("counters", "rest_counters"):
            db.execute(f"UPDATE {table} SET ns = ns + ?", (by,))
        self._put("clock_offset_ns", str(offset_ns))
        db.execute("COMMIT")

    @property
    def clock_offset_ns(self) -> int:
        """Return the ns that the clock was off by when these times were written."""
        return int(self.meta("clock_offset_ns", "0"))

    def add_export(self, export: Export) -> None:
        """Keep an export."""
        values = (export.export_id, export.account, export.report, export.description, export.form, export.columns)
        times = (export.start_ns, export.end_ns, export.created_ns)
        self._db.execute(f"INSERT INTO exports VALUES ({marks(9)})", (*values, *times))

    def remove_export(self, account: int, export_id: str) -> None:
        """Forget an export."""
        self._db.execute("DELETE FROM exports WHERE account=? AND id=?", (account, export_id))

    def add_subaccount(self, name: str) -> None:
        """Keep the name of an account that a client made."""
        self._db.execute("INSERT INTO subaccounts VALUES (?)", (name,))

    def put(self, name: str, value: str) -> None:
        """Keep a value under a name."""
        self._put(name, value)

    def _put(self, name: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?,?)", (name, value))

    def meta(self, name: str, default: str) -> str:
        """Return a kept value; the default is kept when there was none."""
        row = self._db.execute("SELECT value FROM meta WHERE name=?", (name,)).fetchone()
        if row is None:
            self._put(name, default)
            return default
        return str(row[0])

    def subaccounts(self) -> list[str]:
        """Return the names of accounts that clients made."""
        return [str(row[0]) for row in self._db.execute("SELECT name FROM subaccounts ORDER BY name").fetchall()]

    def account_id(self, name: str) -> tuple[int, int]:
        """Return the account's number, made when new, and its switch's trigger time."""
        self._db.execute("INSERT OR IGNORE INTO accounts (name) VALUES (?)", (name,))
        row = self._db.execute("SELECT id, trigger_ns FROM accounts WHERE name=?", (name,)).fetchone()
        return int(row[0]), int(row[1])

    def balances(self, account: int) -> dict[str, int]:
        """Return what the account's spot wallet holds, in units."""
        return dict(self._db.execute("SELECT asset, amount FROM balances WHERE account=?", (account,)).fetchall())

    def wallets(self, account: int) -> dict[str, dict[str, int]]:
        """Return what the account's other wallets hold, in units, by asset and wallet."""
        held: dict[str, dict[str, int]] = {}
        rows = self._db.execute("SELECT asset, wallet, amount FROM wallets WHERE account=?", (account,))
        for asset, wallet, amount in rows.fetchall():
            held.setdefault(asset, {})[wallet] = amount
        return held

    def positions(self, account: int) -> dict[str, Position]:
        """Return the account's open margin positions, oldest first."""
        rows = self._db.execute("SELECT * FROM positions WHERE account=? AND closed<qty ORDER BY rowid", (account,))
        return {row[0]: read_position(row) for row in rows.fetchall()}

    def changes(self, account: int, after_ns: int) -> list[tuple[str, str, int]]:
        """Return (asset, wallet, units) of every change of a balance since."""
        return self._db.execute(
            "SELECT asset, coalesce(wallet, ?), amount - fee FROM ledger WHERE account=? AND ns>?",
            (SPOT, account, after_ns),
        ).fetchall()

    def traded(self, account: int, after_ns: int, every_ns: int) -> list[tuple[int, int]]:
        """Return (ns since the epoch // ``every_ns``, units of USD that its trades were worth then), oldest first."""
        return self._db.execute(
            "SELECT ns / ?1, sum(usd) FROM trades WHERE account=?2 AND ns>?3 GROUP BY 1 ORDER BY 1",
            (every_ns, account, after_ns),
        ).fetchall()

    def counters(self, account: Account) -> dict[str, Counter]:
        """Return the matching engine's counters as they were left."""
        rows = self._db.execute("SELECT symbol, value, ns FROM counters WHERE account=?", (account.index,)).fetchall()
        return {s: Counter(account.tier.threshold, account.tier.decay, value, ns) for s, value, ns in rows}

    def nonces(self) -> dict[str, int]:
        """Return the highest nonce of each key."""
        return {key: int(nonce) for key, nonce in self._db.execute("SELECT api_key, nonce FROM nonces").fetchall()}

    def rest_counters(self) -> dict[str, tuple[float, int]]:
        """Return value and time of each key's REST counter as it was left."""
        return {key: (value, ns) for key, value, ns in self._db.execute("SELECT * FROM rest_counters").fetchall()}

    def venue(self, symbol: str) -> tuple[int, int] | None:
        """Return last price and next trade id of a pair."""
        row = self._db.execute("SELECT last_price, trade_id FROM venues WHERE symbol=?", (symbol,)).fetchone()
        return None if row is None else (int(row[0]), int(row[1]))

    def open_orders(self) -> list[Order]:
        """Return orders that were open, in the order of their time priority."""
        rows = self._db.execute("SELECT * FROM orders WHERE closed_ns=0 ORDER BY touched_ns, number").fetchall()
        return [read_order(row) for row in rows]
