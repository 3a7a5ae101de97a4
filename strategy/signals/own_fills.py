"""Own fills of one strategy on one symbol, from what its orders have filled between two ``order`` messages."""

from __future__ import annotations

from typing import NamedTuple

from shared.messages import Orders, Side


class OwnFill(NamedTuple):
    """Lots of one order that were filled since the last message; the price is the order's, in ticks."""

    side: Side
    price: int
    qty: int


class OwnFills:
    """Compares each valid ``order`` message with the one before; the first one gives no fills.

    It remembers only the orders of the newest valid message.
    """

    def __init__(self, strategy: str) -> None:
        self._strategy = strategy
        self._filled: dict[str, int] | None = None

    def take(self, message: Orders) -> list[OwnFill]:
        """Return the fills since the last valid message."""
        if not message.valid:
            return []
        before = self._filled
        own = [order for order in message.orders if order.strategy == self._strategy]
        self._filled = {order.cl_ord_id: order.filled for order in own}
        if before is None:
            return []
        return [
            OwnFill(order.side, order.price, order.filled - before.get(order.cl_ord_id, 0))
            for order in own
            if order.filled > before.get(order.cl_ord_id, 0)
        ]
