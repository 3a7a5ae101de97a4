"""The order state machine: events in, the order's next state out. Nothing else changes an order.

:func:`life_after` has all transitions between states, and docs/orders.md is made from it. :func:`apply` makes an
event's other changes to the order.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import assert_never

from executor.orders.order import Active, Amend, Finished, Order, OrderLife, Presence, Stamps
from shared import limits
from shared.clock import SECOND


@dataclass(frozen=True, slots=True)
class Caused:
    """The target that leads to an add or an amend: when its data was received, booked, decided on and heard here."""

    received: int
    booked: int
    decided: int
    heard: int


@dataclass(frozen=True, slots=True)
class Left:
    """Its add or amend was handed to the socket."""


@dataclass(frozen=True, slots=True)
class Acked:
    """The exchange has it: a success response or a report named it."""

    order_id: str


@dataclass(frozen=True, slots=True)
class ShownByFill:
    """A fill of it, old or new, proves that it was placed."""

    order_id: str


@dataclass(frozen=True, slots=True)
class SeenOpen:
    """A snapshot of open orders has it."""

    order_id: str


@dataclass(frozen=True, slots=True)
class Named:
    """A report named the exchange's id of it."""

    order_id: str


@dataclass(frozen=True, slots=True)
class FillCounted:
    """A fill that was not counted before, in lots."""

    lots: int


@dataclass(frozen=True, slots=True)
class FilledInAll:
    """The exchange states how many lots are filled in all; only a snapshot may lower the number."""

    lots: int
    is_snapshot: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """It cannot trade any more: a report, a rejection, a denial or an absence that counts."""

    how: Finished
    why: str


@dataclass(frozen=True, slots=True)
class Revived:
    """Open at the exchange, though believed ended; the next pass cancels it.

    ``is_suspect`` if only a fill shows it: a snapshot must show whether it still rests.
    """

    is_suspect: bool


@dataclass(frozen=True, slots=True)
class OutcomeUnknown:
    """No response will come to what is in flight: a time-out, a lost connection, an error that leaves it open."""


@dataclass(frozen=True, slots=True)
class Restarted:
    """Read from the journal by a new process: what was in flight has an unknown outcome."""


@dataclass(frozen=True, slots=True)
class AmendSent:
    """An amend leaves."""

    amend: Amend


@dataclass(frozen=True, slots=True)
class AmendAcked:
    """A success response to the amend in flight."""

    req_id: int


@dataclass(frozen=True, slots=True)
class AmendRejected:
    """The amend in flight was not carried out."""

    req_id: int
    why: str


@dataclass(frozen=True, slots=True)
class AmendVoid:
    """The amend can have no effect any more: never sent, past its deadline, or of an order that is gone."""


@dataclass(frozen=True, slots=True)
class Restated:
    """The exchange reports it at this price (ticks) and total quantity (lots), as far as it states them."""

    price: int | None
    qty: int | None
    is_new: bool = True  # False: a snapshot repeats what was known, and its age stays


@dataclass(frozen=True, slots=True)
class CancelSent:
    """A cancel leaves."""

    why: str


@dataclass(frozen=True, slots=True)
class CancelFailed:
    """A cancel failed (rejected, unanswered): the next goes another way, alone or by REST.

    It counts as a failure even if a snapshot has shown the order open since.
    """


@dataclass(frozen=True, slots=True)
class CancelMissed:
    """A snapshot asked for after the cancel shows the order open: the cancel did not arrive."""


@dataclass(frozen=True, slots=True)
class CancelRepeated:
    """A cancel is sent again because the one before had no effect."""


@dataclass(frozen=True, slots=True)
class Doomed:
    """It rests at a price that nobody wants, and must go."""

    why: str


@dataclass(frozen=True, slots=True)
class Suspected:
    """The exchange contradicts what we believe of the order."""


@dataclass(frozen=True, slots=True)
class Cleared:
    """A snapshot names it, though its row cannot be read: it is not absent."""


