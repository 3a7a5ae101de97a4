"""Orders as they come: checked in Kraken's order, put down, and sent to the book at once or at their start."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from simulator import errors
from simulator.errors import KrakenError, invalid
from simulator.exchange.engine import Event
from simulator.exchange.limits import ADD
from simulator.exchange.orders import OPEN, Account, Order, OrderRequest, Price
from simulator.exchange.terms import Terms
from simulator.exchange.triggers import Triggers
from simulator.exchange.validation import (
    PRICE_MAX,
    check_funds,
    check_pair,
    check_size,
    check_system,
    to_lots,
    to_ticks,
)
from simulator.exchange.venue.venue import Venue
from simulator.pairs.pairs import Pair
from simulator.wire import make_id
from simulator.ws_v2 import reports

# Numbers that no order comes to: a serial that nothing was committed with is given again after a restart.
UNUSED_FROM = 10**18

# Lots, and price and trigger in ticks.
Checked = tuple[int, int | None, int | None]


class Placing(Triggers):
    """Accounts that new orders are placed for. Errors are :class:`KrakenError`."""

    def check(
        self, account: Account, request: OrderRequest, now: int, points: float = ADD, but: Order | None = None
    ) -> Checked:
        """Validates in Kraken's order (KRAKEN.md 4.5); returns lots, and price and trigger in ticks.

        ``but`` is an order that this one replaces.
        """
        pair = request.pair
        venue = self.venues[pair.symbol]
        if request.cl_ord_id is not None and request.cl_ord_id in account.by_client:
            raise invalid("cl_ord_id")
        check_system(self.system, request.post_only)
        check_pair(venue.status, request.kind, request.post_only, request.terms.reduce_only)
        price = None if request.price is None else self._ticks(pair, request.price)
        trigger = None if request.trigger is None else self._ticks(pair, request.trigger)
        if request.terms.trail is not None:
            price, trigger = self._behind(request, venue.last_price)
        qty = self._lots(account, venue, request)
        worst = trigger if price is None else price
        check_size(venue, qty, worst)
        at_once = trigger is None and not request.start_ns
        refuses = request.post_only and at_once and self.unconfirmed.post_only_cross == "refused"
        if refuses and self._would_take(pair, request.side, price):
            raise KrakenError(errors.POST_ONLY)
        if request.terms.leverage:
            self.check_margin(account, venue, request.side, qty, worst, request.terms.leverage, but)
        else:
            check_funds(account, venue, request.side, qty, worst, request.post_only, but, waits=not at_once)
        counter = account.counter(pair.symbol)
        if not counter.fits(points, now):
            raise KrakenError(errors.ORDER_RATE_LIMIT)
        if self._open_on(account, pair) - (but is not None) >= account.tier.open_orders:
            raise KrakenError(errors.ORDERS_LIMIT)
        return qty, price, trigger

    def _behind(self, request: OrderRequest, last: int) -> tuple[int | None, int]:
        """Limit and trigger of a trailing stop that begins at the last price."""
        pair, trail, offset = request.pair, request.terms.trail, request.terms.offset
        assert trail is not None
        trigger = last + (-1 if request.side == "sell" else 1) * trail.ticks(pair, last)
        price = None if offset is None else trigger + offset.ticks(pair, trigger)
        if trigger <= 0 or (price is not None and price <= 0):
            raise KrakenError(errors.INVALID_PRICE)
        return price, trigger

    def _ticks(self, pair: Pair, price: Price) -> int:
        """A price in ticks; a distance counts from the last trade."""
        if isinstance(price, Decimal):
            return to_ticks(pair, price, self.unconfirmed.too_many_decimals)
        last = self.venues[pair.symbol].last_price
        ticks = last + price.ticks(pair, last)
        if not 0 < ticks <= PRICE_MAX:
            raise KrakenError(errors.INVALID_PRICE)
        return ticks

    def _lots(self, account: Account, venue: Venue, request: OrderRequest) -> int:
        """The lots of an order: of one in the quote asset what that buys now, of a reduce-only one what is open."""
        cash = request.terms.cash
        qty = to_lots(venue.pair, request.qty) if cash is None else lots_for(venue, cash)
        if request.terms.reduce_only:
            qty = min(qty, self.reducible(account, venue.pair, request.side))
        return qty

    def add(self, account: Account, request: OrderRequest, now: int, points: float = ADD) -> Order:
        """Places an order; it may have traded or ended when this returns. ``points`` is what the counter is charged."""
        try:
            qty, price, trigger = self.check(account, request, now, points)
        except KrakenError:
            self._charge_failed(account, request.pair, points, now)
            raise
        self._charge(account, request.pair, points, now)
        return self._open(account, request, qty, price, trigger, now)

    def _open(
        self, account: Account, request: OrderRequest, qty: int, price: int | None, trigger: int | None, now: int
    ) -> Order:
        order = self._made(account, request, qty, price, trigger, now)
        self._enlist(account, order)
        before = len(self.reports)
        if request.start_ns > now:
            order.status = OPEN[0]
        self._report(order, "pending_new", reports.pending(order, now))
        if not order.scheduled:
            self._go_live(order, now, before)
        return order

    def _made(
        self, account: Account, request: OrderRequest, qty: int, price: int | None, trigger: int | None, now: int
    ) -> Order:
        number = self._next()
        return Order(
            number=number,
            order_id=make_id("O", number, self._salt),
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
            peak=self.venues[request.pair.symbol].last_price if request.terms.trail is not None else 0,
            start_ns=request.start_ns,
        )

    def _go_live(self, order: Order, now: int, before: int) -> None:
        """Sends an order to its book or lets it wait for its trigger; its reports begin at ``before``."""
        crosses = order.post_only and not order.waits and self._would_take(order.pair, order.side, order.price)
        if not crosses or self.unconfirmed.new_of_crossing_post_only:
            self._report(order, "new", reports.live(order, now))
        announced = len(self.reports)
        self.place(order, now)
        if order.status == "filled" and self.unconfirmed.taken_at_once == "unannounced":
            del self.reports[before:announced]

    def begin(self, order: Order, now: int) -> None:
        """The start of a scheduled order has come."""
        order.status = OPEN[1]
        self.journal.orders[order.number] = order
        venue, terms = self.venues[order.pair.symbol], order.terms
        if terms.cash is not None:
            order.qty = max(1, lots_for(venue, terms.cash))
        if order.price is None and order.trigger is None and not terms.leverage:
            try:
                check_funds(self.accounts[order.account], venue, order.side, order.qty, None, False, order)
            except KrakenError:
                self._finish(order, "canceled", "Out of funds", now)
                return
        self._go_live(order, now, len(self.reports))

    def settle_by_order(self, account: Account, request: OrderRequest, now: int) -> Order:
        """Settles a margin position (``settle-position``): an order that is filled at once, without a trade."""
        check_system(self.system, False)
        pair = request.pair
        lots = to_lots(pair, request.qty) if request.qty else 0
        settled = self.settle_position(account, pair, request.side, lots, now)
        self._charge(account, pair, ADD, now)
        order = self._made(account, replace(request, tif="gtc"), settled, None, None, now)
        self._enlist(account, order)
        self._report(order, "pending_new", reports.pending(order, now))
        self._report(order, "new", reports.live(order, now))
        order.filled = settled
        self._finish(order, "filled", "", now)
        self.drop_reducers(now)
        return order

    def unused_id(self) -> str:
        """An order id that no order has or gets."""
        return make_id("O", UNUSED_FROM + self._next(), self._salt)

    def _fee_preference(self, side: str) -> str:
        return "fcib" if side == "sell" and self.unconfirmed.fee_preference == "by_side" else "fciq"

    def _would_take(self, pair: Pair, side: str, price: int | None) -> bool:
        bid, ask = self.venues[pair.symbol].touch()
        if price is None:
            return True
        return ask is not None and price >= ask if side == "buy" else bid is not None and price <= bid

    def settle(self, events: list[Event], now: int) -> None:
        """Books the events of a venue; fills of orders with a conditional close place it."""
        super().settle(events, now)
        while self.closing:
            order, lots = self.closing.pop(0)
            self._place_close(order, lots, now)
        if self.reduced:
            self.drop_reducers(now)

    def _place_close(self, order: Order, lots: int, now: int) -> None:
        close, pair = order.terms.close, order.pair
        assert close is not None
        side = "sell" if order.side == "buy" else "buy"
        qty = Decimal(lots).scaleb(-pair.qty_precision)
        terms = Terms(leverage=order.terms.leverage)
        request = OrderRequest(pair, side, close.kind, qty, userref=order.userref, fee_pref=order.fee_pref, terms=terms)
        account, venue = self.accounts[order.account], self.venues[pair.symbol]
        worst = close.trigger if close.price is None else close.price
        try:
            if terms.leverage:
                self.check_margin(account, venue, side, lots, worst, terms.leverage, None)
            else:
                check_funds(account, venue, side, lots, worst, False, waits=close.trigger is not None)
        except KrakenError:
            return
        self._open(account, request, lots, close.price, close.trigger, now)


def lots_for(venue: Venue, cash: Decimal) -> int:
    """The lots that an amount of the quote asset buys at market now, without fees."""
    pair = venue.pair
    left, lots = int(cash.scaleb(pair.price_precision + pair.qty_precision)), 0
    for price, qty in venue.engine.levels("sell", 1000):
        part = min(qty, left // price)
        lots += part
        left -= part * price
        if part < qty:
            break
    return lots
