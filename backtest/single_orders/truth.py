"""Lives of orders by true FIFO: our own ones in the record, or without any, orders put at the back of the touch.

Own orders are taken out of the recorded book first, and played among the others.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from backtest.data.order_rows import OrderMessage
from backtest.single_orders.stream import Level2, Moment
from backtest.venue.fifo import SIDES, FifoBook, FifoOrder
from shared.kraken.level3 import Change, Event, Side

# Of an order that is not our own: it shall change nothing, and not stand in the way of the next one.
LOTS = 1


@dataclass(slots=True, eq=False)
class Life:
    """An order's life: put behind ``queue`` lots, played until ``end_ts``.

    ``ahead`` are the lots ahead of it at the times of the looks, as long as it rests.
    """

    order: FifoOrder
    placed_ts: int
    end_ts: int
    queue: int
    lots: int
    is_whole: bool = False
    """False if a gap, or the end of the data, came before its own end."""
    ahead: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class Truth:
    """The lives, the times at which places are looked at, and the book by price as columns of a queue market."""

    is_own: bool
    lives: list[Life] = field(default_factory=list)
    looks: list[int] = field(default_factory=list)
    level2: list[bytes] = field(default_factory=list)


class Play:
    """Plays moments; looks at every ``every``-th change of the touch, and puts an order there if none is our own.

    An order that is put lives for ``horizon_ns``; an own one until it is cancelled or amended, and by the models for
    that long after it was filled in truth.
    """

    def __init__(self, symbol: str, depth: int, every: int, horizon_ns: int, own: frozenset[str]) -> None:
        self._market = FifoBook(symbol, depth)
        self._level2 = Level2()
        self._every, self._horizon_ns, self._own = every, horizon_ns, own
        self._open: list[Life] = []
        self._own_lives: dict[str, Life] = {}
        self._touch: dict[Side, int] = {}
        self._changes = 0
        self._truth = Truth(bool(own))

    def play(self, moments: Iterable[Moment]) -> Truth:
        """Return the lives of all orders."""
        for moment in moments:
            self._end_until(moment.ts)
            self._take(moment)
            self._look(moment.ts)
        self._truth.level2 = self._level2.columns()
        return self._truth

    def _take(self, moment: Moment) -> None:
        for trade in moment.trades:
            self._level2.trade(moment.ts, trade)
            self._market.trade(trade.side, trade.ticks, trade.lots, moment.ts)
        for message in moment.messages:
            others = replace(message, changes=[each for each in message.changes if each.order_id not in self._own])
            if message.is_live:
                self._market.play(others.changes, moment.ts, is_snapshot=message.is_snapshot)
            else:
                self._open.clear()
                self._own_lives.clear()
                self._market.own.clear()
                self._touch.clear()
            if others.changes or message.is_snapshot or not message.is_live:
                self._level2.change(others, self._market.book)
            self._follow_own(message, moment.ts)
        for life in self._open:
            if self._own and life.order.filled_ts and not life.end_ts:
                life.end_ts = life.order.filled_ts + self._horizon_ns

    def _follow_own(self, message: OrderMessage, ts: int) -> None:
        # Those of a snapshot came before it, and who came after them is not known.
        for change in () if message.is_snapshot else message.changes:
            if change.order_id not in self._own:
                continue
            life = self._own_lives.get(change.order_id)
            is_same = change.event is Event.MODIFY and life is not None and life.order.ticks == change.ticks
            if is_same and life is not None and life.order.remaining == change.lots:
                continue
            if life is not None and change.event is not Event.ADD:
                self._own_lives.pop(change.order_id)
                if not life.order.filled_ts:
                    life.end_ts = ts
            if change.event is Event.ADD and life is None:
                self._own_lives[change.order_id] = self._put(change, ts)

    def _put(self, change: Change, ts: int) -> Life:
        order = self._market.place(change.side, change.ticks, change.lots)
        life = Life(order, ts, 0, order.ahead, change.lots)
        self._open.append(life)
        self._truth.lives.append(life)
        return life

    def _end_until(self, ts: int) -> None:
        """Take out the orders that end before this moment."""
        for life in [life for life in self._open if life.end_ts and life.end_ts <= ts]:
            life.is_whole = True
            self._market.remove(life.order)
            self._open.remove(life)

    def _look(self, ts: int) -> None:
        """Look at the places, and put an order, where the touch has changed so often."""
        for side in SIDES:
            best = self._market.book.prices(side, 1)
            if not best or best[0] == self._touch.get(side):
                continue
            self._touch[side] = best[0]
            self._changes += 1
            if self._changes % self._every:
                continue
            self._truth.looks.append(ts)
            for life in self._open:
                if life.order.remaining and life.placed_ts < ts:
                    life.ahead[ts] = life.order.ahead
            if not self._own:
                life = self._put(Change(Event.ADD, side, "", best[0], LOTS, ts), ts)
                life.end_ts = ts + self._horizon_ns
