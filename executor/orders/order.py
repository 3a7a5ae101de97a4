"""An order: identity, price and quantity, where it is in its life, and what is in doubt about it.

Only :mod:`executor.orders.transitions` changes its state and numbers. Quoting, placing and the record of events write
``audit``, and the registry writes ``changed_ts``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum

from executor.orders.denial import Rule
from shared.messages import OrderState, Side
from shared.numbers import ceil_to, floor_to, scale


class Active(Enum):
    """An order that may still trade, as far as we know."""

    SENT = "sent"  # no response and no report yet
    OPEN = "open"  # it rests, or is about to
    UNKNOWN = "unknown"  # no response will come: a report, a snapshot or the history must show whether it was placed
    CANCELLING = "cancelling"  # a cancel was sent


class Finished(Enum):
    """An order that cannot trade any more; a fill that is reported late still counts."""

    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REFUSED = "refused"  # by the exchange
    DENIED = "denied"  # by our own gates; it never left
    NEVER_PLACED = "never_placed"  # no response, and neither snapshot nor history knows it


OrderLife = Active | Finished


class Presence(Enum):
    """The part of an order that the book shows."""

    SHOWN = "shown"  # a limit order: its price is a level of the book
    PARTLY = "partly"  # it rests, but the book need not show it: an iceberg, a stop that was triggered
    WAITING = "waiting"  # it does not rest: a stop, take-profit or trailing order before its trigger


@dataclass(slots=True)
class Amend:
    """An amend in flight: to ``price`` ticks and ``qty`` lots in total, void after ``deadline_ts``."""

    req_id: int
    price: int
    qty: int
    deadline_ts: int
    is_unknown: bool = False


@dataclass(slots=True)
class Stamps:
    """When the cause of an order's add or last amend went through each process, and that request; ns of CLOCK_BOOTTIME.

    From ``heard``, when the executor took the target in, to ``planned``, the pass that made the request, it waited by
    rule: for the pace of moves, the rate budget, a request in flight.
    """

    received: int = 0
    booked: int = 0
    decided: int = 0
    sent: int = 0
    acked: int = 0
    heard: int = 0
    planned: int = 0


@dataclass(slots=True)
class Doubt:
    """The doubts about an order; times are ns of CLOCK_BOOTTIME, 0 for never.

    - ``confirmed``: since when the exchange is known to have it.
    - ``suspect_since``: since when the exchange contradicts what we believe of it; a snapshot settles that.
    - ``lacking_since``: since when, its outcome unknown, a snapshot after its deadline lacks it.
    - ``absent_at``: it was acked, and the first snapshot that lacks it was asked for then; a snapshot may lag an ack.
    """

    confirmed: int = 0
    suspect_since: int = 0
    lacking_since: int = 0
    absent_at: int = 0
    history_asked: bool = False


@dataclass(slots=True)
class Cancelling:
    """Cancels of the order: when the last was sent, how many failed in a row, when the next may leave."""

    sent: int = 0
    failures: int = 0
    due: int = 0


@dataclass(slots=True)
class Kept:
    """The targets since an order's last event that left it as it was: from when to when, and how many by reason."""

    since_ts: int
    until_ts: int
    recorded_ts: int  # when they were last recorded in an event of their own
    whys: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Audit:
    """For the journal's events of an order.

    ``events`` is the next one's number, ``judged`` the ``decided`` of the target that was last compared with the
    order, ``denied`` the rule that last denied an amend.
    """

    events: int = 0
    judged: int = 0
    denied: Rule | None = None
    kept: Kept | None = None


@dataclass(slots=True, eq=False)
class Order:
    """An order of the account. Prices in ticks, quantities in lots; ``qty`` is the total, ``filled`` of it done.

    ``counted`` is what its fills add up to, each once by its exec id; ``reported`` is the total that the exchange last
    stated. Neither is ever more than the truth, and either may lag: ``filled`` is the larger.
    ``touched`` (ns of CLOCK_BOOTTIME) is when it was created or last amended: Kraken's penalties and our own pace of
    amends count from there. ``deadline_ts`` is the exchange's time after which an unanswered add cannot be placed.
    """

    cl_ord_id: str
    strategy: str
    symbol: str
    slot: str
    side: Side
    price: int
    qty: int
    price_precision: int
    qty_precision: int
    life: OrderLife = Active.SENT
    order_id: str = ""
    filled: int = 0
    counted: int = 0
    reported: int = 0
    error: str = ""
    # The state's other half: until an amend settles the worst case takes the larger quantity at either price (T6).
    amend: Amend | None = None
    touched: int = 0
    deadline_ts: int = 0
    # Why it must go whatever the target says: a refused amend left it at a price that nobody wants (T5).
    doomed: str = ""
    created_ts: int = 0
    changed_ts: int = 0
    ended: int = 0
    presence: Presence = Presence.SHOWN
    # Known from the exchange and not from our journal: its numbers may be finer than the pair's, and are rounded
    # against us.
    is_adopted: bool = False
    # On margin: its trades, which need not say so themselves, move no spot balance.
    is_margin: bool = False
    # Read from the journal at the start, before this process asked the exchange for anything.
    is_restored: bool = False
    stamps: Stamps = field(default_factory=Stamps)
    doubt: Doubt = field(default_factory=Doubt)
    cancel: Cancelling = field(default_factory=Cancelling)
    audit: Audit = field(default_factory=Audit)

    @property
    def is_live(self) -> bool:
        """True while it may trade, as far as we know."""
        return isinstance(self.life, Active)

    @property
    def state(self) -> OrderState:
        """Return its life as the bus and the journal write it."""
        return OrderState(self.life.value)

    @property
    def remaining(self) -> int:
        """Return the lots still to fill at the settled quantity."""
        left = self.qty - self.filled  # without max(): a pass reads this some thirty times
        return left if left > 0 else 0

    @property
    def worst_remaining(self) -> int:
        """Return the lots still to fill at the larger of the settled and the amended quantity."""
        qty, amend = self.qty, self.amend
        left = (qty if amend is None or amend.qty <= qty else amend.qty) - self.filled
        return left if left > 0 else 0

    @property
    def prices(self) -> tuple[int, ...]:
        """Return the prices at which it may rest."""
        if self.amend is not None and self.amend.price != self.price:
            return (self.price, self.amend.price)
        return (self.price,)

    @property
    def worst_price(self) -> int:
        """Return the dearer of its possible prices."""
        price, amend = self.price, self.amend
        return price if amend is None or amend.price <= price else amend.price


def price_units(order: Order, price: Decimal) -> int:
    """Return a price in the order's ticks; a finer one of an adopted order is rounded towards the market."""
    if not order.is_adopted:
        return scale(price, order.price_precision)
    return ceil_to(price, order.price_precision) if order.side == "buy" else floor_to(price, order.price_precision)


def qty_units(order: Order, qty: Decimal) -> int:
    """Return a quantity in the order's lots; a finer one of an adopted order is rounded up."""
    return ceil_to(qty, order.qty_precision) if order.is_adopted else scale(qty, order.qty_precision)


def filled_units(order: Order, qty: Decimal) -> int:
    """Return a filled quantity in the order's lots, rounded down: the pair's lots may have become finer since."""
    return floor_to(qty, order.qty_precision)
