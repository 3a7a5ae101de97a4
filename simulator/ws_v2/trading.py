"""Trading over a private WebSocket v2 session (KRAKEN.md 3.4): the arguments, work and answer of each method."""

from __future__ import annotations

from collections.abc import Callable

from simulator import arguments, errors
from simulator.errors import KrakenError, invalid
from simulator.exchange.orders import Account, Order, replaced
from simulator.keys import KeyState
from simulator.pairs.pairs import Pair
from simulator.session import Request, Session
from simulator.wire import Fields, Json, Written, iso_seconds
from simulator.ws_v2 import order_arguments

_EDIT = frozenset(
    {
        "order_id",
        "order_qty",
        "limit_price",
        "triggers",
        "post_only",
        "reduce_only",
        "display_qty",
        "no_mpp",
        "fee_preference",
        "order_userref",
        *arguments.CALL_MEMBERS,
    }
)


class Trading:
    """Do what a session with a token asks of the exchange."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._world = session.world
        self._exchange = session.world.exchange
        self._unconfirmed = session.world.config.unconfirmed
        self._methods: dict[str, Callable[[KeyState, Request, int], None]] = {
            "add_order": self._add_order,
            "amend_order": self._amend_order,
            "edit_order": self._edit_order,
            "cancel_order": self._cancel_order,
            "cancel_all": self._cancel_all,
            "cancel_all_orders_after": self._cancel_all_orders_after,
            "batch_add": self._batch_add,
            "batch_cancel": self._batch_cancel,
        }

    def handle(self, request: Request, now: int) -> None:
        """Do what is asked; raises KrakenError."""
        method = self._methods.get(request.method)
        if method is None:
            raise KrakenError(errors.UNSUPPORTED_EVENT)
        if "token" not in request.params:
            raise KrakenError(errors.TOKEN_NOT_FOUND)
        method(self._world.token(request.params["token"], self._session.connection_id, now).key, request, now)

    def _add_order(self, key: KeyState, request: Request, now: int) -> None:
        params = request.params
        key.require("trade")
        arguments.only(params, order_arguments.ORDER_MEMBERS | arguments.CALL_MEMBERS, request.method)
        pair = self._pair(params)
        wanted = order_arguments.order(params, pair, now)
        _in_time(params, request, now)
        if arguments.flag(params, "validate"):
            self._exchange.check(key.account, wanted, now)
            made_up = {"order_id": self._exchange.unused_id()} if self._unconfirmed.validate_order_id else {}
            self._session.answer(request, {**made_up, **_client_ids(params)}, now)
            return
        order = self._exchange.add(key.account, wanted, now)
        self._session.answer(request, {"order_id": order.order_id, **_client_ids(params)}, now)

    def _pair(self, params: Fields) -> Pair:
        return arguments.slash_pair(params, self._exchange.state)

    def _amend_order(self, key: KeyState, request: Request, now: int) -> None:
        params = request.params
        key.require("trade")
        allowed = frozenset(
            {
                "order_id",
                "cl_ord_id",
                "order_qty",
                "limit_price",
                "limit_price_type",
                "display_qty",
                "post_only",
                "symbol",
                "deadline",
                "token",
                "trigger_price",
                "trigger_price_type",
            }
        )
        arguments.only(params, allowed, request.method)
        if params.get("display_qty") is not None:
            raise invalid("display_qty")
        if (
            params.get("trigger_price_type", "static") != "static"
            or params.get("limit_price_type", "static") != "static"
        ):
            raise invalid("trigger_price_type")
        trigger = arguments.number(params, "trigger_price")
        by_id = params.get("order_id") is not None
        if by_id == (params.get("cl_ord_id") is not None):
            raise invalid("order_id")
        qty, price = arguments.number(params, "order_qty"), arguments.number(params, "limit_price")
        post_only = arguments.flag(params, "post_only")
        _in_time(params, request, now)
        order = self._find(key.account, params)
        amend_id = self._exchange.amend(key.account, order, qty, price, post_only, now, trigger)
        named: dict[str, Written] = {"order_id": order.order_id} if by_id else {"cl_ord_id": order.cl_ord_id}
        self._session.answer(request, {"amend_id": amend_id, **named}, now)

    def _edit_order(self, key: KeyState, request: Request, now: int) -> None:
        params = request.params
        key.require("trade")
        arguments.only(params, _EDIT, request.method)
        order_arguments.neutral_only(params)
        pair = self._pair(params)
        order = self._find(key.account, {"order_id": params.get("order_id")})
        if order.pair.symbol != pair.symbol:
            raise KrakenError(errors.UNKNOWN_PAIR)
        qty, price = arguments.number(params, "order_qty"), arguments.number(params, "limit_price")
        trigger = order_arguments.trigger_of(params)
        userref = arguments.whole(params, "order_userref", -(2**31), 2**31 - 1, "userref")
        post_only = arguments.flag(params, "post_only") if params.get("post_only") is not None else None
        wanted = replaced(order, qty, price, trigger, post_only, userref)
        _in_time(params, request, now)
        if arguments.flag(params, "validate"):
            self._exchange.check(key.account, wanted, now, replacing=order)
            self._session.answer(request, {"original_order_id": order.order_id}, now)
            return
        new = self._exchange.edit(key.account, order, wanted, now)
        self._session.answer(request, {"order_id": new.order_id, "original_order_id": order.order_id}, now)

    def _find(self, account: Account, params: Fields) -> Order:
        order_id, client = params.get("order_id"), params.get("cl_ord_id")
        return self._exchange.find(
            account, order_id if isinstance(order_id, str) else None, client if isinstance(client, str) else None
        )

    def _cancel_order(self, key: KeyState, request: Request, now: int) -> None:
        params = request.params
        key.require("cancel")
        arguments.only(params, frozenset({"order_id", "cl_ord_id", "order_userref", "token"}), request.method)
        most = arguments.BATCH_CANCEL_MAX
        named = [("order_id", text) for text in arguments.texts(params, "order_id", most)]
        named += [("cl_ord_id", text) for text in arguments.texts(params, "cl_ord_id", most)]
        userrefs = arguments.texts(params, "order_userref", most)
        if not named and not userrefs:
            raise invalid("order_id")
        exchange, account = self._exchange, key.account
        for text in userrefs:
            orders = [order for order in account.of_userref(text) if order.cl_ord_id is None]
            if not orders:
                self._session.refuse(request, errors.UNKNOWN_ORDER, now)
            named += [("order_id", order.order_id) for order in orders]
        for name, text in named:
            try:
                exchange.cancel(account, exchange.find(account, **{name: text}), now)
            except KrakenError as error:
                self._session.refuse(request, str(error), now)
            else:
                self._session.answer(request, {name: text}, now)

    def _cancel_all(self, key: KeyState, request: Request, now: int) -> None:
        key.require("cancel")
        arguments.only(request.params, frozenset({"token"}), request.method)
        self._session.answer(request, {"count": self._exchange.cancel_all(key.account, now)}, now)

    def _cancel_all_orders_after(self, key: KeyState, request: Request, now: int) -> None:
        key.require("cancel", "trade")
        arguments.only(request.params, frozenset({"token", "timeout"}), request.method)
        timeout = arguments.whole(request.params, "timeout", 0, 86_399)
        if timeout is None:
            raise invalid("timeout")
        current, trigger = self._exchange.arm(key.account, timeout, now)
        result = {"currentTime": iso_seconds(current), "triggerTime": iso_seconds(trigger) if trigger else "0"}
        self._session.answer(request, result, now)

    def _batch_add(self, key: KeyState, request: Request, now: int) -> None:
        params = request.params
        key.require("trade")
        arguments.only(params, frozenset({"orders"}) | arguments.CALL_MEMBERS, request.method)
        pair = self._pair(params)
        listed = params.get("orders")
        if not isinstance(listed, list) or not 2 <= len(listed) <= arguments.BATCH_ADD_MAX:
            raise invalid("orders")
        wanted = [order_arguments.safe_order(item, pair, now) for item in listed]
        _in_time(params, request, now)
        checked = arguments.flag(params, "validate")
        results = self._exchange.batch_add(key.account, wanted, now, only_check=checked)
        rows: list[dict[str, Written]] = []
        for item, result in zip(listed, results, strict=True):
            if isinstance(result, KrakenError):
                rows.append({"success": False, "error": str(result), **_client_ids(item)})
            else:
                placed = {"order_id": result.order_id} if isinstance(result, Order) else {}
                rows.append({**placed, **_client_ids(item)})
        self._session.answer(request, rows, now)

    def _batch_cancel(self, key: KeyState, request: Request, now: int) -> None:
        params = request.params
        key.require("cancel")
        arguments.only(params, frozenset({"orders", "cl_ord_id", "token"}), request.method)
        most = arguments.BATCH_CANCEL_MAX
        orders, clients = arguments.texts(params, "orders", most), arguments.texts(params, "cl_ord_id", most)
        if not self._unconfirmed.batch_cancel_least <= len(orders) + len(clients) <= most:
            raise invalid("orders")
        count = self._exchange.batch_cancel(key.account, orders, clients, now)
        form = self._unconfirmed.batch_cancel_result
        more = {} if form == "count" else {"orders_cancelled": count}
        self._session.answer(request, None if form == "orders_cancelled" else {"count": count}, now, **more)


def _client_ids(params: Json) -> dict[str, Written]:
    """Return the id that a client gave its order: its ``cl_ord_id``, or its userref."""
    members = params if isinstance(params, dict) else {}
    for name in ("cl_ord_id", "order_userref"):
        value = members.get(name)
        if isinstance(value, str | int):
            return {name: value}
    return {}


def _in_time(params: Fields, request: Request, now: int) -> None:
    if now > arguments.deadline(params.get("deadline"), request.arrived):
        raise KrakenError(errors.DEADLINE_ELAPSED)
