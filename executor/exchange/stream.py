"""The private stream: connection, subscriptions, sequences, and where each frame goes.

It updates orders and account, and puts new requests for snapshots into the outbox.
"""

from __future__ import annotations

from collections.abc import Callable

from executor.exchange import balances
from executor.exchange.adoption import Adoption
from executor.exchange.reconcile import Reconcile
from executor.exchange.rejections import Rejections
from executor.exchange.reports import Reports
from executor.exchange.requests import InFlight
from executor.exchange.responses import ORDER_METHODS, Answers
from executor.orders.transitions import Suspected, apply
from executor.state import State
from shared import limits
from shared.clock import SECOND
from shared.kraken import v2


class Stream:
    """Takes in frames. ``find_past`` asks the journal for (cl_ord_id, strategy) of an order that ended long ago."""

    def __init__(
        self,
        state: State,
        rejections: Rejections,
        find_past: Callable[[str, str], tuple[str, str] | None],
    ) -> None:
        self.state = state
        self.in_flight = InFlight(state)
        self.history_wanted = False
        self.rejections = rejections
        self.answers = Answers(state, self.in_flight, self.rejections)
        adoption = Adoption(state)
        self.reports = Reports(state, self.rejections, adoption, find_past)
        self.adoption = adoption
        self.reconcile = Reconcile(state, adoption)
        self._sequence: dict[str, int] = {}
        self._pairs = state.market.pairs  # as of the last rescaling of adopted orders

    # --- connection ----------------------------------------------------------------------------------------------

    def opened(self, token: str, now: int) -> None:
        """Begin a connection with a fresh token: subscribe to everything private."""
        self.state.session.open(token, now)
        self._sequence.clear()
        self._subscribe_executions(now)
        self._subscribe_balances()

    def closed(self, now: int) -> None:
        """End the connection: what was in flight is of unknown outcome."""
        self.state.session.close()
        for request in self.in_flight.lost():
            self.answers.outcome_unknown(request, "the connection ended before its answer", now)

    def _subscribe_executions(self, now: int) -> None:
        self.reconcile.snapshot_asked(now)
        params = {"channel": "executions", "snap_orders": True, "snap_trades": True, "ratecounter": True}
        self.state.out.ask("subscribe", params)

    def _subscribe_balances(self) -> None:
        self.state.out.ask("subscribe", {"channel": "balances", "snapshot": True})

    # --- frames --------------------------------------------------------------------------------------------------

    def frame(self, frame: v2.Frame, now: int) -> None:
        """Take in one frame. Raises only ValueError and ArithmeticError, for what cannot be read."""
        self.state.session.hear(now)
        if frame.channel in ("executions", "balances"):
            if self._in_sequence(frame, now):
                self._account(frame, now)
        elif frame.channel == "status":
            statuses, _ = v2.elements(frame.data, v2.Status)
            self.state.session.set_system(statuses[-1].system if statuses else "unknown")
            if statuses and not self.state.session.maintenance.take(statuses[-1].upcoming_maintenance):
                text = f"unreadable notice of maintenance: {statuses[-1].upcoming_maintenance}"
                self.state.out.tell("warning", "maintenance", text[: limits.TEXT_SHOWN], alert=True)
        elif frame.method:
            self.answers.answer(frame, now)

    def _account(self, frame: v2.Frame, now: int) -> None:
        """Take a message of the account; after one that is no list a new connection brings everything again."""
        try:
            if frame.channel == "executions":
                self._executions(frame, now)
            else:
                fills, all_read = balances.take(self.state, frame, now)
                for row in fills:
                    self.reports.tell_fill(row, now)
                if not all_read:
                    self.ask_balances()
        except ValueError:
            self.state.session.doubt()
            self.state.out.reconnect(f"an unreadable {frame.channel} message")
            raise

    def _in_sequence(self, frame: v2.Frame, now: int) -> bool:
        last = self._sequence.get(frame.channel)
        self._sequence[frame.channel] = frame.sequence
        if frame.type == "snapshot" or last is None or frame.sequence == last + 1:
            return True
        if frame.sequence <= last:
            self._sequence[frame.channel] = last
            self.state.out.count(f"repeated {frame.channel} message")
            return False
        self.state.out.tell(
            "warning", "gap", f"{frame.channel} lost {frame.sequence - last - 1} messages; asking again"
        )
        if frame.channel == "executions":
            self.state.session.doubt_executions()
            self._ask_executions(now)
        else:
            self.ask_balances()
        return True

    def _ask_executions(self, now: int) -> None:
        """Ask for a new snapshot of orders and fills."""
        self.state.out.ask("unsubscribe", {"channel": "executions"})
        self._sequence.pop("executions", None)
        self._subscribe_executions(now)

    def ask_balances(self) -> None:
        """Ask for a new balances snapshot."""
        self.state.session.doubt_balances()
        self.state.out.ask("unsubscribe", {"channel": "balances"})
        self._sequence.pop("balances", None)
        self._subscribe_balances()

    def _executions(self, frame: v2.Frame, now: int) -> None:
        reports, unread = v2.elements(frame.data, v2.Report)
        named = {name for row in unread for name in self._unread(row, now)}
        for report in reports:
            self.reports.counter(report, now)
        fills = [report for report in reports if report.exec_id]
        if frame.type == "snapshot":
            # Kraken sends the newest first; the average cost needs them in the order in which they happened.
            fills.reverse()
            fills.sort(key=lambda report: report.timestamp or "")
        news = [self._row(report, now, lambda r: self.reports.trade(r, frame.type, now)) for report in fills]
        if frame.type == "snapshot" and len(news) >= limits.SNAPSHOT_FILLS and all(news):
            # None of the last fills was known: there may be older ones that we lack as well.
            self.history_wanted = True
        if frame.type == "snapshot":
            self.reconcile.snapshot([report for report in reports if not report.exec_id], named, now)
        else:
            for report in reports:
                self._row(report, now, lambda r: self.reports.report(r, now))

    def _row(self, report: v2.Report, now: int, take: Callable[[v2.Report], bool | None]) -> bool:
        """Take one report; a contradictory one is counted, and a snapshot is asked for if its order is known."""
        try:
            return bool(take(report))
        except (ValueError, ArithmeticError) as error:
            texts = {"order_id": report.order_id, "cl_ord_id": report.cl_ord_id}
            self._unread(v2.Unread(str(error), repr(report).encode(), texts), now)
            return False

    def _unread(self, row: v2.Unread, now: int) -> set[str]:
        """Log a report that cannot be read, and suspect its order; return the ids that it names."""
        self.state.out.unread(f"an executions report ({row.why}): {row.raw!r}")
        cl_ord_id, order_id = row.texts.get("cl_ord_id", ""), row.texts.get("order_id", "")
        order = self.state.registry.find(cl_ord_id, order_id)
        if order is not None and order.is_live:
            apply(order, Suspected(), now)
            self.state.registry.look_at(order)
        return {name for name in (cl_ord_id, order_id) if name}

    # --- time ----------------------------------------------------------------------------------------------------

    def turn(self, now: int) -> None:
        """Act on late responses and a dead connection, and ask for snapshots."""
        state = self.state
        if state.market.pairs is not self._pairs:
            self._pairs = state.market.pairs
            self.adoption.rescale()
        for request in self.in_flight.overdue(now):
            self.answers.timed_out(request, f"no answer within {limits.REQUEST_TIMEOUT_S:.0f} s", now)
            if request.method in ORDER_METHODS:
                state.out.tell("warning", "late", f"no answer to {request.method} on {request.symbol}")
            elif request.method == "subscribe":
                state.out.reconnect("a subscription was not acknowledged")
        if state.session.connected and now - state.session.heard > limits.CONNECTION_DEAD_S * SECOND:
            state.out.reconnect(f"nothing heard for {limits.CONNECTION_DEAD_S:.0f} s, not even a heartbeat")
        if not state.session.connected or not state.session.executions_ready:
            return
        self.reconcile.turn(now)
        if self.reconcile.wanted and now - self.reconcile.asked_at > limits.SNAPSHOT_EVERY_S * SECOND:
            self._ask_executions(now)
