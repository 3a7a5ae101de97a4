"""Responses to requests, and their absence (docs/rules.md, "Outcomes")."""

from __future__ import annotations

from executor.decide.planner import retreats
from executor.effects import Request, RestCall
from executor.exchange.rejections import Rejections
from executor.exchange.requests import InFlight
from executor.orders.order import Amend, Order
from executor.orders.transitions import (
    Acked,
    AmendAcked,
    AmendRejected,
    AmendVoid,
    CancelFailed,
    Doomed,
    OutcomeUnknown,
    Suspected,
    apply,
)
from executor.state import State
from shared import limits
from shared.clock import MS, parse_rfc3339
from shared.kraken import errors, v2

CANCELS = frozenset({"cancel_order", "batch_cancel"})
ORDER_METHODS = frozenset({"add_order", "batch_add", "amend_order", *CANCELS})
IN_BATCH = "refused in its batch"


class Answers:
    """Updates orders, the switch and the exchange's time by the responses to requests in flight."""

    def __init__(self, state: State, in_flight: InFlight, rejections: Rejections) -> None:
        self.state, self.in_flight, self.rejections = state, in_flight, rejections

    def answer(self, frame: v2.Frame, now: int) -> None:
        """Take in one answer."""
        request = self.in_flight.answered(frame.req_id or 0)
        if request is None:
            if not frame.success and frame.method != "pong":
                self.state.out.tell("warning", "answer", f"{frame.method} refused without a request: {frame.error}")
            return
        try:
            self._understood(frame, request, now)
        except ValueError as error:
            # The request may have been carried out: an unreadable response is no evidence either way.
            self.state.out.tell("warning", "answer", f"unreadable answer to {request.method} ({error})", alert=True)
            self.outcome_unknown(request, f"unreadable answer: {error}", now)

    def _understood(self, frame: v2.Frame, request: Request, now: int) -> None:
        if frame.time_in and frame.time_out:
            times = parse_rfc3339(frame.time_in), parse_rfc3339(frame.time_out)
            self.state.session.clock.answer(request.sent, now, *times)
        if frame.success:
            self._success(frame, request, now)
        else:
            self._failure(frame, request, now)
        if not (request.method == "batch_add" and frame.success):  # in that one each order has an answer of its own
            for cl_ord_id in request.orders:
                self._record(cl_ord_id, request, frame.error, now)

    def outcome_unknown(self, request: Request, why: str, now: int) -> None:
        """Note that no answer will come."""
        for order in self._lose_sight(request.orders, now):
            self.state.record(order, "no_answer", now, {**self._asked(request), "why": why})

    def timed_out(self, request: Request, why: str, now: int) -> None:
        """Note that no answer came in time: the outcome is unknown, and a cancel is sent another way."""
        self.outcome_unknown(request, why, now)
        if request.method in CANCELS:
            self._cancel_failed(request, why, now)

    def _lose_sight(self, names: list[str], now: int) -> list[Order]:
        orders = [self.state.registry.find(cl_ord_id) for cl_ord_id in names]
        live = [order for order in orders if order is not None and order.is_live]
        for order in live:
            apply(order, OutcomeUnknown(), now)
            self.state.registry.note(order)
        return live

    def _record(self, cl_ord_id: str, request: Request, error: str, now: int) -> None:
        """Record an answer on an order, with what it did to it."""
        order = self.state.registry.find(cl_ord_id)
        if order is None:
            return
        data = {**self._asked(request), "latency_ms": round((now - request.sent) / MS, 3)}
        if error:
            data["error"] = error
        elif request.method in ("add_order", "batch_add"):
            data["order_id"] = order.order_id
        self.state.record(order, "answer", now, data)

    def _asked(self, request: Request) -> dict[str, object]:
        sent_ts = self.state.life.wall_ts(request.sent)
        return {"method": request.method, "req_id": request.req_id, "sent_ts": sent_ts}

    def _success(self, frame: v2.Frame, request: Request, now: int) -> None:
        state = self.state
        if request.method == "cancel_all_orders_after":
            armed = v2.payload(frame.result, v2.SwitchSet)
            trigger_ts = 0 if armed.triggerTime in ("", "0") else parse_rfc3339(armed.triggerTime)
            state.session.switch.answered(request.sent, trigger_ts)
        elif request.method == "subscribe":
            ack = v2.payload(frame.result, v2.Ack)
            budget = state.budget
            if ack.maxratecount:
                budget.set_threshold(ack.maxratecount)
            if budget.threshold < budget.tier.threshold:
                text = f"Kraken allows {budget.threshold:g} points a pair, {budget.tier.threshold:g} are configured"
                state.out.tell("warning", "tier", f"{text}: set trading.tier to the account's", alert=True)
        elif request.method == "add_order":
            self._placed(request.orders[0], v2.payload(frame.result, v2.Placed), now)
        elif request.method == "batch_add":
            answers = v2.each(frame.result, v2.Placed)
            for lost in self._lose_sight(request.orders[len(answers) :], now):
                state.record(lost, "no_answer", now, {**self._asked(request), "why": "left out of its batch's answer"})
            for cl_ord_id, placed in zip(request.orders, answers, strict=False):
                if isinstance(placed, v2.Unread):
                    for lost in self._lose_sight([cl_ord_id], now):
                        state.out.unread(f"an answer to {cl_ord_id} ({placed.why}): {placed.raw!r}")
                        state.record(lost, "no_answer", now, {**self._asked(request), "why": "unreadable answer"})
                    continue
                self._placed(cl_ord_id, placed, now)
                failed = "" if placed.success is not False else IN_BATCH
                self._record(cl_ord_id, request, placed.error or failed, now)
        elif request.method == "amend_order":
            order = state.registry.find(request.orders[0])
            if order is not None:
                apply(order, AmendAcked(request.req_id), now)
                state.registry.note(order)
        # A cancel's success says only that it was taken; the report ends the order.

    def _placed(self, cl_ord_id: str, placed: v2.Placed, now: int) -> None:
        order = self.state.registry.find(cl_ord_id)
        if order is None:
            return
        if placed.error or placed.success is False:
            error = placed.error or IN_BATCH
            if errors.is_certain(error):
                self._note_rate(order.symbol, error, now)
                self.rejections.reject(order, error, now)
            else:
                self._lose_sight([cl_ord_id], now)
        elif order.is_live:
            apply(order, Acked(placed.order_id), now)
            self.state.registry.note(order)

    # --- rejections -----------------------------------------------------------------------------------------------

    def _failure(self, frame: v2.Frame, request: Request, now: int) -> None:
        means = errors.meaning(frame.error)
        if means is errors.Meaning.SESSION:
            self.state.out.reconnect(frame.error)
        if request.method not in ORDER_METHODS:
            self.state.out.tell("error", "refused", f"{request.method} refused: {frame.error}", alert=True)
            if request.method == "subscribe":
                self.state.out.reconnect(f"subscription refused: {frame.error}")
            return
        self._note_rate(request.symbol, frame.error, now)
        if request.method in CANCELS:
            self._cancel_refused(request, frame.error, now)
        elif not errors.is_certain(frame.error):
            self._lose_sight(request.orders, now)
        else:
            self._placing_refused(request, frame.error, now)

    def _note_rate(self, symbol: str, error: str, now: int) -> None:
        """Fill the pair's counter, whatever it says, if Kraken rejected for the rate."""
        if errors.meaning(error) is errors.Meaning.RATE:
            self.state.budget.exhaust(symbol, now)

    def _placing_refused(self, request: Request, error: str, now: int) -> None:
        means = errors.meaning(error)
        for cl_ord_id in request.orders:
            order = self.state.registry.find(cl_ord_id)
            if order is None or not order.is_live:
                continue
            if request.method == "batch_add" and len(request.orders) > 1 and means is errors.Meaning.REFUSED:
                self.rejections.take_apart(order, error, now)  # one of them is at fault; Kraken does not say which
            elif request.method in ("add_order", "batch_add"):
                self.rejections.reject(order, error, now)
            elif means is errors.Meaning.UNKNOWN_ORDER:
                # It has ended and the report is on its way; if not, a snapshot shows it.
                apply(order, Suspected(), now)
                apply(order, AmendVoid(), now)
            else:
                refused = order.amend
                apply(order, AmendRejected(request.req_id, error), now)
                if refused is not None and order.amend is None:
                    self._amend_refused(order, refused, error, now)
            self.state.registry.note(order)

    def _amend_refused(self, order: Order, refused: Amend, error: str, now: int) -> None:
        """Doom an order whose amend was rejected: nobody wants its price any more (T5).

        After a rejection for the rate only a retreat or a reduction dooms it; an advance waits.
        """
        self.state.out.tell("warning", "amend", f"amend on {order.symbol} refused: {error}")
        is_less = refused.qty < order.qty or retreats(order.side, order.price, refused.price)
        if errors.meaning(error) is errors.Meaning.RATE and not is_less:
            self.rejections.hold_slot(order, error, now)
            return
        if errors.is_post_only(error):
            self.rejections.block_price(order, refused.price, now)
        apply(order, Doomed(f"amend refused: {error}"), now)

    # --- cancels -------------------------------------------------------------------------------------------------

    def _cancel_refused(self, request: Request, error: str, now: int) -> None:
        if errors.meaning(error) is errors.Meaning.UNKNOWN_ORDER:
            for order in self._live(request):
                # It has ended and the report is on its way; if not, a snapshot shows it.
                apply(order, Suspected(), now)
                if request.method == "batch_cancel":
                    apply(order, CancelFailed(), now)  # any of them may be the unknown one: each is cancelled alone
                self.state.registry.note(order)
            return
        self._cancel_failed(request, error, now)

    def _cancel_failed(self, request: Request, why: str, now: int) -> None:
        """Have failed cancels sent another way; in maintenance no way works, and the switch pulls afterwards."""
        for order in self._live(request):
            if self.state.session.system == "maintenance":
                continue
            apply(order, CancelFailed(), now)
            failures = order.cancel.failures
            text = f"cancel of {order.cl_ord_id} on {order.symbol} failed: {why}; trying another way"
            if failures >= limits.CANCEL_FAILURES:
                text = f"no way to cancel {order.cl_ord_id} on {order.symbol} ({why}): the switch is left to pull it"
            self.state.out.tell("warning", "cancel", text, alert=failures >= limits.CANCEL_FAILURES)
            self.state.registry.note(order)

    def rest_cancel(self, call: RestCall, error: str, now: int) -> None:
        """Take in the answer of a cancel by REST. Success says only that it was taken; the report ends the order."""
        order = self.state.registry.find(call.tag)
        if order is None or not order.is_live:
            return
        data = {"method": call.method, "req_id": 0, "sent_ts": self.state.life.wall_ts(order.cancel.sent)}
        data["latency_ms"] = round((now - order.cancel.sent) / MS, 3)
        self.state.record(order, "answer", now, {**data, "error": error} if error else data)
        if error:
            self._note_rate(order.symbol, error, now)
            self._cancel_refused(Request(0, "cancel_order", {}, order.symbol, [order.cl_ord_id]), error, now)

    def _live(self, request: Request) -> list[Order]:
        named = [self.state.registry.find(cl_ord_id) for cl_ord_id in request.orders]
        return [order for order in named if order is not None and order.is_live]
