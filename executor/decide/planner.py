"""The planner: a pure function of a target's quotes and the live orders.

It keeps what is close enough, amends rather than cancels and adds, and asks for nothing on a slot whose last request
has not settled. Cancels come first in what it returns, then retreats, then advances (T7).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from executor.orders.order import Active, Order
from shared import limits
from shared.clock import SECOND
from shared.messages import Quote, Side


@dataclass(frozen=True, slots=True)
class Cancel:
    """Cancel this order."""

    order: Order
    why: str


class Stay(Enum):
    """Why an order stays as it is; a value is the sentence for people."""

    AS_WANTED = "as wanted"
    FROZEN = "decided before its side's last fill was known"
    NOT_WORTH_IT = "a move would cost more points than staying is likely to lose"
    PACED = "a changed price or quantity waits its turn"


@dataclass(frozen=True, slots=True)
class Turn:
    """When an order may move or grow, ns of CLOCK_BOOTTIME, and why not before.

    ``loss_bps`` is what staying is likely to lose and ``price_bps`` what its move costs now, if that is what decides.
    """

    due: int
    why: Stay
    loss_bps: float | None = None
    price_bps: float | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """Amend this order to a price in ticks and a remaining quantity in lots."""

    order: Order
    price: int
    remaining: int
    turn: Turn | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Add:
    """Place this quote."""

    quote: Quote


Step = Cancel | Change | Add
NEVER = 2**62  # ns: later than any moment
EXCESS_PERCENT = 5


def retreats(side: Side, old: int, new: int) -> bool:
    """True if ``new`` is further from the market than ``old``."""
    return new < old if side == "buy" else new > old


def plan(
    quotes: Sequence[Quote],
    orders: Sequence[Order],
    now: int,
    *,
    turns: Mapping[Order, Turn],
    frozen_sides: frozenset[Side] = frozenset(),
    why_cancel: str = "not wanted any more",
) -> list[Step]:
    """Return the steps from all live ``orders`` of one strategy and symbol to its ``quotes``.

    A doomed order is cancelled whatever else is in its slot. Of two in a slot the later one stays.
    An order moves or grows only when its turn has come; without one it does neither. On ``frozen_sides`` nothing is
    added or increased (T1). ``now`` is ns of CLOCK_BOOTTIME.
    """
    cancels: list[Step] = []
    back: list[Step] = []
    forward: list[Step] = []
    adds: list[Step] = []
    wanted = {quote.slot: quote for quote in quotes}
    holders = {order.slot: order for order in orders if not order.doomed}
    taken: set[str] = set()
    for order in orders:
        quote = wanted.get(order.slot)
        taken.add(order.slot)
        why = _why_cancelled(order, quote, holders, why_cancel)
        if why or quote is None:
            if can_cancel(order, now):
                cancels.append(Cancel(order, why))
            continue
        change = _change(order, quote, turns.get(order), now, order.side in frozen_sides)
        if change is not None:
            away = change.price == order.price or retreats(order.side, order.price, change.price)
            (back if away else forward).append(change)
    for slot, quote in wanted.items():
        if slot not in taken and quote.side not in frozen_sides and quote.qty > 0:
            adds.append(Add(quote))
    return [*cancels, *back, *forward, *adds]


def _why_cancelled(order: Order, quote: Quote | None, holders: Mapping[str, Order], why_cancel: str) -> str:
    if order.doomed:
        return order.doomed
    if quote is None:
        return why_cancel
    if holders[order.slot] is not order:
        return "a later order holds its slot"
    return "the slot changed sides" if quote.side != order.side else ""


def batches(cancels: list[Cancel]) -> tuple[list[list[Cancel]], list[Cancel]]:
    """Split cancels by request: those that one batch can name together, and those that leave alone.

    An order leaves alone if it has no order id, if its cancel in a batch failed, or if the report of its end may be on
    the way: Kraken does not say whether one unknown order makes it reject a whole batch.
    """
    together: list[Cancel] = []
    alone: list[Cancel] = []
    for cancel in cancels:
        order = cancel.order
        fits = order.order_id and not order.doubt.suspect_since and not order.cancel.failures
        (together if fits else alone).append(cancel)
    most = limits.BATCH_CANCEL_IDS
    groups = [together[start : start + most] for start in range(0, len(together), most)]
    return [group for group in groups if len(group) > 1], [*(g[0] for g in groups if len(g) == 1), *alone]


def can_cancel(order: Order, now: int) -> bool:
    """True if a cancel may be sent: the exchange has the order, and no cancel is on the way.

    An order in flight is not cancelled before its response: Kraken may handle the cancel first, and the order would
    stay.
    """
    if order.life is Active.OPEN:
        return now >= order.cancel.due
    # An unanswered cancel is sent again: repeating it does no harm.
    return order.life is Active.CANCELLING and now - order.cancel.sent >= limits.REQUEST_TIMEOUT_S * SECOND


def _change(order: Order, quote: Quote, turn: Turn | None, now: int, frozen: bool) -> Change | None:
    if not _is_settled(order) or order.remaining == 0:
        return None  # it may have ended: then every pass would send an amend, and each would be rejected
    remaining, price = order.remaining, quote.price
    # A new price and a larger quantity wait their turn. A smaller quantity keeps the place in the queue, and is amended
    # at once.
    is_early = turn is None or now < turn.due
    if is_early or (frozen and not retreats(order.side, order.price, price)):
        price = order.price
    qty = kept_qty(remaining, quote.qty, is_same_price=price == order.price)
    if is_early or frozen:
        qty = min(qty, remaining)
    if (price, qty) == (order.price, remaining):
        return None
    return Change(order, price, qty, turn)


def may_move(order: Order, quote: Quote, *, frozen: bool) -> bool:
    """True if an order needs a turn: nothing of it is in flight, and a target wants it at another price, or more.

    On a frozen side it may only retreat (T1).
    """
    if not _is_settled(order) or order.doomed or order.side != quote.side or is_as_wanted(order, quote):
        return False
    return not frozen or retreats(order.side, order.price, quote.price)


def why_kept(order: Order, quote: Quote, turn: Turn | None, *, frozen: bool) -> Stay | None:
    """Return why the plan leaves an order as it is; None while its last request has not settled."""
    if not _is_settled(order):
        return None
    if is_as_wanted(order, quote):
        return Stay.AS_WANTED
    return Stay.FROZEN if frozen or turn is None else turn.why


def is_as_wanted(order: Order, quote: Quote) -> bool:
    """True if an order stands as a quote wants it, with nothing in flight and nothing in doubt."""
    if not _is_settled(order) or order.doomed:
        return False
    is_same = order.side == quote.side and order.price == quote.price
    return is_same and order.remaining > 0 and _is_close(order.remaining, quote.qty)


def stands_until(order: Order, quote: Quote, turn: Turn | None, now: int) -> int:
    """Return until when an order that no step changes now needs none if nothing happens; 0 if that is not known."""
    if is_as_wanted(order, quote):
        return NEVER
    return turn.due if turn is not None and turn.due > now else 0


def _is_settled(order: Order) -> bool:
    return order.life is Active.OPEN and order.amend is None and not order.doubt.suspect_since


def kept_qty(remaining: int, wanted: int, *, is_same_price: bool) -> int:
    """Return the quantity that an order is to have: what it has, while that is near enough to the wanted one.

    When its price moves, an excess is removed as well: at the new price it may pass the size limit.
    """
    if not _is_close(remaining, wanted):
        return wanted
    return remaining if is_same_price else min(remaining, wanted)


def _is_close(remaining: int, wanted: int) -> bool:
    """True if a remaining quantity is near enough to the wanted one.

    A partial fill is not topped up while half of it is left, since that costs the place in the queue. A few percent too
    much, as after a price move under a size in money, are not worth an amend.
    """
    return wanted <= 2 * remaining and 100 * remaining <= (100 + EXCESS_PERCENT) * wanted
