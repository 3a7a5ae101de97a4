"""The exchange: the requests of accounts, and the dead man's switch. No socket, no clock.

Every call takes the time (ns since the epoch). :class:`State` is what all parts read, ``margin`` has the positions,
``lifecycle`` moves orders on once they are accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

from shared.config.unconfirmed import Unconfirmed
from simulator import errors
from simulator.errors import KrakenError, invalid
from simulator.exchange.accounts.margin import Margin
from simulator.exchange.amending import Amending
from simulator.exchange.engine import Event
from simulator.exchange.lifecycle import USER, Lifecycle
from simulator.exchange.limits import ADD, cancel_penalty
from simulator.exchange.orders import Account, Order, OrderRequest, Price
from simulator.exchange.placing import Checked, Placing
from simulator.exchange.state import State, SystemStatus
from simulator.exchange.terms import SETTLE
from simulator.exchange.validation import check_pair, check_size, check_system, needs
from simulator.exchange.venue.venue import Venue
from simulator.wire import NS

SWITCH_REASON = "CancelAllOrdersAfter Timeout"
SWITCH_MAX_S = 86_400


class Exchange:
    """Accounts trading on venues.

    ``lag`` draws how far behind (ns) the histories show a fill, ``unconfirmed`` decides what is not known of Kraken.
    Errors are :class:`KrakenError`.
    """

    def __init__(
        self,
        venues: Iterable[Venue],
        lag: Callable[[], int],
        salt: int = 0,
        unconfirmed: Unconfirmed = Unconfirmed(),  # noqa: B008 - frozen
    ) -> None:
        self.state = State(venues, lag, salt, unconfirmed)
        # Parts of the state that most callers want.
        self.venues, self.accounts, self.orders = self.state.venues, self.state.accounts, self.state.orders
        self.margin = Margin(self.state)
        self.lifecycle = Lifecycle(self.state, self.margin)
        self._placing = Placing(self.state, self.margin, self.lifecycle)
        self._amending = Amending(self.state, self.margin, self._placing, self.lifecycle)

    def check(
        self, account: Account, request: OrderRequest, now: int, points: float = ADD, replacing: Order | None = None
    ) -> Checked:
        """Check an order without placing it; return lots, and price and trigger in ticks."""
        return self._placing.check(account, request, now, points, replacing)

    def add(self, account: Account, request: OrderRequest, now: int, points: float = ADD) -> Order:
        """Place an order; it may have traded or ended when this returns. ``points`` is what the counter is charged."""
        if request.kind == SETTLE:
            return self._placing.settle_by_order(account, request, now)
        return self._placing.add(account, request, now, points)

    def unused_id(self) -> str:
        """Return an order id that no order has or gets."""
        return self._placing.unused_id()

    def edit(self, account: Account, order: Order, request: OrderRequest, now: int) -> Order:
        """Replace an open order by a new one, and return that."""
        return self._amending.edit(account, order, request, now)

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
        return self._amending.amend(account, order, qty, price, post_only, now, trigger)

    def settle(self, events: list[Event], now: int) -> None:
        """Book what an operation on a venue did to the accounts' orders."""
        self.lifecycle.settle(events, now)

    def cancel(self, account: Account, order: Order, now: int, *, forced: bool = False) -> None:
        """Cancel an open order for its owner; ``forced`` is accepted whatever the counter says."""
        if self.state.system == SystemStatus.MAINTENANCE:
            raise KrakenError(errors.UNAVAILABLE)
        points = cancel_penalty(now - order.touched_ns)
        counter = account.counter(order.pair.symbol)
        refuses = self.state.unconfirmed.cancel_over_rate == "refused"
        if refuses and not forced and not counter.fits(points, now):
            raise KrakenError(errors.ORDER_RATE_LIMIT)
        self.state.charge(account, order.pair, points, now)
        self.lifecycle.pull(order, "canceled", USER, now)

    def batch_add(
        self, account: Account, wanted: list[OrderRequest], now: int, *, only_check: bool = False
    ) -> list[Order | KrakenError | Checked]:
        """Place 2 to 15 orders of one pair: refused whole when one is malformed, one by one by the engine at most.

        Costs half a point an order. With ``only_check`` nothing is placed and each result is what :meth:`check` gives.
        """
        pair = wanted[0].pair
        points = ADD / 2
        names = [request.cl_ord_id for request in wanted if request.cl_ord_id is not None]
        try:
            if any(request.kind == SETTLE for request in wanted):
                raise invalid("ordertype")
            check_system(self.state.system, all(request.post_only for request in wanted))
            for request in wanted:
                check_pair(self.venues[pair.symbol].status, request.kind, request.post_only, request.terms.reduce_only)
            if len(set(names)) != len(names) or any(name in account.by_client for name in names):
                raise invalid("cl_ord_id")
            for request in wanted:
                worst = request.trigger if request.price is None else request.price
                price = None if worst is None else self._placing.ticks(pair, worst)
                venue = self.venues[pair.symbol]
                check_size(venue, self._placing.lots(account, venue, request), price)
            if not account.counter(pair.symbol).fits(points * len(wanted), now):
                raise KrakenError(errors.ORDER_RATE_LIMIT)
            if self.state.unconfirmed.batch_add_failure == "whole":
                self._check_together(account, wanted, now, points)
        except KrakenError:
            self.state.charge_failed(account, pair, points * len(wanted), now)
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
        """Refuse a batch whose orders cannot all be placed beside each other."""
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
        if self.state.open_on(account, pair) + len(wanted) > account.tier.open_orders:
            raise KrakenError(errors.ORDERS_LIMIT)

    def batch_cancel(self, account: Account, orders: list[str], clients: list[str], now: int) -> int:
        """Cancel by order id, userref or client id whatever the counter says, charging it; return the count."""
        if self.state.system == SystemStatus.MAINTENANCE:
            raise KrakenError(errors.UNAVAILABLE)
        named: list[list[Order]] = []
        for text in orders:
            named.append([account.orders[text]] if text in account.orders else account.of_userref(text))
        named += [[account.by_client[text]] if text in account.by_client else [] for text in clients]
        if [] in named and self.state.unconfirmed.batch_cancel_unknown == "refused":
            raise KrakenError(errors.UNKNOWN_ORDER)
        by_number = {order.number: order for matches in named for order in matches}
        for order in by_number.values():
            self.cancel(account, order, now, forced=True)
        return len(by_number)

    def cancel_all(self, account: Account, now: int, *, by_switch: bool = False) -> int:
        """Cancel every open order for the account or its dead man's switch; costs no points. Return the count."""
        if not by_switch and self.state.system == SystemStatus.MAINTENANCE:
            raise KrakenError(errors.UNAVAILABLE)
        pulled = list(account.orders.values())
        for order in pulled:
            self.lifecycle.pull(order, "canceled", SWITCH_REASON if by_switch else USER, now)
        return len(pulled)

    def find(self, account: Account, order_id: str | None = None, cl_ord_id: str | None = None) -> Order:
        """Return an open order of the account by either id, for what is to be done to it: in maintenance nothing is."""
        if self.state.system == SystemStatus.MAINTENANCE:
            raise KrakenError(errors.UNAVAILABLE)
        order = account.orders.get(order_id) if order_id is not None else None
        if order is None and cl_ord_id is not None:
            order = account.by_client.get(cl_ord_id)
        if order is None:
            raise KrakenError(errors.UNKNOWN_ORDER)
        return order

    def arm(self, account: Account, timeout_s: int, now: int) -> tuple[int, int]:
        """Arm the dead man's switch, 0 disarms; return current and trigger time in seconds, 0 when off."""
        if not 0 <= timeout_s < SWITCH_MAX_S:
            raise invalid("timeout")
        if self.state.system == SystemStatus.MAINTENANCE and self.state.unconfirmed.arm_in_maintenance == "refused":
            raise KrakenError(errors.UNAVAILABLE)
        current = -(-now // NS)
        account.trigger_ns = (current + timeout_s) * NS if timeout_s else 0
        self.state.journal.accounts.add(account.index)
        return current, current + timeout_s if timeout_s else 0

    def tick(self, now: int) -> None:
        """Fire what is due: switches, the ends of GTD orders, and of volumes that are 30 days old."""
        for account in self.accounts.values():
            account.volume.expire(now)
            if account.trigger_ns and now >= account.trigger_ns and self.state.system != SystemStatus.MAINTENANCE:
                account.trigger_ns = 0
                self.state.journal.accounts.add(account.index)
                self.cancel_all(account, now, by_switch=True)
            for order in [o for o in account.orders.values() if o.expire_ns and now >= o.expire_ns]:
                self.lifecycle.pull(order, "expired", "Expired", now)
            if self.state.system == SystemStatus.ONLINE:
                for order in [o for o in account.orders.values() if o.scheduled and now >= o.start_ns]:
                    self.lifecycle.begin(order, now)
            if account.positions:
                self.margin.roll_over(account, now)
