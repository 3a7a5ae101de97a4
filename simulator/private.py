"""A private WebSocket v2 session: executions, balances and trading (KRAKEN.md 3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulator import arguments, errors, reports
from simulator.accounts import Report
from simulator.errors import KrakenError, invalid
from simulator.orders import Account, Order, replaced
from simulator.pairs import Pair
from simulator.session import Request, Session, channel_of
from simulator.wire import NS, iso_seconds
from simulator.world import KeyState, World

_EXECUTIONS = frozenset(
    {
        "channel",
        "token",
        "snap_orders",
        "snap_trades",
        "order_status",
        "ratecounter",
        "snapshot",
        "snapshot_trades",
        "users",
        "rebased",
    }
)
_MEMBERS = {
    "executions": _EXECUTIONS,
    "balances": frozenset({"channel", "token", "snapshot", "users", "rebased"}),
}
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
_PUBLIC_CHANNELS = ("book", "trade", "ticker", "ohlc", "instrument")
_EXECUTION_WARNINGS = [
    "cancel_reason is deprecated, use reason",
    "stop_price is deprecated, use triggers.price",
    "trigger is deprecated use triggers.reference",
    "triggered_price is deprecated use triggers.last_price",
]
_ALWAYS_REPORTED = frozenset({"new", "trade", "filled", "canceled", "expired"})


@dataclass(slots=True)
class _Subscription:
    account: Account
    token: str
    sequence: int = 0
    every_status: bool = True
    counter: bool = False


class PrivateSession(Session):
    """A session on ``/auth/v2``."""

    path = "private"

    def __init__(self, world: World, connection_id: int, send: Callable[[str], None]) -> None:
        super().__init__(world, connection_id, send)
        self._subscriptions: dict[str, _Subscription] = {}
        # Reports held back by faults: how many are late and until when, and those that the next one overtakes.
        self._late = self._late_ns = 0
        self._behind: list[str] = []
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

    @property
    def subscribed(self) -> bool:
        """Has the session any subscription."""
        return bool(self._subscriptions)

    def close(self) -> None:
        """The connection is gone: ends every subscription; orders stay."""
        super().close()
        for channel in tuple(self._subscriptions):
            self._drop(channel)

    def dispatch(self, request: Request, now: int) -> None:
        """Subscribes, unsubscribes and trades."""
        if request.method in ("subscribe", "unsubscribe"):
            self._subscription(request, now)
            return
        method = self._methods.get(request.method)
        if method is None:
            raise KrakenError(errors.UNSUPPORTED_EVENT)
        if "token" not in request.params:
            raise KrakenError(errors.TOKEN_NOT_FOUND)
        method(self.world.token(request.params["token"], now).key, request, now)

    # --- channels ------------------------------------------------------------------------------------------------

    def _subscription(self, request: Request, now: int) -> None:
        params = request.params
        if params.get("channel") in _PUBLIC_CHANNELS:
            raise KrakenError(errors.PUBLIC_ON_PRIVATE)
        channel = channel_of(request, _MEMBERS)
        try:
            token = self.world.token(params.get("token"), now)
        except KrakenError as error:
            self.refuse(request, str(error), now, status="error", channel=channel)
            return
        token.key.require("query")
        if request.method == "unsubscribe":
            if channel not in self._subscriptions:
                raise KrakenError(errors.NOT_SUBSCRIBED)
            self._drop(channel)
            self.answer(request, {"channel": channel}, now)
            return
        if channel in self._subscriptions:
            raise KrakenError(errors.ALREADY_SUBSCRIBED)
        options = {
            name: arguments.flag(params, name)
            for name in ("snap_orders", "snap_trades", "order_status", "ratecounter", "snapshot", "snapshot_trades")
            if params.get(name) is not None
        }
        account = token.key.account
        subscription = _Subscription(account, token.text)
        self._subscriptions[channel] = subscription
        token.used_by.add(self.connection_id)
        if channel == "balances":
            snapshot = options.get("snapshot", True)
            self.answer(request, {"channel": channel, "snapshot": snapshot}, now)
            if snapshot:
                self._push(channel, subscription, "snapshot", reports.balance_snapshot(account))
        else:
            self._open_executions(request, subscription, options, now)
        self.world.hub.join_private(account.index, channel, self)

    def _open_executions(
        self, request: Request, subscription: _Subscription, options: dict[str, bool], now: int
    ) -> None:
        account = subscription.account
        subscription.every_status = options.get("order_status", True)
        subscription.counter = options.get("ratecounter", False)
        orders = options.get("snap_orders", options.get("snapshot", True))
        trades = options.get("snap_trades", options.get("snapshot_trades", False))
        result = {
            "channel": "executions",
            "maxratecount": account.tier.threshold,
            "snap_orders": orders,
            "snap_trades": trades,
            "snapshot": orders or trades,
            "warnings": _EXECUTION_WARNINGS,
        }
        self.answer(request, result, now)
        rows = []
        if orders:
            rows += [self._counted(subscription, reports.standing(o), o.pair.symbol, now) for o in _by_age(account)]
        if trades:
            rows += [reports.past_trade(fill) for fill in account.fills]
        if orders or trades:
            self._push("executions", subscription, "snapshot", f"[{','.join(f'{{{row}}}' for row in rows)}]")

    def _drop(self, channel: str) -> None:
        subscription = self._subscriptions.pop(channel)
        self.world.hub.leave_private(subscription.account.index, channel, self)
        token = self.world.tokens.get(subscription.token)
        if token is not None and not any(s.token == token.text for s in self._subscriptions.values()):
            token.used_by.discard(self.connection_id)

    def report(self, report: Report, now: int) -> None:
        """A report of the account to this session's subscription."""
        subscription = self._subscriptions.get(report.channel)
        if subscription is None:
            return
        if report.channel == "balances":
            self._push("balances", subscription, "update", report.text)
        elif subscription.every_status or report.what in _ALWAYS_REPORTED:
            row = self._counted(subscription, report.text, report.symbol, now)
            self._push("executions", subscription, "update", f"[{{{row}}}]")

    def _counted(self, subscription: _Subscription, row: str, symbol: str, now: int) -> str:
        if not subscription.counter:
            return row
        return reports.with_counter(row, subscription.account.counter(symbol), now)

    def _push(self, channel: str, subscription: _Subscription, kind: str, data: str) -> None:
        faults, now = self.world.faults, self.world.now
        about = {"path": self.path, "channel": channel, "account": subscription.account.name}
        if faults.rules and faults.strike("skip_sequence", now, channel, **about):
            subscription.sequence += 1
        subscription.sequence += 1
        text = f'{{"channel":"{channel}","type":"{kind}","data":{data},"sequence":{subscription.sequence}}}'
        if kind == "snapshot":
            self.reply(text)
        elif not faults.rules and not self._late and not self._behind:
            self.send(text)
        else:
            self._troubled(text, channel, about, now)

    def _troubled(self, text: str, channel: str, about: dict[str, str], now: int) -> None:
        """A report on a connection that loses, repeats, reorders or delays them."""
        faults = self.world.faults
        if faults.strike("drop_reports", now, channel, **about):
            return
        if faults.strike("reorder_reports", now, channel, **about):
            # It leaves after the next one, or after a second if there is none.
            self._behind.append(text)
            self.world.later(now + NS, lambda _now: self._overtaken())
            return
        times = 2 if faults.strike("repeat_reports", now, channel, **about) else 1
        delay = faults.strike("delay_reports", now, channel, **about)
        self._late_ns = max(self._late_ns, now + int(delay.ms * 1e6) if delay is not None else 0)
        for _ in range(times):
            if self._late_ns > now or self._late:
                self._late += 1
                self.world.later(self._late_ns, lambda _now: self._delayed(text))
            else:
                self.send(text)
        self._overtaken()

    def _delayed(self, text: str) -> None:
        self._late -= 1
        if self in self.world.hub.sessions:
            self.send(text)

    def _overtaken(self) -> None:
        texts, self._behind = self._behind, []
        for text in texts if self in self.world.hub.sessions else []:
            self.send(text)

    # --- trading -------------------------------------------------------------------------------------------------

    def _add_order(self, key: KeyState, request: Request, now: int) -> None:
        params = request.params
        key.require("trade")
        arguments.only(params, arguments.ORDER_MEMBERS | arguments.CALL_MEMBERS, request.method)
        pair = self._pair(params)
        wanted = arguments.order(params, pair, now)
        _in_time(params, request, now)
        if arguments.flag(params, "validate"):
            self.world.exchange.check(key.account, wanted, now)
            self.answer(request, _client_ids(params), now)
            return
        order = self.world.exchange.add(key.account, wanted, now)
        self.answer(request, {"order_id": order.order_id, **_client_ids(params)}, now)

    def _pair(self, params: dict[str, Any]) -> Pair:
        return self.world.exchange.venues[arguments.slash_pair(params).symbol].pair

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
        amend_id = self.world.exchange.amend(key.account, order, qty, price, post_only, now, trigger)
        name = "order_id" if by_id else "cl_ord_id"
        self.answer(request, {"amend_id": amend_id, name: params[name]}, now)

    def _edit_order(self, key: KeyState, request: Request, now: int) -> None:
        params = request.params
        key.require("trade")
        arguments.only(params, _EDIT, request.method)
        arguments.neutral_only(params)
        pair = self._pair(params)
        order = self._find(key.account, {"order_id": params.get("order_id")})
        if order.pair is not pair:
            raise KrakenError(errors.UNKNOWN_PAIR)
        qty, price = arguments.number(params, "order_qty"), arguments.number(params, "limit_price")
        trigger = arguments.trigger_of(params)
        userref = arguments.whole(params, "order_userref", -(2**31), 2**31 - 1, "userref")
        post_only = arguments.flag(params, "post_only") if params.get("post_only") is not None else None
        wanted = replaced(order, qty, price, trigger, post_only, userref)
        _in_time(params, request, now)
        if arguments.flag(params, "validate"):
            self.world.exchange.check(key.account, wanted, now, but=order)
            self.answer(request, {"original_order_id": order.order_id}, now)
            return
        new = self.world.exchange.edit(key.account, order, wanted, now)
        self.answer(request, {"order_id": new.order_id, "original_order_id": order.order_id}, now)

    def _find(self, account: Account, params: dict[str, Any]) -> Order:
        order_id, client = params.get("order_id"), params.get("cl_ord_id")
        return self.world.exchange.find(
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
        exchange, account = self.world.exchange, key.account
        for text in userrefs:
            found = _by_userref(account, text)
            if not found:
                self.refuse(request, errors.UNKNOWN_ORDER, now)
            named += [("order_id", order.order_id) for order in found]
        for name, text in named:
            try:
                exchange.cancel(account, exchange.find(account, **{name: text}), now)
            except KrakenError as error:
                self.refuse(request, str(error), now)
            else:
                self.answer(request, {name: text}, now)

    def _cancel_all(self, key: KeyState, request: Request, now: int) -> None:
        key.require("cancel")
        arguments.only(request.params, frozenset({"token"}), request.method)
        self.answer(request, {"count": self.world.exchange.cancel_all(key.account, now)}, now)

    def _cancel_all_orders_after(self, key: KeyState, request: Request, now: int) -> None:
        key.require("cancel", "trade")
        arguments.only(request.params, frozenset({"token", "timeout"}), request.method)
        timeout = arguments.whole(request.params, "timeout", 0, 86_399)
        if timeout is None:
            raise invalid("timeout")
        current, trigger = self.world.exchange.arm(key.account, timeout, now)
        result = {"currentTime": iso_seconds(current), "triggerTime": iso_seconds(trigger) if trigger else "0"}
        self.answer(request, result, now)

    def _batch_add(self, key: KeyState, request: Request, now: int) -> None:
        params = request.params
        key.require("trade")
        arguments.only(params, frozenset({"orders"}) | arguments.CALL_MEMBERS, request.method)
        pair = self._pair(params)
        listed = params.get("orders")
        if not isinstance(listed, list) or not 2 <= len(listed) <= arguments.BATCH_ADD_MAX:
            raise invalid("orders")
        wanted = [arguments.safe_order(item, pair, now) for item in listed]
        _in_time(params, request, now)
        checked = arguments.flag(params, "validate")
        results = self.world.exchange.batch_add(key.account, wanted, now, only_check=checked)
        rows: list[dict[str, Any]] = []
        for item, result in zip(listed, results, strict=True):
            if isinstance(result, KrakenError):
                rows.append({"success": False, "error": str(result), **_client_ids(item)})
            else:
                rows.append({**({"order_id": result.order_id} if result else {}), **_client_ids(item)})
        self.answer(request, rows, now)

    def _batch_cancel(self, key: KeyState, request: Request, now: int) -> None:
        params = request.params
        key.require("cancel")
        arguments.only(params, frozenset({"orders", "cl_ord_id", "token"}), request.method)
        most = arguments.BATCH_CANCEL_MAX
        orders, clients = arguments.texts(params, "orders", most), arguments.texts(params, "cl_ord_id", most)
        if not 1 <= len(orders) + len(clients) <= most:
            raise invalid("orders")
        self.answer(request, {"count": self.world.exchange.batch_cancel(key.account, orders, clients, now)}, now)


def _client_ids(params: dict[str, Any]) -> dict[str, Any]:
    if params.get("cl_ord_id") is not None:
        return {"cl_ord_id": params["cl_ord_id"]}
    return {"order_userref": params["order_userref"]} if params.get("order_userref") is not None else {}


def _in_time(params: dict[str, Any], request: Request, now: int) -> None:
    if now > arguments.deadline(params.get("deadline"), request.arrived):
        raise KrakenError(errors.DEADLINE_ELAPSED)


def _by_age(account: Account) -> list[Order]:
    return sorted(account.orders.values(), key=lambda order: order.number)


def _by_userref(account: Account, text: str) -> list[Order]:
    return [o for o in account.orders.values() if o.cl_ord_id is None and o.userref and str(o.userref) == text]