@dataclass(frozen=True, slots=True)
class ReportedOpen:
    """A report shows it open: an earlier absence no longer counts."""


@dataclass(frozen=True, slots=True)
class Absent:
    """A snapshot lacks an order that was acked less than 5 s before it was asked for: only a second one ends it."""

    asked_at: int


@dataclass(frozen=True, slots=True)
class Lacking:
    """A snapshot lacks an order of unknown outcome past its deadline: the history is asked 60 s later."""


@dataclass(frozen=True, slots=True)
class HistoryAsked:
    """The history of closed orders is asked for it."""


Event = (
    Caused
    | Left
    | Acked
    | ShownByFill
    | SeenOpen
    | Named
    | FillCounted
    | FilledInAll
    | Ended
    | Revived
    | OutcomeUnknown
    | Restarted
    | AmendSent
    | AmendAcked
    | AmendRejected
    | AmendVoid
    | Restated
    | CancelSent
    | CancelFailed
    | CancelMissed
    | CancelRepeated
    | Doomed
    | Suspected
    | Cleared
    | ReportedOpen
    | Absent
    | Lacking
    | HistoryAsked
)


def life_after(life: OrderLife, event: Event) -> OrderLife:
    """Return the state that an event leads to, or the same state if the event does not change it."""
    if isinstance(life, Finished):
        # The first end stands (T17); only evidence that it is open brings it back.
        return Active.OPEN if isinstance(event, Revived) else life
    match event:
        case Acked() | ShownByFill() | SeenOpen():
            # Anything that shows it proves that it was placed (docs/rules.md, "Outcomes"); a cancel stays in flight.
            return Active.OPEN if life in (Active.SENT, Active.UNKNOWN) else life
        case Revived():
            return Active.OPEN
        case Ended():
            return event.how
        case OutcomeUnknown():
            # Never sent again: a report, a snapshot or the history must show whether it was placed (docs/rules.md).
            return Active.UNKNOWN if life is Active.SENT else life
        case Restarted():
            # The new process has no request in flight, and decides about cancels again (T10).
            if life is Active.SENT:
                return Active.UNKNOWN
            return Active.OPEN if life is Active.CANCELLING else life
        case CancelSent():
            return Active.CANCELLING
        case CancelFailed() | CancelMissed():
            # It still rests; the next pass cancels it another way (T8).
            return Active.OPEN if life is Active.CANCELLING else life
        case AmendSent() | AmendAcked() | AmendRejected() | AmendVoid() | Restated():
            return life  # price and quantity change, and the worst case covers both until they do (T6)
        case Caused() | Left() | Named() | FillCounted() | FilledInAll():
            return life  # even filled to the last lot, it waits for the report of its end
        case Doomed() | CancelRepeated() | Suspected() | Cleared() | ReportedOpen():
            return life
        case Absent() | Lacking() | HistoryAsked():
            return life  # absence alone is no proof of an end (T17)
        case _:
            assert_never(event)


