"""All orders of the account that this executor knows: live ones, and those that ended lately. A core."""

from __future__ import annotations

import contextlib
import json
from collections import deque
from collections.abc import Iterator
from decimal import Decimal

from executor.orders.order import Amend, Order, Presence, revived
from executor.record.rows import OrderRow
from shared import limits
from shared.clock import SECOND
from shared.messages import Order as ShownOrder
from shared.messages import OrderState
from shared.numbers import scale, text

FOREIGN = "account"  # whose orders and fills are not ours (T16)
ADOPTED = "?"  # an earlier life's orders that no journal names
FLATTEN = "flatten"  # whose orders close the position at once (T11)


class Registry:
    """Orders by either id, and by symbol."""

    def __init__(self) -> None:
        self._by_cl: dict[str, Order] = {}
        self._by_order_id: dict[str, Order] = {}
        self._by_symbol: dict[str, dict[str, Order]] = {}
        # Those that have not ended, so that a pass does not look at all that ended in the last minute, many times.
        self._standing: dict[str, Order] = {}
        self._ended: deque[Order] = deque()
        self.changed: dict[str, Order] = {}

    def add(self, order: Order) -> None:
        """A new order; foreign ones without a client id go by their order id."""
        self._by_cl[order.cl_ord_id] = order
        self._by_symbol.setdefault(order.symbol, {})[order.cl_ord_id] = order
        self.note(order)

    def note(self, order: Order) -> None:
        """The order changed: it is to be journaled and shown."""
        self.changed[order.cl_ord_id] = order
        if order.is_live:
            self._standing[order.cl_ord_id] = order
        else:
            self._standing.pop(order.cl_ord_id, None)
        if order.order_id:
            self._by_order_id[order.order_id] = order
        if not order.is_live and order not in self._ended:
            self._ended.append(order)

    def revive(self, order: Order, now: int) -> None:
        """An order that was believed ended is open."""
        revived(order, now)
        with contextlib.suppress(ValueError):
            self._ended.remove(order)
        self.note(order)

    def find(self, cl_ord_id: str, order_id: str = "") -> Order | None:
        """An order by its client id, else by the exchange's."""
        return self._by_cl.get(cl_ord_id) or self._by_order_id.get(order_id)

    def standing(self) -> list[Order]:
        """Every order that has not ended, foreign ones that wait for a trigger included."""
        return [order for order in self._standing.values() if order.is_live]

    def live(self) -> list[Order]:
        """Every order that may trade as the book stands, foreign ones included."""
        return [order for order in self.standing() if order.presence is not Presence.WAITING]

    def live_on(self, symbol: str) -> list[Order]:
        """The live orders of one symbol."""
        orders = self._by_symbol.get(symbol, {}).values()
        return [order for order in orders if order.is_live and order.presence is not Presence.WAITING]

    def live_for(self, strategy: str, symbol: str) -> list[Order]:
        """One strategy's live orders on a symbol; after a revival there may be two in a slot."""
        return [order for order in self.live_on(symbol) if order.strategy == strategy]

    @property
    def cannot_pull(self) -> bool:
        """True while an order of ours is live that no way of cancelling took away."""
        ours = (order for order in self.live() if order.strategy != FOREIGN)
        return any(order.cancel_failures >= limits.CANCEL_FAILURES for order in ours)

    def shown(self, symbol: str) -> Iterator[Order]:
        """Live orders and those that ended within the last minute."""
        return iter(self._by_symbol.get(symbol, {}).values())

    def forget(self, now: int) -> set[str]:
        """Drops orders that ended over a minute ago, or the oldest of too many; returns their symbols."""
        symbols = set()
        old = now - int(limits.ENDED_ORDERS_KEPT_S * SECOND)
        while self._ended and (self._ended[0].ended < old or len(self._ended) > limits.ENDED_ORDERS_KEPT):
            order = self._ended.popleft()
            symbols.add(order.symbol)
            self._by_cl.pop(order.cl_ord_id, None)
            self._by_symbol.get(order.symbol, {}).pop(order.cl_ord_id, None)
            self._by_order_id.pop(order.order_id, None)
        return symbols


