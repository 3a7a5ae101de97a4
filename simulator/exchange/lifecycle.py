"""An order's life after it was accepted: into the book or waiting, filled, refilled, reduced, ended.

One event leads to others: a trade releases stops, whose trades fill other orders, which place conditional closes. All
of them begin and end here.
"""

from __future__ import annotations

from decimal import Decimal

from simulator.errors import KrakenError
from simulator.exchange.accounts.fills import Fills
from simulator.exchange.accounts.margin import CLOSED, Margin
from simulator.exchange.engine import Event, Side, opposite, resting_order
from simulator.exchange.orders import NEW, PENDING_NEW, Account, Order, OrderRequest
from simulator.exchange.state import State
from simulator.exchange.terms import Terms
from simulator.exchange.triggers import Triggers
from simulator.exchange.validation import check_funds, lots_for, would_take
from simulator.ws_v2 import reports

USER = "User requested"
# Kraken's texts for the reasons of the engine.
REASONS = {
    "post_only": "Post only order",
    "ioc": "Immediate or cancel",
    "fok": "Fill or kill",
    "stp": "Self trade prevention",
    "market": "Market price protection",
    "reduced": USER,
    "user": USER,
}


class Lifecycle:
    """Move orders from one state to the next, and book what happens on the way."""

    def __init__(self, state: State, margin: Margin) -> None:
        self._state = state
        self._margin = margin
        self._fills = Fills(state, margin)
        self.triggers = Triggers(state)
        # Fills whose conditional close is to be placed.
        self._closing: list[tuple[Order, int]] = []
        self._watching = False

    def make(
        self, account: Account, request: OrderRequest, qty: int, price: int | None, trigger: int | None, now: int
    ) -> Order:
        """Return a new open order, of lots and ticks, that nobody has heard of yet."""
        state = self._state
        number = state.next_serial()
        order = Order(
            number=number,
            order_id=state.make_id("O", number),
            account=account.index,
            pair=request.pair,
            side=request.side,
            kind=request.kind,
            qty=qty,
            price=price,
            tif="ioc" if request.kind == "market" else request.tif,
            expire_ns=request.expire_ns,
            post_only=request.post_only,
            stp=request.stp,
            cl_ord_id=request.cl_ord_id,
            userref=request.userref,
            fee_pref=request.fee_pref or self._fee_preference(request.side),
            opened_ns=now,
            touched_ns=now,
            trigger=trigger,
            terms=request.terms,
            peak=state.venues[request.pair.symbol].last_price if request.terms.trail is not None else 0,
            start_ns=request.start_ns,
        )
        state.enlist(order)
        return order

    def open(
        self, account: Account, request: OrderRequest, qty: int, price: int | None, trigger: int | None, now: int
    ) -> Order:
        """Open an order of lots and ticks that was checked; it may have traded or ended when this returns."""
        order = self.make(account, request, qty, price, trigger, now)
        before = len(self._state.reports)
        if request.start_ns > now:
            order.status = PENDING_NEW
        self._state.report(order, "pending_new", reports.pending(order, now))
        if not order.scheduled:
            self._go_live(order, now, before)
        return order

    def _go_live(self, order: Order, now: int, before: int) -> None:
        """Send an order to its book or let it wait for its trigger; its reports begin at ``before``."""
        state = self._state
        venue = state.venues[order.pair.symbol]
        crosses = order.post_only and not order.waits and would_take(venue, order.side, order.price)
        if not crosses or state.unconfirmed.new_of_crossing_post_only:
            state.report(order, "new", reports.live(order, now))
        announced = len(state.reports)
        self.place(order, now)
        if order.status == "filled" and state.unconfirmed.taken_at_once == "unannounced":
            del state.reports[before:announced]

    def begin(self, order: Order, now: int) -> None:
        """Start a scheduled order whose time has come."""
        state = self._state
        order.status = NEW
        state.journal.orders[order.number] = order
        venue, terms = state.venues[order.pair.symbol], order.terms
        if terms.cash is not None:
            order.qty = max(1, lots_for(venue, terms.cash))
        if order.price is None and order.trigger is None and not terms.leverage and not self._pays(order, now):
            return
        self._go_live(order, now, len(state.reports))

    def place(self, order: Order, now: int) -> None:
        """Send an order to its book, or let it wait for its trigger."""
        if order.trigger is not None and not order.triggered:
            self.triggers.hold(order)
            self.watch(now)
            return
        self.settle(self._submit(order, now), now)

    def _submit(self, order: Order, now: int) -> list[Event]:
        tif = order.tif if order.tif in ("ioc", "fok") else "gtc"
        venue = self._state.venues[order.pair.symbol]
        qty = order.visible_lots = min(order.terms.display or order.remaining, order.remaining)
        return venue.submit(
            order.number, order.account, order.side, order.price, qty, now, tif, order.post_only, order.stp
        )

    def _fee_preference(self, side: Side) -> str:
        return "fcib" if side == "sell" and self._state.unconfirmed.fee_preference == "by_side" else "fciq"

    def _pays(self, order: Order, now: int) -> bool:
        """True if the account has what a market order takes now; cancels it if not."""
        account, venue = self._state.accounts[order.account], self._state.venues[order.pair.symbol]
        try:
            check_funds(account, venue, order.side, order.remaining, None, False, order)
        except KrakenError:
            self.finish(order, "canceled", "Out of funds", now)
            return False
        return True

    def settle(self, events: list[Event], now: int) -> None:
        """Book what an operation on a venue did to the accounts' orders, and do what follows from it."""
        self._book(events, now)
        traded = [event for event in events if event[0] == "trade"]
        for number in {number for event in traded for number in event[1:3]}:
            order = self._state.orders.get(number)
            if order is not None and order.terms.display:
                self._refill(order, now)
        if self.triggers.waiting and traded:
            self.watch(now)
        while self._closing:
            order, lots = self._closing.pop(0)
            self._place_close(order, lots, now)
        if self._margin.reduced:
            self.drop_reducers(now)

    def _book(self, events: list[Event], now: int) -> None:
        for event in events:
            if event[0] == "trade":
                _, taker, maker, price, qty, _, _, trade_id = event
                for number, is_maker in ((taker, False), (maker, True)):
                    order = self._state.orders.get(number)
                    if order is not None:
                        self.fill(order, price, qty, is_maker, trade_id, now)
            elif event[0] == "cancel":
                _, number, _, reason = event
                order = self._state.orders.get(number)
                if order is not None:
                    self.finish(order, "canceled", REASONS.get(reason, USER), now)

    def fill(self, order: Order, price: int, qty: int, maker: bool, trade_id: int, now: int) -> None:
        """Fill an order at a price (ticks) by so many lots; end it when nothing remains."""
        self._fills.fill(order, price, qty, maker, trade_id, now)
        if order.terms.close is not None:
            self._closing.append((order, qty))
        if not order.remaining:
            self.finish(order, "filled", "", now)

    def _refill(self, order: Order, now: int) -> None:
        """Show the next part of an iceberg, behind all that stands at its price, when the last one is gone."""
        resting = resting_order(self._state.venues[order.pair.symbol].engine, order.number)
        if resting is not None:
            order.visible_lots = resting.remaining
            return
        events = self._submit(order, now)
        self._state.report(order, "iceberg_refill", reports.refilled(order, now))
        self.settle(events, now)

    def watch(self, now: int) -> None:
        """Release every order whose trigger is reached, and those that this in turn releases."""
        if self._watching:
            return
        self._watching = True
        try:
            self.triggers.trail(now)
            while due := self.triggers.due():
                for order in due:
                    if order.number in self._state.orders:
                        self._release(order, now)
        finally:
            self._watching = False

    def _release(self, order: Order, now: int) -> None:
        self.triggers.forget(order)
        order.triggered = True
        state = self._state
        state.journal.orders[order.number] = order
        last = state.venues[order.pair.symbol].last_price
        state.report(order, "status", reports.triggered(order, last, now, state.unconfirmed.triggered_status))
        if order.price is None and not order.terms.leverage and not self._pays(order, now):
            return
        self.settle(self._submit(order, now), now)

    def _place_close(self, order: Order, lots: int, now: int) -> None:
        close, pair = order.terms.close, order.pair
        assert close is not None
        side = opposite(order.side)
        qty = Decimal(lots).scaleb(-pair.qty_precision)
        terms = Terms(leverage=order.terms.leverage)
        request = OrderRequest(pair, side, close.kind, qty, userref=order.userref, fee_pref=order.fee_pref, terms=terms)
        account, venue = self._state.accounts[order.account], self._state.venues[pair.symbol]
        worst = close.trigger if close.price is None else close.price
        try:
            if terms.leverage:
                self._margin.check(account, venue, side, lots, worst, terms.leverage, None)
            else:
                check_funds(account, venue, side, lots, worst, False, waits=close.trigger is not None)
        except KrakenError:
            return
        self.open(account, request, lots, close.price, close.trigger, now)

    def pull(self, order: Order, status: str, reason: str, now: int) -> None:
        """End an open order on the exchange's own account."""
        self._state.venues[order.pair.symbol].cancel(order.number, now)
        self.finish(order, status, reason, now)

    def restate(self, order: Order, qty: int, reason: str, now: int) -> None:
        """Reduce an open order to ``qty`` lots on the exchange's own account."""
        if not order.waits:
            self._state.venues[order.pair.symbol].amend(order.number, order.side, None, qty, now)
        order.qty = qty
        self._state.journal.orders[order.number] = order
        self._state.report(order, "restated", reports.amended(order, now, "restated", reason))

    def finish(self, order: Order, status: str, reason: str, now: int) -> None:
        """End an order that is in no book any more."""
        self.triggers.forget(order)
        self._state.close(order, status, reason, now)

    def drop_reducers(self, now: int) -> None:
        """Cancel reduce-only orders whose position is gone."""
        while self._margin.reduced:
            account = self._state.accounts[self._margin.reduced.pop()]
            for order in self._margin.without_position(account):
                self.pull(order, "canceled", CLOSED, now)

    def restore(self, order: Order, now: int) -> None:
        """Put an open order of an earlier run back into the book."""
        state = self._state
        state.enlist(order)
        state.journal.orders.pop(order.number, None)
        venue = state.listed(order.pair)
        if venue is None or venue.pair.price_precision != order.pair.price_precision:
            self.finish(order, "canceled", "Pair changed", now)
            return
        if not order.scheduled:
            self.place(order, now)
