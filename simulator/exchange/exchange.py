"""The exchange: what accounts ask of it, and the dead man's switch. No socket, no clock.

Every call is told the time (ns since the epoch). What is done with the answers is in ``accounts.py``.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from simulator import errors
from simulator.errors import KrakenError, invalid
from simulator.exchange.accounts import USER
from simulator.exchange.limits import ADD, AMEND, amend_penalty, cancel_penalty, edit_penalty
from simulator.exchange.orders import Account, Amendment, Order, OrderRequest, Price
from simulator.exchange.placing import Checked, Placing
from simulator.exchange.terms import PLAIN
from simulator.exchange.validation import check_funds, check_pair, check_size, check_system, needs, to_lots
from simulator.wire import NS, make_id
from simulator.ws_v2 import reports
from simulator.ws_v2.order_arguments import SETTLE

REPLACED = "Order replaced"
SWITCH_REASON = "CancelAllOrdersAfter Timeout"
SWITCH_MAX_S = 86_400


class Exchange(Placing):
    """Accounts trading on venues.

    ``lag`` draws how far behind (ns) the histories show a fill, ``unconfirmed`` decides what is not known of Kraken.
    Errors are :class:`KrakenError`.
    """

    def edit(self, account: Account, order: Order, request: OrderRequest, now: int) -> Order:
        """Replaces an open order by a new one: a cancel and an add, for the legacy penalty (KRAKEN.md 5.2)."""
        points = ADD + edit_penalty(now - order.touched_ns)
        try:
            if order.triggered or order.cl_ord_id is not None or order.terms != PLAIN:
                raise KrakenError(errors.INVALID_ORDER)
            qty, price, trigger = self.check(account, request, now, points, order)
        except KrakenError:
            self._charge_failed(account, order.pair, ADD, now)
            raise
        self._charge(account, order.pair, points, now)
        self.pull(order, "canceled", REPLACED, now)
        return self._open(account, request, qty, price, trigger, now)

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
        """Amends an open order in place; ``qty`` is the new total. Returns the amend id."""
        pair = order.pair
        venue = self.venues[pair.symbol]
        # While nothing is matched a post-only order takes nothing, whatever the request leaves out.
        keeps = self.system == "post_only" or self.unconfirmed.amend_of_post_only == "refused"
        post_only = post_only or (order.post_only and keeps)
        points = AMEND + amend_penalty(now - order.touched_ns)
        try:
            check_system(self.system, order.post_only or post_only)
            check_pair(venue.status, order.kind, order.post_only or post_only)
            if (qty is None and price is None and trigger is None) or (price is not None and order.price is None):
                raise KrakenError(errors.INVALID_ARGUMENTS)
            if order.terms.close is not None:
                raise KrakenError(errors.INVALID_ORDER)
            if trigger is not None and (not order.waits or order.terms.trail is not None):
                raise invalid("trigger_price")
            new_price = order.price if price is None else self._ticks(pair, price)
            new_trigger = order.trigger if trigger is None else self._ticks(pair, trigger)
            new_qty = order.qty if qty is None else to_lots(pair, qty)
            ends = new_qty <= order.filled
            if ends:
                points = AMEND + cancel_penalty(now - order.touched_ns)
            else:
                worst = new_trigger if new_price is None else new_price
                check_size(venue, new_qty, worst)
                left, waits = new_qty - order.filled, order.waits
                if order.terms.leverage:
                    self.check_margin(account, venue, order.side, left, worst, order.terms.leverage, order)
                else:
                    check_funds(account, venue, order.side, left, worst, post_only, order, waits=waits)
            if not account.counter(pair.symbol).fits(points, now):
                raise KrakenError(errors.ORDER_RATE_LIMIT)
        except KrakenError:
            self._charge_failed(account, pair, AMEND, now)
            raise
        self._charge(account, pair, points, now)
        moved = None if new_price == order.price else new_price
        sized = None if new_qty == order.qty else new_qty
        if order.terms.display and sized is not None:
            sized = self._shown_total(order, new_qty)
        if order.waits or (ends and order.terms.display):
            events = venue.cancel(order.number, now)
        else:
            events = venue.amend(order.number, order.side, moved, sized, now, post_only)
        if any(event[0] == "refused" for event in events):
            raise KrakenError(errors.POST_ONLY)
        amend_id = make_id("T", self._next(), self._salt)
        if not ends:
            first = Amendment("", order.order_id, "original", order.qty, order.remaining, order.price, order.trigger,
                              order.post_only, order.opened_ns)  # fmt: skip
            if not order.amended:
                self.journal.amends.append(replace(first, amend_id=make_id("T", self._next(), self._salt)))
            order.qty, order.price, order.trigger = new_qty, new_price, new_trigger
            if trigger is not None and order.terms.distance is not None:
                order.terms = replace(order.terms, distance=None)
            order.touched_ns, order.amended = now, True
            self.journal.amends.append(
                Amendment(amend_id, order.order_id, "user", new_qty, order.remaining, new_price, new_trigger,
                          order.post_only or post_only, now)
            )  # fmt: skip
            self.journal.orders[order.number] = order
            self._report(order, "amended", reports.amended(order, now))
        self.settle(events, now)
        if self.waiting:
            self.watch(now)
        return amend_id

    def _shown_total(self, order: Order, qty: int) -> int | None:
        """The total that the engine's part of an iceberg gets when all of it becomes ``qty``; None as it is."""
        resting = self.venues[order.pair.symbol].engine.order(order.number)
        if resting is None or qty - order.filled >= resting[3]:
            return None
        return resting[4] + qty - order.filled

    def cancel(self, account: Account, order: Order, now: int, *, forced: bool = False) -> None:
        """Cancels an open order for its owner; ``forced`` is accepted whatever the counter says."""
        if self.system == "maintenance":
            raise KrakenError(errors.UNAVAILABLE)
        points = cancel_penalty(now - order.touched_ns)
        counter = account.counter(order.pair.symbol)
        refuses = self.unconfirmed.cancel_over_rate == "refused"
        if refuses and not forced and not counter.fits(points, now):
            raise KrakenError(errors.ORDER_RATE_LIMIT)
        self._charge(account, order.pair, points, now)
        self.pull(order, "canceled", USER, now)

    def batch_add(
        self, account: Account, wanted: list[OrderRequest], now: int, *, only_check: bool = False
    ) -> list[Order | KrakenError | Checked]:
        """Places 2 to 15 orders of one pair: refused whole when one is malformed, one by one by the engine at most.

        Costs half a point an order. With ``only_check`` nothing is placed and each result is what :meth:`check` gives.
        """
        pair = wanted[0].pair
        points = ADD / 2
        names = [request.cl_ord_id for request in wanted if request.cl_ord_id is not None]
        try:
            if any(request.kind == SETTLE for request in wanted):
                raise invalid("ordertype")
            check_system(self.system, all(request.post_only for request in wanted))
            for request in wanted:
                check_pair(self.venues[pair.symbol].status, request.kind, request.post_only, request.terms.reduce_only)
            if len(set(names)) != len(names) or any(name in account.by_client for name in names):
                raise invalid("cl_ord_id")
            for request in wanted:
                worst = request.trigger if request.price is None else request.price
                price = None if worst is None else self._ticks(pair, worst)
                venue = self.venues[pair.symbol]
                check_size(venue, self._lots(account, venue, request), price)
            if not account.counter(pair.symbol).fits(points * len(wanted), now):
                raise KrakenError(errors.ORDER_RATE_LIMIT)
            if self.unconfirmed.batch_add_failure == "whole":
                self._check_together(account, wanted, now, points)
        except KrakenError:
            self._charge_failed(account, pair, points * len(wanted), now)
            raise
        results: list[Order | KrakenError | Checked] = []
        for request in wanted:
            try:
                if only_check:
                    results.append(self.check(account, request, now))
                else:
                    results.append(self.add(account, request, now, points))
            except KrakenError as error:
                results.append(error)
        return results

    def _check_together(self, account: Account, wanted: list[OrderRequest], now: int, points: float) -> None:
        """Can all of a batch's orders be placed beside each other."""
        pair = wanted[0].pair
        spent: dict[str, int] = {}
        for request in wanted:
            qty, price, trigger = self.check(account, request, now, points)
            if request.terms.leverage:
                continue
            worst = trigger if price is None else price
            waits = trigger is not None
            asset, needed = needs(account, self.venues[pair.symbol], request.side, qty, worst, request.post_only, waits)
            spent[asset] = spent.get(asset, 0) + needed
            if spent[asset] > account.free(asset):
                raise KrakenError(errors.INSUFFICIENT_FUNDS)
        if self._open_on(account, pair) + len(wanted) > account.tier.open_orders:
            raise KrakenError(errors.ORDERS_LIMIT)

    def batch_cancel(self, account: Account, orders: list[str], clients: list[str], now: int) -> int:
        """Cancels by order id, userref or client id whatever the counter says, charging it; returns the count."""
        if self.system == "maintenance":
            raise KrakenError(errors.UNAVAILABLE)
        named: list[list[Order]] = []
        for text in orders:
            named.append([account.orders[text]] if text in account.orders else account.of_userref(text))
        named += [[account.by_client[text]] if text in account.by_client else [] for text in clients]
        if [] in named and self.unconfirmed.batch_cancel_unknown == "refused":
            raise KrakenError(errors.UNKNOWN_ORDER)
        found = {order.number: order for matches in named for order in matches}
        for order in found.values():
            self.cancel(account, order, now, forced=True)
        return len(found)

    def cancel_all(self, account: Account, now: int, reason: str = USER) -> int:
        """Cancels every open order of an account; not in Kraken's table of penalties, so free. Returns the count."""
        if reason == USER and self.system == "maintenance":
            raise KrakenError(errors.UNAVAILABLE)
        found = list(account.orders.values())
        for order in found:
            self.pull(order, "canceled", reason, now)
        return len(found)

    def find(self, account: Account, order_id: str | None = None, cl_ord_id: str | None = None) -> Order:
        """An open order of the account by either id, for what is to be done to it: in maintenance nothing is."""
        if self.system == "maintenance":
            raise KrakenError(errors.UNAVAILABLE)
        found = account.orders.get(order_id) if order_id is not None else None
        if found is None and cl_ord_id is not None:
            found = account.by_client.get(cl_ord_id)
        if found is None:
            raise KrakenError(errors.UNKNOWN_ORDER)
        return found

    # --- time ----------------------------------------------------------------------------------------------------

    def arm(self, account: Account, timeout_s: int, now: int) -> tuple[int, int]:
        """Arms the dead man's switch, 0 disarms; returns current and trigger time in seconds, 0 when off."""
        if not 0 <= timeout_s < SWITCH_MAX_S:
            raise invalid("timeout")
        if self.system == "maintenance" and self.unconfirmed.arm_in_maintenance == "refused":
            raise KrakenError(errors.UNAVAILABLE)
        current = -(-now // NS)
        account.trigger_ns = (current + timeout_s) * NS if timeout_s else 0
        self.journal.accounts.add(account.index)
        return current, current + timeout_s if timeout_s else 0

    def tick(self, now: int) -> None:
        """Fires what is due: switches, the ends of GTD orders, and of volumes that are 30 days old."""
        for account in self.accounts.values():
            account.volume.expire(now)
            if account.trigger_ns and now >= account.trigger_ns and self.system != "maintenance":
                account.trigger_ns = 0
                self.journal.accounts.add(account.index)
                self.cancel_all(account, now, SWITCH_REASON)
            for order in [o for o in account.orders.values() if o.expire_ns and now >= o.expire_ns]:
                self.pull(order, "expired", "Expired", now)
            if self.system == "online":
                for order in [o for o in account.orders.values() if o.scheduled and now >= o.start_ns]:
                    self.begin(order, now)
            if account.positions:
                self.roll_over(account, now)

    # --- start ---------------------------------------------------------------------------------------------------

    def restore(self, order: Order, now: int) -> None:
        """Puts an open order of an earlier run back into the book."""
        account = self.accounts[order.account]
        self._enlist(account, order)
        self.journal.orders.pop(order.number, None)
        venue = self.listed(order.pair)
        if venue is None or venue.pair.price_precision != order.pair.price_precision:
            self._finish(order, "canceled", "Pair changed", now)
            return
        if not order.scheduled:
            self.place(order, now)
