"""A private WebSocket version 1 session: openOrders, ownTrades and trading in the old envelope (KRAKEN.md 2).

It trades by the REST calls, whose arguments version 1 shares; its channels are made from version 2's reports.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from simulator import arguments, errors
from simulator.errors import KrakenError, invalid
from simulator.exchange.orders import Account
from simulator.exchange.state import Report, State
from simulator.keys import KeyState, Token
from simulator.pairs.pairs import BY_WSNAME, PAIRS
from simulator.reporting import Reporter
from simulator.rest import private as rest_private
from simulator.session import Request
from simulator.wire import Fields, Json, Written
from simulator.world import World
from simulator.ws_v1 import reports as reports_v1
from simulator.ws_v1.session import SessionV1, reqid
from simulator.ws_v2 import reports

CHANNELS = ("openOrders", "ownTrades")
_PUBLIC = ("ticker", "ohlc", "trade", "book", "spread", "*")
_OPTIONS = frozenset({"name", "token", "snapshot", "ratecounter", "consolidate_taker"})


@dataclass(slots=True)
class _Subscription:
    account: Account
    token: str
    sequence: int = 0
    counter: bool = False


class PrivateSessionV1(SessionV1):
    """A session on ``/auth``."""

    path = "private"

    def __init__(self, world: World, connection_id: int, send: Callable[[str], None]) -> None:
        super().__init__(world, connection_id, send)
        self._channels: dict[str, _Subscription] = {}
        self._reporter = Reporter(self)
        self._events: dict[str, Callable[[KeyState, Request, int], None]] = {
            "addOrder": self._add,
            "amendOrder": self._amend,
            "editOrder": self._edit,
            "cancelOrder": self._cancel,
            "cancelAll": self._cancel_all,
            "cancelAllOrdersAfter": self._cancel_all_after,
        }

    @property
    def subscribed(self) -> bool:
        """True if the session has any subscription."""
        return bool(self._channels)

    def close(self) -> None:
        """End every subscription, as the connection is gone; orders stay."""
        super().close()
        for channel in tuple(self._channels):
            self._drop(channel)

    def shift(self, by: int) -> None:
        """Keep what is timed here at its distance when the exchange's clock is put forward by so many ns."""
        super().shift(by)
        self._reporter.shift(by)

    def dispatch(self, request: Request, now: int) -> None:
        """Subscribe, unsubscribe or trade; raises KrakenError."""
        if request.method in ("subscribe", "unsubscribe"):
            self._subscription(request, now)
            return
        method = self._events.get(request.method)
        if method is None:
            raise KrakenError(errors.UNSUPPORTED_EVENT)
        try:
            if "token" not in request.params:
                raise KrakenError(errors.TOKEN_NOT_FOUND)
            method(self.world.token(request.params["token"], self.connection_id, now).key, request, now)
        except KrakenError as error:
            self._failed(request, str(error))

    def refuse(self, request: Request, error: str, now: int, **extra: str) -> None:
        """Send an error: of a trading event by its own status, else as the public sessions do."""
        if request.method in self._events:
            self._failed(request, error)
        else:
            super().refuse(request, error, now, **extra)

    def _subscription(self, request: Request, now: int) -> None:
        wanted = request.params.get("subscription")
        if not isinstance(wanted, dict):
            raise KrakenError("Subscription field must be an object")
        channel = wanted.get("name")
        described: dict[str, Json] = {"name": channel} if channel in CHANNELS else {}
        try:
            if not isinstance(channel, str):
                raise KrakenError(errors.CHANNEL_INVALID)
            if channel in _PUBLIC:
                raise KrakenError(errors.PUBLIC_ON_PRIVATE)
            if channel not in CHANNELS:
                raise KrakenError(errors.CHANNEL_INVALID)
            if not _OPTIONS.issuperset(wanted):
                raise KrakenError("Subscription object unsupported field")
            token = self.world.token(wanted.get("token"), self.connection_id, now)
            if request.method == "subscribe":
                self._open(request, channel, token, wanted)
                return
            if channel not in self._channels:
                raise KrakenError(errors.NOT_SUBSCRIBED)
            self._drop(channel)
            self._status(request, channel, {"name": channel})
        except KrakenError as error:
            self.refuse_subscription(request, str(error), None, described)

    def _open(self, request: Request, channel: str, token: Token, wanted: Fields) -> None:
        token.key.require("query-open-trades" if channel == "openOrders" else "query-closed-trades")
        if channel in self._channels and self._unconfirmed.duplicate_subscribe == "refused":
            raise KrakenError(errors.ALREADY_SUBSCRIBED)
        # Old clients send these as texts.
        snapshot = arguments.rest_flag({"snapshot": True, **wanted}, "snapshot")
        if channel in self._channels:
            self._drop(channel)
        counter = channel == "openOrders" and arguments.rest_flag(wanted, "ratecounter")
        account = token.key.account
        subscription = _Subscription(account, token.text, counter=counter)
        self._channels[channel] = subscription
        token.used_by.add(self.connection_id)
        limit = {"maxratecount": account.tier.threshold} if counter else {}
        self._status(request, channel, {**limit, "name": channel})
        if channel == "openOrders":
            orders = sorted(account.orders.values(), key=lambda order: order.number)
            rows = [
                {
                    o.order_id: reports_v1.order(
                        reports_v1.read(reports.standing(o)), o.opened_ns, "pending" if o.scheduled else "open"
                    )
                }
                for o in orders
            ]
            self._push(channel, rows, first=True)
        elif snapshot:
            trades = (reports_v1.read(reports.past_trade(fill)) for fill in reversed(account.fills))
            self._push(channel, [{row["exec_id"]: reports_v1.trade(row)} for row in trades], first=True)
        self.world.hub.join_private(account.index, "executions", self)

    def _status(self, request: Request, channel: str, subscription: Mapping[str, Written]) -> None:
        self.event(
            {
                "channelName": channel,
                "event": "subscriptionStatus",
                **reqid(request),
                "status": f"{request.method}d",
                "subscription": subscription,
            }
        )

    def _drop(self, channel: str) -> None:
        subscription = self._channels.pop(channel)
        left = self._channels.values()
        if not any(other.account is subscription.account for other in left):
            self.world.hub.leave_private(subscription.account.index, "executions", self)
        token = self.world.tokens.get(subscription.token)
        if token is not None and not any(other.token == token.text for other in left):
            token.used_by.discard(self.connection_id)

    def report(self, report: Report, now: int) -> None:
        """Send a report of the account to the channels that carry it."""
        row = reports_v1.read(report.text)
        orders, trades = (self._channels.get(channel) for channel in CHANNELS)
        if orders is not None and orders.account.index == report.account:
            if report.what == "pending_new":
                members = reports_v1.order(row, arguments.moment(row["timestamp"], "timestamp"), "pending")
            else:
                members = reports_v1.change(row)
            if orders.counter:
                members["ratecount"] = int(orders.account.counter(report.symbol).now(now))
            self._push("openOrders", [{row["order_id"]: members}])
        if trades is not None and trades.account.index == report.account and report.what == "trade":
            self._push("ownTrades", [{row["exec_id"]: reports_v1.trade(row)}])

    def _push(self, channel: str, rows: Sequence[Mapping[str, Written]], *, first: bool = False) -> None:
        subscription = self._channels[channel]
        account = subscription.account.name
        subscription.sequence = self._reporter.number(channel, account, subscription.sequence)
        text = json.dumps([rows, channel, {"sequence": subscription.sequence}], separators=(",", ":"))
        if first:
            self.reply(text)
        else:
            self._reporter.hand_over(text, channel, account)

    # Any: the members of a result differ by method; they are those that the call in rest/ gives it.
    def _call(self, method: str, key: KeyState, fields: Fields, request: Request, now: int) -> Any:
        call = rest_private.METHODS[method]
        key.require(*call.permissions)
        return call.run(self.world, key, fields, request.arrived, now)

    def _done(self, request: Request, **members: Written) -> None:
        self.event({"event": f"{request.method}Status", **reqid(request), "status": "ok", **members})

    def _failed(self, request: Request, error: str) -> None:
        self.event({"errorMessage": error, "event": f"{request.method}Status", **reqid(request), "status": "error"})

    def _add(self, key: KeyState, request: Request, now: int) -> None:
        result = self._call("AddOrder", key, _by_wsname(request.params, self.world.exchange.state), request, now)
        txid = {"txid": result["txid"][0]} if "txid" in result else {}
        self._done(request, descr=result["descr"]["order"], **txid)

    def _amend(self, key: KeyState, request: Request, now: int) -> None:
        params = request.params
        names = {"volume": "order_qty", "price": "limit_price"}
        result = self._call("AmendOrder", key, {names.get(n, n): v for n, v in params.items()}, request, now)
        name = "txid" if params.get("txid") is not None else "cl_ord_id"
        self._done(request, amend_id=result["amend_id"], **{name: str(params[name])})

    def _edit(self, key: KeyState, request: Request, now: int) -> None:
        params = _by_wsname(request.params, self.world.exchange.state)
        fields = {**params, "txid": params.get("orderid"), "userref": params.get("newuserref")}
        result = self._call("EditOrder", key, fields, request, now)
        price = (
            f"order edited price = {Decimal(result['price']):.8f}" if "price" in result else result["descr"]["order"]
        )
        txid = {"txid": result["txid"]} if "txid" in result else {}
        self._done(request, descr=price, originaltxid=result["originaltxid"], **txid)

    def _cancel(self, key: KeyState, request: Request, now: int) -> None:
        """Cancel orders, with one answer for each."""
        listed = [
            {name: text}
            for name in ("txid", "cl_ord_id")
            for text in arguments.texts(request.params, name, arguments.BATCH_CANCEL_MAX)
        ]
        if not listed:
            raise invalid("txid")
        for fields in listed:
            try:
                self._call("CancelOrder", key, fields, request, now)
            except KrakenError as error:
                self._failed(request, str(error))
            else:
                self._done(request)

    def _cancel_all(self, key: KeyState, request: Request, now: int) -> None:
        self._done(request, **self._call("CancelAll", key, {}, request, now))

    def _cancel_all_after(self, key: KeyState, request: Request, now: int) -> None:
        self._done(request, **self._call("CancelAllOrdersAfter", key, request.params, request, now))


def _by_wsname(params: Fields, state: State) -> Fields:
    """Return the members of an order whose pair has version 1's name."""
    name = params.get("pair")
    pair = BY_WSNAME.get(name) if isinstance(name, str) else None
    if pair is None and isinstance(name, str) and state.unconfirmed.v1_new_names == "taken":
        pair = PAIRS.get(name)
    if state.listed(pair) is None:
        raise KrakenError(errors.unsupported_pair(str(name)[:64]))
    return params
