"""New orders: checked in Kraken's order (KRAKEN.md 4.5), then opened."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from simulator import errors
from simulator.errors import KrakenError, invalid
from simulator.exchange.accounts.margin import Margin
from simulator.exchange.lifecycle import Lifecycle
from simulator.exchange.limits import ADD
from simulator.exchange.orders import Account, Order, OrderRequest, Price
from simulator.exchange.state import State
from simulator.exchange.validation import (
    PRICE_MAX,
    check_funds,
    check_pair,
    check_size,
    check_system,
    lots_for,
    to_lots,
    to_ticks,
    would_take,
)
from simulator.exchange.venue.venue import Venue
from simulator.pairs.pairs import Pair
from simulator.ws_v2 import reports

# No order gets these numbers. A serial would not do: one that no commit has used is given again after a restart.
UNUSED_FROM = 10**18

# Lots, and price and trigger in ticks.
Checked = tuple[int, int | None, int | None]


class Placing:
    """Check and place new orders. Errors are :class:`KrakenError`."""

    def __init__(self, state: State, margin: Margin, lifecycle: Lifecycle) -> None:
        self._state = state
        self._margin = margin
        self._lifecycle = lifecycle

    def check(
        self, account: Account, request: OrderRequest, now: int, points: float = ADD, replacing: Order | None = None
    ) -> Checked:
        """Validate in Kraken's order (KRAKEN.md 4.5); return lots, and price and trigger in ticks.

        ``replacing`` is an order that this one replaces.
        """
        pair = request.pair
        venue = self._state.venues[pair.symbol]
        if request.cl_ord_id is not None and request.cl_ord_id in account.by_client:
            raise invalid("cl_ord_id")
        check_system(self._state.system, request.post_only)
        check_pair(venue.status, request.kind, request.post_only, request.terms.reduce_only)
        price = None if request.price is None else self.ticks(pair, request.price)
        trigger = None if request.trigger is None else self.ticks(pair, request.trigger)
        if request.terms.trail is not None:
            price, trigger = self._behind(request, venue.last_price)
        qty = self.lots(account, venue, request)
        worst = trigger if price is None else price
        check_size(venue, qty, worst)
        at_once = trigger is None and not request.start_ns
        refuses = request.post_only and at_once and self._state.unconfirmed.post_only_cross == "refused"
        if refuses and would_take(venue, request.side, price):
            raise KrakenError(errors.POST_ONLY)
        if request.terms.leverage:
            self._margin.check(account, venue, request.side, qty, worst, request.terms.leverage, replacing)
        else:
            check_funds(account, venue, request.side, qty, worst, request.post_only, replacing, waits=not at_once)
        counter = account.counter(pair.symbol)
        if not counter.fits(points, now):
            raise KrakenError(errors.ORDER_RATE_LIMIT)
        if self._state.open_on(account, pair) - (replacing is not None) >= account.tier.open_orders:
            raise KrakenError(errors.ORDERS_LIMIT)
        return qty, price, trigger

    def _behind(self, request: OrderRequest, last: int) -> tuple[int | None, int]:
        """Return limit and trigger of a trailing stop that begins at the last price."""
        pair, trail, offset = request.pair, request.terms.trail, request.terms.offset
        assert trail is not None
        trigger = last + (-1 if request.side == "sell" else 1) * trail.ticks(pair, last)
        price = None if offset is None else trigger + offset.ticks(pair, trigger)
        if trigger <= 0 or (price is not None and price <= 0):
            raise KrakenError(errors.INVALID_PRICE)
        return price, trigger

    def ticks(self, pair: Pair, price: Price) -> int:
        """Return a price in ticks; a distance counts from the last trade."""
        if isinstance(price, Decimal):
            return to_ticks(pair, price, self._state.unconfirmed.too_many_decimals)
        last = self._state.venues[pair.symbol].last_price
        ticks = last + price.ticks(pair, last)
        if not 0 < ticks <= PRICE_MAX:
            raise KrakenError(errors.INVALID_PRICE)
        return ticks

    def lots(self, account: Account, venue: Venue, request: OrderRequest) -> int:
        """Return the lots of an order: what an order in the quote asset buys now, what a reduce-only one closes."""
        cash = request.terms.cash
        qty = to_lots(venue.pair, request.qty) if cash is None else lots_for(venue, cash)
        if request.terms.reduce_only:
            qty = min(qty, self._margin.reducible(account, venue.pair, request.side))
        return qty

    def add(self, account: Account, request: OrderRequest, now: int, points: float = ADD) -> Order:
        """Place an order; it may have traded or ended when this returns. ``points`` is what the counter is charged."""
        try:
            qty, price, trigger = self.check(account, request, now, points)
        except KrakenError:
            self._state.charge_failed(account, request.pair, points, now)
            raise
        self._state.charge(account, request.pair, points, now)
        return self._lifecycle.open(account, request, qty, price, trigger, now)

    def settle_by_order(self, account: Account, request: OrderRequest, now: int) -> Order:
        """Settle a margin position (``settle-position``): an order that is filled at once, without a trade."""
        check_system(self._state.system, False)
        pair = request.pair
        lots = to_lots(pair, request.qty) if request.qty else 0
        settled = self._margin.settle_position(account, pair, request.side, lots, now)
        self._state.charge(account, pair, ADD, now)
        order = self._lifecycle.make(account, replace(request, tif="gtc"), settled, None, None, now)
        self._state.report(order, "pending_new", reports.pending(order, now))
        self._state.report(order, "new", reports.live(order, now))
        order.filled = settled
        self._lifecycle.finish(order, "filled", "", now)
        self._lifecycle.drop_reducers(now)
        return order

    def unused_id(self) -> str:
        """Return an order id that no order has or gets."""
        return self._state.make_id("O", UNUSED_FROM + self._state.next_serial())
