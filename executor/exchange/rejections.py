"""Orders that did not stand: why, and which prices wait for the touch to clear them (T5). A core."""

from __future__ import annotations

from executor.decide.slot_backoff import Slot
from executor.orders.order import Finished, Order
from executor.orders.transitions import Ended, apply
from executor.state import State
from shared import limits
from shared.clock import SECOND
from shared.kraken import errors
from shared.messages import Side


class Refusals:
    """Orders that were refused or taken away, for whoever places again.

    ``news`` are orders with why, ``prices`` holds (price in ticks, until) by side, ``apart`` until when a slot is
    placed alone: its batch was refused whole.
    """

    def __init__(self, state: State) -> None:
        self.prices: dict[tuple[str, Side], tuple[int, int]] = {}
        self.news: list[tuple[Order, str]] = []
        self.apart: dict[Slot, int] = {}
        self._state = state

    def refuse(self, order: Order, error: str, now: int) -> None:
        """The exchange did not take it."""
        apply(order, Ended(Finished.REFUSED, error), now)
        if errors.is_post_only(error):
            self.block_price(order, order.price, now)
        self.news.append((order, error))
        self._state.registry.note(order)

    def take_apart(self, order: Order, error: str, now: int) -> None:
        """Its batch was refused whole, perhaps for another: it is placed again at once, and alone."""
        apply(order, Ended(Finished.REFUSED, error), now)
        self._state.tell("warning", "refused", f"a batch on {order.symbol} was refused whole: {error}; one by one now")
        self.apart = {slot: until for slot, until in self.apart.items() if until > now}
        self.apart[order.strategy, order.symbol, order.slot] = now + int(limits.BATCH_APART_S * SECOND)
        self._state.registry.note(order)

    def is_apart(self, slot: Slot, now: int) -> bool:
        """True while a slot is placed alone."""
        return self.apart.get(slot, 0) > now

    def block_price(self, order: Order, price: int, now: int) -> None:
        """The price that it was to have waits."""
        self.prices[order.symbol, order.side] = (price, now + int(limits.REFUSED_PRICE_S * SECOND))
