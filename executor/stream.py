"""The private stream: subscriptions, answers, reports, snapshots. A core.

What it learns it writes into the orders and the account; what must be asked anew goes to the outbox.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from executor import ids, orders
from executor.account import fill_of_report
from executor.journal import FillRow
from executor.ledger import Entry
from executor.orders import Order
from executor.outbox import Request
from executor.registry import FOREIGN
from executor.requests import InFlight
from executor.state import State
from shared import limits
from shared.clock import SECOND, parse_rfc3339
from shared.kraken import errors, v2
from shared.kraken.counters import CANCEL_WORST
from shared.messages import Fill, OrderState, Side
from shared.numbers import scale

ORDER_METHODS = frozenset({"add_order", "batch_add", "amend_order", "cancel_order", "batch_cancel"})


class Stream:
    """``find_past`` asks the journal for (cl_ord_id, strategy) of an order that ended long ago."""

    def __init__(self, state: State, find_past: Callable[[str, str], tuple[str, str] | None]) -> None:
        self.state = state
        self.in_flight = InFlight(state)
        self.token = ""
        self.snapshot_at = 0
        self.refused_prices: dict[tuple[str, Side], tuple[int, int]] = {}
        self.refusals: list[tuple[Order, str]] = []
        self.history_wanted = False
        self.ask_history: list[str] = []
        self._find_past = find_past
        self._asked_at = 0
        self._sequence: dict[str, int] = {}
        self._snapshot_wanted = ""
        self._first_snapshot = True

    # --- connection ----------------------------------------------------------------------------------------------

    def opened(self, token: str, now: int) -> None:
        """A connection with a fresh token: subscribes to everything private."""
        self.token = token
        self.state.connected, self.state.private_heard = True, now
        self.state.executions_ready = self.state.balances_ready = False
        self._sequence.clear()
        self._subscribe_executions(now)
        self._subscribe_balances()

    def closed(self) -> None:
        """The connection is gone: what was in flight is of unknown outcome."""
        self.state.connected = False
        self.state.executions_ready = self.state.balances_ready = False
        self.state.switch.lost()
        for request in self.in_flight.lost():
            self._outcome_unknown(request)

    def _subscribe_executions(self, now: int) -> None:
        self._asked_at = now
        self._snapshot_wanted = ""
        params = {"channel": "executions", "snap_orders": True, "snap_trades": True, "ratecounter": True}
        self._ask("subscribe", {**params, "token": self.token})

    def _subscribe_balances(self) -> None:
        self._ask("subscribe", {"channel": "balances", "snapshot": True, "token": self.token})

    def _ask(self, method: str, params: dict[str, object]) -> None:
        request = Request(self.in_flight.new_id(), method, params, urgent=True)
        self.state.out.requests.append(request)

    def want_snapshot(self, why: str) -> None:
        """Asks for a new executions snapshot at the next turn."""
        self._snapshot_wanted = self._snapshot_wanted or why

    # --- frames --------------------------------------------------------------------------------------------------

    def frame(self, frame: v2.Frame, now: int) -> None:
        """One frame; raises only ValueErrors, for what it cannot read."""
        self.state.private_heard = now
        if frame.channel == "executions":
            if self._in_sequence(frame):
                self._executions(frame, now)
        elif frame.channel == "balances":
            if self._in_sequence(frame):
                self._balances(frame, now)
        elif frame.channel == "status":
            found = v2.payload(frame.data, list[v2.Status])
            self.state.system = found[-1].system if found else "unknown"
        elif frame.method:
            self._answer(frame, now)

    def _in_sequence(self, frame: v2.Frame) -> bool:
        last = self._sequence.get(frame.channel)
        self._sequence[frame.channel] = frame.sequence
        if frame.type == "snapshot" or last is None or frame.sequence == last + 1:
            return True
        if frame.sequence <= last:
            self._sequence[frame.channel] = last
            self.state.counts[f"repeated {frame.channel} message"] += 1
            return False
        self.state.tell("warning", "gap", f"{frame.channel} lost {frame.sequence - last - 1} messages; asking anew")
        if frame.channel == "executions":
            self.want_snapshot("gap")
        else:
            self.ask_balances()
        return True

    def ask_balances(self) -> None:
        """Asks for a new balances snapshot."""
        self.state.balances_ready = False
        self._ask("unsubscribe", {"channel": "balances", "token": self.token})
        self._sequence.pop("balances", None)
        self._subscribe_balances()

    # --- answers -------------------------------------------------------------------------------------------------

    def _answer(self, frame: v2.Frame, now: int) -> None:
        request = self.in_flight.answered(frame.req_id or 0)
        if request is None:
            if not frame.success and frame.method != "pong":
                self.state.tell("warning", "answer", f"{frame.method} refused without a request: {frame.error}")
            return
        if frame.time_in and frame.time_out:
            times = parse_rfc3339(frame.time_in), parse_rfc3339(frame.time_out)
            self.state.clock.answer(request.sent, now, *times)
        if frame.success:
            self._success(frame, request, now)
        else:
            self._failure(frame, request, now)

    def _success(self, frame: v2.Frame, request: Request, now: int) -> None:
        state = self.state
        if request.method == "cancel_all_orders_after":
            found = v2.payload(frame.result, v2.SwitchSet)
            trigger_ts = 0 if found.triggerTime in ("", "0") else parse_rfc3339(found.triggerTime)
            state.switch.answered(request.sent, trigger_ts)
        elif request.method == "subscribe":
            ack = v2.payload(frame.result, v2.Ack)
            state.threshold_told = ack.maxratecount or state.threshold_told
        elif request.method == "add_order":
            self._placed(request.orders[0], v2.payload(frame.result, v2.Placed), now)
        elif request.method == "batch_add":
            for cl_ord_id, placed in zip(request.orders, v2.payload(frame.result, list[v2.Placed]), strict=False):
                self._placed(cl_ord_id, placed, now)
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
            self._refuse(order, placed.error or "refused in its batch", now)
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
            self._outcome_unknown(request)
            return
        for cl_ord_id in request.orders:
            order = self.state.registry.find(cl_ord_id)
            if order is None or not order.is_live:
                continue
            if request.method in ("add_order", "batch_add"):
                self._refuse(order, frame.error, now)
            elif means is errors.Meaning.UNKNOWN_ORDER:
                # It ended, and the report is on its way; if not, a snapshot will tell.
                order.suspect_since = order.suspect_since or now
                order.amend = None if request.method == "amend_order" else order.amend
            elif request.method == "amend_order":
                if orders.amend_refused(order, request.req_id, frame.error):
                    self._amend_refused(order, frame.error, means, now)
            else:
                self.state.tell("warning", "cancel", f"cancel of {cl_ord_id} refused: {frame.error}; trying again")
            self.state.registry.note(order)

    def _amend_refused(self, order: Order, error: str, means: errors.Meaning, now: int) -> None:
        self.state.tell("warning", "amend", f"amend on {order.symbol} refused: {error}")
        if "Post only" in error:
            self._block_price(order, now)
        if means is not errors.Meaning.RATE:
            order.doomed = f"amend refused: {error}"
        order.touched = now

    def _refuse(self, order: Order, error: str, now: int) -> None:
        orders.ended(order, OrderState.REFUSED, error, now)
        if "Post only" in error:
            self._block_price(order, now)
        self.refusals.append((order, error))
        self.state.registry.note(order)

    def _block_price(self, order: Order, now: int) -> None:
        price = order.amend.price if order.amend else order.price
        self.refused_prices[order.symbol, order.side] = (price, now + int(limits.REFUSED_PRICE_S * SECOND))

    def _outcome_unknown(self, request: Request) -> None:
        for cl_ord_id in request.orders:
            order = self.state.registry.find(cl_ord_id)
            if order is not None and order.is_live:
                orders.lost_sight(order)
                self.state.registry.note(order)

    # --- reports -------------------------------------------------------------------------------------------------

    def _executions(self, frame: v2.Frame, now: int) -> None:
        reports = v2.payload(frame.data, list[v2.Report])
        for report in reports:
            self._counter(report, now)
        news = [self._trade(report) for report in reports if report.exec_id]
        if frame.type == "snapshot" and len(news) >= limits.SNAPSHOT_FILLS and all(news):
            # None of the last fills was known: there may be more behind them.
            self.history_wanted = True
        if frame.type == "snapshot":
            self._snapshot([report for report in reports if not report.exec_id], now)
        else:
            for report in reports:
                self._report(report, now)

    def _counter(self, report: v2.Report, now: int) -> None:
        if report.ratecount is None:
            return
        order = self.state.registry.find(report.cl_ord_id, report.order_id)
        symbol = report.symbol or (order.symbol if order is not None else "")
        if symbol:
            self.state.budget.told(symbol, float(report.ratecount), now)

    def _trade(self, report: v2.Report) -> bool:
        fill = fill_of_report(report, parse_rfc3339(report.timestamp) if report.timestamp else 0)
        if fill is None:
            self.state.tell("warning", "report", f"a trade report lacks what a fill needs: {report}")
            return False
        order = self.state.registry.find(report.cl_ord_id, report.order_id)
        cl_ord_id, strategy = self._owner(order, report)
        row = self.state.account.fill(fill, cl_ord_id, strategy)
        if order is not None:
            lots = scale(fill.qty, order.qty_precision)
            if orders.filled(order, fill.exec_id, lots):
                order.order_id = order.order_id or report.order_id
                self.state.registry.note(order)
        if row is not None:
            self.tell_fill(row)
        return row is not None

    def tell_fill(self, row: FillRow) -> None:
        """A fill that is new: on the bus and in the log."""
        message = Fill(
            exec_id=row.exec_id,
            cl_ord_id=row.cl_ord_id,
            order_id=row.order_id,
            strategy=row.strategy,
            symbol=row.symbol,
            side="buy" if row.side == "buy" else "sell",
            price=row.price,
            qty=row.qty,
            fee=row.fee,
            fill_ts=row.fill_ts,
        )
        self.state.out.messages.append((f"fill.{row.symbol}", message))
        self.state.tell(
            "info", "fill", f"{row.strategy} {row.side} {row.qty} {row.symbol} at {row.price} {row.exec_id}"
        )

    def _owner(self, order: Order | None, report: v2.Report) -> tuple[str, str]:
        if order is not None:
            return order.cl_ord_id if order.strategy != FOREIGN else report.cl_ord_id, order.strategy
        past = self._find_past(report.cl_ord_id, report.order_id)
        return past if past is not None else (report.cl_ord_id, FOREIGN)

    def owner_of(self, order_id: str) -> tuple[str, str]:
        """(cl_ord_id, strategy) of a fill told by the history, which names only the exchange's id."""
        return self._owner(self.state.registry.find("", order_id), v2.Report(order_id=order_id))

    def _report(self, report: v2.Report, now: int) -> None:
        order = self.state.registry.find(report.cl_ord_id, report.order_id)
        if order is None:
            if report.order_status in ("new", "partially_filled", "pending_new") and report.symbol:
                self._adopt(report, now)
            return
        kind = report.exec_type
        if report.order_id and not order.order_id:
            order.order_id = report.order_id
        if kind in ("new", "pending_new"):
            orders.acknowledged(order, report.order_id, now)
        elif kind == "filled":
            orders.ended(order, OrderState.FILLED, "", now)
        elif kind == "expired":
            orders.ended(order, OrderState.EXPIRED, report.reason, now)
        elif kind == "canceled":
            self._cancelled(order, report.reason, now)
        elif kind in ("amended", "restated"):
            price, qty = self._numbers(order, report)
            orders.amended(order, price, qty, now)
        self.state.registry.note(order)

    def _cancelled(self, order: Order, reason: str, now: int) -> None:
        if reason == "Post only order":
            self._refuse(order, reason, now)
            return
        done = order.filled >= order.qty
        if reason == "User requested" and order.is_live and not order.cancel_sent and order.amend is None:
            # Not by us: a person, or another executor. Placing it again at once would be a fight.
            self.refusals.append((order, "cancelled by somebody else"))
        orders.ended(order, OrderState.FILLED if done else OrderState.CANCELLED, reason, now)
        if "CancelAllOrdersAfter" in reason:
            self.state.tell("warning", "switch", "the dead man's switch pulled orders", alert=True)

    def _numbers(self, order: Order, report: v2.Report) -> tuple[int | None, int | None]:
        price = None if report.limit_price is None else scale(report.limit_price, order.price_precision)
        qty = None if report.order_qty is None else scale(report.order_qty, order.qty_precision)
        return price, qty

    # --- snapshots (reconciliation) ------------------------------------------------------------------------------

    def _snapshot(self, open_reports: list[v2.Report], now: int) -> None:
        """The exchange's open orders, as of some moment after they were asked for."""
        state = self.state
        exchange_now = state.clock.now_ts(now) or now + state.boot_to_wall
        seen: set[str] = set()
        for report in open_reports:
            order = state.registry.find(report.cl_ord_id, report.order_id)
            if order is None:
                order = self._adopt(report, now)
            if order is None:
                continue
            seen.add(order.cl_ord_id)
            self._seen_open(order, report, exchange_now, now)
        for order in state.registry.live():
            if order.cl_ord_id not in seen:
                self._not_in_snapshot(order, exchange_now, now)
        state.executions_ready = True
        self.snapshot_at = now
        self._first_snapshot = False

    def _seen_open(self, order: Order, report: v2.Report, exchange_now: int, now: int) -> None:
        orders.acknowledged(order, report.order_id, now)
        order.suspect_since = 0
        if not order.is_live:
            return
        if order.state is OrderState.CANCELLING and order.cancel_sent < self._asked_at:
            order.state = OrderState.OPEN  # the cancel did not arrive; the next pass decides anew
        price, qty = self._numbers(order, report)
        if order.amend is not None and order.amend.is_unknown and exchange_now > order.amend.deadline_ts:
            order.amend = None
        orders.amended(order, price, qty, order.touched)
        if report.cum_qty is not None:
            order.filled = max(order.filled, scale(report.cum_qty, order.qty_precision))
        self.state.registry.note(order)

    def _not_in_snapshot(self, order: Order, exchange_now: int, now: int) -> None:
        if order.state in (OrderState.SENT, OrderState.UNKNOWN):
            # Only past its deadline does its absence mean anything, and the history has the last word.
            if order.state is OrderState.UNKNOWN and exchange_now > order.deadline_ts:
                order.lacking_since = order.lacking_since or now
            return
        if order.acked >= self._asked_at or order.created_ts - self.state.boot_to_wall >= self._asked_at:
            return
        done = order.filled >= order.qty
        if not done and order.created_ts - self.state.boot_to_wall < self.state.started:
            # Cancels leave before the journal: an earlier life may have died in between, and Kraken counts them.
            self.state.budget.charge(order.symbol, CANCEL_WORST, now)
        orders.ended(order, OrderState.FILLED if done else OrderState.CANCELLED, "ended while not watched", now)
        self.state.registry.note(order)

    def _adopt(self, report: v2.Report, now: int) -> Order | None:
        """An order that this executor did not know: one of an earlier life, which goes, or somebody else's (T16)."""
        state = self.state
        mine = ids.parse(report.cl_ord_id)
        if mine is not None and mine.epoch > state.epoch:
            if not self._first_snapshot:
                state.out.stop_held = f"a newer executor trades this account (epoch {mine.epoch}, ours {state.epoch})"
            state.out.epoch = max(state.out.epoch, mine.epoch + 1)
        if report.limit_price is None or report.order_qty is None or not report.symbol:
            state.counts["open order without price or quantity"] += 1
            return None
        pair = state.pairs.get(report.symbol)
        price_precision = pair.price_precision if pair else _decimals(report.limit_price)
        qty_precision = pair.qty_precision if pair else _decimals(report.order_qty)
        order = Order(
            cl_ord_id=report.cl_ord_id or report.order_id,
            strategy=FOREIGN,
            symbol=report.symbol,
            slot=mine.slot if mine else "",
            side="buy" if report.side == "buy" else "sell",
            price=scale(report.limit_price, price_precision),
            qty=scale(report.order_qty, qty_precision),
            price_precision=price_precision,
            qty_precision=qty_precision,
            state=OrderState.OPEN,
            order_id=report.order_id,
            touched=now,
            acked=now,
            created_ts=parse_rfc3339(report.timestamp) if report.timestamp else 0,
        )
        if mine is not None:
            order.strategy = "?"
            order.doomed = "left by an earlier life of this executor"
        else:
            state.tell("warning", "foreign", f"an order on {report.symbol} is not ours: left alone, and counted")
        state.registry.add(order)
        return order

    # --- balances ------------------------------------------------------------------------------------------------

    def _balances(self, frame: v2.Frame, now: int) -> None:
        account = self.state.account
        elements = v2.payload(frame.data, list[_Balance])
        if frame.type == "snapshot":
            balances = {element.asset: _spot(element) for element in elements}
            if account.snapshot(balances, self.state.clock.now_ts(now) or now + self.state.boot_to_wall):
                self.state.tell("info", "journal", "a new journal opens at these balances")
            self.state.balances_ready = True
        else:
            for element in elements:
                if element.wallet_type == "spot" and element.wallet_id == "main":
                    account.entry(entry_of(element), live=True)

    # --- time ----------------------------------------------------------------------------------------------------

    def turn(self, now: int) -> None:
        """Late answers, orders in doubt, snapshots and history to ask for."""
        for request in self.in_flight.overdue(now):
            self._outcome_unknown(request)
            if request.method in ORDER_METHODS:
                self.state.tell("warning", "late", f"no answer to {request.method} on {request.symbol}")
            elif request.method == "subscribe":
                self.state.out.reconnect = "a subscription was not acknowledged"
        if self.state.connected and now - self.state.private_heard > limits.CONNECTION_DEAD_S * SECOND:
            self.state.out.reconnect = f"nothing heard for {limits.CONNECTION_DEAD_S:.0f} s, not even a heartbeat"
        if not self.state.connected or not self.state.executions_ready:
            return
        exchange_now = self.state.clock.now_ts(now)
        for order in self.state.registry.live():
            if order.state is OrderState.OPEN and order.remaining == 0:
                order.suspect_since = order.suspect_since or now  # the report of its end is due
            if order.state is OrderState.UNKNOWN:
                self._look_for(order, exchange_now, now)
            elif order.amend is not None and order.amend.is_unknown and exchange_now > order.amend.deadline_ts:
                self.want_snapshot("an amend of unknown outcome")
            elif order.suspect_since and now - order.suspect_since > SECOND:
                self.want_snapshot("an order that the exchange does not know")
        if self._snapshot_wanted and now - self._asked_at > limits.SNAPSHOT_EVERY_S * SECOND:
            self._ask("unsubscribe", {"channel": "executions", "token": self.token})
            self._sequence.pop("executions", None)
            self._subscribe_executions(now)

    def _look_for(self, order: Order, exchange_now: int, now: int) -> None:
        """An order of unknown outcome: placed when anything shows it, never placed only when nothing ever does."""
        if not order.lacking_since:
            if exchange_now > order.deadline_ts + SECOND:
                self.want_snapshot("an order of unknown outcome")
        elif now - order.lacking_since > limits.HISTORY_SETTLES_S * SECOND and not order.history_asked:
            order.history_asked = True
            self.ask_history.append(order.cl_ord_id)

    def history_shows(self, cl_ord_id: str, found: dict[str, Any], now: int) -> None:
        """The history knows the order: it was placed and has ended; its fills come by the trades' history."""
        order = self.state.registry.find(cl_ord_id)
        if order is not None and order.state is OrderState.UNKNOWN:
            orders.ended(order, _closed_state(str(found.get("status"))), "found in the history", now)
            self.state.registry.note(order)

    def history_lacks(self, cl_ord_id: str, now: int) -> None:
        """Neither the snapshot nor the history knows the order: it was never placed."""
        order = self.state.registry.find(cl_ord_id)
        if order is not None and order.state is OrderState.UNKNOWN:
            orders.ended(order, OrderState.NEVER_PLACED, "neither snapshot nor history knows it", now)
            self.state.registry.note(order)


def _closed_state(status: str) -> OrderState:
    return {"closed": OrderState.FILLED, "expired": OrderState.EXPIRED}.get(status, OrderState.CANCELLED)


def entry_of(element: v2.Balance) -> Entry:
    """A ledger entry of the ``balances`` channel."""
    ts = parse_rfc3339(element.timestamp) if element.timestamp else 0
    return Entry(
        element.ledger_id, element.ref_id, element.asset, element.type, element.amount, element.fee, element.balance, ts
    )


def _decimals(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return -exponent if isinstance(exponent, int) and exponent < 0 else 0


class _Balance(v2.Balance, frozen=True, kw_only=True):
    """A balance with its wallets, which a snapshot tells apart."""

    wallets: list[v2.Wallet] = []


def _spot(element: _Balance) -> Decimal:
    """What can be traded: the spot wallet's balance where wallets are told apart."""
    for wallet in element.wallets:
        if wallet.type == "spot" and wallet.id == "main":
            return wallet.balance
    return element.balance
