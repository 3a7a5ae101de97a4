"""Stop-loss and take-profit orders: they wait outside the book until the last trade reaches their trigger."""

from __future__ import annotations

from typing import Any

from simulator import reports
from simulator.accounts import Accounts
from simulator.engine import Event
from simulator.errors import KrakenError
from simulator.orders import Order
from simulator.validation import check_funds

TRIGGERED_KINDS = ("stop-loss", "take-profit", "stop-loss-limit", "take-profit-limit")


def reached(order: Order, last: int) -> bool:
    """Has the last trade (ticks) reached the order's trigger: stops run with the price, profits against it."""
    assert order.trigger is not None
    up = (order.side == "buy") == order.kind.startswith("stop-loss")
    return last >= order.trigger if up else last <= order.trigger


class Triggers(Accounts):
    """Accounts with orders that wait: ``waiting`` holds them by symbol and number."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.waiting: dict[str, dict[int, Order]] = {}
        self._watching = False

    def settle(self, events: list[Event], now: int) -> None:
        """Books the events of a venue; their trades may release waiting orders."""
        super().settle(events, now)
        if self.waiting and any(event[0] == "trade" for event in events):
            self.watch(now)

    def watch(self, now: int) -> None:
        """Releases every order whose trigger is reached, and those that this in turn releases."""
        if self._watching:
            return
        self._watching = True
        try:
            while due := self._due():
                for order in due:
                    if order.number in self.orders:
                        self._release(order, now)
        finally:
            self._watching = False

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
        return venue.submit(
            order.number, order.account, order.side, order.price, order.remaining, now, tif, order.post_only, order.stp
        )

    def _release(self, order: Order, now: int) -> None:
        self._forget(order)
        order.triggered = True
        self.journal.orders[order.number] = order
        venue = self.venues[order.pair.symbol]
        status = self.unconfirmed.triggered_status
        self._report(order, "status", reports.triggered(order, venue.last_price, now, status))
        if order.price is None:
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