def to_row(order: Order, boot_to_wall: int) -> OrderRow:
    """An order for the journal; ``boot_to_wall`` turns CLOCK_BOOTTIME into ns since the epoch."""
    amend = order.amend
    return OrderRow(
        cl_ord_id=order.cl_ord_id,
        order_id=order.order_id,
        strategy=order.strategy,
        symbol=order.symbol,
        slot=order.slot,
        side=order.side,
        price=text(order.price, order.price_precision),
        qty=text(order.qty, order.qty_precision),
        filled=text(order.filled, order.qty_precision),
        state=order.state.value,
        is_live=order.is_live,
        error=order.error,
        amend=json.dumps([amend.price, amend.qty, amend.deadline_ts]) if amend else "",
        deadline_ts=order.deadline_ts,
        created_ts=order.created_ts,
        touched_ts=order.touched + boot_to_wall,
        changed_ts=order.changed_ts,
        stamps=json.dumps([order.received, order.booked, order.decided, order.sent, order.acked]),
    )


def from_row(row: OrderRow, boot_to_wall: int) -> Order:
    """An order of the journal, as it was when that was last written; what was in flight is of unknown outcome."""
    price_precision = _decimals(row.price)
    qty_precision = _decimals(row.qty)
    received, booked, decided, sent, acked = json.loads(row.stamps)
    order = Order(
        cl_ord_id=row.cl_ord_id,
        strategy=row.strategy,
        symbol=row.symbol,
        slot=row.slot,
        side="buy" if row.side == "buy" else "sell",
        price=scale(row.price, price_precision),
        qty=scale(row.qty, qty_precision),
        price_precision=price_precision,
        qty_precision=qty_precision,
        state=OrderState(row.state),
        order_id=row.order_id,
        filled=scale(row.filled, qty_precision),
        told=scale(row.filled, qty_precision),
        is_restored=True,
        error=row.error,
        touched=row.touched_ts - boot_to_wall,
        deadline_ts=row.deadline_ts,
        created_ts=row.created_ts,
        changed_ts=row.changed_ts,
        received=received,
        booked=booked,
        decided=decided,
        sent=sent,
        acked=acked,
    )
    # Acked at the latest when its row was last written.
    order.confirmed = row.changed_ts - boot_to_wall if order.order_id else 0
    if row.strategy in (FOREIGN, ADOPTED):
        order.is_adopted = True
    if row.strategy == FOREIGN:
        order.presence = Presence.PARTLY  # until a snapshot tells its kind: it counts, and contradicts no book
    if row.amend:
        price, qty, deadline_ts = json.loads(row.amend)
        order.amend = Amend(req_id=0, price=price, qty=qty, deadline_ts=deadline_ts, is_unknown=True)
    if order.state is OrderState.SENT:
        order.state = OrderState.UNKNOWN
    if order.state is OrderState.CANCELLING:
        order.state = OrderState.OPEN
    return order


def _decimals(number: str) -> int:
    exponent = Decimal(number).as_tuple().exponent
    return -exponent if isinstance(exponent, int) and exponent < 0 else 0


def show(order: Order) -> ShownOrder:
    """An order as the bus shows it."""
    return ShownOrder(
        cl_ord_id=order.cl_ord_id,
        order_id=order.order_id,
        strategy=order.strategy,
        slot=order.slot,
        side=order.side,
        price=order.price,
        qty=order.qty,
        filled=order.filled,
        state=order.state,
        error=order.error,
        amending=order.amend is not None,
        created_ts=order.created_ts,
        changed_ts=order.changed_ts,
        received=order.received,
        booked=order.booked,
        decided=order.decided,
        sent=order.sent,
        acked=order.acked,
    )
