"""Where own orders stand in their queues when the compared time begins, by the record before.

The exact engine takes the first snapshot of a book as what is ahead of the orders that rest. So it gets only what is
ahead of the first own order of each level, and the rest of the level in a message that follows.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from backtest.data.columns import BUY, SELL, Columns, Flag, Kind, OrderEvent, SingleOrders
from backtest.data.window import orders_window, window
from backtest.exact.replayed import merge
from backtest.reconciliation.market.without_us import WithoutUs
from backtest.venue.implementation import Market, load_market
from shared.messages import Order, Orders

# Any: a row of a table, by column, as Arrow gives it.
Row = dict[str, Any]


def begun(
    market: WithoutUs, resting: Sequence[tuple[Orders, Order]], begin_ts: int, queue: str, boot_to_wall: int
) -> Columns:
    """Return the columns of others from ``begin_ts`` on, with the places of own orders that rest then.

    Where single orders are recorded the places are known; else a queue rule gives them.
    """
    others, recorded = market.others, market.recorded
    pair, table = others.pair, window(others.pair, others.table, begin_ts, None)
    orders = others.orders and orders_window(pair, others.orders, begin_ts, None)
    if orders is not None and recorded.orders is not None:
        own = {order.order_id for _, order in resting}
        behind = _behind(orders_window(pair, recorded.orders, begin_ts, None), own)
        return Columns(pair, others.depth, table, _behind_own(orders, behind))
    return by_price(Columns(pair, others.depth, table), others, resting, queue, boot_to_wall)


def _behind(recorded: SingleOrders | None, own: Collection[str]) -> set[str]:
    """Return the ids of those that stand behind an own order of their level in the first snapshot."""
    behind: set[str] = set()
    if recorded is None:
        return behind
    levels = set()
    for row in recorded.table.slice(0, _first_message(recorded.table)).to_pylist():
        level = row["side"], row["ticks"]
        if row["order_id"] in own:
            levels.add(level)
        elif level in levels:
            behind.add(row["order_id"])
    return behind


def _behind_own(orders: SingleOrders, behind: Collection[str]) -> SingleOrders:
    """Return single orders in whose first snapshot some come by a message of their own."""
    table = orders.table
    size = _first_message(table)
    rows = table.slice(0, size).to_pylist()
    kept = [{**row, "flags": 0} for row in rows if row["order_id"] not in behind]
    rest = [{**row, "flags": 0, "event": int(OrderEvent.ADD)} for row in rows if row["order_id"] in behind]
    if not kept or not rest or rows[0]["event"] != OrderEvent.SNAPSHOT:
        return orders
    return SingleOrders(orders.depth, _followed_by(kept, rest, table.slice(size)))


def by_price(
    begun: Columns, whole: Columns, resting: Sequence[tuple[Orders, Order]], queue: str, boot_to_wall: int
) -> Columns:
    """Return columns in which resting orders get the place in their queue that a queue rule gives them.

    ``begun`` begins with a snapshot, ``whole`` are the same rows from the recording's start.
    """
    table = begun.table
    if not resting or table["kind"][0].as_py() != Kind.SNAPSHOT:
        return begun
    begin_ts = int(table["exchange_ts"][0].as_py())
    ahead = _ahead(whole, resting, begin_ts, queue, boot_to_wall)
    if not ahead:
        return begun
    size = _first_message(table)
    kept, rest = [], []
    for row in table.slice(0, size).to_pylist():
        before = min(ahead.get((row["side"], row["ticks"]), row["lots"]), row["lots"])
        if before < row["lots"]:
            rest.append({**row, "kind": int(Kind.LEVEL), "flags": 0})
        if before:
            kept.append({**row, "lots": before, "flags": 0})
    return Columns(begun.pair, begun.depth, _followed_by(kept, rest, table.slice(size)))


def _first_message(table: pa.Table) -> int:
    """Return the number of rows of the first message."""
    last = pa.scalar(int(Flag.LAST), pa.uint8())
    return int(pc.index(pc.bit_wise_and(table["flags"], last), last).as_py()) + 1


def _followed_by(snapshot: list[Row], update: list[Row], after: pa.Table) -> pa.Table:
    """Return the rows of a snapshot and of an update of the same time, and those that follow."""
    for message in (snapshot, update):
        if message:
            message[0]["flags"] |= int(Flag.FIRST) if message is snapshot else 0
            message[-1]["flags"] |= int(Flag.LAST)
    return pa.concat_tables([pa.Table.from_pylist([*snapshot, *update], after.schema), after]).combine_chunks()


def _ahead(
    whole: Columns, resting: Sequence[tuple[Orders, Order]], begin_ts: int, queue: str, boot_to_wall: int
) -> dict[tuple[int, int], int]:
    """Return the lots ahead of the first own order at a time, by side and price; only where the record shows its way.

    Of one that the record would have filled by then nothing is ahead.
    """
    before = window(whole.pair, whole.table, None, begin_ts)
    joined = sorted((_joined(order) + boot_to_wall, number) for number, (_, order) in enumerate(resting))
    joined = [(ts, number) for ts, number in joined if before.num_rows and ts > before["exchange_ts"][0].as_py()]
    if not joined:
        return {}
    market = load_market(1, queue)
    merge({whole.pair.symbol: Columns(whole.pair, whole.depth, before)}).play_on(market)
    stand: dict[int, Order] = {}
    for ts, number in joined:
        _play_until(market, ts)
        order = resting[number][1]
        market.submit(0, number + 1, 1, order.side, order.price, order.qty - order.filled, "gtc", True)
        if market.order(0, number + 1) is not None:
            stand[number] = order
    _play_until(market, begin_ts - 1)
    ahead: dict[tuple[int, int], int] = {}
    for number, order in stand.items():
        lots, is_known = market.place(0, number + 1) or (0, True)
        key = (BUY if order.side == "buy" else SELL), order.price
        if is_known:
            ahead[key] = min(lots, ahead.get(key, lots))
    return ahead


def _joined(order: Order) -> int:
    """Return about when an order came to rest where it does, ns of CLOCK_BOOTTIME; 0 if that is not known."""
    return order.acked - (order.acked - order.sent) // 2 if 0 < order.sent < order.acked else 0


def _play_until(market: Market, ts: int) -> None:
    while market.advance(ts, 0)[0]:
        pass
