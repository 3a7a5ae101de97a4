"""Orders that did not stand: why, and which prices wait for the touch to clear them (T5). A core."""

from __future__ import annotations

from executor.orders import Order, ended
from executor.state import State
from shared import limits
from shared.clock import SECOND
from shared.messages import OrderState, Side


class Refusals:
    """``news`` are orders with why, for whoever places again; ``prices`` holds (price in ticks, until) by side."""

    def __init__(self, state: State) -> None:
        self.prices: dict[tuple[str, Side], tuple[int, int]] = {}
        self.news: list[tuple[Order, str]] = []
        self._state = state

    def refuse(self, order: Order, error: str, now: int) -> None:
        """The exchange did not take it."""
        ended(order, OrderState.REFUSED, error, now)
        if "Post only" in error:
            self.block_price(order, order.price, now)
        self.news.append((order, error))
        self._state.registry.note(order)

    def block_price(self, order: Order, price: int, now: int) -> None:
        """The price that it was to have waits."""
        self.prices[order.symbol, order.side] = (price, now + int(limits.REFUSED_PRICE_S * SECOND))
