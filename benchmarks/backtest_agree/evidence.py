"""The record's own account of an order: the trades and books that reached its price, and what was before it.

Computed from the rows alone, by no engine; an order rests for rows after ``begin_ts`` up to ``end_ts``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from backtest.data.columns import BUY, SELL, Kind
from backtest.exact.replayed import Tape
from benchmarks.backtest_agree.events import Book, Row, Touch
from benchmarks.backtest_agree.orders import Filled, Order, Outcome, Schedule


class Reach(Enum):
    """The first thing that the record did at an order's price."""

    NEVER = "never reached"
    THROUGH = "traded through"
    TOUCHED = "touched"


@dataclass(slots=True)
class Evidence:
    """The record at an order's price; ``ahead`` is what is still before it, cancels being behind it."""

    lots_before: int
    ahead: int
    best: int | None
    next_ts: int | None = None
    # The first trade at its price, the first that ate all before it, and the first past its price.
    touch_ts: int | None = None
    queue_ts: int | None = None
    through_ts: int | None = None
    # The ends of messages at which the record's other side came to its price.
    book_ts: list[int] = field(default_factory=list)
    # Lots traded at its price and past it, by time.
    at_price: list[tuple[int, int]] = field(default_factory=list)
    past_price: list[tuple[int, int]] = field(default_factory=list)
    is_reached: bool = False

    @property
    def reach(self) -> Reach:
        """Return what came first: a trade past its price, or a trade at it or a book."""
        times = [ts for ts in (self.touch_ts, self.through_ts, *self.book_ts[:1]) if ts is not None]
        if not times:
            return Reach.NEVER
        return Reach.THROUGH if min(times) == self.through_ts else Reach.TOUCHED

    def traded(self, until_ts: int) -> tuple[int, int]:
        """Return the lots traded at the price and past it up to a time."""
        at_lots, past_lots = (
            sum(lots for ts, lots in trades if ts <= until_ts) for trades in (self.at_price, self.past_price)
        )
        return at_lots, past_lots

    def trade(self, order: Order, ts: int, ticks: int, lots: int) -> None:
        """Note a trade whose taker would have met the order."""
        if order.is_beyond(ticks):
            self.past_price.append((ts, lots))
            self.through_ts = self.through_ts or ts
        elif ticks == order.ticks:
            self.at_price.append((ts, lots))
            self.touch_ts = self.touch_ts or ts
            if lots > self.ahead:
                self.queue_ts = self.queue_ts or ts
            self.ahead = max(0, self.ahead - lots)


def gather(made: list[Row], orders: list[Order]) -> dict[int, Evidence]:
    """Return the evidence for each order, in one pass over the rows."""
    book, touch = Book(0), Touch(0, 0, 0, 0)
    evidence: dict[int, Evidence] = {}
    resting: list[Order] = []
    coming = sorted(orders, key=lambda order: -order.begin_ts)
    for ts, is_trade, side, ticks, lots, is_last in made:
        while coming and coming[-1].begin_ts < ts:
            order = coming.pop()
            evidence[order.number] = _at_arrival(book, order)
            resting.append(order)
        resting = [order for order in resting if order.end_ts >= ts]
        is_news = is_trade
        if not is_trade:
            book.set(side, ticks, lots)
            last, touch = touch, (book.touch() if is_last else None) or touch
            is_news = touch != last
        for order in resting:
            each = evidence[order.number]
            each.next_ts = each.next_ts or (ts if is_news else None)
            if is_trade and side != order.side:
                each.trade(order, ts, ticks, lots)
            elif not is_trade and (side, ticks) == (order.side, order.ticks):
                each.ahead = min(each.ahead, lots)
            if is_last and not is_trade:
                was_reached, each.is_reached = each.is_reached, _reaches(order, book)
                if each.is_reached and not was_reached:
                    each.book_ts.append(ts)
    evidence |= {order.number: _at_arrival(book, order) for order in coming}
    return evidence


def through(tape: Tape, planned: Schedule) -> Outcome:
    """Return the fills by trade-through alone: whole, by the first trade past the price while the order rests."""
    is_trade = tape.kind == Kind.TRADE
    ts, takers, ticks = (column[is_trade] for column in (tape.exchange_ts, tape.side, tape.ticks))
    fills = {}
    for order in planned.orders:
        is_past = ticks < order.ticks if order.side == BUY else ticks > order.ticks
        hits = np.flatnonzero((ts > order.begin_ts) & (ts <= order.end_ts) & (takers != order.side) & is_past)
        if len(hits):
            fills[order.number] = Filled(int(ts[hits[0]]), int(ts[hits[0]]), planned.lots)
    return Outcome(fills, [])


def _at_arrival(book: Book, order: Order) -> Evidence:
    lots = book.sides[order.side].get(order.ticks, 0)
    return Evidence(lots, lots, book.best(_other(order)), is_reached=_reaches(order, book))


def _reaches(order: Order, book: Book) -> bool:
    best = book.best(_other(order))
    return best is not None and (best == order.ticks or order.is_beyond(best))


def _other(order: Order) -> int:
    return SELL if order.side == BUY else BUY
