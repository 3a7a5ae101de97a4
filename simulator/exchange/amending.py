"""Changes to open orders: amends in place, and edits, which replace (KRAKEN.md 3.4 and 5.2)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from simulator import errors
from simulator.errors import KrakenError, invalid
from simulator.exchange.accounts.margin import Margin
from simulator.exchange.engine import Event, resting_order
from simulator.exchange.lifecycle import Lifecycle
from simulator.exchange.limits import ADD, AMEND, amend_penalty, cancel_penalty, edit_penalty
from simulator.exchange.orders import Account, Amendment, Order, OrderRequest, Price
from simulator.exchange.placing import Placing
from simulator.exchange.state import State, SystemStatus
from simulator.exchange.terms import PLAIN
from simulator.exchange.validation import check_funds, check_pair, check_size, check_system, to_lots
from simulator.ws_v2 import reports

REPLACED = "Order replaced"


class Amend(NamedTuple):
    """An amend as checked: the new total in lots, price and trigger in ticks, and the points that it costs."""

    qty: int
    price: int | None
    trigger: int | None
    post_only: bool
    # True if the new total is filled already: the order ends.
    ends: bool
    points: float


class Amending:
    """Amend and replace open orders. Errors are :class:`KrakenError`."""

    def __init__(self, state: State, margin: Margin, placing: Placing, lifecycle: Lifecycle) -> None:
        self._state = state
        self._margin = margin
        self._placing = placing
        self._lifecycle = lifecycle

    def edit(self, account: Account, order: Order, request: OrderRequest, now: int) -> Order:
        """Replace an open order by a new one: a cancel and an add, for the legacy penalty (KRAKEN.md 5.2)."""
        points = ADD + edit_penalty(now - order.touched_ns)
        try:
            if order.triggered or order.cl_ord_id is not None or order.terms != PLAIN:
                raise KrakenError(errors.INVALID_ORDER)
            qty, price, trigger = self._placing.check(account, request, now, points, order)
        except KrakenError:
            self._state.charge_failed(account, order.pair, ADD, now)
            raise
        self._state.charge(account, order.pair, points, now)
        self._lifecycle.pull(order, "canceled", REPLACED, now)
        return self._lifecycle.open(account, request, qty, price, trigger, now)

    def amend(
        self,
        account: Account,
        order: Order,
        qty: Decimal | None,
        price: Price | None,
        post_only: bool,
        now: int,
        trigger: Price | None = None,
    ) -> str:
        """Amend an open order in place; ``qty`` is the new total. Return the amend id."""
        state, pair = self._state, order.pair
        # In post_only mode an order stays post-only even where the request does not say so.
        keeps = state.system == SystemStatus.POST_ONLY or state.unconfirmed.amend_of_post_only == "refused"
        post_only = post_only or (order.post_only and keeps)
        try:
            amend = self._check(account, order, qty, price, trigger, post_only, now)
        except KrakenError:
            state.charge_failed(account, pair, AMEND, now)
            raise
        state.charge(account, pair, amend.points, now)
        events = self._change_book(order, amend, now)
        if any(event[0] == "refused" for event in events):
            raise KrakenError(errors.POST_ONLY)
        amend_id = state.make_id("T")
        if not amend.ends:
            self._change_order(order, amend, amend_id, now)
            if trigger is not None and order.terms.distance is not None:
                order.terms = replace(order.terms, distance=None)
            state.report(order, "amended", reports.amended(order, now))
        self._lifecycle.settle(events, now)
        if self._lifecycle.triggers.waiting:
            self._lifecycle.watch(now)
        return amend_id

    def _check(
        self,
        account: Account,
        order: Order,
        qty: Decimal | None,
        price: Price | None,
        trigger: Price | None,
        post_only: bool,
        now: int,
    ) -> Amend:
        pair, venue = order.pair, self._state.venues[order.pair.symbol]
        check_system(self._state.system, order.post_only or post_only)
        check_pair(venue.status, order.kind, order.post_only or post_only)
        if (qty is None and price is None and trigger is None) or (price is not None and order.price is None):
            raise KrakenError(errors.INVALID_ARGUMENTS)
        if order.terms.close is not None:
            raise KrakenError(errors.INVALID_ORDER)
        if trigger is not None and (not order.waits or order.terms.trail is not None):
            raise invalid("trigger_price")
        new_price = order.price if price is None else self._placing.ticks(pair, price)
        new_trigger = order.trigger if trigger is None else self._placing.ticks(pair, trigger)
        new_qty = order.qty if qty is None else to_lots(pair, qty)
        ends = new_qty <= order.filled
        if not ends:
            worst = new_trigger if new_price is None else new_price
            check_size(venue, new_qty, worst)
            left, waits = new_qty - order.filled, order.waits
            if order.terms.leverage:
                self._margin.check(account, venue, order.side, left, worst, order.terms.leverage, order)
            else:
                check_funds(account, venue, order.side, left, worst, post_only, order, waits=waits)
        points = AMEND + (cancel_penalty if ends else amend_penalty)(now - order.touched_ns)
        if not account.counter(pair.symbol).fits(points, now):
            raise KrakenError(errors.ORDER_RATE_LIMIT)
        return Amend(new_qty, new_price, new_trigger, post_only, ends, points)

    def _change_book(self, order: Order, amend: Amend, now: int) -> list[Event]:
        """Change what stands in the book, if anything does; what waits or shows its last part leaves it instead."""
        venue = self._state.venues[order.pair.symbol]
        moved = None if amend.price == order.price else amend.price
        sized = None if amend.qty == order.qty else amend.qty
        if order.terms.display and sized is not None:
            sized = self._shown_total(order, amend.qty)
        if order.waits or (amend.ends and order.terms.display):
            return venue.cancel(order.number, now)
        return venue.amend(order.number, order.side, moved, sized, now, amend.post_only)

    def _change_order(self, order: Order, amend: Amend, amend_id: str, now: int) -> None:
        """Change the order itself, and keep what it was and what it is now for ``OrderAmends``."""
        journal = self._state.journal
        if not order.amended:
            journal.amends.append(
                Amendment(self._state.make_id("T"), order.order_id, "original", order.qty, order.remaining,
                          order.price, order.trigger, order.post_only, order.opened_ns)
            )  # fmt: skip
        order.qty, order.price, order.trigger = amend.qty, amend.price, amend.trigger
        order.touched_ns, order.amended = now, True
        journal.amends.append(
            Amendment(amend_id, order.order_id, "user", amend.qty, order.remaining, amend.price, amend.trigger,
                      order.post_only or amend.post_only, now)
        )  # fmt: skip
        journal.orders[order.number] = order

    def _shown_total(self, order: Order, qty: int) -> int | None:
        """Return the total that the engine's part of an iceberg gets when all of it becomes ``qty``; None as it is."""
        resting = resting_order(self._state.venues[order.pair.symbol].engine, order.number)
        if resting is None or qty - order.filled >= resting.remaining:
            return None
        return resting.filled + qty - order.filled
