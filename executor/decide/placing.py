"""Placing an order, to quote or to flatten: risk, the order rate, an id, the rate counters."""

from __future__ import annotations

from collections import deque
from functools import partial

from executor.decide import risk
from executor.decide.verdict import Verdict
from executor.effects import Request
from executor.orders import ids
from executor.orders.denial import Denial, Rule
from executor.orders.order import Order
from executor.orders.registry import FLATTEN, FOREIGN
from executor.orders.transitions import Caused, apply
from executor.record import events
from executor.record.order_event import Part
from executor.record.rows import SendRow
from executor.state import State
from shared.clock import SECOND
from shared.messages import Quote, Target


class Placing:
    """Shared by quoting and flatten, so that ids, order rate and counters are common to both."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.verdict = Verdict(state)
        self._counter = 0
        self._recent: deque[int] = deque()  # when each add and amend of the last minute left

    def check(self, strategy: str, proposal: risk.Proposal, now: int, *, any_size: bool = False) -> Denial | None:
        """Return why risk or the order rate denies a proposal, or None; ``any_size`` waives ``min_order_size``."""
        while self._recent and now - self._recent[0] > 60 * SECOND:
            self._recent.popleft()
        most = self.state.config.trading.max_orders_per_minute
        if len(self._recent) >= most and strategy != FLATTEN:  # a flatten is never held up by the order rate (T13)
            return Denial(Rule.ORDER_RATE, f"order rate: {most} adds and amends in the last minute")
        return self.verdict.on(strategy, proposal, any_size=any_size)

    def open_on(self, symbol: str) -> int:
        """Count our orders that may still trade on a pair: foreign ones are never pulled, and need no reserve."""
        return sum(order.strategy != FOREIGN for order in self.state.registry.live_on(symbol))

    def standing_on(self, symbol: str) -> int:
        """Count all of the account's orders on a pair, foreign and untriggered ones too: Kraken limits their sum."""
        return len(self.state.registry.standing_on(symbol))

    def order(self, market: risk.Market, strategy: str, quote: Quote, now: int, deadline_ts: int = 0) -> Order:
        """Return a new order for a quote, under an id of its own; neither registered nor sent yet."""
        self._counter += 1
        order = Order(
            cl_ord_id=str(ids.OrderId(self.state.life.epoch, self.state.codes[strategy], quote.slot, self._counter)),
            strategy=strategy,
            symbol=market.pair.symbol,
            slot=quote.slot,
            side=quote.side,
            price=quote.price,
            qty=quote.qty,
            price_precision=market.pair.price_precision,
            qty_precision=market.pair.qty_precision,
            touched=now,
            deadline_ts=deadline_ts,
            created_ts=self.state.life.wall_ts(now),
        )
        self.stamp(order, self.state.market.targets.get((strategy, market.pair.symbol)), now)
        return order

    def stamp(self, order: Order, target: Target | None, now: int) -> None:
        """Note on an order the target that caused it, or its amend."""
        if target is not None:
            heard = self.state.market.heard.get((target.strategy, target.symbol), now)
            apply(order, Caused(target.received, target.booked, target.decided, heard), now)

    def send(self, request: Request, points: float, now: int) -> None:
        """Send a request; charge the pair's counter, journal the charge, and count it in the order rate."""
        state = self.state
        state.budget.charge(request.symbol, points, now)
        row = SendRow(state.life.wall_ts(now), request.symbol, request.method, points, " ".join(request.orders))
        state.out.write(row)
        state.out.send(request)
        if not request.urgent:
            self._recent += [now] * len(request.orders)

    def record(self, order: Order, chosen: Part, now: int, request: Request | None = None) -> None:
        """Record a decision on an order: its cause, the choice with its reason, and the request that leaves, if any."""
        state = self.state
        target = state.market.targets.get((order.strategy, order.symbol))
        if target is not None:
            order.audit.judged = target.decided
        cause = partial(events.cause, target, order.slot, state.life.boot_to_wall)
        if request is None:
            state.record(order, "denied", now, cause, chosen)
        else:
            state.record(order, "decided", now, cause, chosen, partial(events.sent, request, order.cl_ord_id))
