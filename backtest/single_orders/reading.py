"""Read the single orders of recordings and captures, a pair each, and which of them are our own."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pyarrow as pa

from backtest.data import sources
from backtest.data.columns import SingleOrders
from backtest.data.tally import Tally
from backtest.errors import DataError
from collector.recording.files import Recording, find
from shared.messages import Orders

_own = msgspec.msgpack.Decoder(Orders)


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
    own = frozenset(order_id for path in map(Path, paths) if _is_recording(path) for order_id in _own_ids(path))
    return Reading(orders, {symbol: data.columns[symbol].table for symbol in orders}, own, data.tally)


def _is_recording(path: Path) -> bool:
    return path.suffix == ".arrows" or (path.is_dir() and any(path.glob("*.arrows")))


def _own_ids(path: Path) -> set[str]:
    """Return the ids of our own orders, as the executor published them; a message that cannot be read has none."""
    ids: set[str] = set()
    for row in Recording(find([path]), ("order",)).rows():
        try:
            ids |= {order.order_id for order in _own.decode(row.payload).orders if order.order_id}
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
    return ids
