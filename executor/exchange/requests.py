"""Requests: how each is written, and those that are in flight."""

from __future__ import annotations

from executor.effects import Request, RestCall
from executor.orders.order import Order
from executor.orders.transitions import Left, apply
from executor.state import State
from shared import limits
from shared.clock import SECOND, rfc3339
from shared.kraken.pairs import is_tokenised
from shared.numbers import unscale

CANCEL_BY_REST = "CancelOrder"
PLACING = frozenset({"add_order", "batch_add", "amend_order"})


def deadline_text(deadline_ts: int) -> str:
    """Return a deadline as Kraken takes it: RFC 3339 to the millisecond."""
    return rfc3339(deadline_ts)[:-4] + "Z"


def add_params(order: Order) -> dict[str, object]:
    """Return an order's part of add_order and batch_add: a post-only limit with its fee in quote (T5).

    The exchange cancels the newer of two orders of ours that would trade with each other (T7).
    """
    return {
        "order_type": "limit",
        "side": order.side,
        "order_qty": unscale(order.qty, order.qty_precision),
        "limit_price": unscale(order.price, order.price_precision),
        "time_in_force": "gtc",
        "post_only": True,
        "cl_ord_id": order.cl_ord_id,
        "fee_preference": "quote",
        "stp_type": "cancel_newest",
    }


def flatten_params(order: Order) -> dict[str, object]:
    """Return the members of an immediate-or-cancel order: it trades at once within its price, and the rest ends."""
    params = add_params(order)
    del params["post_only"]
    return {**params, "time_in_force": "ioc"}


def amend_params(order: Order, price: int, total: int, deadline_ts: int) -> dict[str, object]:
    """Return the members of amend_order to a price in ticks and a total in lots (filled and remaining, T6)."""
    # Kraken wants the symbol of pairs that are no crypto-currencies, and of no others (KRAKEN.md 3.4).
    named = {"symbol": order.symbol} if is_tokenised(order.symbol) else {}
    return {
        **named,
        "cl_ord_id": order.cl_ord_id,
        "order_qty": unscale(total, order.qty_precision),
        "limit_price": unscale(price, order.price_precision),
        "post_only": True,
        "deadline": deadline_text(deadline_ts),
    }


def cancel_request(req_id: int, order: Order) -> Request:
    """Return the cancel of one order: by the exchange's id, or by ours while that is not known."""
    ids = {"order_id": [order.order_id]} if order.order_id else {"cl_ord_id": [order.cl_ord_id]}
    return Request(req_id, "cancel_order", {**ids}, order.symbol, [order.cl_ord_id], urgent=True)


def batch_cancel_request(req_id: int, orders: list[Order]) -> Request:
    """Return one cancel for all, by order ids (T8). Kraken wants two ids: a single order is named by both its own."""
    params: dict[str, object] = {"orders": [order.order_id for order in orders]}
    if len(orders) == 1:
        params["cl_ord_id"] = [orders[0].cl_ord_id]
    names = [order.cl_ord_id for order in orders]
    return Request(req_id, "batch_cancel", params, orders[0].symbol, names, urgent=True)


def rest_cancel(order: Order) -> RestCall:
    """Return the cancel of one order by REST, for when the WebSocket's ways failed; its tag is the client order id."""
    ids = {"txid": order.order_id} if order.order_id else {"cl_ord_id": order.cl_ord_id}
    return RestCall(order.cl_ord_id, CANCEL_BY_REST, ids, urgent=True)


class InFlight:
    """Requests without a response yet, by id."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._open: dict[int, Request] = {}

    def left(self, request: Request, now: int) -> None:
        """Note that the request was handed to the socket."""
        request.sent = now
        self._open[request.req_id] = request
        for cl_ord_id in request.orders:
            order = self._state.registry.find(cl_ord_id)
            if order is not None and request.method in PLACING:
                apply(order, Left(), now)
                self._state.registry.touch(order)

    def answered(self, req_id: int) -> Request | None:
        """Return the request that a response belongs to; a cancel_order has one response for each of its orders."""
        request = self._open.get(req_id)
        if request is not None and not (request.method == "cancel_order" and len(request.orders) > 1):
            del self._open[req_id]
        return request

    def overdue(self, now: int) -> list[Request]:
        """Remove and return the requests whose response is late: their outcome is unknown."""
        late = int(limits.REQUEST_TIMEOUT_S * SECOND)
        overdue = [request for request in self._open.values() if now - request.sent > late]
        for request in overdue:
            del self._open[request.req_id]
        return overdue

    def lost(self) -> list[Request]:
        """Remove and return all requests: the connection is gone."""
        lost = list(self._open.values())
        self._open.clear()
        return lost
