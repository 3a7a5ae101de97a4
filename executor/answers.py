"""What an answer to a request means, and what its absence does (DESIGN.md, "Outcomes"). A core."""

from __future__ import annotations

from typing import Any

from executor import orders
from executor.orders import Order
from executor.outbox import Request
from executor.refusals import Refusals
from executor.requests import InFlight
from executor.state import State
from shared.clock import MS, parse_rfc3339
from shared.kraken import errors, v2
from shared.messages import OrderState

ORDER_METHODS = frozenset({"add_order", "batch_add", "amend_order", "cancel_order", "batch_cancel"})


class Answers:
    """Advances orders, the switch and the exchange's time by answers to what is in flight."""

    def __init__(self, state: State, in_flight: InFlight, refusals: Refusals) -> None:
        self.state, self.in_flight, self.refusals = state, in_flight, refusals

    def answer(self, frame: v2.Frame, now: int) -> None:
        """One answer."""
        request = self.in_flight.answered(frame.req_id or 0)
        if request is None:
            if not frame.success and frame.method != "pong":
                self.state.tell("warning", "answer", f"{frame.method} refused without a request: {frame.error}")
            return
        try:
            self._understood(frame, request, now)
        except ValueError as error:
            # It may have been done: what cannot be read is no evidence either way.
            self.state.tell("warning", "answer", f"unreadable answer to {request.method} ({error})", alert=True)
            self.outcome_unknown(request, f"unreadable answer: {error}", now)

    def _understood(self, frame: v2.Frame, request: Request, now: int) -> None:
        if frame.time_in and frame.time_out:
            times = parse_rfc3339(frame.time_in), parse_rfc3339(frame.time_out)
            self.state.clock.answer(request.sent, now, *times)
        if frame.success:
            self._success(frame, request, now)
        else:
            self._failure(frame, request, now)
        if not (request.method == "batch_add" and frame.success):  # there each order has an answer of its own
            for cl_ord_id in request.orders:
                self._record(cl_ord_id, request, frame.error, now)

    def outcome_unknown(self, request: Request, why: str, now: int) -> None:
        """No answer will come."""
        for order in self._lose_sight(request.orders):
            self.state.record(order, "no_answer", now, {**self._asked(request), "why": why})

    def _lose_sight(self, names: list[str]) -> list[Order]:
        found = [self.state.registry.find(cl_ord_id) for cl_ord_id in names]
        live = [order for order in found if order is not None and order.is_live]
        for order in live:
            orders.lost_sight(order)
            self.state.registry.note(order)
        return live

    def _record(self, cl_ord_id: str, request: Request, error: str, now: int) -> None:
        """An answer on an order, with what it did to it."""
        order = self.state.registry.find(cl_ord_id)
        if order is None:
            return
        data = {**self._asked(request), "latency_ms": round((now - request.sent) / MS, 3)}
        if error:
            data["error"] = error
        elif request.method in ("add_order", "batch_add"):
            data["order_id"] = order.order_id
        self.state.record(order, "answer", now, data)

    def _asked(self, request: Request) -> dict[str, Any]:
        sent_ts = request.sent + self.state.boot_to_wall
        return {"method": request.method, "req_id": request.req_id, "sent_ts": sent_ts}

    def _success(self, frame: v2.Frame, request: Request, now: int) -> None:
        state = self.state
        if request.method == "cancel_all_orders_after":
            found = v2.payload(frame.result, v2.SwitchSet)
            trigger_ts = 0 if found.triggerTime in ("", "0") else parse_rfc3339(found.triggerTime)
            state.switch.answered(request.sent, trigger_ts)
        elif request.method == "subscribe":
            ack = v2.payload(frame.result, v2.Ack)
            budget = state.budget
            budget.threshold_told = ack.maxratecount or budget.threshold_told
            if budget.threshold < budget.tier.threshold:
                text = f"Kraken allows {budget.threshold:g} points a pair, {budget.tier.threshold:g} are configured"
                state.tell("warning", "tier", f"{text}: set trading.tier to the account's", alert=True)
        elif request.method == "add_order":
            self._placed(request.orders[0], v2.payload(frame.result, v2.Placed), now)
        elif request.method == "batch_add":
            answers = v2.payload(frame.result, list[v2.Placed])
            for lost in self._lose_sight(request.orders[len(answers) :]):
                state.record(lost, "no_answer", now, {**self._asked(request), "why": "left out of its batch's answer"})
            for cl_ord_id, placed in zip(request.orders, answers, strict=False):
                self._placed(cl_ord_id, placed, now)
                failed = "" if placed.success is not False else "refused in its batch"
                self._record(cl_ord_id, request, placed.error or failed, now)
        elif request.method == "amend_order":
            order = state.registry.find(request.orders[0])
            if order is not None:
                orders.amend_confirmed(order, request.req_id, now)
                state.registry.note(order)
        # A cancel's success says that it was taken; the report ends the order.

    def _placed(self, cl_ord_id: str, placed: v2.Placed, now: int) -> None:
        order = self.state.registry.find(cl_ord_id)
        if order is None:
            return
        if placed.error or placed.success is False:
            self.refusals.refuse(order, placed.error or "refused in its batch", now)
        elif order.is_live:
            orders.acknowledged(order, placed.order_id, now)
            self.state.registry.note(order)

    def _failure(self, frame: v2.Frame, request: Request, now: int) -> None:
        means = errors.meaning(frame.error)
        if means is errors.Meaning.SESSION:
            self.state.out.reconnect = frame.error
        if request.method not in ORDER_METHODS:
            self.state.tell("error", "refused", f"{request.method} refused: {frame.error}", alert=True)
            if request.method == "subscribe":
                self.state.out.reconnect = f"subscription refused: {frame.error}"
            return
        if not errors.is_certain(frame.error):
            self._lose_sight(request.orders)
            return
        for cl_ord_id in request.orders:
            order = self.state.registry.find(cl_ord_id)
            if order is None or not order.is_live:
                continue
            if request.method in ("add_order", "batch_add"):
                self.refusals.refuse(order, frame.error, now)
            elif means is errors.Meaning.UNKNOWN_ORDER:
                # It ended, and the report is on its way; if not, a snapshot will tell.
                order.suspect_since = order.suspect_since or now
                if request.method == "batch_cancel" and order.state is OrderState.CANCELLING:
                    order.state = OrderState.OPEN  # it may be any of them: each is cancelled alone
                order.amend = None if request.method == "amend_order" else order.amend
            elif request.method == "amend_order":
                refused = orders.amend_refused(order, request.req_id, frame.error)
                if refused is not None:
                    self._amend_refused(order, refused.price, frame.error, now)
            else:
                self.state.tell("warning", "cancel", f"cancel of {cl_ord_id} refused: {frame.error}; trying again")
            self.state.registry.note(order)

    def _amend_refused(self, order: Order, price: int, error: str, now: int) -> None:
        """It rests at a price that nobody wants any more, whatever the reason: it goes (T5)."""
        self.state.tell("warning", "amend", f"amend on {order.symbol} refused: {error}")
        if "Post only" in error:
            self.refusals.block_price(order, price, now)
        order.doomed = f"amend refused: {error}"
        order.touched = now
