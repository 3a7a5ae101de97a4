"""The order state machine: what each event makes of an order. A core.

An order is *sent* until an answer or a report shows it, *open* while it rests, *unknown* when no answer came,
*cancelling* once a cancel was sent; the rest are ends. An amend in flight is kept beside the state: until it settles
the worst case takes the larger quantity at either price (T6).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import Enum

from shared import limits
from shared.clock import SECOND
from shared.messages import OrderState, Side
from shared.numbers import ceil_to, floor_to, scale

LIVE = frozenset({OrderState.SENT, OrderState.OPEN, OrderState.UNKNOWN, OrderState.CANCELLING})


class Presence(Enum):
    """How much of an order the book shows."""

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
class Kept:
    """Targets that left an order as it was, since its last event: how many for each reason, from when to when."""

    since_ts: int
    until_ts: int
    told_ts: int
    whys: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Order:
    """One own order. Prices in ticks, quantities in lots; ``qty`` is the total, ``filled`` of it done.

    ``counted`` is what its fills add up to, each once by its exec id, ``told`` what the exchange said was filled in
    all. Neither is ever more than the truth, and either may lag: ``filled`` is the larger.
    ``touched`` (ns of CLOCK_BOOTTIME) is when it was created or last amended: Kraken's penalties and our own pace count
    from there. ``deadline_ts`` is the exchange's time after which an unanswered add cannot be placed any more.
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
    state: OrderState = OrderState.SENT
    order_id: str = ""
    filled: int = 0
    counted: int = 0
    told: int = 0
    error: str = ""
    amend: Amend | None = None
    touched: int = 0
    deadline_ts: int = 0
    cancel_sent: int = 0
    # Why it must go whatever the target says: a refused amend left it at a price that nobody wants (T5).
    doomed: str = ""
    # Since when a snapshot taken after its deadline lacks it, and whether the history was asked.
    lacking_since: int = 0
    history_asked: bool = False
    # Since when the exchange's answers contradict what we believe of it; a snapshot settles it.
    suspect_since: int = 0
    created_ts: int = 0
    changed_ts: int = 0
    ended: int = 0
    received: int = 0
    booked: int = 0
    decided: int = 0
    sent: int = 0
    acked: int = 0
    # Since when the exchange is known to have it (ns of CLOCK_BOOTTIME), and when the first snapshot was asked for that
    # lacked it all the same; a snapshot may lag an ack.
    confirmed: int = 0
    absent_at: int = 0
    # Cancels that came to nothing, one after another, and when the next may leave.
    cancel_failures: int = 0
    cancel_due: int = 0
    presence: Presence = Presence.SHOWN
    # The exchange told of it, and no journal: its numbers may be finer than the pair's, and are rounded against us.
    is_adopted: bool = False
    # On margin: its trades, which need not say so themselves, move no spot balance.
    is_margin: bool = False
    # Of the journal: it was known before this process asked the exchange for anything.
    is_restored: bool = False
    # For the record of events: the next one's number, the target last compared, what was last denied, and what it kept.
    events: int = 0
    judged: int = 0
    denied: str = ""
    kept: Kept | None = None

    @property
    def is_live(self) -> bool:
        """May it still trade, as far as we know."""
        return self.state in LIVE

    @property
    def remaining(self) -> int:
        """Lots still to fill at the settled quantity."""
        return max(0, self.qty - self.filled)

    @property
    def worst_remaining(self) -> int:
        """Lots still to fill at the larger of the settled and the amended quantity."""
        amended = self.amend.qty if self.amend else 0
        return max(0, max(self.qty, amended) - self.filled)

    @property
    def prices(self) -> tuple[int, ...]:
        """The prices at which it may rest."""
        if self.amend is not None and self.amend.price != self.price:
            return (self.price, self.amend.price)
        return (self.price,)

    @property
    def worst_price(self) -> int:
        """The dearer of its possible prices."""
        return max(self.prices)


def price_units(order: Order, price: Decimal) -> int:
    """A price in the order's ticks; a finer one of an adopted order counts as the next tick towards the market."""
    if not order.is_adopted:
        return scale(price, order.price_precision)
    return ceil_to(price, order.price_precision) if order.side == "buy" else floor_to(price, order.price_precision)


def qty_units(order: Order, qty: Decimal) -> int:
    """A quantity in the order's lots; a finer one of an adopted order is rounded up."""
    return ceil_to(qty, order.qty_precision) if order.is_adopted else scale(qty, order.qty_precision)


def filled_units(order: Order, qty: Decimal) -> int:
    """A filled quantity in the order's lots; a finer one of an adopted order is rounded down."""
    return floor_to(qty, order.qty_precision) if order.is_adopted else scale(qty, order.qty_precision)


