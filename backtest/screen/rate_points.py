"""Rate points of the requests of a run, counted as Kraken does when it carries them out (KRAKEN.md 5.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backtest.venue.recorded import Amended, Operation, Submitted
from shared.clock import SECOND
from shared.kraken.counters import ADD, Counter, Tier, amend_cost, cancel_cost


@dataclass(frozen=True, slots=True)
class RateUse:
    """The points of one pair's requests, and the highest level of its counter.

    ``over`` are the requests that Kraken would have rejected because the counter would pass its maximum. They count
    all the same, since the fast engine carries them out.
    """

    points: float
    highest: float
    over: int


def rate_use(operations: Sequence[Operation], tier: Tier) -> RateUse:
    """Return what requests used, in the order in which they arrive."""
    counter = Counter(tier.threshold, tier.decay)
    touched: dict[int, int] = {}
    total = highest = 0.0
    over = 0
    for request in operations:
        points = _points(request, (request.ts - touched.get(request.order_id, request.ts)) / SECOND)
        touched[request.order_id] = request.ts
        total += points
        counter.charge(points, request.ts / SECOND)
        level = counter.value(request.ts / SECOND)
        highest = max(highest, level)
        over += level > tier.threshold
    return RateUse(total, highest, over)


def _points(request: Operation, age_s: float) -> float:
    if isinstance(request, Submitted):
        return ADD
    return amend_cost(age_s) if isinstance(request, Amended) else cancel_cost(age_s)
