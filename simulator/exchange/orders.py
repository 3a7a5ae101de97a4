"""Accounts, orders, fills, margin positions, ledger entries, and the request for an order.

Prices are ticks, quantities lots, times ns since the epoch. Balances and ledger entries are in units of the asset's
ledger decimals, an order's and a fill's cost and fee in units of the pair's cost decimals.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal

from simulator.exchange.accounts.volume import Volume
from simulator.exchange.engine import Side
from simulator.exchange.limits import Counter, Tier
from simulator.exchange.terms import PLAIN, Distance, Terms
from simulator.pairs.pairs import FEES, Pair

RECENT_FILLS = 50
# The wallet that trading is from, as type and id.
SPOT = "spot/main"
# All wallets, with the suffix that REST puts behind the asset's name.
WALLETS = {
    SPOT: "",
    "spot/closed": "",
    "earn/flex": ".F",
    "earn/flexible": ".F",
    "earn/liquid": ".B",
    "earn/bonded": ".B",
    "earn/locked": ".B",
}
# The states of an open order; one that is pending waits for its scheduled start.
PENDING_NEW, NEW, PARTIALLY_FILLED = OPEN = ("pending_new", "new", "partially_filled")
# A requested price: absolute, or a distance from the last trade's.
Price = Decimal | Distance


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """A requested order, its arguments checked one by one but not yet against the pair, account or book."""

    pair: Pair
    side: Side
    kind: str
    # Of an order in the quote asset (``terms.cash``) 0.
    qty: Decimal
    price: Price | None = None
    tif: str = "gtc"
    expire_ns: int = 0
    post_only: bool = False
    stp: str = "cancel_newest"
    cl_ord_id: str | None = None
    userref: int = 0
    # ``fcib``, ``fciq``, or empty for the exchange's own preference.
    fee_pref: str = ""
    # The price of the last trade that releases a stop-loss or take-profit order.
    trigger: Price | None = None
    terms: Terms = PLAIN
    # When it goes live, ns since the epoch; 0 is at once.
    start_ns: int = 0


@dataclass(slots=True)
class Order:
    """An order of an account, open or finished."""

    number: int
    order_id: str
    account: int
    pair: Pair
    side: Side
    kind: str
    qty: int
    price: int | None
    tif: str
    expire_ns: int
    post_only: bool
    stp: str
    cl_ord_id: str | None
    userref: int
    fee_pref: str
    opened_ns: int
    # When it was created or last amended, which the age penalties count from.
    touched_ns: int
    filled: int = 0
    cost: int = 0
    fee: int = 0
    status: str = NEW
    reason: str = ""
    amended: bool = False
    closed_ns: int = 0
    visible_ns: int = 0
    trigger: int | None = None
    triggered: bool = False
    # Prices times quantities, exact; the fees in USD, in units of the cost decimals.
    value: int = 0
    usd_fee: int = 0
    terms: Terms = PLAIN
    # The best price since a trailing stop came, in ticks; the lots of an iceberg that are shown just now.
    peak: int = 0
    visible_lots: int = 0
    start_ns: int = 0

    @property
    def scheduled(self) -> bool:
        """True if its start has not come."""
        return self.status == PENDING_NEW

    @property
    def waits(self) -> bool:
        """True if it is still outside the book, waiting for its start or its trigger."""
        return self.scheduled or (self.trigger is not None and not self.triggered)

    @property
    def remaining(self) -> int:
        """Return lots not filled."""
        return self.qty - self.filled

    def shift(self, by: int) -> None:
        """Keep its times at their distance when the exchange's clock is moved by so many ns."""
        self.touched_ns += by
        self.expire_ns += by if self.expire_ns else 0
        self.start_ns += by if self.start_ns else 0
        self.visible_ns += by if self.visible_ns else 0

    @property
    def average(self) -> int:
        """Return the average price of the fills in ticks, rounded half up; 0 without fills."""
        if not self.filled:
            return 0
        return (2 * self.value + self.filled) // (2 * self.filled)


@dataclass(frozen=True, slots=True)
class Fill:
    """One side of a trade, of an account's order."""

    exec_id: str
    trade_id: int
    account: int
    number: int
    order_id: str
    cl_ord_id: str | None
    userref: int
    pair: Pair
    side: Side
    kind: str
    price: int
    qty: int
    cost: int
    fee: int
    maker: bool
    ns: int
    visible_ns: int
    # The fee in units of the base asset where it is paid in that; ``fee`` is its worth in quote then.
    base_fee: int = 0
    # The fee in USD in units of the cost decimals, and the trade's worth in units of the dollar.
    usd_fee: int = 0
    usd: int = 0
    # Of a margin order: its leverage, the margin that the fill took (units of the cost decimals), the lots it closed.
    leverage: int = 0
    margin: int = 0
    closing: int = 0


