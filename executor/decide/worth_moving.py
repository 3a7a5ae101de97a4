"""The price of a move: an order moves when staying would lose more than the points of its amend are worth.

Staying loses, in bp of the order's value over the next ``HORIZON_S`` seconds,

    drift · P(the mid reaches the nearer of the two prices),  P = erfc(distance / (σ · √(2 · HORIZON_S)))

where the drift lies between the order's price and the wanted one, and P is the reflection principle's for a mid without
trend. An order that must retreat would be filled at a price that its strategy does not want. One that may advance only
misses a fill, which counts ``ADVANCE_SHARE``: a mid without trend mostly comes back. While a trend of more than
``CHANCE_ERRORS`` standard errors goes the way of the move, both count more, by ``TREND_SHARE`` times the square of what
is beyond: that mid does not come back. It runs over the one, and the fills of the other end what it left with a maker.

A point costs ``POINT_SIGMAS · σ / (1 - u)``: as many points come back a second in any market, so they are dearer where
there is more to lose. ``u`` is how full the counter would be after the amend, of what the reserve for pulling leaves
(T8). The points of an amend fall as its order ages (KRAKEN.md 5.2). From ``limits.MOVE_ANYWAY_S`` on an order moves
whatever it loses. All of this is a signal in float: prices and quantities stay the target's.
``docs/decisions/rate-budget.md`` says why.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol, TypeVar

from executor.decide.planner import NEVER, Stay, Turn, retreats
from shared import limits
from shared.clock import MS, SECOND
from shared.kraken.counters import AMEND_AGES, amend_cost
from shared.measures.volatility import BP
from shared.messages import Quote, Side

HORIZON_S = 5.0  # the age at which an amend first becomes cheaper: who stays now may move then
POINT_SIGMAS = 1.6  # of a second's move
ADVANCE_SHARE = 0.05
TREND_SHARE = 5.0
CHANCE_ERRORS = 2.0
FULL = 0.95  # a fuller counter makes a point no dearer: a retreat that is worth so much is then denied, and cancelled
# From which age up to which an amend costs how many points.
_BOUNDS_S = (0.0, *(below for below, _ in AMEND_AGES), math.inf)
AGES = tuple((age_s, end_s, amend_cost(age_s)) for age_s, end_s in pairwise(_BOUNDS_S))


class Movable(Protocol):
    """The parts of an order that its move is priced by: ticks, and ns of when it was created or last amended."""

    @property
    def side(self) -> Side: ...
    @property
    def price(self) -> int: ...
    @property
    def touched(self) -> int: ...


M = TypeVar("M", bound=Movable)


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms by which moves on a pair are priced.

    ``mid`` is in ticks, ``sigma`` in bp per √s or None while it is not known, ``trend`` in standard errors, upwards
    above 0. The pair's counter stands at ``value``, may rise to ``most`` and decays by ``decay`` points a second.
    """

    mid: float
    sigma: float | None
    trend: float
    value: float
    most: float
    decay: float


def choose(wanted: Sequence[tuple[M, Quote]], terms: Terms, now: int) -> dict[M, Turn]:
    """Return when each order's move is worth it, by order; those that are now spend the counter one after the other.

    Retreats come first, then what loses most by staying.
    """
    priced = [(loss_of_staying(order, quote.price, terms), order, quote) for order, quote in wanted]
    priced.sort(key=lambda move: (not retreats(move[1].side, move[1].price, move[2].price), -move[0]))
    turns: dict[M, Turn] = {}
    for loss_bps, order, quote in priced:
        turn = turns[order] = _turn(order, quote, loss_bps, terms, now)
        if turn.due <= now:
            terms = replace(terms, value=terms.value + amend_cost((now - order.touched) / SECOND))
    return turns


def loss_of_staying(order: Movable, wanted: int, terms: Terms) -> float:
    """Return what an order loses in bp of its value if it stays while its strategy wants it at ``wanted``.

    Nothing is known of that without a volatility.
    """
    if terms.sigma is None:
        return 0.0
    drift_bps = abs(wanted - order.price) / terms.mid / BP
    sign = 1 if order.side == "buy" else -1
    near_bps = min(sign * (terms.mid - price) for price in (order.price, wanted)) / terms.mid / BP
    along = terms.trend if wanted > order.price else -terms.trend
    share = 1.0 if retreats(order.side, order.price, wanted) else ADVANCE_SHARE
    share += TREND_SHARE * max(0.0, along - CHANCE_ERRORS) ** 2
    return drift_bps * share * reach_chance(near_bps, terms.sigma)


def reach_chance(distance_bps: float, sigma: float) -> float:
    """Return the chance that the mid reaches a price within the horizon; one that it has reached is certain."""
    if distance_bps <= 0:
        return 1.0
    return math.erfc(distance_bps / (sigma * math.sqrt(2 * HORIZON_S))) if sigma > 0 else 0.0


def price_of(points: float, terms: Terms) -> float:
    """Return the price of an amend in bp."""
    full = min((terms.value + points) / terms.most, FULL) if terms.most > 0 else FULL
    return POINT_SIGMAS * (terms.sigma or 0.0) * points / (1 - full)


def _turn(order: Movable, quote: Quote, loss_bps: float, terms: Terms, now: int) -> Turn:
    """Return when a move is worth it if nothing changes but the order's age and the counter's decay."""
    if terms.sigma is None or quote.price == order.price:
        return Turn(order.touched + int(limits.AMEND_EVERY_S * SECOND), Stay.PACED)
    due = order.touched + int(limits.MOVE_ANYWAY_S * SECOND)
    for age_s, end_s, points in AGES:
        at = max(_affordable_at(loss_bps, points, terms, now), order.touched + int(age_s * SECOND))
        if at - order.touched < end_s * SECOND:
            due = min(due, at)
    return Turn(due, Stay.NOT_WORTH_IT, loss_bps, price_of(amend_cost((now - order.touched) / SECOND), terms))


def _affordable_at(loss_bps: float, points: float, terms: Terms, now: int) -> int:
    """Return when the counter has decayed so far that these points cost less than the loss."""
    least_bps = POINT_SIGMAS * (terms.sigma or 0.0) * points
    if loss_bps <= least_bps:
        return NEVER
    if loss_bps * (1 - FULL) > least_bps:
        return now
    level = (1 - least_bps / loss_bps) * terms.most
    if level < points:
        return NEVER
    wait_ns = math.ceil((terms.value + points - level) / terms.decay * SECOND)
    return now if wait_ns < MS else now + wait_ns
