"""Turns of orders for the planner's tests: each may move at a fixed age."""

from __future__ import annotations

from collections.abc import Iterable

from executor.decide.planner import Stay, Turn
from executor.orders.order import Order
from shared import limits
from shared.clock import SECOND

PACE = int(limits.AMEND_EVERY_S * SECOND)


def paced(orders: Iterable[Order]) -> dict[Order, Turn]:
    """Return a turn for each order, due at the pace of an unknown volatility."""
    return {order: Turn(order.touched + PACE, Stay.PACED) for order in orders}
