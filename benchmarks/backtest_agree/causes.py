"""Why an order ended otherwise in another engine than in our market: one cause each, decided by the record."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from benchmarks.backtest_agree.evidence import Evidence
from benchmarks.backtest_agree.orders import Difference, Filled, Order, Outcome, Schedule, difference


class Cause(StrEnum):
    """The rule in which two engines differ; the first that the record proves."""

    POST_ONLY = "post-only"
    """Refused by one alone, the other side of the record being at its price as it came."""
    LATE_ORDER = "late order"
    """Refused, as it comes to the market only with the next change of the touch or trade, which reaches its price."""
    WHOLE_OR_NONE = "whole or none"
    """At the same moment, but all of it at once, where the record had less for it."""
    TAKEN_AGAIN = "taken again"
    """At the same moment, and on with later books, in which it takes the same recorded lots again."""
    LATE_BOOK = "late book"
    """A trade went through its price; filled only by the book's other side, when that comes to it, or never."""
    QUEUE = "queue"
    """Trades at its price ate all that was before it; not filled by these."""
    NO_QUEUE = "no queue"
    """Filled by a trade at its price though lots were before it."""
    CROSSED_BOOK = "crossed book"
    """The book's other side came to its price without a trade; one is filled by that."""
    LATENCY_EDGE = "latency edge"
    """A fill within the delay of its arrival or of its cancel."""
    UNEXPLAINED = "unexplained"
    """None of these."""


@dataclass(frozen=True, slots=True)
class Explained:
    """A difference and its cause, with the figures that show it; lots are traded up to the first fill."""

    engine: str
    order: Order
    difference: Difference
    cause: Cause
    ours: Filled | None
    theirs: Filled | None
    lots_before: int
    traded_at: int
    traded_past: int


def explain(
    engine: str, planned: Schedule, evidence: dict[int, Evidence], ours: Outcome, theirs: Outcome
) -> list[Explained]:
    """Return every difference of an engine's fills from ours."""
    explained = []
    for order in planned.orders:
        mine, other = ours.fills.get(order.number), theirs.fills.get(order.number)
        differs = difference(mine, other)
        each = evidence[order.number]
        if differs is None:
            continue
        is_refused = (order.number in theirs.refused) != (order.number in ours.refused)
        cause = _refusal(order, each) if is_refused else _cause(order, each, planned, mine, other)
        at_lots, past_lots = each.traded(min(fill.ts for fill in (mine, other) if fill is not None))
        explained.append(Explained(engine, order, differs, cause, mine, other, each.lots_before, at_lots, past_lots))
    return explained


def _refusal(order: Order, evidence: Evidence) -> Cause:
    """Return why one alone refused it."""
    if evidence.best is not None and (evidence.best == order.ticks or order.is_beyond(evidence.best)):
        return Cause.POST_ONLY
    reached = [evidence.touch_ts, evidence.through_ts, *evidence.book_ts]
    return Cause.LATE_ORDER if evidence.next_ts in reached else Cause.UNEXPLAINED


def _cause(order: Order, evidence: Evidence, planned: Schedule, ours: Filled | None, theirs: Filled | None) -> Cause:
    """Return why both took it, and one filled it otherwise."""
    if ours is not None and theirs is not None and ours.ts == theirs.ts:
        return _other_lots(evidence, planned, ours, theirs)
    if theirs is None or (ours is not None and ours.ts < theirs.ts):
        assert ours is not None
        # Ours is first: by what, and is theirs as late as the record's next reason for a fill?
        later = [evidence.through_ts, *evidence.book_ts]
        is_next = theirs is None or theirs.ts in later
        if is_next and ours.ts == evidence.through_ts:
            return Cause.LATE_BOOK
        if is_next and ours.ts == evidence.queue_ts:
            return Cause.QUEUE
        if is_next and ours.ts in evidence.book_ts:
            return Cause.CROSSED_BOOK
    elif theirs.ts in [ts for ts, _ in evidence.at_price] and theirs.ts != evidence.queue_ts:
        return Cause.NO_QUEUE
    elif theirs.ts in evidence.book_ts:
        return Cause.CROSSED_BOOK
    first = min(fill.ts for fill in (ours, theirs) if fill is not None)
    is_edge = min(first - order.begin_ts, order.end_ts - first) <= planned.delay_ns
    return Cause.LATENCY_EDGE if is_edge else Cause.UNEXPLAINED


def _other_lots(evidence: Evidence, planned: Schedule, ours: Filled, theirs: Filled) -> Cause:
    """Return why one filled more of it from the same moment on."""
    if ours.lots > theirs.lots:
        is_traded = ours.last_ts > ours.ts and ours.last_ts in [ts for ts, _ in evidence.past_price]
        return Cause.LATE_BOOK if is_traded else Cause.UNEXPLAINED
    if theirs.last_ts > theirs.ts:
        return Cause.TAKEN_AGAIN if evidence.book_ts else Cause.UNEXPLAINED
    return Cause.WHOLE_OR_NONE if theirs.lots == planned.lots else Cause.UNEXPLAINED
