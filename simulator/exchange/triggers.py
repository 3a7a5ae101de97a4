"""Orders that wait outside the book until the last trade reaches their trigger: stops and trailing stops."""

from __future__ import annotations

from simulator.exchange.orders import Order
from simulator.exchange.state import State
from simulator.ws_v2 import reports


def reached(order: Order, last: int) -> bool:
    """True if the last trade (ticks) reached the order's trigger: stops run with the price, profits against it."""
    assert order.trigger is not None
    up = (order.side == "buy") != order.kind.startswith("take-profit")
    return last >= order.trigger if up else last <= order.trigger


def follow(order: Order, best: int) -> None:
    """Put the trigger of a trailing stop, and the limit that goes with it, behind the best price."""
    trail, sign = order.terms.trail, -1 if order.side == "sell" else 1
    assert trail is not None
    order.peak = best
    order.trigger = max(order.pair.tick, best + sign * abs(trail.ticks(order.pair, best)))
    if order.terms.offset is not None:
        order.price = max(order.pair.tick, order.trigger + order.terms.offset.ticks(order.pair, order.trigger))


class Triggers:
    """The orders that wait; ``waiting`` holds them by symbol and number."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.waiting: dict[str, dict[int, Order]] = {}

    def hold(self, order: Order) -> None:
        """Let an order wait."""
        self.waiting.setdefault(order.pair.symbol, {})[order.number] = order

    def forget(self, order: Order) -> None:
        """Let an order wait no longer, if it did."""
        pending = self.waiting.get(order.pair.symbol)
        if pending is not None:
            pending.pop(order.number, None)
            if not pending:
                del self.waiting[order.pair.symbol]

    def trail(self, now: int) -> None:
        """Move the triggers of trailing stops that the last trade has left further behind."""
        for symbol, pending in self.waiting.items():
            last = self._state.venues[symbol].last_price
            for order in pending.values():
                better = last > order.peak if order.side == "sell" else last < order.peak
                if order.terms.trail is not None and better:
                    follow(order, last)
                    self._state.journal.orders[order.number] = order
                    self._state.report(order, "status", reports.trailed(order, now))

    def due(self) -> list[Order]:
        """Return the orders whose trigger is reached."""
        return [
            order
            for symbol, pending in self.waiting.items()
            for order in pending.values()
            if reached(order, self._state.venues[symbol].last_price)
        ]
