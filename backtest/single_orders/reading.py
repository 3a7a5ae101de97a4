"""Read the single orders of recordings and captures, a pair each, and which of them are our own."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pyarrow as pa

from backtest.data import sources
from backtest.data.columns import SingleOrders
from backtest.data.formats import recorded_orders
from backtest.data.tally import Tally
from backtest.errors import DataError


@dataclass(frozen=True, slots=True)
class Reading:
    """Single orders and the other rows beside them by symbol; ``own`` has the ids of our own orders."""

    orders: dict[str, SingleOrders]
    tables: dict[str, pa.Table]
    own: frozenset[str]
    tally: Tally


def read(paths: Sequence[str], symbols: Collection[str] | None = None) -> Reading:
    """Return the single orders of all paths, of ``symbols`` (None: all). Raises DataError."""
    data = sources.read(paths, symbols=symbols)
    orders = {symbol: part.orders for symbol, part in data.columns.items() if part.orders is not None}
    if not orders:
        raise DataError(f"{', '.join(paths)}: no single orders (level3) of a wanted pair are in it")
    own = {order.order_id for message in recorded_orders.read(paths) for order in message.orders}
    tables = {symbol: data.columns[symbol].table for symbol in orders}
    return Reading(orders, tables, frozenset(own - {""}), data.tally)
