"""Reports of the ``executions`` channel: fills once each, and what became of orders."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from executor.account.account import fill_of_report
from executor.exchange.adoption import Adoption, stated_presence, stated_price
from executor.exchange.rejections import Rejections
from executor.orders.order import Finished, Order, Presence, filled_units, price_units, qty_units
from executor.orders.registry import FOREIGN
from executor.orders.transitions import (
    Acked,
    Ended,
    FillCounted,
    FilledInAll,
    Named,
    ReportedOpen,
    Restated,
    ShownByFill,
    apply,
    show_presence,
)
from executor.record import events
from executor.record.rows import FillRow
from executor.state import State
from shared.clock import rfc3339
from shared.kraken import errors, v2
from shared.messages import Fill
from shared.valuation import legs

OPEN_STATUSES = ("new", "partially_filled", "pending_new", "triggered")
# Ends that were concluded from a response or an absence: a fill of the order disproves them.
NOT_PLACED = (Finished.REFUSED, Finished.NEVER_PLACED)
OWN_CANCEL = "User requested"  # Kraken's reason for what we, or a person with the account, cancelled


class Reports:
    """Takes in reports. ``find_past`` asks the journal for (cl_ord_id, strategy) of an order that ended long ago."""

    def __init__(
        self,
        state: State,
        rejections: Rejections,
        adoption: Adoption,
        find_past: Callable[[str, str], tuple[str, str] | None],
    ) -> None:
        self.state, self.rejections, self.adoption = state, rejections, adoption
        self._find_past = find_past

    def report(self, report: v2.Report, now: int) -> None:
        """Take in a report on an order."""
        order = self.state.registry.find(report.cl_ord_id, report.order_id)
        if order is None:
            if report.order_status in OPEN_STATUSES and report.symbol:
                adopted = self.adoption.adopt(report, now)
                if adopted is not None:
                    _told_filled(adopted, report, now)
            return
        _told_filled(order, report, now)
        kind, before, fields = report.exec_type, order.life, events.report_data(report)
        if report.order_id and not order.order_id:
            apply(order, Named(report.order_id), now)
        see_presence(order, report)
        self._revive_if_open(order, report, now)
        if kind in ("new", "pending_new"):
            apply(order, Acked(report.order_id), now)
        elif kind == "filled" or (report.exec_id and report.order_status == "filled"):
            # Kraken says that a report of its own follows the last trade; no capture shows it.
            apply(order, Ended(Finished.FILLED, ""), now)
        elif kind == "expired":
            if order.is_live and order.strategy != FOREIGN:
                self.rejections.hold_slot(order, report.reason or "expired", now)
            apply(order, Ended(Finished.EXPIRED, report.reason), now)
        elif kind == "canceled":
            if self._cancelled(order, report.reason, now):
                fields["by"] = "somebody else"
        elif kind in ("amended", "restated"):
            price, qty = numbers(order, report)
            apply(order, Restated(price, qty), now)
        # A trade's report is recorded where it is counted, and "pending_new" adds nothing to "new".
        if not report.exec_id and (kind != "pending_new" or before is not order.life):
            self.state.record(order, "report", now, fields)
        self.state.registry.note(order)

    def _revive_if_open(self, order: Order, report: v2.Report, now: int) -> None:
        """Revive an order that a report shows open, whatever we concluded from a response or an absence (T17).

        A trade's status lags its quantity, so a trade revives only an order with something left to fill.
        """
        if order.is_live:
            if report.order_status in OPEN_STATUSES:
                apply(order, ReportedOpen(), now)
            return
        is_open = report.order_status in OPEN_STATUSES and report.exec_type not in ("canceled", "expired", "filled")
        is_placed = order.life in NOT_PLACED and (report.exec_type == "filled" or report.exec_id)
        if not is_placed and not (is_open and (not report.exec_id or order.remaining)):
            return
        self.state.out.tell("warning", "revived", f"{order.cl_ord_id} is open, though it was {order.state}", alert=True)
        self.state.registry.revive(order, now, is_suspect=bool(report.exec_id))

    def trade(self, report: v2.Report, source: str, now: int) -> bool:
        """Take in a fill from a ``snapshot`` or an ``update``; return False when it was counted before."""
        order = self.state.registry.find(report.cl_ord_id, report.order_id)
        if report.is_margin or (order is not None and order.is_margin):
            # It moves a margin position and no spot balance; its costs come as ledger entries.
            self.state.out.count("trade on margin, left alone")
            return False
        fill = fill_of_report(report, self.state.stated_ts(report.timestamp, now))
        if fill is None:
            self.state.out.tell("warning", "report", f"a trade report lacks what a fill needs: {report}")
            return False
        cl_ord_id, strategy = self._owner(order, report)
        # Each snapshot repeats fills that are known.
        is_new = not self.state.account.knows(fill.exec_id)
        row = self.state.account.fill(fill, cl_ord_id, strategy)
        if order is not None:
            apply(order, ShownByFill(report.order_id), now)
            if is_new:  # even if the first balances include it already
                apply(order, FillCounted(filled_units(order, fill.qty)), now)
            if row is not None:
                self.state.record(order, "fill", now, {**events.report_data(report), "source": source})
            _told_filled(order, report, now)
            self.state.registry.note(order)
        for fill_row in [*self.state.account.take_proven(), *([row] if row is not None else [])]:
            self.tell_fill(fill_row, now)
        return row is not None

    def counter(self, report: v2.Report, now: int) -> None:
        """Take Kraken's own counter of the pair, where a report has it."""
        points = report.points
        if points is None:
            return
        order = self.state.registry.find(report.cl_ord_id, report.order_id)
        symbol = report.symbol or (order.symbol if order is not None else "")
        if symbol:
            self.state.budget.correct(symbol, float(points), now)

    def tell_fill(self, row: FillRow, now: int) -> None:
        """Publish, log and mark a new fill."""
        self.state.out.write(self.state.fill_marks.fill(row, self.state.market.rates.rate(legs(row.symbol)[1])))
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
            heard=now,
        )
        self.state.out.publish(f"fill.{row.symbol}", message)
        self.state.out.tell(
            "info", "fill", f"{row.strategy} {row.side} {row.qty} {row.symbol} at {row.price} {row.exec_id}"
        )

    def record_past(self, row: FillRow, now: int) -> None:
        """Record a fill that only the trades' history has, on its order if that is still known."""
        order = self.state.registry.find(row.cl_ord_id, row.order_id)
        if order is not None:
            apply(order, ShownByFill(row.order_id), now)
            apply(order, FillCounted(filled_units(order, Decimal(row.qty))), now)
            self.state.registry.note(order)
            fields = {
                "exec_id": row.exec_id,
                "last_qty": row.qty,
                "last_price": row.price,
                "fees": {row.fee_asset: row.fee},
            }
            self.state.record(order, "fill", now, {**fields, "source": "history", "timestamp": rfc3339(row.fill_ts)})

    def owner_of(self, order_id: str) -> tuple[str, str]:
        """Return (cl_ord_id, strategy) of a fill from the history, which has only the exchange's id."""
        return self._owner(self.state.registry.find("", order_id), v2.Report(order_id=order_id))

    def _owner(self, order: Order | None, report: v2.Report) -> tuple[str, str]:
        if order is not None:
            return order.cl_ord_id if order.strategy != FOREIGN else report.cl_ord_id, order.strategy
        past = self._find_past(report.cl_ord_id, report.order_id)
        return past if past is not None else (report.cl_ord_id, FOREIGN)

    def _cancelled(self, order: Order, reason: str, now: int) -> bool:
        """End an order that was cancelled, or rejected after its ack; return True if somebody else cancelled it."""
        if errors.is_post_only(reason) and order.strategy != FOREIGN:
            self.rejections.reject(order, reason, now)
            return False
        if not order.is_live:
            return False
        done = order.filled >= order.qty
        by_us = reason == OWN_CANCEL and (bool(order.cancel.sent) or order.amend is not None)
        by_somebody = reason == OWN_CANCEL and not by_us
        if order.strategy != FOREIGN and not by_us and not done:
            # Cancelled by a person, another executor or the engine: to place it again at once would be to fight them.
            text = "cancelled by somebody else" if by_somebody else reason or "cancelled"
            self.rejections.hold_slot(order, text, now)
        # An order that we cancelled keeps our own reason: Kraken's says only that a user asked.
        why = "" if by_us and order.cancel.sent else reason
        apply(order, Ended(Finished.FILLED if done else Finished.CANCELLED, why), now)
        if errors.is_by_switch(reason):
            self.state.out.tell("warning", "switch", "the dead man's switch pulled orders", alert=True)
        return by_somebody


def _told_filled(order: Order, report: v2.Report, now: int) -> None:
    if report.cum_qty is not None:
        apply(order, FilledInAll(filled_units(order, report.cum_qty), is_snapshot=False), now)


def see_presence(order: Order, report: v2.Report) -> None:
    """Note how much of an adopted order the book shows, and whether it is on margin.

    Without a price only :attr:`Presence.WAITING` is taken.
    """
    if not order.is_adopted:
        return
    presence = stated_presence(report, order.presence)
    has_price = bool(order.price) or stated_price(report) is not None
    is_placeable = has_price or presence is Presence.WAITING
    show_presence(order, presence if is_placeable else order.presence, is_margin=report.is_margin)


def numbers(order: Order, report: v2.Report) -> tuple[int | None, int | None]:
    """Return (price in ticks, quantity in lots) of a report, where it has them."""
    stated = stated_price(report)
    price = None if stated is None else price_units(order, stated)
    qty = None if report.order_qty is None else qty_units(order, report.order_qty)
    return price, qty