def apply(order: Order, event: Event, now: int) -> None:
    """Take in an event; ``now`` is ns of CLOCK_BOOTTIME."""
    was, order.life = order.life, life_after(order.life, event)
    doubt = order.doubt
    match event:
        case Caused():
            order.stamps = Stamps(event.received, event.booked, event.decided, heard=event.heard, planned=now)
        case Left():
            order.stamps.sent = now
        case Acked() | SeenOpen():
            order.order_id = event.order_id or order.order_id
            doubt.confirmed = doubt.confirmed or now
            if order.life is not was:
                order.stamps.acked, doubt.lacking_since = order.stamps.acked or now, 0
            if isinstance(event, SeenOpen):
                doubt.suspect_since = doubt.absent_at = 0
        case ShownByFill():
            # A snapshot must show whether it still rests.
            order.order_id = order.order_id or event.order_id
            doubt.confirmed = doubt.confirmed or now
            if order.life is not was:
                doubt.lacking_since = 0
        case Named():
            order.order_id = order.order_id or event.order_id
        case FillCounted():
            order.counted += event.lots
            order.filled = max(order.counted, order.reported)
        case FilledInAll():
            order.reported = event.lots if event.is_snapshot else max(order.reported, event.lots)
            order.filled = max(order.counted, order.reported)
        case Ended():
            if isinstance(was, Active):
                order.ended, order.amend, order.error = now, None, event.why or order.error
        case Revived():
            order.ended = 0
            doubt.confirmed = doubt.confirmed or now
            doubt.absent_at, doubt.suspect_since = 0, now if event.is_suspect else 0
            order.doomed = f"open at the exchange, though believed ended ({order.error or 'no reason'})"
        case OutcomeUnknown() | Restarted():
            if order.amend is not None:
                order.amend.is_unknown = True
        case AmendSent():
            order.amend = event.amend if isinstance(was, Active) else None
        case AmendAcked() | AmendRejected():
            _amend_answered(order, event, now)
        case AmendVoid():
            order.amend = None
        case Restated():
            order.price = order.price if event.price is None else event.price
            order.qty = order.qty if event.qty is None else event.qty
            pending = order.amend
            if pending is not None and (order.price, order.qty) == (pending.price, pending.qty):
                order.amend = None
            order.touched = now if event.is_new else order.touched
        case CancelSent():
            order.cancel.sent, order.error = now, event.why
        case CancelFailed():
            _cancel_failed(order, now)
        case CancelRepeated():
            order.cancel.failures += 1
        case Doomed():
            order.doomed, order.touched = event.why, now
        case Suspected():
            doubt.suspect_since = doubt.suspect_since or now
        case Cleared():
            doubt.suspect_since = 0
        case ReportedOpen():
            doubt.absent_at = 0
        case Absent():
            doubt.absent_at = doubt.absent_at or event.asked_at
            doubt.suspect_since = doubt.suspect_since or now
        case Lacking():
            doubt.lacking_since = doubt.lacking_since or now
        case HistoryAsked():
            doubt.history_asked = True
        case CancelMissed():
            pass
        case _:
            assert_never(event)


def _amend_answered(order: Order, event: AmendAcked | AmendRejected, now: int) -> None:
    """Settle the amend that the response belongs to, unless another one is in flight by now."""
    pending = order.amend
    if pending is None or pending.req_id != event.req_id:
        return
    order.amend = None
    if isinstance(event, AmendRejected):
        order.error = event.why  # the old price is live (T5)
    else:
        order.price, order.qty, order.touched = pending.price, pending.qty, now
        order.stamps.acked = now


def _cancel_failed(order: Order, now: int) -> None:
    """Count a failed cancel; from the third in a row on, the next one waits longer each time."""
    order.cancel.failures += 1
    again_s = 0.0
    if order.cancel.failures >= limits.CANCEL_FAILURES:
        again_s = min(2.0 ** (order.cancel.failures - limits.CANCEL_FAILURES), limits.CANCEL_AGAIN_MAX_S)
    order.cancel.due = now + int(again_s * SECOND)


def rescale(order: Order, price_precision: int, qty_precision: int) -> None:
    """Bring an adopted order to the precisions of its pair, which became known or changed after its adoption."""

    def moved(units: int, now: int, then: int, rounding: str) -> int:
        return int(Decimal(units).scaleb(then - now).to_integral_value(rounding))

    near = ROUND_CEILING if order.side == "buy" else ROUND_FLOOR
    order.price = moved(order.price, order.price_precision, price_precision, near)
    order.qty = moved(order.qty, order.qty_precision, qty_precision, ROUND_CEILING)
    order.filled, order.counted, order.reported = (
        moved(units, order.qty_precision, qty_precision, ROUND_FLOOR)
        for units in (order.filled, order.counted, order.reported)
    )
    order.price_precision, order.qty_precision = price_precision, qty_precision


def show_presence(order: Order, presence: Presence, *, is_margin: bool) -> None:
    """Note how much of an adopted order the book shows, and that it is on margin if any report said so."""
    order.presence, order.is_margin = presence, order.is_margin or is_margin
