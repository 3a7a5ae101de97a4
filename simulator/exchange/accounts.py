"""What happens to the accounts: their orders begin and end, fills and ledger entries are booked, counters charged.

What changed gathers in ``journal`` (for the database) and ``reports`` (for the private channels); the shell commits
the first before anyone is told the second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from shared.unconfirmed import Unconfirmed
from simulator.exchange.engine import Event
from simulator.exchange.orders import SPOT, Account, Amendment, Fill, LedgerEntry, Order, Position
from simulator.exchange.rates import Rates
from simulator.exchange.venue.venue import Venue
from simulator.pairs.pairs import ASSETS, USD, Asset, Pair, rounded
from simulator.wire import make_id
from simulator.ws_v2 import reports

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


@dataclass(slots=True)
class Journal:
    """What has changed since the last commit."""

    orders: dict[int, Order] = field(default_factory=dict)
    fills: list[Fill] = field(default_factory=list)
    ledger: list[LedgerEntry] = field(default_factory=list)
    accounts: set[int] = field(default_factory=set)
    counters: set[tuple[int, str]] = field(default_factory=set)
    amends: list[Amendment] = field(default_factory=list)
    positions: dict[str, Position] = field(default_factory=dict)

    def __bool__(self) -> bool:
        changed = (self.orders, self.fills, self.ledger, self.accounts, self.counters, self.amends, self.positions)
        return any(changed)


@dataclass(frozen=True, slots=True)
class Report:
    """Something that a private channel tells an account; ``what`` is the exec_type of an execution."""

    account: int
    channel: str
    what: str
    symbol: str
    text: str


class Accounts:
    """The venues, the accounts and their open orders, and the booking of whatever happens to them."""

    def __init__(
        self,
        venues: Iterable[Venue],
        lag: Callable[[], int],
        salt: int = 0,
        unconfirmed: Unconfirmed = Unconfirmed(),  # noqa: B008 - frozen
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
        self.unconfirmed = unconfirmed
        # Fills whose conditional close is to be placed.
        self.closing: list[tuple[Order, int]] = []
        self.rates = Rates(self.venues)
        for venue in self.venues.values():
            venue.salt, venue.quoted = salt, unconfirmed.level3_numbers == "text"

    def listed(self, pair: Pair | None) -> Venue | None:
        """The venue of a pair; None when it is not traded here."""
        return None if pair is None else self.venues.get(pair.symbol)

    def assets(self) -> list[Asset]:
        """The assets of the pairs traded here, and what else an account has."""
        names = {asset.name for venue in self.venues.values() for asset in (venue.pair.base, venue.pair.quote)}
        names.update(*(account.balances for account in self.accounts.values()))
        return [asset for name, asset in ASSETS.items() if name in names]

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

    def restate(self, order: Order, qty: int, reason: str, now: int) -> None:
        """Reduces an open order on the exchange's own account."""
        if not order.waits:
            self.venues[order.pair.symbol].amend(order.number, order.side, None, qty, now)
        order.qty = qty
        self.journal.orders[order.number] = order
        self._report(order, "restated", reports.amended(order, now, "restated", reason))

    def _finish(self, order: Order, status: str, reason: str, now: int) -> None:
        account = self.accounts[order.account]
        order.status, order.reason, order.closed_ns = status, reason, now
        order.visible_ns = max(order.visible_ns, now)
        del self.orders[order.number], account.orders[order.order_id]
        if order.cl_ord_id is not None:
            account.by_client.pop(order.cl_ord_id, None)
        self.journal.orders[order.number] = order
        if status != "filled" or self.unconfirmed.filled_report == "separate":
            self._report(order, status, reports.finished(order, now))

    def _fill(self, order: Order, price: int, qty: int, maker: bool, trade_id: int, now: int) -> None:
        account, pair = self.accounts[order.account], order.pair
        rate = account.maker_rate if maker else account.taker_rate
        rounding = self.unconfirmed.fee_rounding
        cost, fee = pair.cost_units(price, qty), pair.cost_units(price, qty, rate, rounding)
        base_fee = self._base_fee(order, qty, rate)
        # The ledger rounds for itself, amount and fee each, and balances follow the ledger.
        amount, charged = pair.quote_units(price, qty), 0 if base_fee else pair.quote_units_of(fee, rounding)
        # A fee rounded up may pass what was reserved, or what a few lots bring, by a unit; a balance is never negative.
        held = account.balances.get(pair.quote.name, 0)
        if order.side == "buy" and not order.terms.leverage:
            amount = min(amount, held)
        most = held if order.terms.leverage else held - amount if order.side == "buy" else held + amount
        if charged > most:
            charged, fee = most, pair.cost_units_of(most)
        order.filled += qty
        order.cost += cost
        order.fee += fee
        order.value += price * qty
        rate_usd = self.rates.usd_or_start(pair.quote.name)
        # Where the quote is USD, amount and fee are their own equivalents.
        usd_fee = fee if rate_usd == 1 else int(fee * rate_usd)
        worth = int((amount * rate_usd).scaleb(USD.decimals - pair.quote.decimals))
        order.usd_fee += usd_fee
        order.status = "partially_filled"
        visible = now + self._lag()
        order.visible_ns = max(order.visible_ns, visible)
        margin, closing = self._margin_taken(order, price, qty) if order.terms.leverage else (0, 0)
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
            base_fee,
            usd_fee,
            worth,
            order.terms.leverage,
            margin,
            closing,
        )
        account.fills.append(fill)
        self.journal.fills.append(fill)
        self.journal.orders[order.number] = order
        ends = not order.remaining and self.unconfirmed.filled_report == "in_the_trade"
        self._report(order, "trade", reports.trade(fill, order, "filled" if ends else order.status))
        self._book_fill(account, fill, amount, charged)
        # What it was worth is what the 30-day volume counts, from the next fill on.
        account.volume.add(worth, now)
        order.visible_lots -= min(qty, order.visible_lots)
        if order.terms.close is not None:
            self.closing.append((order, qty))
        if not order.remaining:
            self._finish(order, "filled", "", now)

    def _margin_taken(self, order: Order, price: int, qty: int) -> tuple[int, int]:
        """The margin that a fill takes (units of the cost decimals) and the lots that it closes."""
        raise NotImplementedError

    def _book_fill(self, account: Account, fill: Fill, amount: int, charged: int) -> None:
        """Books both legs of a fill; ``amount`` and the fee ``charged`` are units of the quote asset."""
        sign, pair = 1 if fill.side == "buy" else -1, fill.pair
        self._book_leg(account, pair.base.name, sign * pair.base_units(fill.qty), fill.base_fee, fill)
        self._book_leg(account, pair.quote.name, -sign * amount, charged, fill)

    def _base_fee(self, order: Order, qty: int, rate: int) -> int:
        """The fee in units of the base asset, 0 where it is paid in quote."""
        facts = self.unconfirmed
        if order.side == "sell" or order.fee_pref != "fcib" or facts.base_fee != "base":
            return 0
        return rounded(order.pair.base_units(qty) * rate, 6, facts.fee_rounding)

    def _book_leg(self, account: Account, asset: str, amount: int, fee: int, fill: Fill) -> None:
        self.fees[asset] = self.fees.get(asset, 0) + fee
        # A leg that rounds to nothing has no entry.
        if amount or fee:
            self.book(account, asset, "trade", amount, fee, fill.exec_id, fill.ns, fill.visible_ns)

    def book(
        self,
        account: Account,
        asset: str,
        kind: str,
        amount: int,
        fee: int,
        ref_id: str,
        now: int,
        visible_ns: int,
        subtype: str = "",
        wallet: str = SPOT,
    ) -> None:
        """Books a ledger entry of any type on one of the account's wallets, and reports it."""
        self.outside[asset] = self.outside.get(asset, 0) - amount
        held = account.balances if wallet == SPOT else account.wallets.setdefault(asset, {})
        name = asset if wallet == SPOT else wallet
        balance = held[name] = held.get(name, 0) + amount - fee
        entry = LedgerEntry(
            make_id("L", self._next(), self._salt), account.index, asset, kind, amount, fee, balance, ref_id, now,
            visible_ns, subtype, wallet,
        )  # fmt: skip
        self.journal.ledger.append(entry)
        self.reports.append(Report(account.index, "balances", "update", asset, reports.balance_update(entry)))

    def next_serial(self) -> int:
        """A number that nothing else gets."""
        return self._next()

    def reference(self) -> str:
        """A new id for what ledger entries refer to."""
        return make_id("R", self._next(), self._salt)

    def lag(self) -> int:
        """Ns by which the histories are behind, drawn anew."""
        return self._lag()

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
        return sum(1 for order in account.orders.values() if order.pair.symbol == pair.symbol)