@dataclass(slots=True)
class Position:
    """A margin position that a fill opened; cost, fee and margin in units of the pair's cost decimals."""

    position_id: str
    account: int
    order_id: str
    pair: Pair
    side: Side
    kind: str
    qty: int
    cost: int
    fee: int
    margin: int
    leverage: int
    opened_ns: int
    # When the next rollover fee is due.
    rollover_ns: int
    closed: int = 0

    @property
    def open(self) -> int:
        """Return lots that are not closed."""
        return self.qty - self.closed

    def cost_of(self, lots: int) -> int:
        """Return the opening cost of a part of it."""
        return self.cost * lots // self.qty


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """A change of what is in a wallet: ``balance`` is what it left there, ``balance += amount - fee``."""

    ledger_id: str
    account: int
    asset: str
    kind: str
    amount: int
    fee: int
    balance: int
    ref_id: str
    ns: int
    visible_ns: int
    subtype: str = ""
    wallet: str = SPOT


@dataclass(frozen=True, slots=True)
class Amendment:
    """A state that an order was put into: its first (``original``), or by an amendment (``user``)."""

    amend_id: str
    order_id: str
    kind: str
    qty: int
    remaining: int
    price: int | None
    trigger: int | None
    post_only: bool
    ns: int


@dataclass(slots=True)
class Account:
    """An account: balances, volume, open orders, counters, and the dead man's switch.

    ``balances`` are what is in the spot wallet, ``wallets`` what is in others (by asset and wallet).
    """

    index: int
    name: str
    tier: Tier
    volume: Volume
    balances: dict[str, int]
    orders: dict[str, Order] = field(default_factory=dict)
    by_client: dict[str, Order] = field(default_factory=dict)
    counters: dict[str, Counter] = field(default_factory=dict)
    fills: deque[Fill] = field(default_factory=lambda: deque(maxlen=RECENT_FILLS))
    # When every order is cancelled; 0 is off.
    trigger_ns: int = 0
    wallets: dict[str, dict[str, int]] = field(default_factory=dict)
    # Margin positions by their id, oldest first.
    positions: dict[str, Position] = field(default_factory=dict)

    @property
    def maker_rate(self) -> int:
        """Return the fee in millionths of the cost of a fill that made the market."""
        return FEES[self.volume.row][1]

    @property
    def taker_rate(self) -> int:
        """Return the fee in millionths of the cost of a fill that took from the book."""
        return FEES[self.volume.row][2]

    def shift(self, by: int) -> None:
        """Keep what is timed at its distance when the exchange's clock is moved by so many ns."""
        self.trigger_ns += by if self.trigger_ns else 0
        for counter in self.counters.values():
            counter.ns += by
        for order in self.orders.values():
            order.shift(by)
        for position in self.positions.values():
            position.rollover_ns += by

    def counter(self, symbol: str) -> Counter:
        """Return the matching engine's counter of this account on a pair."""
        counter = self.counters.get(symbol)
        if counter is None:
            counter = self.counters[symbol] = Counter(self.tier.threshold, self.tier.decay)
        return counter

    def of_userref(self, text: str) -> list[Order]:
        """Open orders with that userref, which several may have."""
        return [order for order in self.orders.values() if order.userref and str(order.userref) == text]

    def held(self, asset: str, replacing: Order | None = None) -> int:
        """Return units of an asset reserved by open orders, ``replacing`` left out; buys reserve with the maker fee.

        One that waits for its trigger may take when that is reached, and reserves with the taker fee, at market what it
        would cost there.
        """
        total = 0
        for order in self.orders.values():
            price = order.price if order.price is not None else order.trigger
            if order is replacing or price is None or order.terms.leverage:
                continue
            if order.side == "buy" and order.pair.quote.name == asset:
                rate = self.taker_rate if order.waits and not order.post_only else self.maker_rate
                total += order.pair.quote_units_up(price, order.remaining, 1_000_000 + rate)
            elif order.side == "sell" and order.pair.base.name == asset:
                total += order.pair.base_units(order.remaining, "up")
        return total

    def total(self, asset: str) -> int:
        """Return units of an asset in all wallets."""
        return self.balances.get(asset, 0) + sum(self.wallets.get(asset, {}).values())

    def free(self, asset: str, replacing: Order | None = None) -> int:
        """Return units of an asset that a new order may use."""
        return self.balances.get(asset, 0) - self.held(asset, replacing)


def replaced(
    order: Order,
    qty: Decimal | None,
    price: Price | None,
    trigger: Price | None,
    post_only: bool | None,
    userref: int | None,
) -> OrderRequest:
    """Return the order that an edit asks for: as the old one where nothing is said."""
    pair = order.pair

    def kept(given: Price | None, ticks: int | None) -> Price | None:
        return given if given is not None or ticks is None else Decimal(ticks).scaleb(-pair.price_precision)

    return OrderRequest(
        pair=pair,
        side=order.side,
        kind=order.kind,
        qty=Decimal(order.qty).scaleb(-pair.qty_precision) if qty is None else qty,
        price=kept(price, order.price),
        tif=order.tif,
        expire_ns=order.expire_ns,
        post_only=order.post_only if post_only is None else post_only,
        stp=order.stp,
        userref=order.userref if userref is None else userref,
        fee_pref=order.fee_pref,
        trigger=kept(trigger, order.trigger),
        start_ns=order.start_ns if order.scheduled else 0,
    )
