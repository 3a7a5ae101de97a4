"""Single orders and trades of a pair in the order of time, and the book by price that the queue models see of them."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import pyarrow as pa

from backtest.data import columns
from backtest.data.columns import BUY, SELL, Flag, SingleOrders
from backtest.data.order_rows import OrderMessage, order_messages
from backtest.venue.fifo import SIDES
from backtest.venue.rows import FORMATS
from shared.kraken.level3 import Level3Book, Side


@dataclass(frozen=True, slots=True)
class Trade:
    """A trade against orders of ``side``."""

    side: Side
    ticks: int
    lots: int


@dataclass(frozen=True, slots=True)
class Moment:
    """Everything that happened at one time: trades come before the changes that they cause."""

    ts: int
    trades: list[Trade]
    messages: list[OrderMessage]


def moments(orders: SingleOrders, trades: pa.Table) -> Iterator[Moment]:
    """Yield what happened, moment by moment; ``trades`` are rows of :mod:`backtest.data.columns`."""
    times, sides, ticks, lots = (trades[name].to_pylist() for name in ("exchange_ts", "side", "ticks", "lots"))
    items: list[tuple[int, Trade | OrderMessage]] = [
        # The taker's side is the other one.
        (ts, Trade("sell" if side == BUY else "buy", price, qty))
        for ts, side, price, qty in zip(times, sides, ticks, lots, strict=True)
        if side in (BUY, SELL)
    ]
    items += [(message.exchange_ts, message) for message in order_messages(orders.table)]
    items.sort(key=itemgetter(0))
    for ts, group in groupby(items, itemgetter(0)):
        whole = [item for _, item in group]
        yield Moment(
            ts,
            [item for item in whole if isinstance(item, Trade)],
            [item for item in whole if isinstance(item, OrderMessage)],
        )


class Level2:
    """Gathers the rows of the book by price, in the columns that a queue market loads."""

    def __init__(self) -> None:
        self._columns = tuple(array(code) for code in FORMATS)

    def columns(self) -> list[bytes]:
        """Return the rows as the bytes of each column."""
        return [column.tobytes() for column in self._columns]

    def trade(self, ts: int, trade: Trade) -> None:
        """Take a trade."""
        self._add(ts, columns.Kind.TRADE, "sell" if trade.side == "buy" else "buy", trade.ticks, trade.lots, Flag.LAST)

    def change(self, message: OrderMessage, book: Level3Book) -> None:
        """Take a message that the book of single orders has played."""
        if not message.is_live:
            self._add(message.exchange_ts, columns.Kind.MARK, "buy", 0, columns.Mark.MISSED, 0)
            return
        if message.is_snapshot:
            kind = columns.Kind.SNAPSHOT
            levels = [(side, *level) for side in SIDES for level in book.levels(side, book.depth)] or [("buy", 0, 0)]
        else:
            kind = columns.Kind.LEVEL
            touched = dict.fromkeys((change.side, change.ticks) for change in message.changes)
            levels = [(side, ticks, sum(o.lots for o in book.queue(side, ticks))) for side, ticks in touched]
        for place, (side, ticks, lots) in enumerate(levels):
            first = Flag.FIRST if message.is_snapshot and not place else 0
            last = Flag.LAST if place == len(levels) - 1 else 0
            self._add(message.exchange_ts, kind, side, ticks, lots, first | last)

    def _add(self, ts: int, kind: int, side: Side, ticks: int, lots: int, flags: int) -> None:
        values = (ts, ts, 0, kind, BUY if side == "buy" else SELL, ticks, lots, flags)
        for column, value in zip(self._columns, values, strict=True):
            column.append(value)
