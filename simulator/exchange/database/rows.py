"""Rows of the exchange's database and what they hold: orders, fills, ledger entries."""

from __future__ import annotations

from typing import Any

from simulator.exchange.orders import OPEN, SPOT, Amendment, Fill, LedgerEntry, Order, Position
from simulator.exchange.terms import read_terms
from simulator.pairs.pairs import PAIRS, Pair, pair_of, rounded

# Any: SQLite gives values without types; the tables of schema.py say what they are.
Row = tuple[Any, ...]

ORDER_COLUMNS = 33
FILL_COLUMNS = 24
LEDGER_COLUMNS = 12
AMENDMENT_COLUMNS = 9
POSITION_COLUMNS = 14


def marks(n: int) -> str:
    """Return placeholders for ``n`` values."""
    return ",".join("?" * n)


def order_row(o: Order) -> Row:
    return (
        o.number, o.order_id, o.account, o.pair.symbol, o.side, o.kind, o.qty, o.price, o.tif, o.expire_ns,
        o.post_only, o.stp, o.cl_ord_id, o.userref, o.fee_pref, o.opened_ns, o.touched_ns, o.filled, o.cost, o.fee,
        o.status, o.reason, o.amended, o.closed_ns, o.visible_ns, o.pair.price_precision,
        o.trigger, o.triggered, str(o.value), o.usd_fee, o.terms.text(), o.peak, o.start_ns,
    )  # fmt: skip


def _pair(symbol: str, decimals: int | None) -> Pair:
    pair = PAIRS[symbol]
    return pair if decimals in (None, pair.price_precision) else pair_of(symbol, int(decimals or 0))


def read_order(row: Row) -> Order:
    values = list(row[:25])
    values[3] = _pair(values[3], row[25])
    values[10], values[22] = bool(values[10]), bool(values[22])
    values += [row[26], bool(row[27])]
    order = Order(*values)
    order.value, order.usd_fee = int(row[28] or 0), row[29] or 0
    order.terms, order.peak = read_terms(row[30]), row[31] or 0
    order.start_ns = row[32] or 0
    if not order.value and order.cost:
        pair = order.pair
        order.value = rounded(order.cost, pair.cost_precision - pair.price_precision - pair.qty_precision)
    assert (order.status in OPEN) == (order.closed_ns == 0)
    return order


def fill_row(f: Fill) -> Row:
    return (
        f.exec_id, f.trade_id, f.account, f.number, f.order_id, f.cl_ord_id, f.userref, f.pair.symbol, f.side, f.kind,
        f.price, f.qty, f.cost, f.fee, f.maker, f.ns, f.visible_ns, f.pair.price_precision,
        f.base_fee, f.usd_fee, f.usd, f.leverage, f.margin, f.closing,
    )  # fmt: skip


def read_fill(row: Row) -> Fill:
    values = list(row[:17])
    values[7], values[14] = _pair(values[7], row[17]), bool(values[14])
    values += [value or 0 for value in row[18:24]]
    return Fill(*values)


def ledger_row(e: LedgerEntry) -> Row:
    return (e.ledger_id, e.account, e.asset, e.kind, e.amount, e.fee, e.balance, e.ref_id, e.ns, e.visible_ns,
            e.subtype, e.wallet)  # fmt: skip


def read_entry(row: Row) -> LedgerEntry:
    values = [*row[:10], row[10] or "", row[11] or SPOT]
    return LedgerEntry(*values)


def amendment_row(a: Amendment) -> Row:
    return (a.amend_id, a.order_id, a.kind, a.qty, a.remaining, a.price, a.trigger, a.post_only, a.ns)


def read_amendment(row: Row) -> Amendment:
    values = list(row)
    values[7] = bool(values[7])
    return Amendment(*values)


def position_row(p: Position) -> Row:
    return (p.position_id, p.account, p.order_id, p.pair.symbol, p.side, p.kind, p.qty, p.cost, p.fee, p.margin,
            p.leverage, p.opened_ns, p.rollover_ns, p.closed)  # fmt: skip


def read_position(row: Row) -> Position:
    values = list(row)
    values[3] = PAIRS[values[3]]
    return Position(*values)
