"""Orders put at the back of the touch now and then, and their lives by true FIFO."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from backtest.single_orders.stream import Level2, Moment
from backtest.venue.fifo import SIDES, FifoBook, FifoOrder
from shared.kraken.level3 import Side

# It shall change nothing, and not stand in the way of the next one.
LOTS = 1


@dataclass(slots=True, eq=False)
class Life:
    """An order's life: put behind ``queue`` lots, taken out at ``end_ts`` if it is not filled by then.

    ``ahead`` are the lots ahead of it at the times when the next orders came, as long as it rests.
    """

    order: FifoOrder
    placed_ts: int
    end_ts: int
    queue: int
    is_whole: bool = False
    """False if a gap, or the end of the data, came before its own end."""
    ahead: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class Truth:
    """The lives, and the book by price as columns that a queue market loads."""

    lives: list[Life] = field(default_factory=list)
    level2: list[bytes] = field(default_factory=list)


class Play:
    """Plays moments, and puts an order to every ``every``-th change of the touch."""

    def __init__(self, symbol: str, depth: int, every: int, horizon_ns: int) -> None:
        self._market = FifoBook(symbol, depth)
        self._level2 = Level2()
        self._every, self._horizon_ns = every, horizon_ns
        self._open: list[Life] = []
        self._touch: dict[Side, int] = {}
        self._changes = 0
        self._truth = Truth()

    def play(self, moments: Iterable[Moment]) -> Truth:
        """Return the lives of all orders."""
        for moment in moments:
            self._end_until(moment.ts)
            self._take(moment)
            self._place(moment.ts)
        self._truth.level2 = self._level2.columns()
        return self._truth

    def _take(self, moment: Moment) -> None:
        for trade in moment.trades:
            self._level2.trade(moment.ts, trade)
            self._market.trade(trade.side, trade.ticks, trade.lots, moment.ts)
        for message in moment.messages:
            if not message.is_live:
                self._open.clear()
                self._market.own.clear()
                self._touch.clear()
            else:
                self._market.play(message.changes, moment.ts, is_snapshot=message.is_snapshot)
            self._level2.change(message, self._market.book)

    def _end_until(self, ts: int) -> None:
        """Take out the orders that end before this moment."""
        for life in [life for life in self._open if life.end_ts <= ts]:
            life.is_whole = True
            self._market.remove(life.order)
            self._open.remove(life)

    def _place(self, ts: int) -> None:
        moved = []
        for side in SIDES:
            best = self._market.book.prices(side, 1)
            if best and best[0] != self._touch.get(side):
                self._touch[side] = best[0]
                moved.append(side)
        for side in moved:
            self._changes += 1
            if self._changes % self._every == 0:
                for life in self._open:
                    if life.order.remaining:
                        life.ahead[ts] = life.order.ahead
                order = self._market.place(side, self._touch[side], LOTS)
                life = Life(order, ts, ts + self._horizon_ns, order.ahead)
                self._open.append(life)
                self._truth.lives.append(life)
