"""When an order may move in the fast engine: at once, once in a while, or when the executor's rule finds it worth it.

The rule, its estimates of the mid's volatility and trend, and the counter with its reserve for pulling are the
executor's own code (``worth_moving``, ``market``, ``budget`` in :mod:`executor`). As there, cancels leave first and
always, then retreats and reductions, then advances, then adds. What the counter has no room for waits; a retreat or a
reduction is cancelled instead (T5). Each request leaves alone, so none has the price of a batch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import IntEnum, StrEnum
from typing import NamedTuple

from executor.decide.budget import Budget, add_points, amend_points, cancel_points
from executor.decide.planner import NEVER, Turn, kept_qty, retreats
from executor.decide.worth_moving import Terms, choose
from executor.market import Motion
from shared.clock import MS, SECOND
from shared.kraken.counters import CANCEL_WORST, Tier
from shared.messages import Quote, Side


class Moves(StrEnum):
    """When an order whose quote changed may be amended."""

    FREE = "free"
    """At once, whatever the counter says."""
    PACED = "paced"
    """Once in ``limits.AMEND_EVERY_S``, within the counter."""
    PRICED = "priced"
    """When staying would lose more than the points are worth, within the counter."""


class Resting(NamedTuple):
    """A slot's resting order; ``touched`` is when its add or last amend was carried out.

    ``is_refused`` is true if post-only refused that amend: the order is left at a price that nobody wants.
    """

    slot: str
    side: Side
    price: int
    remaining: int
    filled: int
    touched: int
    is_refused: bool


class Settled(NamedTuple):
    """A slot with no request on the way: what rests there, and what is wanted."""

    slot: str
    order: Resting | None
    quote: Quote | None


class StepKind(IntEnum):
    """The kind of a request, in the order in which they leave."""

    CANCEL = 0
    LESS = 1
    """An amend away from the market, or to a smaller quantity."""
    ADVANCE = 2
    ADD = 3


class Step(NamedTuple):
    """A request for a slot; ``qty`` are the lots that are to remain, without meaning for a cancel."""

    slot: str
    kind: StepKind
    order: Resting | None
    side: Side
    price: int
    qty: int


class Mover:
    """Chooses a pair's requests that may leave, and counts their points as they do.

    ``look_ts`` is when one that waits is to be looked at again, if nothing happens before.
    """

    def __init__(self, moves: Moves, symbol: str, tier: Tier) -> None:
        self._symbol = symbol
        self.budget = Budget(tier)
        self.look_ts = NEVER
        self._mid = 0.0
        self._motion: Motion | None = None
        if moves is Moves.PRICED:
            self._motion = Motion()

    def take_mid(self, mid: float, now: int) -> None:
        """Take in the mid in ticks as it is now."""
        self._mid = mid
        if self._motion is not None:
            self._motion.take(mid, now)

    def plan(self, settled: Sequence[Settled], open_orders: int, now: int) -> list[Step]:
        """Return the requests that leave now; ``open_orders`` are all that rest or may, on every slot."""
        self.look_ts = NEVER
        turns = self._turns(settled, open_orders, now)
        steps = []
        for each in settled:
            due = turns[each.order].due if each.order is not None and each.order in turns else now
            if due > now:
                self.look_ts = min(self.look_ts, due)
            step = step_to(each, is_early=due > now)
            if step is not None:
                steps.append(step)
        leaving = []
        for step in sorted(steps, key=lambda step: step.kind):
            allowed = self._allowed(step, open_orders, now)
            if allowed is not None:
                leaving.append(allowed)
                open_orders += allowed.kind is StepKind.ADD
        return leaving

    def _turns(self, settled: Sequence[Settled], open_orders: int, now: int) -> dict[Resting, Turn]:
        """Return when each order that is not as wanted may move or grow."""
        moving = [
            (each.order, each.quote)
            for each in settled
            if each.order is not None and each.quote is not None and not each.order.is_refused
            if step_to(each) is not None
        ]
        if not moving:
            return {}
        motion = self._motion
        terms = Terms(
            mid=self._mid,
            sigma=motion.sigma() if motion is not None else None,
            trend=motion.errors(now) if motion is not None else 0.0,
            value=self.budget.value(self._symbol, now),
            most=self.budget.threshold - CANCEL_WORST * open_orders,
            decay=self.budget.decay,
        )
        return choose(moving, terms, now)

    def _allowed(self, step: Step, open_orders: int, now: int) -> Step | None:
        """Charge a step and return it; a cancel in its place where it may not wait, None where it must."""
        if step.kind is not StepKind.CANCEL:
            open_after = open_orders + (step.kind is StepKind.ADD)
            points = add_points(1) if step.order is None else amend_points(step.order.touched, now)
            if self.budget.allows(self._symbol, points, open_after, now):
                self.budget.charge(self._symbol, points, now)
                return step
            if step.kind is not StepKind.LESS:
                self.look_ts = min(self.look_ts, self._room_ts(points, open_after, now))
                return None
            step = step._replace(kind=StepKind.CANCEL)
        assert step.order is not None
        self.budget.charge(self._symbol, cancel_points(step.order.touched, now), now)
        return step

    def _room_ts(self, points: float, open_after: int, now: int) -> int:
        """Return when the counter has decayed so far that these points fit."""
        budget = self.budget
        level = budget.threshold - CANCEL_WORST * open_after - points
        if level < 0:
            return NEVER
        wait_s = (budget.value(self._symbol, now) - level) / budget.decay
        return now + max(MS, math.ceil(wait_s * SECOND))


def step_to(settled: Settled, *, is_early: bool = False) -> Step | None:
    """Return the request that makes a slot as wanted, or None if it is; ``is_early`` leaves only a smaller quantity."""
    slot, order, quote = settled
    if order is None:
        return None if quote is None else Step(slot, StepKind.ADD, None, quote.side, quote.price, quote.qty)
    if quote is None or order.is_refused:
        return Step(slot, StepKind.CANCEL, order, order.side, order.price, order.remaining)
    price = order.price if is_early else quote.price
    qty = kept_qty(order.remaining, quote.qty, is_same_price=price == order.price)
    if is_early:
        qty = min(qty, order.remaining)
    if (price, qty) == (order.price, order.remaining):
        return None
    is_less = qty < order.remaining or retreats(order.side, order.price, price)
    return Step(slot, StepKind.LESS if is_less else StepKind.ADVANCE, order, order.side, price, qty)
