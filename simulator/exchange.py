"""The exchange: accounts, their orders, fills and ledger, and the dead man's switch. No socket, no clock.

Every call is told the time (ns since the epoch). What changed gathers in ``journal`` (for the database) and ``reports``
(for the private channels); the shell commits the first before anyone is told the second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from simulator import errors, reports
from simulator.engine import Event
from simulator.errors import KrakenError, invalid
from simulator.limits import ADD, AMEND, amend_penalty, cancel_penalty
from simulator.orders import Account, Fill, LedgerEntry, Order, OrderRequest
from simulator.pairs import Pair
from simulator.validation import check_funds, check_pair, check_size, check_system, to_lots, to_ticks
from simulator.venue import Venue
from simulator.wire import NS, make_id

USER = "User requested"
REASONS = {
    "post_only": "Post only order",
    "ioc": "Immediate or cancel",
    "fok": "Fill or kill",
    "stp": "Self trade prevention",
    "market": "Market price protection",
    "reduced": USER,
    "user": USER,
}
SWITCH_REASON = "CancelAllOrdersAfter Timeout"
SWITCH_MAX_S = 86_400


@dataclass(slots=True)
class Journal:
    """What has changed since the last commit."""

    orders: dict[int, Order] = field(default_factory=dict)
    fills: list[Fill] = field(default_factory=list)
    ledger: list[LedgerEntry] = field(default_factory=list)
    accounts: set[int] = field(default_factory=set)
    counters: set[tuple[int, str]] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.orders or self.fills or self.ledger or self.accounts or self.counters)


@dataclass(frozen=True, slots=True)
class Report:
    """Something that a private channel tells an account; ``what`` is the exec_type of an execution."""

    account: int
    channel: str
    what: str
    symbol: str
    text: str


class Exchange:
    """Accounts trading on venues.

    ``lag`` draws how far behind (ns) the histories show a fill. ``refuse_cancels`` is whether a single cancel that
    overruns the counter is refused; Kraken does not say (KRAKEN.md 5.2). Errors are :class:`KrakenError`.
    """

    def __init__(
        self, venues: Iterable[Venue], lag: Callable[[], int], salt: int = 0, refuse_cancels: bool = True
    ) -> None:
        self.venues = {venue.pair.symbol: venue for venue in venues}
        self.accounts: dict[int, Account] = {}
        self.orders: dict[int, Order] = {}
        self.serial = 1
        self.system = "online"
        self.journal = Journal()
        self.reports: list[Report] = []
        # The crowd's purse, and the fees taken: with the accounts they add up to what was there at the start.
        self.outside: dict[str, int] = {}
        self.fees: dict[str, int] = {}
        self._lag = lag
        self._salt = salt
        self._refuse_cancels = refuse_cancels

    # --- orders --------------------------------------------------------------------------------------------------

    def check(self, account: Account, request: OrderRequest, now: int, points: float = ADD) -> tuple[int, int | None]:
        """Validates in Kraken's order (KRAKEN.md 4.5); returns lots and ticks."""
        pair = request.pair
        venue = self.venues[pair.symbol]
        if request.cl_ord_id is not None and request.cl_ord_id in account.by_client:
            raise invalid("cl_ord_id")
        check_system(self.system, request.post_only)
        check_pair(venue.status, request.kind, request.post_only)
        price = None if request.price is None else to_ticks(pair, request.price)
        qty = to_lots(pair, request.qty)
        if request.tif == "gtd" and request.expire_ns <= now:
            raise invalid("expire_time")
        check_size(venue, qty, price)
        check_funds(account, venue, request.side, qty, price, request.post_only)
        counter = account.counter(pair.symbol)
        if not counter.fits(points, now):
            raise KrakenError(errors.ORDER_RATE_LIMIT)
        if self._open_on(account, pair) >= account.tier.open_orders:
            raise KrakenError(errors.ORDERS_LIMIT)
        return qty, price

    def add(self, account: Account, request: OrderRequest, now: int, points: float = ADD) -> Order:
        """Places an order; it may have traded or ended when this returns. ``points`` is what the counter is charged."""
        try:
            qty, price = self.check(account, request, now, points)
        except KrakenError:
            self._charge_failed(account, request.pair, points, now)
            raise
        self._charge(account, request.pair, points, now)
        number = self._next()
        order = Order(
            number,
            make_id("O", number, self._salt),
            account.index,
            request.pair,
            request.side,
            request.kind,
            qty,
            price,
            "ioc" if request.kind == "market" else request.tif,
            request.expire_ns,
            request.post_only,
            request.stp,
            request.cl_ord_id,
            request.userref,
            request.fee_pref,
            now,
            now,
        )
        self._enlist(account, order)
        self._report(order, "pending_new", reports.pending(order, now))
        venue = self.venues[order.pair.symbol]
        tif = "ioc" if request.tif == "ioc" else "fok" if request.tif == "fok" else "gtc"
        events = venue.submit(number, account.index, order.side, price, qty, now, tif, order.post_only, order.stp)
        if not any(event[0] == "cancel" and event[1] == number and event[3] == "post_only" for event in events):
            self._report(order, "new", reports.live(order, now))
        self.settle(events, now)
        return order

    def amend(
        self,
        account: Account,
        order: Order,
        qty: Decimal | None,
        price: Decimal | None,
        post_only: bool,
        now: int,
    ) -> str:
        """Amends an open order in place; ``qty`` is the new total. Returns the amend id."""
        pair = order.pair
        venue = self.venues[pair.symbol]
        points = AMEND + amend_penalty(now - order.touched_ns)
        try:
            check_system(self.system, order.post_only or post_only)
            check_pair(venue.status, order.kind, order.post_only or post_only)
            if order.kind != "limit" or (qty is None and price is None):
                raise KrakenError(errors.INVALID_ARGUMENTS)
            new_price = order.price if price is None else to_ticks(pair, price)
            new_qty = order.qty if qty is None else to_lots(pair, qty)
            ends = new_qty <= order.filled
            if ends:
                points = AMEND + cancel_penalty(now - order.touched_ns)
            else:
                check_size(venue, new_qty, new_price)
                check_funds(account, venue, order.side, new_qty - order.filled, new_price, post_only, order)
            if not account.counter(pair.symbol).fits(points, now):
                raise KrakenError(errors.ORDER_RATE_LIMIT)
        except KrakenError:
            self._charge_failed(account, pair, AMEND, now)
            raise
        self._charge(account, pair, points, now)
        moved = None if new_price == order.price else new_price
        sized = None if new_qty == order.qty else new_qty
        events = venue.amend(order.number, order.side, moved, sized, now, post_only)
        if any(event[0] == "refused" for event in events):
            raise KrakenError(errors.POST_ONLY)
        amend_id = make_id("T", self._next(), self._salt)
        if not ends:
            order.qty, order.price, order.touched_ns, order.amended = new_qty, new_price, now, True
            self.journal.orders[order.number] = order
            self._report(order, "amended", reports.amended(order, now))
        self.settle(events, now)
        return amend_id

    def cancel(self, account: Account, order: Order, now: int, *, forced: bool = False) -> None:
        """Cancels an open order for its owner; ``forced`` is accepted whatever the counter says."""
        if self.system == "maintenance":
            raise KrakenError(errors.UNAVAILABLE)
        points = cancel_penalty(now - order.touched_ns)
        counter = account.counter(order.pair.symbol)
        if self._refuse_cancels and not forced and not counter.fits(points, now):
            raise KrakenError(errors.ORDER_RATE_LIMIT)
        self._charge(account, order.pair, points, now)
        self.pull(order, "canceled", USER, now)

    def batch_add(
        self, account: Account, wanted: list[OrderRequest], now: int, *, only_check: bool = False
    ) -> list[Order | KrakenError | None]:
        """Places 2 to 15 orders of one pair: refused whole when one is malformed, one by one by the engine.

        Costs half a point an order. With ``only_check`` nothing is placed and each result is None.
        """
        pair = wanted[0].pair
        points = ADD / 2
        names = [request.cl_ord_id for request in wanted if request.cl_ord_id is not None]
        try:
            check_system(self.system, all(request.post_only for request in wanted))
            for request in wanted:
                check_pair(self.venues[pair.symbol].status, request.kind, request.post_only)
            if len(set(names)) != len(names) or any(name in account.by_client for name in names):
                raise invalid("cl_ord_id")
            for request in wanted:
                price = None if request.price is None else to_ticks(pair, request.price)
                check_size(self.venues[pair.symbol], to_lots(pair, request.qty), price)
            if not account.counter(pair.symbol).fits(points * len(wanted), now):
                raise KrakenError(errors.ORDER_RATE_LIMIT)
        except KrakenError:
            self._charge_failed(account, pair, points * len(wanted), now)
            raise
        results: list[Order | KrakenError | None] = []
        for request in wanted:
            try:
                if only_check:
                    self.check(account, request, now)
                    results.append(None)
                else:
                    results.append(self.add(account, request, now, points))
            except KrakenError as error:
                results.append(error)
        return results

    def batch_cancel(self, account: Account, orders: list[str], clients: list[str], now: int) -> int:
        """Cancels by order id, userref or client id whatever the counter says, charging it; returns the count."""
        found: dict[int, Order] = {}
        for text in orders:
            order = account.orders.get(text)
            matches = [order] if order else [o for o in account.orders.values() if o.userref and str(o.userref) == text]
            found |= {o.number: o for o in matches}
        for text in clients:
            if text in account.by_client:
                found[account.by_client[text].number] = account.by_client[text]
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
        """An open order of the account by either id."""
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
        current = -(-now // NS)
        account.trigger_ns = (current + timeout_s) * NS if timeout_s else 0
        self.journal.accounts.add(account.index)
        return current, current + timeout_s if timeout_s else 0

    def tick(self, now: int) -> None:
        """Fires what is due: switches and the ends of GTD orders."""
        for account in self.accounts.values():
            if account.trigger_ns and now >= account.trigger_ns and self.system != "maintenance":
                account.trigger_ns = 0
                self.journal.accounts.add(account.index)
                self.cancel_all(account, now, SWITCH_REASON)
            for order in [o for o in account.orders.values() if o.expire_ns and now >= o.expire_ns]:
                self.pull(order, "expired", "Expired", now)

    # --- the crowd -----------------------------------------------------------------------------------------------

    def settle(self, events: list[Event], now: int) -> None:
        """Books what an operation on a venue did to the accounts' orders."""
        for event in events:
            if event[0] == "trade":
                _, taker, maker, price, qty, _, _, trade_id = event
                for number, is_maker in ((taker, False), (maker, True)):
                    order = self.orders.get(number)
                    if order is not None:
                        self._fill(order, price, qty, is_maker, trade_id, now)
            elif event[0] == "cancel":
                order = self.orders.get(event[1])
                if order is not None:
                    self._finish(order, "canceled", REASONS.get(event[3], USER), now)

    # --- start ---------------------------------------------------------------------------------------------------

    def restore(self, order: Order, now: int) -> None:
        """Puts an open order of an earlier run back into the book."""
        account = self.accounts[order.account]
        self._enlist(account, order)
        self.journal.orders.pop(order.number, None)
        venue = self.venues[order.pair.symbol]
        if venue.pair.price_precision != order.pair.price_precision:
            self._finish(order, "canceled", "Pair changed", now)
            return
        events = venue.submit(order.number, order.account, order.side, order.price, order.remaining, now)
        self.settle(events, now)

    # --- inside --------------------------------------------------------------------------------------------------

    def _next(self) -> int:
        self.serial += 1
        return self.serial

    def _enlist(self, account: Account, order: Order) -> None:
        self.orders[order.number] = order
        account.orders[order.order_id] = order
        if order.cl_ord_id is not None:
            account.by_client[order.cl_ord_id] = order
        self.journal.orders[order.number] = order

    def pull(self, order: Order, status: str, reason: str, now: int) -> None:
        """Ends an open order on the exchange's own account."""
        self.venues[order.pair.symbol].cancel(order.number, now)
        self._finish(order, status, reason, now)

    def _finish(self, order: Order, status: str, reason: str, now: int) -> None:
        account = self.accounts[order.account]
        order.status, order.reason, order.closed_ns = status, reason, now
        order.visible_ns = max(order.visible_ns, now)
        del self.orders[order.number], account.orders[order.order_id]
        if order.cl_ord_id is not None:
            account.by_client.pop(order.cl_ord_id, None)
        self.journal.orders[order.number] = order
        self._report(order, status, reports.finished(order, now))

    def _fill(self, order: Order, price: int, qty: int, maker: bool, trade_id: int, now: int) -> None:
        account, pair = self.accounts[order.account], order.pair
        rate = account.maker_rate if maker else account.taker_rate
        cost, fee = pair.quote_units(price, qty), pair.quote_units(price, qty, rate)
        if order.side == "buy":
            # Rounding up once a fill may pass what was reserved by a unit; a balance is never negative.
            held = account.balances.get(pair.quote.name, 0)
            cost = min(cost, held)
            fee = min(fee, held - cost)
        order.filled += qty
        order.cost += cost
        order.fee += fee
        order.status = "partially_filled"
        visible = now + self._lag()
        order.visible_ns = max(order.visible_ns, visible)
        fill = Fill(
            make_id("T", self._next(), self._salt),
            trade_id,
            account.index,
            order.number,
            order.order_id,
            order.cl_ord_id,
            order.userref,
            pair,
            order.side,
            order.kind,
            price,
            qty,
            cost,
            fee,
            maker,
            now,
            visible,
        )
        account.fills.append(fill)
        self.journal.fills.append(fill)
        self.journal.orders[order.number] = order
        self._report(order, "trade", reports.trade(fill, order))
        sign = 1 if order.side == "buy" else -1
        self._enter(account, pair.base.name, sign * pair.base_units(qty), 0, fill)
        self._enter(account, pair.quote.name, -sign * cost, fee, fill)
        if not order.remaining:
            self._finish(order, "filled", "", now)

    def _enter(self, account: Account, asset: str, amount: int, fee: int, fill: Fill) -> None:
        self.outside[asset] = self.outside.get(asset, 0) - amount
        self.fees[asset] = self.fees.get(asset, 0) + fee
        if not amount and not fee:
            return
        balance = account.balances.get(asset, 0) + amount - fee
        account.balances[asset] = balance
        entry = LedgerEntry(
            make_id("L", self._next(), self._salt),
            account.index,
            asset,
            "trade",
            amount,
            fee,
            balance,
            fill.exec_id,
            fill.ns,
            fill.visible_ns,
        )
        self.journal.ledger.append(entry)
        self.reports.append(Report(account.index, "balances", "update", asset, reports.balance_update(entry)))

    def _report(self, order: Order, what: str, text: str) -> None:
        self.reports.append(Report(order.account, "executions", what, order.pair.symbol, text))

    def _charge(self, account: Account, pair: Pair, points: float, now: int) -> None:
        account.counter(pair.symbol).charge(points, now)
        self.journal.counters.add((account.index, pair.symbol))

    def _charge_failed(self, account: Account, pair: Pair, points: float, now: int) -> None:
        # A refused request pays its fixed part, but is never what drives the counter over its threshold.
        if account.counter(pair.symbol).fits(points, now):
            self._charge(account, pair, points, now)

    def _open_on(self, account: Account, pair: Pair) -> int:
        return sum(1 for order in account.orders.values() if order.pair is pair)
