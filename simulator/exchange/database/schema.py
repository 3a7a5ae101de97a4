"""The tables of the exchange's database, and how those of earlier versions become them."""

from __future__ import annotations

import sqlite3

SCHEMA = """
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
CREATE TABLE IF NOT EXISTS positions (
  position_id TEXT PRIMARY KEY, account INTEGER NOT NULL, order_id TEXT NOT NULL, symbol TEXT NOT NULL,
  side TEXT NOT NULL, kind TEXT NOT NULL, qty INTEGER NOT NULL, cost INTEGER NOT NULL, fee INTEGER NOT NULL,
  margin INTEGER NOT NULL, leverage INTEGER NOT NULL, opened_ns INTEGER NOT NULL, rollover_ns INTEGER NOT NULL,
  closed INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS exports (
  id TEXT, account INTEGER, report TEXT NOT NULL, description TEXT NOT NULL, form TEXT NOT NULL, columns TEXT NOT NULL,
  start_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL, created_ns INTEGER NOT NULL, PRIMARY KEY (account, id));
CREATE TABLE IF NOT EXISTS subaccounts (name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS nonces (api_key TEXT PRIMARY KEY, nonce TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS venues (
  symbol TEXT PRIMARY KEY, last_price INTEGER NOT NULL, trade_id INTEGER NOT NULL) WITHOUT ROWID;
"""
# Columns that older databases lack; a row without its price decimals has those of the pair's beginning.
ADDED = (
    ("orders", "decimals"), ("trades", "decimals"), ("orders", "trigger_price"), ("orders", "triggered"),
    ("trades", "base_fee"), ("orders", "value TEXT"), ("orders", "usd_fee"), ("trades", "usd_fee"), ("trades", "usd"),
    ("orders", "terms TEXT"), ("orders", "peak"),
    ("ledger", "subtype TEXT"), ("ledger", "wallet TEXT"), ("orders", "start_ns"),
    ("trades", "leverage"), ("trades", "margin"), ("trades", "closing"),
)  # fmt: skip
# Version 1: cost and fee of orders and trades have the pair's cost decimals, one more than the dollar's of version 0.
VERSION = 2


def prepare(db: sqlite3.Connection) -> None:
    """Create the tables and columns that are missing, and migrate what is in them to this version."""
    db.executescript(SCHEMA)
    for table, column in ADDED:
        name, _, kind = column.partition(" ")
        if name not in {row[1] for row in db.execute(f"PRAGMA table_info({table})")}:
            db.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind or 'INTEGER'}")
    _migrate(db)


def _migrate(db: sqlite3.Connection) -> None:
    db.execute("BEGIN IMMEDIATE")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version < 1:
        for table in ("orders", "trades"):
            db.execute(f"UPDATE {table} SET cost = cost * 10, fee = fee * 10")
    if version < 2:
        # All was quoted in USD then, DOGE/USD with nine cost decimals, the others with five.
        db.execute(
            "UPDATE trades SET usd_fee = fee, usd = CASE symbol WHEN 'DOGE/USD' THEN (cost + 50000) / 100000"
            " ELSE (cost + 5) / 10 END"
        )
        db.execute("UPDATE orders SET usd_fee = fee")
        db.execute(f"PRAGMA user_version={VERSION}")
    db.execute("COMMIT")
