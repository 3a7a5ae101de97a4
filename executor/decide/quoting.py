"""Quoting: a pass that makes our orders match the targets, by gates, plan, risk, budget and requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from executor.decide import risk
from executor.decide.agenda import Agenda
from executor.decide.budget import add_points, amend_points
from executor.decide.cancels import Cancels
from executor.decide.closed import Closed
from executor.decide.gates import Gates
from executor.decide.placing import Placing
from executor.decide.planner import (
    Add,
    Cancel,
    Change,
    Stay,
    Step,
    Turn,
    may_move,
    plan,
    retreats,
    stands_until,
    why_kept,
)
from executor.decide.slot_backoff import SlotBackoff
from executor.decide.worth_moving import Terms, choose
from executor.effects import DRY_RUN, Request
from executor.exchange.rejections import Rejections
from executor.exchange.requests import add_params, amend_params, deadline_text
from executor.orders.denial import BUDGET, Denial, Rule
from executor.orders.order import Active, Amend, Finished, Order
from executor.orders.registry import FLATTEN, FOREIGN
from executor.orders.transitions import AmendSent, Ended, apply
from executor.record import events
from executor.state import State
from executor.wanted import FUTURE_NS, Targets, Wanted
from shared import limits
from shared.clock import MS, SECOND
from shared.kraken.counters import CANCEL_WORST
from shared.messages import Quote, Side, Target
from shared.numbers import text
from shared.valuation import legs

ADD_BATCH = 15


class Quoting:
    """Makes the passes; each goes over every strategy on the pairs of the agenda."""

    def __init__(self, state: State, rejections: Rejections, backoff: SlotBackoff) -> None:
        self.state, self.rejections, self.backoff = state, rejections, backoff
        self.gates, self.placing = Gates(state), Placing(state)
        self.cancels = Cancels(state, self.placing)
        self._idle_since = 0  # since when nothing may be added or amended
        self.targets = Targets(state, rejections)
        self.agenda = Agenda(state)
        # What the last pass compared: its counting waits until that pass's requests have left.
        self._compared: list[tuple[Target, Wanted, Mapping[Order, Turn], list[Step]]] = []

    # --- the pass ------------------------------------------------------------------------------------------------

    def turn(self, now: int) -> None:
        """Make one pass: each pair that the agenda names, with every strategy on it."""
        self.gates.observe(now)
        pull_all = self.gates.pulling(now)
        idle = self.gates.advancing(now)
        self._idle_since = (self._idle_since or now) if idle else 0
        self.targets.observe(now)
        over = self._legs_over_limit()
        for symbol in self.agenda.symbols((pull_all, idle, frozenset(over)), now):
            self.gates.observe_symbol(symbol, now)
            self.targets.lift_price_blocks(symbol, now)
            closed = self.gates.quoting(symbol, now)
            pull = pull_all or (closed if closed is not None and closed.pulls else None)
            wanted = self._wanted(symbol, pull, now)
            turns = self._turns(symbol, wanted, now)
            steps = [(each.strategy, step) for each in wanted for step in self._steps(each, turns, now)]
            self._over_limit(symbol, steps, over)
            is_done = not (pull or closed) and all(self._is_held(each, step, symbol, now) for each, step in steps)
            self.agenda.rest(symbol, self._rests_until(symbol, turns, now) if is_done else 0, now)
            self.cancels.send([step for _, step in steps if isinstance(step, Cancel)], now)
            if pull:
                continue
            if shut := closed or idle:
                self._cancel_stuck(steps, shut, now)
            else:
                self._advance(symbol, steps, now)

    def _wanted(self, symbol: str, pull: Closed | None, now: int) -> list[Wanted]:
        """Return what each strategy wants on a symbol, those with orders there that are configured no more too."""
        state = self.state
        owners = {order.strategy for order in state.registry.live_on(symbol)} - {FOREIGN, FLATTEN}
        return [
            self.targets.wanted(strategy, symbol, pull or self.gates.paused(strategy, symbol), now)
            for strategy in sorted(owners | set(state.config.strategies))
        ]

    def _turns(self, symbol: str, wanted: list[Wanted], now: int) -> dict[Order, Turn]:
        """Return when each order that is not as wanted may move, by what the pair's counter has to spare."""
        state = self.state
        moving = [
            (order, quote)
            for each in wanted
            for order, quote in each.pairs
            if may_move(order, quote, frozen=order.side in each.frozen)
        ]
        if not moving:
            return {}
        budget, mid = state.budget, state.market.mids.get(symbol)
        terms = Terms(
            mid=float(mid or 0),
            sigma=state.market.sigma(symbol) if mid else None,
            trend=state.market.trend(symbol, now),
            value=budget.value(symbol, now),
            most=budget.threshold - CANCEL_WORST * self.placing.open_on(symbol),
            decay=budget.decay,
        )
        return choose(moving, terms, now)

    def _rests_until(self, symbol: str, turns: Mapping[Order, Turn], now: int) -> int:
        """Return until when a symbol needs no step if nothing happens to it; 0 if it may need one now.

        It needs none while every order is as its target wants it, and every quote has its order, or their slots wait.
        """
        state = self.state
        until = self.gates.agrees_until(symbol, now)
        orders = [order for order in state.registry.live_on(symbol) if order.strategy not in (FOREIGN, FLATTEN)]
        slots = {(order.strategy, order.slot): order for order in orders}
        if len(slots) != len(orders):
            return 0
        for strategy in state.config.strategies:
            target = state.market.targets.get((strategy, symbol))
            if target is None:
                continue
            holds_until = target.decided + target.ttl_ms * MS
            if target.quotes and (now > holds_until or target.decided - now > FUTURE_NS):
                return 0
            for quote in target.quotes:
                order = slots.pop((strategy, quote.slot), None)
                stands = 0 if order is None else stands_until(order, quote, turns.get(order), now)
                until = min(until, stands or self.backoff.holds_until((strategy, symbol, quote.slot)))
            until = min(until, holds_until)
        return 0 if slots or until <= now else until

    def _is_held(self, strategy: str, step: Step, symbol: str, now: int) -> bool:
        """True if the step's slot must wait for longer; neither a cancel nor an order that gives way ever does."""
        if isinstance(step, Cancel) or (isinstance(step, Change) and _is_less(step)):
            return False
        slot = step.quote.slot if isinstance(step, Add) else step.order.slot
        return self.backoff.holds((strategy, symbol, slot), now)

    def _cancel_stuck(self, steps: list[tuple[str, Step]], closed: Closed, now: int) -> None:
        """Cancel orders that must retreat or shrink, and that could not be amended for some time (T5)."""
        if not self._idle_since or now - self._idle_since < limits.RETREAT_WAITS_S * SECOND:
            return
        changes = [step for _, step in steps if isinstance(step, Change) and _is_less(step)]
        self.cancels.send(
            [Cancel(step.order, f"less is wanted, and no amend may leave: {closed.text}") for step in changes], now
        )

    def _steps(self, wanted: Wanted, turns: Mapping[Order, Turn], now: int) -> list[Step]:
        target, orders = wanted.target, wanted.orders
        if not orders and not wanted.quotes:
            return []
        why = wanted.why or "not wanted any more"
        steps = plan(wanted.quotes, orders, now, turns=turns, frozen_sides=wanted.frozen, why_cancel=why)
        if target is not None and orders:
            self._compared.append((target, wanted, turns, steps))
        return steps

    def note_kept(self, now: int) -> None:
        """Count, for each order that the last pass left as it was, the newer target that it was compared with."""
        compared, self._compared = self._compared, []
        for target, wanted, turns, steps in compared:
            changed = {step.order for step in steps if not isinstance(step, Add)}
            for order, quote in wanted.pairs:
                if order not in changed and order.audit.judged != target.decided:
                    is_frozen = order.side in wanted.frozen
                    self._keep(order, target, why_kept(order, quote, turns.get(order), frozen=is_frozen), now)

    def _keep(self, order: Order, target: Target, why: Stay | None, now: int) -> None:
        """Count a newer target that leaves an order as it is, and record the count from time to time."""
        now_ts = self.state.life.wall_ts(now)
        if why is not None and events.keep(order, target, why, now_ts):
            self.state.out.write_event(events.kept_event(order, now_ts))

    def _legs_over_limit(self) -> set[risk.Leg]:
        """Return the assets, each with a direction, whose worst case is beyond the limit now; mostly none."""
        if not self.state.account.ledger.is_open:
            return set()  # without balances every position looks short by its inventory
        return set(self.placing.verdict.exposure().beyond)

    def _over_limit(self, symbol: str, steps: list[tuple[str, Step]], over: set[risk.Leg]) -> None:
        """Add cancels where the market moved a position beyond its limit: orders that increase it, outermost first.

        See T13.
        """
        if not any(asset in legs(symbol) for asset, _ in over):
            return
        verdict = self.placing.verdict
        market, portfolio = verdict.market(symbol), verdict.portfolio()
        if market is None:
            return
        live = self.state.registry.live()
        going = {step.order.cl_ord_id for _, step in steps if isinstance(step, Cancel)}
        most = self.state.config.trading.max_position_size
        sides: tuple[Side, Side] = ("buy", "sell")
        for side in sides:
            ours = [
                order
                for order in live
                if order.symbol == symbol
                and order.side == side
                and order.strategy not in (FOREIGN, FLATTEN)
                and order.life is Active.OPEN
            ]
            if not ours:
                continue
            ours.sort(key=lambda order: order.price, reverse=side == "sell")
            # Orders that are being cancelled do not count: another is pulled only if that is not enough.
            left = [o for o in live if o.cl_ord_id not in going and o.life is not Active.CANCELLING]
            worst = risk.exposures(portfolio, left).by_leg
            for leg in risk.moves(symbol, side, portfolio.positions):
                while ours and worst[leg] > most:
                    order = ours.pop(0)
                    if order in left:
                        left.remove(order)
                        worst = risk.exposures(portfolio, left).by_leg
                        steps[:] = [(s, step) for s, step in steps if isinstance(step, Add) or step.order is not order]
                        steps.append((order.strategy, Cancel(order, "over the position limit")))

    # --- advances ------------------------------------------------------------------------------------------------

    def _advance(self, symbol: str, steps: list[tuple[str, Step]], now: int) -> None:
        if not steps:
            return
        market = self.placing.verdict.market(symbol)
        deadline_ts = self.state.deadline_ts(now)
        if market is None or deadline_ts is None:
            return
        stuck = [
            cancel
            for _, step in steps
            if isinstance(step, Change)
            if (cancel := self._change(step, deadline_ts, now)) is not None
        ]
        self.cancels.send(stuck, now)
        adds: list[Order] = []
        for strategy, step in steps:
            if isinstance(step, Add) and len(adds) < ADD_BATCH:
                order = self._add(market, strategy, step.quote, deadline_ts, len(adds), now)
                if order is not None:
                    adds.append(order)
        self._send_adds(symbol, adds, deadline_ts, now)

    def _change(self, step: Change, deadline_ts: int, now: int) -> Cancel | None:
        """Amend; return a cancel instead if the order must retreat or shrink and no amend is allowed (T5)."""
        order = step.order
        key = (order.strategy, order.symbol, order.slot)
        if not _is_less(step) and self.backoff.holds(key, now):
            return None
        first = self._sized(step)
        why = self._why_denied(first, now)
        if why is None:
            self._amend(first, deadline_ts, now)
            return None
        if order.audit.denied is not why.rule:
            order.audit.denied = why.rule
            plan = events.Amended(first, order.price, order.remaining).plan()
            self.placing.record(order, {"plan": plan, "denied": why.text}, now)
            if not why.is_patient:
                self.state.out.tell("warning", "denied", f"{' '.join(key)}: amend: {why.text}")
        self.backoff.deny(key, why, now)
        if not _is_less(step) or self.state.config.trading.dry_run:
            return None
        less = replace(step, remaining=min(step.remaining, order.remaining))
        if not retreats(order.side, order.price, step.price):
            less = Change(order, order.price, less.remaining)
        if less != first and not self._why_denied(less, now):
            self._amend(less, deadline_ts, now)
            return None
        return Cancel(order, f"less is wanted, and the amend is denied: {why.text}")

    def _sized(self, step: Change) -> Change:
        """Return the step, or first a reduction if the old quantity at the new price would pass the size limit (T6)."""
        order = step.order
        proposal = risk.Proposal(order.symbol, order.side, step.price, step.remaining, order)
        is_over = (
            risk.order_worth(proposal, self.placing.verdict.portfolio()) > self.state.config.trading.max_order_size
        )
        return Change(order, order.price, step.remaining) if is_over and step.remaining < order.remaining else step

    def _why_denied(self, step: Change, now: int) -> Denial | None:
        order, symbol = step.order, step.order.symbol
        why = self.placing.check(
            order.strategy, risk.Proposal(symbol, order.side, step.price, step.remaining, order), now
        )
        points = amend_points(order.touched, now)
        if why is None and not self.state.budget.allows(symbol, points, self.placing.open_on(symbol), now):
            return BUDGET
        return why or (Denial(Rule.DRY_RUN, DRY_RUN) if self.state.config.trading.dry_run else None)

    def _amend(self, step: Change, deadline_ts: int, now: int) -> None:
        order, symbol = step.order, step.order.symbol
        self.backoff.done((order.strategy, symbol, order.slot))
        order.audit.denied = None
        total = order.filled + step.remaining  # T6
        request = Request(
            self.state.out.new_id(),
            "amend_order",
            amend_params(order, step.price, total, deadline_ts),
            symbol,
            [order.cl_ord_id],
        )
        points = amend_points(order.touched, now)
        held = events.budget(self.state.budget, symbol, points, self.placing.open_on(symbol), now)
        amended = events.Amended(step, order.price, order.remaining, held)
        apply(order, AmendSent(Amend(request.req_id, step.price, total, deadline_ts)), now)
        self.placing.stamp(order, self.state.market.targets.get((order.strategy, symbol)), now)
        self.placing.record(order, amended.chosen, now, request)
        self.state.registry.note(order)
        self.placing.send(request, points, now)

    def _add(
        self, market: risk.Market, strategy: str, quote: Quote, deadline_ts: int, batched: int, now: int
    ) -> Order | None:
        symbol = market.pair.symbol
        key = (strategy, symbol, quote.slot)
        if strategy not in self.state.codes or self.backoff.holds(key, now):
            return None
        why = self.placing.check(strategy, risk.Proposal(symbol, quote.side, quote.price, quote.qty), now)
        # Orders of this batch already count as open, but are not on the counter yet.
        points = add_points(1) * (1 + batched)
        if why is None and not self.state.budget.allows(symbol, points, self.placing.open_on(symbol) + 1, now):
            why = BUDGET
        most = self.state.budget.tier.open_orders
        if why is None and self.placing.standing_on(symbol) >= most:
            why = Denial(Rule.OPEN_ORDERS, f"{most} orders open on the pair, the tier allows no more")
        if why is None and self.state.config.trading.dry_run:
            price = text(quote.price, market.pair.price_precision)
            wanted = f"{quote.side} {text(quote.qty, market.pair.qty_precision)} at {price}"
            why = Denial(Rule.DRY_RUN, f"{DRY_RUN}: {wanted}")
        if why is not None:
            self._deny(market, strategy, quote, why, now)
            return None
        order = self.placing.order(market, strategy, quote, now, deadline_ts)
        self.state.registry.add(order)
        return order

    def _send_adds(self, symbol: str, adds: list[Order], deadline_ts: int, now: int) -> None:
        """Send adds in one batch; those whose last batch was rejected whole leave alone."""
        apart = [o for o in adds if self.rejections.is_apart((o.strategy, symbol, o.slot), now)]
        together = [order for order in adds if order not in apart]
        for group in ([together] if together else []) + [[order] for order in apart]:
            self._send_group(symbol, group, deadline_ts, now)

    def _send_group(self, symbol: str, adds: list[Order], deadline_ts: int, now: int) -> None:
        common = {"deadline": deadline_text(deadline_ts), "symbol": symbol}
        names = [order.cl_ord_id for order in adds]
        req_id = self.state.out.new_id()
        if len(adds) == 1:
            request = Request(req_id, "add_order", {**add_params(adds[0]), **common}, symbol, names)
        else:
            params: dict[str, object] = {"orders": [add_params(order) for order in adds], **common}
            request = Request(req_id, "batch_add", params, symbol, names)
        points = add_points(len(adds))
        held = events.budget(self.state.budget, symbol, points, self.placing.open_on(symbol), now)
        for order in adds:
            chosen = {"plan": {"step": "add", "why": self._why_added(order, now)}, "budget": held}
            self.placing.record(order, chosen, now, request)
        self.placing.send(request, points, now)

    def _why_added(self, order: Order, now: int) -> str:
        """Return why an order is placed now, and why it was not before."""
        why = self.backoff.lately((order.strategy, order.symbol, order.slot), now)
        return f"the slot is empty; it waited before: {why}" if why else "the slot is empty"

    # --- denials -------------------------------------------------------------------------------------------------

    def _deny(self, market: risk.Market, strategy: str, quote: Quote, why: Denial, now: int) -> None:
        """Record a quote that our own rules deny, once for each reason, as an order that was denied."""
        key = (strategy, market.pair.symbol, quote.slot)
        if self.backoff.is_news(key, why, now) and not why.is_patient:
            order = self.placing.order(market, strategy, quote, now)
            apply(order, Ended(Finished.DENIED, why.text), now)
            self.placing.record(order, {"plan": {"step": "add", "why": "the slot is empty"}, "denied": why.text}, now)
            self.state.registry.add(order)
            self.state.out.tell("warning", "denied", f"{strategy} {market.pair.symbol} {quote.slot}: {why.text}")
        self.backoff.deny(key, why, now)


def _is_less(step: Change) -> bool:
    """True if the order is to rest further from the market, or to be smaller."""
    order = step.order
    return step.remaining < order.remaining or retreats(order.side, order.price, step.price)
