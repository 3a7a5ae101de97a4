"""Conversion of an order to its journal row and back, and to its message on the bus."""

from __future__ import annotations

import json
from decimal import Decimal

from executor.orders.order import Active, Amend, Audit, Doubt, Finished, Order, OrderLife, Presence, Stamps
from executor.orders.registry import ADOPTED, FOREIGN
from executor.orders.transitions import Restarted, apply
from executor.record.rows import OrderRow
from shared.messages import Order as ShownOrder
from shared.numbers import scale, text


def to_row(order: Order, boot_to_wall: int) -> OrderRow:
    """Return an order for the journal; ``boot_to_wall`` turns CLOCK_BOOTTIME into ns since the epoch."""
    amend, stamps = order.amend, order.stamps
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
        stamps=json.dumps(_stamped(stamps)),
    )


def _stamped(stamps: Stamps) -> list[int]:
    """Return the stamps in the order of their fields."""
    return [
        stamps.received,
        stamps.booked,
        stamps.decided,
        stamps.sent,
        stamps.acked,
        stamps.heard,
        stamps.planned,
    ]


def from_row(row: OrderRow, boot_to_wall: int, next_event: int = 0) -> Order:
    """Return an order from its journal row; what was in flight then has an unknown outcome now."""
    price_precision = _decimals(row.price)
    qty_precision = _decimals(row.qty)
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
        life=_life(row.state),
        order_id=row.order_id,
        filled=scale(row.filled, qty_precision),
        reported=scale(row.filled, qty_precision),
        is_adopted=row.strategy in (FOREIGN, ADOPTED),
        is_restored=True,
        # Until a snapshot gives its type, a foreign order counts in the limits, and the book need not show it.
        presence=Presence.PARTLY if row.strategy == FOREIGN else Presence.SHOWN,
        error=row.error,
        amend=_amend(row.amend),
        touched=row.touched_ts - boot_to_wall,
        deadline_ts=row.deadline_ts,
        created_ts=row.created_ts,
        changed_ts=row.changed_ts,
        stamps=Stamps(*json.loads(row.stamps)),
        # Acked at the latest when its row was last written.
        doubt=Doubt(confirmed=row.changed_ts - boot_to_wall if row.order_id else 0),
        audit=Audit(events=next_event),
    )
    apply(order, Restarted(), 0)
    return order


def _life(state: str) -> OrderLife:
    return Active(state) if state in {member.value for member in Active} else Finished(state)


def _amend(text_: str) -> Amend | None:
    if not text_:
        return None
    price, qty, deadline_ts = json.loads(text_)
    return Amend(req_id=0, price=price, qty=qty, deadline_ts=deadline_ts)


def _decimals(number: str) -> int:
    exponent = Decimal(number).as_tuple().exponent
    return -exponent if isinstance(exponent, int) and exponent < 0 else 0


def show(order: Order) -> ShownOrder:
    """Return an order as the bus carries it."""
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
        received=order.stamps.received,
        booked=order.stamps.booked,
        decided=order.stamps.decided,
        sent=order.stamps.sent,
        acked=order.stamps.acked,
        heard=order.stamps.heard,
        planned=order.stamps.planned,
    )
