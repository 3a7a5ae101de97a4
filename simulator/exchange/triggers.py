"""Orders that are not in the book as they came: stops and trailing stops wait outside it, icebergs show a part."""

from __future__ import annotations

from typing import Any

from simulator.errors import KrakenError
from simulator.exchange.engine import Event
from simulator.exchange.margin import Margin
from simulator.exchange.orders import Order
from simulator.exchange.validation import check_funds
from simulator.ws_v2 import reports


def reached(order: Order, last: int) -> bool:
    """Has the last trade (ticks) reached the order's trigger: stops run with the price, profits against it."""
    assert order.trigger is not None
    up = (order.side == "buy") != order.kind.startswith("take-profit")
    return last >= order.trigger if up else last <= order.trigger


def follow(order: Order, best: int) -> None:
    """Puts the trigger of a trailing stop, and the limit that goes with it, behind the best price."""
    trail, sign = order.terms.trail, -1 if order.side == "sell" else 1
    assert trail is not None
    order.peak = best
    order.trigger = max(order.pair.tick, best + sign * abs(trail.ticks(order.pair, best)))
    if order.terms.offset is not None:
        order.price = max(order.pair.tick, order.trigger + order.terms.offset.ticks(order.pair, order.trigger))


class Triggers(Margin):
    """Accounts with orders that wait: ``waiting`` holds them by symbol and number."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.waiting: dict[str, dict[int, Order]] = {}
        self._watching = False

    def settle(self, events: list[Event], now: int) -> None:
        """Books the events of a venue; their trades may release waiting orders."""
        super().settle(events, now)
        for number in {number for event in events if event[0] == "trade" for number in event[1:3]}:
            order = self.orders.get(number)
            if order is not None and order.terms.display:
                self._refill(order, now)
        if self.waiting and any(event[0] == "trade" for event in events):
            self.watch(now)

    def watch(self, now: int) -> None:
        """Releases every order whose trigger is reached, and those that this in turn releases."""
        if self._watching:
            return
        self._watching = True
        try:
            self._trail(now)
            while due := self._due():
                for order in due:
                    if order.number in self.orders:
                        self._release(order, now)
        finally:
            self._watching = False

    def _trail(self, now: int) -> None:
        """Moves the triggers of trailing stops that the last trade has left further behind."""
        for symbol, pending in self.waiting.items():
            last = self.venues[symbol].last_price
            for order in pending.values():
                better = last > order.peak if order.side == "sell" else last < order.peak
                if order.terms.trail is not None and better:
                    follow(order, last)
                    self.journal.orders[order.number] = order
                    self._report(order, "status", reports.trailed(order, now))

    def _due(self) -> list[Order]:
        return [
            order
            for symbol, pending in self.waiting.items()
            for order in pending.values()
            if reached(order, self.venues[symbol].last_price)
        ]

    def place(self, order: Order, now: int) -> None:
        """Sends an order to its book, or lets it wait for its trigger."""
        if order.trigger is not None and not order.triggered:
            self.waiting.setdefault(order.pair.symbol, {})[order.number] = order
            self.watch(now)
            return
        self.settle(self._submit(order, now), now)

    def _submit(self, order: Order, now: int) -> list[Event]:
        tif = order.tif if order.tif in ("ioc", "fok") else "gtc"
        venue = self.venues[order.pair.symbol]
        qty = order.visible_lots = min(order.terms.display or order.remaining, order.remaining)
        return venue.submit(
            order.number, order.account, order.side, order.price, qty, now, tif, order.post_only, order.stp
        )

    def _refill(self, order: Order, now: int) -> None:
        """Shows the next part of an iceberg, behind all that stands at its price, when the last one is gone."""
        resting = self.venues[order.pair.symbol].engine.order(order.number)
        if resting is not None:
            order.visible_lots = resting[3]
            return
        events = self._submit(order, now)
        self._report(order, "iceberg_refill", reports.refilled(order, now))
        self.settle(events, now)

    def _release(self, order: Order, now: int) -> None:
        self._forget(order)
        order.triggered = True
        self.journal.orders[order.number] = order
        venue = self.venues[order.pair.symbol]
        status = self.unconfirmed.triggered_status
        self._report(order, "status", reports.triggered(order, venue.last_price, now, status))
        if order.price is None and not order.terms.leverage:
            try:
                check_funds(self.accounts[order.account], venue, order.side, order.remaining, None, False, order)
            except KrakenError:
                self._finish(order, "canceled", "Out of funds", now)
                return
        self.settle(self._submit(order, now), now)

    def _forget(self, order: Order) -> None:
        pending = self.waiting.get(order.pair.symbol)
        if pending is not None:
            pending.pop(order.number, None)
            if not pending:
                del self.waiting[order.pair.symbol]

    def _finish(self, order: Order, status: str, reason: str, now: int) -> None:
        self._forget(order)
        super()._finish(order, status, reason, now)
