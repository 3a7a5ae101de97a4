"""Reconciliation: our orders against a snapshot of the open ones, and orders of unknown outcome.

An order of unknown outcome is *placed* when anything shows it, *never placed* only when its deadline has passed, a
later snapshot lacks it, and the history, long enough after, lacks it too (docs/rules.md, "Outcomes").
"""

from __future__ import annotations

from typing import Any  # Any: a row of Kraken's history

from executor.exchange.adoption import Adoption
from executor.exchange.reports import numbers, see_presence
from executor.orders.order import Active, Finished, Order, filled_units
from executor.orders.transitions import (
    Absent,
    AmendVoid,
    CancelMissed,
    Cleared,
    Ended,
    FilledInAll,
    HistoryAsked,
    Lacking,
    Restated,
    SeenOpen,
    Suspected,
    apply,
)
from executor.record import events
from executor.state import State
from shared import limits
from shared.clock import SECOND
from shared.kraken import v2
from shared.kraken.counters import CANCEL_WORST


class Reconcile:
    """Compares orders with snapshots.

    ``asked_at`` is when the newest snapshot was asked for; ``wanted`` why another one is wanted, empty if none is.
    """

    def __init__(self, state: State, adoption: Adoption) -> None:
        self.state, self.adoption = state, adoption
        self.asked_at = 0
        self.wanted = ""
        self.ask_history: list[str] = []
        # True once a snapshot cannot have missed orders: the first may lack what another executor placed just before.
        self.is_complete = False
        self._first_asked = 0

    def snapshot_asked(self, now: int) -> None:
        """Note that a snapshot is asked for now."""
        self.asked_at, self.wanted = now, ""
        self._first_asked = self._first_asked or now

    @property
    def _sure_from(self) -> int:
        return self._first_asked + int(limits.ABSENT_AFTER_ACK_S * SECOND)

    def want(self, why: str) -> None:
        """Ask for a snapshot at the next turn."""
        self.wanted = self.wanted or why

    # --- snapshots -----------------------------------------------------------------------------------------------

    def snapshot(self, open_reports: list[v2.Report], named: set[str], now: int) -> None:
        """Take a snapshot of the exchange's open orders, which is of some time after it was asked for.

        ``named`` are the ids in rows that could not be read: their orders are not absent.
        """
        state = self.state
        exchange_now = state.exchange_ts(now)
        seen: set[str] = set()
        for report in open_reports:
            try:
                self._row(report, exchange_now, now, seen)
            except (ValueError, ArithmeticError) as error:
                state.out.unread(f"an order of the executions snapshot ({error}): {report}")
                named |= {report.order_id, report.cl_ord_id}
        for order in state.registry.standing():
            if order.cl_ord_id in seen:
                continue
            if order.cl_ord_id in named or (order.order_id and order.order_id in named):
                apply(order, Cleared(), now)
                continue
            self._not_in_snapshot(order, exchange_now, now)
        state.session.trust_executions()
        self.adoption.is_start = False
        self.is_complete = self.is_complete or self.asked_at >= self._sure_from

    def _row(self, report: v2.Report, exchange_now: int, now: int, seen: set[str]) -> None:
        order = self.state.registry.find(report.cl_ord_id, report.order_id)
        is_new = order is None
        if order is None:
            order = self.adoption.adopt(report, now)
        if order is None:
            return
        self._seen_open(order, report, exchange_now, now, is_new=is_new)
        seen.add(order.cl_ord_id)

    def _seen_open(self, order: Order, report: v2.Report, exchange_now: int, now: int, *, is_new: bool) -> None:
        state = self.state
        before = None if self.adoption.is_start and not is_new else _believed(order)
        apply(order, SeenOpen(report.order_id), now)
        see_presence(order, report)
        if not order.is_live:
            # An order that the exchange shows as open is open, whatever we concluded from a response or an absence.
            state.out.tell("warning", "revived", f"{order.cl_ord_id} is open, though it was {order.state}", alert=True)
            state.registry.revive(order, now)
        if order.life is Active.CANCELLING and order.cancel.sent < self.asked_at:
            apply(order, CancelMissed(), now)
        price, qty = numbers(order, report)
        if order.amend is not None and order.amend.is_unknown and exchange_now > order.amend.deadline_ts:
            apply(order, AmendVoid(), now)
        is_amended = (price or order.price, qty or order.qty) != (order.price, order.qty)
        apply(order, Restated(price, qty, is_new=is_amended), now)
        if report.cum_qty is not None:
            apply(order, FilledInAll(filled_units(order, report.cum_qty), is_snapshot=True), now)
        if before != _believed(order):
            self.state.record(
                order, "snapshot", now, {**events.report_data(report), "is_start": self.adoption.is_start}
            )
        self.state.registry.note(order)

    def _not_in_snapshot(self, order: Order, exchange_now: int, now: int) -> None:
        if order.life in (Active.SENT, Active.UNKNOWN):
            # Its absence counts only after its deadline, and then the history decides.
            is_late = order.life is Active.UNKNOWN and exchange_now > order.deadline_ts
            if is_late and not order.doubt.lacking_since:
                apply(order, Lacking(), now)
                self._lacks(order, "not among the open orders after its deadline: the history is asked", now)
            return
        if not self._is_gone(order, now):
            return
        done = order.filled >= order.qty
        if not done and order.is_restored:
            # Cancels leave before the journal is written. An earlier life may have died in between: Kraken counted
            # a cancel then that our counter lacks.
            self.state.budget.charge(order.symbol, CANCEL_WORST, now)
        why = "" if order.cancel.sent else "ended while not watched"
        apply(order, Ended(Finished.FILLED if done else Finished.CANCELLED, why), now)
        self._lacks(order, "not among the open orders: it ended while not watched", now)
        self.state.registry.note(order)

    def _is_gone(self, order: Order, now: int) -> bool:
        """True if its absence is an end (T17): acked well before the snapshot was asked for, or absent twice."""
        if order.doubt.confirmed and self.asked_at - order.doubt.confirmed >= limits.ABSENT_AFTER_ACK_S * SECOND:
            return True
        if order.doubt.absent_at and order.doubt.absent_at < self.asked_at:
            return True
        if not order.doubt.absent_at:
            self._lacks(
                order, "not among the open orders, but acked so shortly before that another snapshot is due", now
            )
        apply(order, Absent(self.asked_at), now)
        self.state.registry.look_at(order)
        return False

    def _lacks(self, order: Order, why: str, now: int) -> None:
        self.state.record(order, "not_in_snapshot", now, {"why": why, "deadline_ts": order.deadline_ts})

    # --- unknown outcomes ----------------------------------------------------------------------------------------

    def turn(self, now: int) -> None:
        """Ask for a snapshot or the history, for orders in doubt."""
        exchange_now = self.state.session.clock.now_ts(now)
        if not self.is_complete and now >= self._sure_from:
            self.want("orders of another executor that the first snapshot may have lacked")
        for order in self.state.registry.doubted():
            if order.life is Active.OPEN and order.remaining == 0:
                apply(order, Suspected(), now)  # the report of its end is due
            if order.life is Active.UNKNOWN:
                self._look_for(order, exchange_now, now)
            elif order.amend is not None and order.amend.is_unknown and exchange_now > order.amend.deadline_ts:
                self.want("an amend of unknown outcome")
            elif order.doubt.suspect_since and now - order.doubt.suspect_since > SECOND:
                self.want("an order that the exchange does not know")

    def _look_for(self, order: Order, exchange_now: int, now: int) -> None:
        """Ask for what settles an order of unknown outcome: a snapshot after its deadline, then the history."""
        if not order.doubt.lacking_since:
            if exchange_now > order.deadline_ts + SECOND:
                self.want("an order of unknown outcome")
        elif now - order.doubt.lacking_since > limits.HISTORY_SETTLES_S * SECOND and not order.doubt.history_asked:
            apply(order, HistoryAsked(), now)
            self.ask_history.append(order.cl_ord_id)

    def history_shows(self, cl_ord_id: str, row: dict[str, Any], now: int) -> None:
        """End an order that the history shows: it was placed and has ended; the trades' history has its fills."""
        order = self.state.registry.find(cl_ord_id)
        if order is not None and order.life is Active.UNKNOWN:
            apply(order, Ended(_closed(str(row.get("status"))), "found in the history"), now)
            fields = {name: str(row[name]) for name in ("status", "reason", "vol_exec") if row.get(name)}
            self.state.record(order, "history", now, {"shows": True, **fields})
            self.state.registry.note(order)

    def history_lacks(self, cl_ord_id: str, now: int) -> None:
        """End an order that neither the snapshot nor the history has: it was never placed."""
        order = self.state.registry.find(cl_ord_id)
        if order is not None and order.life is Active.UNKNOWN:
            apply(order, Ended(Finished.NEVER_PLACED, "neither snapshot nor history knows it"), now)
            self.state.record(order, "history", now, {"shows": False, "deadline_ts": order.deadline_ts})
            self.state.registry.note(order)


def _believed(order: Order) -> tuple[object, ...]:
    return order.life, order.order_id, order.price, order.qty, order.filled, order.amend is None


def _closed(status: str) -> Finished:
    return {"closed": Finished.FILLED, "expired": Finished.EXPIRED}.get(status, Finished.CANCELLED)