def rescale(order: Order, price_precision: int, qty_precision: int) -> None:
    """Brings an adopted order to the precisions of its pair, which became known after it."""

    def moved(units: int, now: int, then: int, rounding: str) -> int:
        return int(Decimal(units).scaleb(then - now).to_integral_value(rounding))

    near = ROUND_CEILING if order.side == "buy" else ROUND_FLOOR
    order.price = moved(order.price, order.price_precision, price_precision, near)
    order.qty = moved(order.qty, order.qty_precision, qty_precision, ROUND_CEILING)
    for name in ("filled", "counted", "told"):
        setattr(order, name, moved(getattr(order, name), order.qty_precision, qty_precision, ROUND_FLOOR))
    order.price_precision, order.qty_precision = price_precision, qty_precision


def acknowledged(order: Order, order_id: str, now: int) -> None:
    """The exchange has it: a success answer or a report named its ``order_id``."""
    if order_id:
        order.order_id = order_id
    order.confirmed = order.confirmed or now
    if order.state in (OrderState.SENT, OrderState.UNKNOWN):
        order.state = OrderState.OPEN
        order.acked = order.acked or now
        order.lacking_since = 0


def ended(order: Order, state: OrderState, why: str, now: int) -> None:
    """It cannot trade any more. A fill that is told late is counted all the same."""
    assert state not in LIVE, f"{state} is no end"
    if order.is_live:
        order.state, order.ended, order.amend = state, now, None
        order.error = why or order.error


def filled(order: Order, lots: int) -> None:
    """One fill that was not counted before."""
    order.counted += lots
    order.filled = max(order.counted, order.told)


def revived(order: Order, now: int) -> None:
    """Believed ended, and open at the exchange: it may trade, and goes with the next pass."""
    order.state, order.ended = OrderState.OPEN, 0
    order.confirmed = order.confirmed or now
    order.absent_at = order.suspect_since = 0
    order.doomed = f"open at the exchange, though believed ended ({order.error or 'no reason'})"


def shown_by_fill(order: Order, order_id: str, now: int) -> None:
    """A fill of it, old or new, proves that it was placed; whether it still rests a snapshot must tell."""
    order.order_id = order.order_id or order_id
    order.confirmed = order.confirmed or now
    if order.state in (OrderState.SENT, OrderState.UNKNOWN):
        order.state, order.lacking_since = OrderState.OPEN, 0


def told_filled(order: Order, lots: int, *, is_snapshot: bool) -> None:
    """The exchange says that so much of it is filled in all; only a snapshot may say less than was told before."""
    order.told = lots if is_snapshot else max(order.told, lots)
    order.filled = max(order.counted, order.told)


def amended(order: Order, price: int | None, qty: int | None, now: int) -> None:
    """The exchange reports the order at this price and total quantity."""
    pending = order.amend
    if price is not None:
        order.price = price
    if qty is not None:
        order.qty = qty
    if pending is not None and (order.price, order.qty) == (pending.price, pending.qty):
        order.amend = None
    order.touched = now


def amend_confirmed(order: Order, req_id: int, now: int) -> None:
    """A success answer to the amend in flight."""
    pending = order.amend
    if pending is not None and pending.req_id == req_id:
        order.price, order.qty, order.amend = pending.price, pending.qty, None
        order.touched = now


def amend_refused(order: Order, req_id: int, why: str) -> Amend | None:
    """The amend that was not carried out: the old price is live (T5). None when another amend is in flight."""
    refused = order.amend
    if refused is None or refused.req_id != req_id:
        return None
    order.amend = None
    order.error = why
    return refused


def lost_sight(order: Order) -> None:
    """No answer will come to what is in flight: a time-out, a lost connection."""
    if order.state is OrderState.SENT:
        order.state = OrderState.UNKNOWN
    if order.amend is not None:
        order.amend.is_unknown = True


def cancel_failed(order: Order, now: int) -> int:
    """A cancel came to nothing: the next goes another way, and from the third on later each time; how many there were.

    One of an order that is not being cancelled (it ended, or was seen open since) counts as well: it costs a way.
    """
    order.cancel_failures += 1
    again_s = 0.0
    if order.cancel_failures >= limits.CANCEL_FAILURES:
        again_s = min(2.0 ** (order.cancel_failures - limits.CANCEL_FAILURES), limits.CANCEL_AGAIN_MAX_S)
    order.cancel_due = now + int(again_s * SECOND)
    if order.state is OrderState.CANCELLING:
        order.state = OrderState.OPEN
    return order.cancel_failures
