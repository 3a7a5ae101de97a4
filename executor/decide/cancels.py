"""Cancelling orders: in a batch, alone, or by REST; each way is tried where the one before it failed (T8).

An order that no way cancels is left to the dead man's switch, which is not armed again while such an order is live.
"""

from __future__ import annotations

from executor.decide.budget import cancel_points
from executor.decide.placing import Placing
from executor.decide.planner import Cancel, batches
from executor.effects import Request
from executor.exchange.requests import batch_cancel_request, cancel_request, rest_cancel
from executor.orders.order import Active, Order
from executor.orders.transitions import CancelRepeated, CancelSent, apply
from executor.record import events
from executor.record.rows import SendRow
from executor.state import State

REST_AFTER = 2  # failures: in a batch, and alone


class Cancels:
    """Sends cancels; nothing holds them up (T9)."""

    def __init__(self, state: State, placing: Placing) -> None:
        self.state, self.placing = state, placing

    def send(self, cancels: list[Cancel], now: int) -> None:
        """Send cancels on one symbol, each by the way whose turn it is."""
        if not cancels or not self.state.session.connected or self.state.config.trading.dry_run:
            return
        for cancel in cancels:
            if cancel.order.life is Active.CANCELLING:
                apply(cancel.order, CancelRepeated(), now)  # its last cancel has had no effect in all this time
        together, alone = batches(cancels)
        for group in together:
            self._request(batch_cancel_request(self.state.out.new_id(), [c.order for c in group]), group, now)
        for cancel in alone:
            # Alternating from the second failure on: REST itself may be down.
            if cancel.order.cancel.failures >= REST_AFTER and cancel.order.cancel.failures % 2 == 0:
                self._by_rest(cancel, now)
            else:
                self._request(self._single(cancel.order, now), [cancel], now)

    def _single(self, order: Order, now: int) -> Request:
        """Return the cancel of one order; above the rate threshold as a batch, which Kraken still takes."""
        budget, points = self.state.budget, _points(order, now)
        fits = budget.value(order.symbol, now) + points <= budget.threshold
        by_batch = order.order_id and not fits and not order.doubt.suspect_since
        req_id = self.state.out.new_id()
        return batch_cancel_request(req_id, [order]) if by_batch else cancel_request(req_id, order)

    def _request(self, request: Request, cancels: list[Cancel], now: int) -> None:
        points = sum(_points(cancel.order, now) for cancel in cancels)
        held = events.budget(self.state.budget, request.symbol, points, self.placing.open_on(request.symbol), now)
        self.placing.send(request, points, now)
        for cancel in cancels:
            chosen = {"plan": {"step": "cancel", "why": cancel.why}, "budget": held}
            self._cancelling(cancel, now)
            self.placing.record(cancel.order, chosen, now, request)

    def _by_rest(self, cancel: Cancel, now: int) -> None:
        order, state = cancel.order, self.state
        points = _points(order, now)
        held = events.budget(state.budget, order.symbol, points, self.placing.open_on(order.symbol), now)
        call = rest_cancel(order)
        state.budget.charge(order.symbol, points, now)
        state.out.write(SendRow(state.life.wall_ts(now), order.symbol, call.method, points, order.cl_ord_id))
        state.out.call(call)
        self._cancelling(cancel, now)
        chosen = {"plan": {"step": "cancel", "why": f"{cancel.why}, by REST"}, "budget": held}
        self.placing.record(order, chosen, now, Request(0, call.method, {**call.params}, order.symbol))

    def _cancelling(self, cancel: Cancel, now: int) -> None:
        apply(cancel.order, CancelSent(cancel.why), now)
        self.state.registry.note(cancel.order)


def _points(order: Order, now: int) -> float:
    """Return the points of a cancel; an amend in flight may have reset the order's age just now."""
    return cancel_points(now if order.amend is not None else order.touched, now)
