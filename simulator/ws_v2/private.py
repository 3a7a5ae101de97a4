"""A private WebSocket v2 session: its channels, executions and balances (KRAKEN.md 3.1 to 3.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from simulator import arguments, errors
from simulator.errors import KrakenError
from simulator.exchange.database.past import account_at, fills_at, orders_at
from simulator.exchange.orders import Account, Order
from simulator.exchange.state import Report
from simulator.faults import oddities
from simulator.reporting import Reporter
from simulator.session import Request, Session, channel_of
from simulator.wire import Written
from simulator.world import World
from simulator.ws_v2 import reports
from simulator.ws_v2.level3 import MEMBERS, Level3
from simulator.ws_v2.trading import Trading

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
    "level3": MEMBERS,
}
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
    # Messages held back until a late snapshot has left, None without one; rows for one message.
    held: list[Callable[[], None]] | None = None
    merged: list[str] = field(default_factory=list)
    # Reports held back until a snapshot that was behind has caught up, None without one.
    catching_up: list[Report] | None = None


class PrivateSession(Session):
    """A session on ``/auth/v2``."""

    path = "private"

    def __init__(self, world: World, connection_id: int, send: Callable[[str], None]) -> None:
        super().__init__(world, connection_id, send)
        self._subscriptions: dict[str, _Subscription] = {}
        self._trading = Trading(self)
        self._level3 = Level3(self)
        self._reporter = Reporter(self)

    @property
    def subscribed(self) -> bool:
        """True if the session has any subscription."""
        return bool(self._subscriptions) or self._level3.subscribed

    def close(self) -> None:
        """End every subscription, as the connection is gone; orders stay."""
        super().close()
        self._level3.close()
        for channel in tuple(self._subscriptions):
            self._drop(channel)

    def shift(self, by: int) -> None:
        """Keep what is timed here at its distance when the exchange's clock is put forward by so many ns."""
        super().shift(by)
        self._level3.shift(by)
        self._reporter.shift(by)

    def dispatch(self, request: Request, now: int) -> None:
        """Subscribe, unsubscribe or trade; raises KrakenError."""
        if request.method in ("subscribe", "unsubscribe"):
            self._subscription(request, now)
            return
        self._trading.handle(request, now)

    def _subscription(self, request: Request, now: int) -> None:
        params = request.params
        if params.get("channel") in _PUBLIC_CHANNELS:
            raise KrakenError(errors.PUBLIC_ON_PRIVATE)
        channel = channel_of(request, _MEMBERS)
        try:
            token = self.world.token(params.get("token"), self.connection_id, now)
        except KrakenError as error:
            self.refuse(request, str(error), now, status="error", channel=channel)
            return
        if channel == "level3":
            token.key.require("websocket")
            self._level3.handle(request, token, now)
            return
        token.key.require("query-funds" if channel == "balances" else "query-open-trades")
        if request.method == "unsubscribe":
            if channel not in self._subscriptions:
                raise KrakenError(errors.NOT_SUBSCRIBED)
            self._drop(channel)
            self.answer(request, {"channel": channel}, now)
            return
        if channel in self._subscriptions and self._unconfirmed.duplicate_subscribe == "refused":
            raise KrakenError(errors.ALREADY_SUBSCRIBED)
        options = {
            name: arguments.flag(params, name)
            for name in ("snap_orders", "snap_trades", "order_status", "ratecounter", "snapshot", "snapshot_trades")
            if params.get(name) is not None
        }
        if channel in self._subscriptions:
            self._drop(channel)
        account = token.key.account
        subscription = _Subscription(account, token.text)
        self._subscriptions[channel] = subscription
        token.used_by.add(self.connection_id)
        if channel == "balances":
            snapshot = options.get("snapshot", True)
            self.answer(request, {"channel": channel, "snapshot": snapshot}, now)
            if snapshot:
                behind = self._lags(channel, subscription, now)
                seen = account_at(self.world.store, account, now - behind) if behind else account
                self._push(channel, subscription, "snapshot", reports.balance_snapshot(seen))
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
        result: dict[str, Written] = {
            "channel": "executions",
            "maxratecount": account.tier.threshold,
            "snap_orders": orders,
            "snap_trades": trades,
            "snapshot": orders or trades,
            "warnings": _EXECUTION_WARNINGS,
        }
        self.answer(request, result, now)
        rows = []
        behind = self._lags("executions", subscription, now) if orders or trades else 0
        if orders:
            listed = orders_at(self.world.store, account, now - behind) if behind else _by_age(account)
            rows += [self._counted(subscription, reports.standing(o), o.pair.symbol, now) for o in listed]
        if trades:
            # Newest first, as captures have them.
            rows += [reports.past_trade(fill) for fill in reversed(fills_at(account, now - behind))]
        if orders or trades:
            self._push("executions", subscription, "snapshot", f"[{','.join(f'{{{row}}}' for row in rows)}]")

    def _lags(self, channel: str, subscription: _Subscription, now: int) -> int:
        """Return ns by which the snapshot about to be sent is behind; what it lacks follows when it has caught up.

        A snapshot that is late, or behind, has everything that comes after it on its channel wait.
        """
        faults = self.world.faults
        if not faults.rules:
            return 0
        about = {"path": self.path, "channel": channel, "account": subscription.account.name}
        late = faults.strike("snapshot_late", now, channel, **about)
        behind = faults.strike("snapshot_behind", now, channel, **about)
        behind_ns = 0 if behind is None else int(behind.ms * 1e6)
        if late is not None:
            subscription.held = []
            self.world.later(now + int(late.ms * 1e6), lambda _now: self._release(subscription))
        if behind is not None:
            index, since = subscription.account.index, now - behind_ns
            missed = [r for ns, r in self.world.hub.recent if ns > since and (r.account, r.channel) == (index, channel)]
            self.world.later(now + behind_ns, lambda at: self._catch_up(subscription, missed, at))
            subscription.catching_up = []
        return behind_ns

    def _release(self, subscription: _Subscription) -> None:
        held, subscription.held = subscription.held, None
        if self in self.world.hub.sessions:
            for send in held or ():
                send()

    def _catch_up(self, subscription: _Subscription, missed: list[Report], now: int) -> None:
        waiting, subscription.catching_up = subscription.catching_up or [], None
        if subscription in self._subscriptions.values():
            for report in (*missed, *waiting):
                self.report(report, now)

    def _drop(self, channel: str) -> None:
        subscription = self._subscriptions.pop(channel)
        self.world.hub.leave_private(subscription.account.index, channel, self)
        token = self.world.tokens.get(subscription.token)
        if token is not None and not any(s.token == token.text for s in self._subscriptions.values()):
            token.used_by.discard(self.connection_id)

    def report(self, report: Report, now: int) -> None:
        """Send a report of the account to this session's subscription."""
        subscription = self._subscriptions.get(report.channel)
        if subscription is None:
            return
        if subscription.catching_up is not None:
            subscription.catching_up.append(report)
        elif report.channel == "balances":
            self._push("balances", subscription, "update", report.text)
        elif subscription.every_status or report.what in _ALWAYS_REPORTED:
            row = self._counted(subscription, report.text, report.symbol, now)
            self._push_row(subscription, row, report.what, now)

    def _push_row(self, subscription: _Subscription, row: str, what: str, now: int) -> None:
        """Send a report alone in its message, or with those that follow at once."""
        faults = self.world.faults
        about = {"path": self.path, "channel": "executions", "account": subscription.account.name}
        if faults.rules and what == "trade" and faults.strike("split_trades", now, "executions", **about) is not None:
            self._push("executions", subscription, "update", f"[{{{oddities.first_half(row)}}}]")
        merges = bool(faults.rules) and faults.strike("merge_reports", now, "executions", **about) is not None
        if not merges and not subscription.merged:
            self._push("executions", subscription, "update", f"[{{{row}}}]")
            return
        if not subscription.merged:
            self.world.later(now, lambda _now: self._push_merged(subscription))
        subscription.merged.append(row)

    def _push_merged(self, subscription: _Subscription) -> None:
        rows, subscription.merged = subscription.merged, []
        if subscription in self._subscriptions.values():
            self._push("executions", subscription, "update", f"[{','.join(f'{{{row}}}' for row in rows)}]")

    def _counted(self, subscription: _Subscription, row: str, symbol: str, now: int) -> str:
        if not subscription.counter:
            return row
        name = self._unconfirmed.rate_counter_name
        return reports.with_counter(row, name, subscription.account.counter(symbol), now)

    def _push(self, channel: str, subscription: _Subscription, kind: str, data: str) -> None:
        account = subscription.account.name
        subscription.sequence = self._reporter.number(channel, account, subscription.sequence)
        text = f'{{"channel":"{channel}","type":"{kind}","data":{data},"sequence":{subscription.sequence}}}'
        if subscription.held is not None:
            subscription.held.append(lambda: self.send(text))
        elif kind == "snapshot":
            self.reply(text)
        else:
            self._reporter.hand_over(text, channel, account)


def _by_age(account: Account) -> list[Order]:
    return sorted(account.orders.values(), key=lambda order: order.number)
