"""The recorded single orders (level 3) without our own, which have ids that the executor reported: none is guessed.

Trades stay as they were: their takers come again. The executor hears the book by price, so each message of single
orders counts as heard when the first book by price of its time or later was.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from backtest.data.columns import Columns, Flag, Kind, SingleOrders
from backtest.reconciliation.bus import Said
from shared.clock import SECOND
from shared.messages import Orders

# A message that no book by price follows within this time keeps the time at which it was heard itself.
FOLLOWED_NS = SECOND
# The book by price may have its times in whole microseconds.
COARSE_NS = 1_000
Times = np.ndarray[tuple[int], np.dtype[np.int64]]


def own_ids(messages: Iterable[Said[Orders]], strategy: str) -> frozenset[str]:
    """Return the exchange's ids of a strategy's orders."""
    ids = {order.order_id for said in messages for order in said.message.orders if order.strategy == strategy}
    return frozenset(ids - {""})


def take_out(columns: Columns, own: Collection[str]) -> tuple[SingleOrders, int]:
    """Return the single orders of columns that have them without own ones, and how many own orders those were."""
    assert columns.orders is not None
    table = columns.orders.table
    is_own = pc.is_in(table["order_id"], pa.array(own, pa.string()))
    count = pc.count_distinct(table["order_id"].filter(is_own)).as_py()
    flags = table["flags"].to_numpy()
    ends = (flags & Flag.LAST) != 0
    message = np.cumsum(ends) - ends
    is_kept = ~is_own.to_numpy()
    kept = message[is_kept]
    changes = kept[1:] != kept[:-1]
    is_first, is_last = np.append(True, changes)[: len(kept)], np.append(changes, True)[: len(kept)]
    is_first &= np.isin(kept, message[(flags & Flag.FIRST) != 0])
    others = table.filter(pa.array(is_kept))
    others = _with(others, "flags", is_first * int(Flag.FIRST) | is_last * int(Flag.LAST))
    heard = _heard(columns.table, others["exchange_ts"].to_numpy(), others["heard_ts"].to_numpy())
    return SingleOrders(columns.orders.depth, _with(others, "heard_ts", heard)), count


def _heard(levels: pa.Table, times: Times, heard: Times) -> Times:
    """Return when books by price showed what happened at ``times``; ``heard`` where none did soon."""
    books = levels.filter(pc.not_equal(levels["kind"], pa.scalar(int(Kind.TRADE), pa.uint8())))
    if not books.num_rows:
        return heard
    theirs = books["exchange_ts"].to_numpy()
    place = np.searchsorted(theirs, times - times % COARSE_NS)
    nearest = np.minimum(place, len(theirs) - 1)
    is_followed = (place < len(theirs)) & (theirs[nearest] - times < FOLLOWED_NS)
    return np.where(is_followed, books["heard_ts"].to_numpy()[nearest], heard)


def _with(table: pa.Table, name: str, values: np.ndarray) -> pa.Table:
    place = table.schema.get_field_index(name)
    return table.set_column(place, table.schema.field(place), pa.array(values, table.schema.field(place).type))
