"""One pair's recorded book with our own orders in its queues: the rules of ``queue_market``, a method each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from backtest.data.columns import SELL, Flag, Kind
from backtest.venue.queue_models import QueueModel, cancelled_ahead
from backtest.venue.queue_orders import (
    OwnOrders,
    QueuedOrder,
    check_id,
    check_terms,
    check_value,
)
from backtest.venue.recorded_levels import RecordedLevels
from backtest.venue.rows import Row
from simulator.errors import EngineError
from simulator.exchange.engine import VALUE_MAX, Event, Side, opposite

SIDES: tuple[Side, Side] = ("buy", "sell")


@dataclass(slots=True)
class QueueStats:
    """Counts of fills of resting own orders against the record, and quantities in lots."""

    fills: int = 0
    fill_lots: int = 0
    outside_fills: int = 0
    crossed_fills: int = 0
    through_fills: int = 0
    traded_lots: int = 0
    own_taken_lots: int = 0


class QueueBook:
    """One pair's book; ``next_recorded_id`` gives the recorded side of a trade its id."""

    def __init__(self, model: QueueModel, power: float, next_recorded_id: Callable[[], int]) -> None:
        # The levels a side that the record follows: of levels, and of single orders.
        self.depths = (0, 0)
        self.is_live = False
        # True if the record has single orders, from the last snapshot on.
        self.is_by_order = False
        self.stats = QueueStats()
        self.events: list[Event] = []
        # What was still ahead of the order of each event.
        self.aheads: list[int | None] = []
        self.own = OwnOrders()
        self._model, self._power = model, power
        self._next_recorded_id = next_recorded_id
        self._recorded = {side: RecordedLevels(side) for side in SIDES}

    @property
    def depth(self) -> int:
        """Return the number of levels a side that the record follows now; 0 is all."""
        return self.depths[self.is_by_order]

    # What the record does.

    def play(self, row: Row) -> None:
        """Take one row, all but its effect at the end of its message."""
        side: Side = "sell" if row.side == SELL else "buy"
        kind, ticks, lots = row.kind, row.ticks, row.lots
        if kind in (Kind.SNAPSHOT, Kind.ORDER_SNAPSHOT) and row.flags & Flag.FIRST:
            self._begin_snapshot(is_by_order=kind == Kind.ORDER_SNAPSHOT)
        if kind == Kind.MARK:
            self.is_live = False
        elif kind == Kind.TRADE:
            self.stats.traded_lots += lots
            if self.is_live:
                self._trade(opposite(side), ticks, lots)
        elif (kind in (Kind.ORDER, Kind.ORDER_SNAPSHOT)) != self.is_by_order:
            return
        elif kind == Kind.SNAPSHOT:
            self._recorded[side].set(ticks, lots)
        elif kind == Kind.ORDER_SNAPSHOT:
            self._set_order(side, row)
        elif self.is_live and kind == Kind.LEVEL:
            self._share_cancel(side, ticks, lots)
            self._recorded[side].set(ticks, lots)
        elif self.is_live:
            self._set_order(side, row)

    def _begin_snapshot(self, *, is_by_order: bool) -> None:
        for levels in self._recorded.values():
            levels.clear()
        if is_by_order and not self.is_by_order:
            # Where they stand among the single orders is not known.
            for order in self.own:
                order.is_known = False
        self.is_live, self.is_by_order = True, is_by_order

    def _set_order(self, side: Side, row: Row) -> None:
        """Set a single order; own orders at its prices know what is before them now."""
        levels = self._recorded[side]
        for price in levels.set_order(row.order, row.ticks, row.lots):
            self._count_ahead(levels, price)

    def _count_ahead(self, levels: RecordedLevels, price: int) -> None:
        for order in self.own.at(levels.side, price):
            if order.is_known:
                order.ahead = levels.visible_before(price, order.place)

    def end_book_message(self) -> None:
        """Trim the sides to the depth, settle places at prices that the record shows, and fill what it crosses."""
        if not self.is_live:
            return
        for side in SIDES:
            self._recorded[side].trim(self.depth)
        for order in self.own:
            levels = self._recorded[order.side]
            if levels.shows(order.price, self.depth):
                lots = levels.lots(order.price)
                if not order.is_known:
                    order.ahead, order.place, order.is_known = lots, levels.arrivals, True
                order.ahead = min(order.ahead, lots)
        for levels in self._recorded.values():
            levels.hidden = {
                number: (price, place)
                for number, (price, place) in levels.hidden.items()
                if self.own.at(levels.side, price) and not levels.shows(price, self.depth)
            }
        for side in SIDES:
            self._cross(side)

    def _trade(self, side: Side, price: int, lots: int) -> None:
        """Trade a recorded taker's ``lots`` at ``price`` with own orders of ``side`` that it would have met."""
        taker_id, left = 0, lots
        at_price = self.own.at(side, price)
        for order in self.own.sides[side]:
            if left and order.is_better_than(price):
                taker_id = taker_id or self._next_recorded_id()
                qty = min(order.remaining, left)
                left -= qty
                self.stats.through_fills += 1
                self._fill(order, taker_id, qty, left, order.ahead)
        reached, own_lots, foremost = left, 0, 0
        for order in at_price:
            if not order.is_known and self._model is not QueueModel.FRONT:
                continue
            foremost = max(foremost, order.ahead)
            qty = min(order.remaining, reached - foremost - own_lots)
            if qty > 0:
                taker_id = taker_id or self._next_recorded_id()
                own_lots += qty
                self._fill(order, taker_id, qty, reached - foremost - own_lots, 0)
        level = self._recorded[side].by_price.get(price)
        if level is not None:
            level.trade(lots)
        for order in at_price:
            order.ahead = max(0, order.ahead - reached)
            if level is not None:
                order.ahead = min(order.ahead, level.lots)
        if level is not None and self.is_by_order:
            self._count_ahead(self._recorded[side], price)
        self.own.remove_filled()

    def _share_cancel(self, side: Side, price: int, lots: int) -> None:
        """Move own orders up by their share of what left a level without a trade."""
        level = self._recorded[side].by_price.get(price)
        if level is None or lots >= level.lots:
            return
        foremost = 0
        for order in self.own.at(side, price):
            if order.is_known:
                ahead = min(order.ahead, level.lots)
                ahead -= cancelled_ahead(self._model, self._power, ahead, level.lots, level.lots - lots)
                # Never ahead of an own order that is before it.
                order.ahead = foremost = max(foremost, min(ahead, lots))

    def _cross(self, side: Side) -> None:
        """Fill own orders of ``side`` that the record's other side reaches, at their own prices."""
        other = opposite(side)
        for order in self.own.sides[side]:
            for price in self._recorded[other].best_first():
                level = self._recorded[other].by_price[price]
                qty = min(order.remaining, level.visible)
                if not order.reaches(price) or not order.remaining:
                    break
                if qty:
                    level.take(qty)
                    self.stats.crossed_fills += 1
                    self._fill(order, self._next_recorded_id(), qty, level.visible, order.ahead)
        self.own.remove_filled()

    def _fill(self, order: QueuedOrder, taker_id: int, qty: int, taker_remaining: int, ahead: int) -> None:
        order.fill(qty)
        self.stats.fills += 1
        self.stats.fill_lots += qty
        self.stats.outside_fills += not order.is_known
        self.aheads.append(ahead if order.is_known else None)
        self.events.append(("trade", taker_id, order.order_id, order.price, qty, taker_remaining, order.remaining))

    # What we do.

    def submit(
        self,
        order_id: int,
        owner: int,
        side: Side,
        price: int | None,
        qty: int,
        tif: str = "gtc",
        post_only: bool = False,
        stp: str = "cancel_newest",
    ) -> list[Event]:
        """Submit a new order, at market where ``price`` is None. Raises EngineError."""
        check_terms(order_id, owner, price, qty, tif, post_only, stp)
        if self.own.find(order_id):
            raise EngineError(f"order {order_id} is resting already")
        limit = price if price is not None else (VALUE_MAX if side == "buy" else 0)
        taker = QueuedOrder(order_id, owner, side, limit, qty, 0, stp)
        if post_only and self._crosses(taker):
            return [("cancel", order_id, qty, "post_only")]
        if tif == "fok" and not self._fills_whole(taker):
            return [("cancel", order_id, qty, "fok")]
        events, is_stopped = self._match(taker)
        if taker.remaining and not is_stopped:
            if price is None or tif != "gtc":
                events.append(("cancel", order_id, taker.remaining, "market" if price is None else tif))
            else:
                self._rest(taker)
                events.append(("rest", order_id, price, taker.remaining))
        return events

    def amend(self, order_id: int, price: int | None, qty: int | None, post_only: bool = False) -> list[Event]:
        """Amend a resting order; less quantity keeps the place, more or another price loses it. Raises EngineError."""
        check_id(order_id)
        check_value(price)
        check_value(qty)
        order = self.own.find(order_id)
        if order is None:
            return [("refused", order_id, "unknown")]
        remaining = order.remaining if qty is None else qty - order.filled
        if remaining <= 0:
            self.own.remove(order)
            return [("cancel", order_id, order.remaining, "reduced")]
        new_price = order.price if price is None else price
        if new_price == order.price and remaining <= order.remaining:
            order.remaining = remaining
            return [("amend", order_id, new_price, remaining)]
        moved = QueuedOrder(order_id, order.owner, order.side, new_price, remaining, order.filled, order.stp)
        if post_only and self._crosses(moved):
            return [("refused", order_id, "post_only")]
        self.own.remove(order)
        trades, is_stopped = self._match(moved)
        events: list[Event] = [("amend", order_id, new_price, remaining), *trades]
        if moved.remaining and not is_stopped:
            self._rest(moved)
            if trades:
                events.append(("rest", order_id, new_price, moved.remaining))
        return events

    def cancel(self, order_id: int) -> list[Event]:
        """Take an order out; no event if it does not rest. Raises EngineError."""
        check_id(order_id)
        order = self.own.find(order_id)
        if order is None:
            return []
        self.own.remove(order)
        return [("cancel", order_id, order.remaining, "user")]

    def levels(self, side: Side, n: int) -> list[tuple[int, int]]:
        """Return up to ``n`` levels as (price, quantity), best first: what is visible of the record, and our own."""
        totals = {price: level.visible for price, level in self._recorded[side].by_price.items()}
        for order in self.own.sides[side]:
            totals[order.price] = totals.get(order.price, 0) + order.remaining
        ordered = sorted(totals, reverse=side == "buy")
        return [(price, totals[price]) for price in ordered if totals[price]][: max(n, 0)]

    def touch(self) -> tuple[int | None, int | None]:
        """Return the best prices, bid and ask, own orders included."""
        bids, asks = self.levels("buy", 1), self.levels("sell", 1)
        return bids[0][0] if bids else None, asks[0][0] if asks else None

    def _crosses(self, taker: QueuedOrder) -> bool:
        best = self.levels(opposite(taker.side), 1)
        return bool(best) and taker.reaches(best[0][0])

    def _fills_whole(self, taker: QueuedOrder) -> bool:
        available = 0
        for _, maker, qty in self._makers(taker):
            if maker is None or not _is_same_owner(taker, maker):
                available += qty
            elif taker.stp != "cancel_oldest":
                break
        return available >= taker.remaining

    def _match(self, taker: QueuedOrder) -> tuple[list[Event], bool]:
        """Trade the taker; return the events, and whether its owner's own order stopped it."""
        events: list[Event] = []
        for price, maker, qty in self._makers(taker):
            if not taker.remaining:
                break
            if maker is None:
                events.append(self._take(taker, price, qty))
                continue
            if _is_same_owner(taker, maker):
                if taker.stp != "cancel_newest":
                    self.own.remove(maker)
                    events.append(("cancel", maker.order_id, maker.remaining, "stp"))
                if taker.stp != "cancel_oldest":
                    events.append(("cancel", taker.order_id, taker.remaining, "stp"))
                    return events, True
                continue
            qty = min(taker.remaining, maker.remaining)
            taker.fill(qty)
            maker.fill(qty)
            if not maker.remaining:
                self.own.remove(maker)
            left = (taker.remaining, maker.remaining)
            events.append(("trade", taker.order_id, maker.order_id, price, qty, *left))
        return events, False

    def _take(self, taker: QueuedOrder, price: int, most: int) -> Event:
        """Take recorded quantity at the front of a level."""
        side = opposite(taker.side)
        level = self._recorded[side].by_price[price]
        qty = min(taker.remaining, most)
        taker.fill(qty)
        level.take(qty)
        self.stats.own_taken_lots += qty
        for order in self.own.at(side, price):
            order.ahead = max(0, order.ahead - qty)
        left = (taker.remaining, level.visible)
        return ("trade", taker.order_id, self._next_recorded_id(), price, qty, *left)

    def _makers(self, taker: QueuedOrder) -> list[tuple[int, QueuedOrder | None, int]]:
        """Return (price, own order or None for the record, quantity) in the order in which the taker meets them."""
        side = opposite(taker.side)
        recorded = self._recorded[side] if self.is_live else RecordedLevels(side)
        prices = sorted({*recorded.by_price, *(order.price for order in self.own.sides[side])}, reverse=side == "buy")
        makers: list[tuple[int, QueuedOrder | None, int]] = []
        for price in prices:
            if not taker.reaches(price):
                break
            visible, passed = recorded.visible(price), 0
            for maker in self.own.at(side, price):
                before = min(visible, maker.ahead if maker.is_known else visible)
                if before > passed:
                    makers.append((price, None, before - passed))
                    passed = before
                makers.append((price, maker, maker.remaining))
            if visible > passed:
                makers.append((price, None, visible - passed))
        return makers

    def _rest(self, order: QueuedOrder) -> None:
        levels = self._recorded[order.side]
        order.is_known = self.is_live and levels.shows(order.price, self.depth)
        order.place = levels.arrivals
        if order.is_known:
            before = [other.ahead for other in self.own.at(order.side, order.price)]
            order.ahead = max([levels.visible(order.price), *before])
        self.own.insert(order)


def _is_same_owner(taker: QueuedOrder, maker: QueuedOrder) -> bool:
    return taker.owner != 0 and taker.owner == maker.owner
