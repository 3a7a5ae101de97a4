"""The exchange's state: venues, accounts, open orders, ledger entries, and what changed since the last commit.

Changes gather in ``journal`` (for the database) and ``reports`` (for the private channels); the shell commits the
journal before it sends the reports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from shared.config.unconfirmed import Unconfirmed
from simulator.exchange.accounts.rates import Rates
from simulator.exchange.orders import SPOT, Account, Amendment, Fill, LedgerEntry, Order, Position
from simulator.exchange.venue.venue import Venue
from simulator.pairs.pairs import ASSETS, Asset, Pair
from simulator.wire import make_id
from simulator.ws_v2 import reports


class SystemStatus(StrEnum):
    """The states of the exchange (KRAKEN.md 1.2)."""

    ONLINE = "online"
    CANCEL_ONLY = "cancel_only"
    POST_ONLY = "post_only"
    MAINTENANCE = "maintenance"


@dataclass(slots=True)
class Journal:
    """Changes since the last commit."""

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
    """A message of a private channel to an account; ``what`` is the exec_type of an execution."""

    account: int
    channel: str
    what: str
    symbol: str
    text: str


class State:
    """The venues, the accounts with their open orders, and the ledger.

    ``lag`` draws how far behind (ns) the histories show what happens now; ``salt`` makes the ids of one exchange
    differ from another's.
    """

    def __init__(self, venues: Iterable[Venue], lag: Callable[[], int], salt: int, unconfirmed: Unconfirmed) -> None:
        self.venues = {venue.pair.symbol: venue for venue in venues}
        self.accounts: dict[int, Account] = {}
        self.orders: dict[int, Order] = {}
        self.serial = 1
        self.system = SystemStatus.ONLINE
        self.journal = Journal()
        self.reports: list[Report] = []
        # What the crowd has, and the fees taken: with the accounts they sum to the balances of the start.
        self.outside: dict[str, int] = {}
        self.fees: dict[str, int] = {}
        self.lag = lag
        self._salt = salt
        self.unconfirmed = unconfirmed
        self.rates = Rates(self.venues)
        for venue in self.venues.values():
            venue.salt, venue.quoted = salt, unconfirmed.level3_numbers == "text"

    def listed(self, pair: Pair | None) -> Venue | None:
        """Return the venue of a pair; None when it is not traded here."""
        return None if pair is None else self.venues.get(pair.symbol)

    def assets(self) -> list[Asset]:
        """Return the assets of the pairs traded here, and what else an account has."""
        names = {asset.name for venue in self.venues.values() for asset in (venue.pair.base, venue.pair.quote)}
        names.update(*(account.balances for account in self.accounts.values()))
        return [asset for name, asset in ASSETS.items() if name in names]

    def next_serial(self) -> int:
        """Return a number that nothing else gets."""
        self.serial += 1
        return self.serial

    def make_id(self, prefix: str, number: int | None = None) -> str:
        """Return an id of ``number``, or a new one; ``prefix`` says what of: ``O`` order, ``T`` trade, ``L`` ledger."""
        return make_id(prefix, self.next_serial() if number is None else number, self._salt)

    def reference(self) -> str:
        """Return a new id for what ledger entries refer to."""
        return self.make_id("R")

    def enlist(self, order: Order) -> None:
        """Add an open order."""
        account = self.accounts[order.account]
        self.orders[order.number] = order
        account.orders[order.order_id] = order
        if order.cl_ord_id is not None:
            account.by_client[order.cl_ord_id] = order
        self.journal.orders[order.number] = order

    def close(self, order: Order, status: str, reason: str, now: int) -> None:
        """End an open order, and report its end."""
        account = self.accounts[order.account]
        order.status, order.reason, order.closed_ns = status, reason, now
        order.visible_ns = max(order.visible_ns, now)
        del self.orders[order.number], account.orders[order.order_id]
        if order.cl_ord_id is not None:
            account.by_client.pop(order.cl_ord_id, None)
        self.journal.orders[order.number] = order
        if status != "filled" or self.unconfirmed.filled_report == "separate":
            self.report(order, status, reports.finished(order, now))

    def report(self, order: Order, what: str, text: str) -> None:
        """Report an execution of an order to its account; ``what`` is the exec_type."""
        self.reports.append(Report(order.account, "executions", what, order.pair.symbol, text))

    def open_on(self, account: Account, pair: Pair) -> int:
        """Return how many open orders the account has on a pair."""
        return sum(1 for order in account.orders.values() if order.pair.symbol == pair.symbol)

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
        """Book a ledger entry of any type on one of the account's wallets, and report it."""
        self.outside[asset] = self.outside.get(asset, 0) - amount
        held = account.balances if wallet == SPOT else account.wallets.setdefault(asset, {})
        name = asset if wallet == SPOT else wallet
        balance = held[name] = held.get(name, 0) + amount - fee
        entry = LedgerEntry(
            self.make_id("L"), account.index, asset, kind, amount, fee, balance, ref_id, now,
            visible_ns, subtype, wallet,
        )  # fmt: skip
        self.journal.ledger.append(entry)
        self.reports.append(Report(account.index, "balances", "update", asset, reports.balance_update(entry)))

    def charge(self, account: Account, pair: Pair, points: float, now: int) -> None:
        """Charge the account's rate counter of a pair."""
        account.counter(pair.symbol).charge(points, now)
        self.journal.counters.add((account.index, pair.symbol))

    def charge_failed(self, account: Account, pair: Pair, points: float, now: int) -> None:
        """Charge a refused request: it pays its fixed part, but never drives the counter over its threshold."""
        if account.counter(pair.symbol).fits(points, now):
            self.charge(account, pair, points, now)
