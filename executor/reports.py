"""Reports of the ``executions`` channel: fills once each, and what became of orders. A core."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from executor import events, orders
from executor.account import fill_of_report
from executor.adoption import Adoption
from executor.orders import Order
from executor.refusals import Refusals
from executor.registry import FOREIGN
from executor.rows import FillRow
from executor.state import State
from shared.clock import parse_rfc3339, rfc3339
from shared.kraken import v2
from shared.messages import Fill, OrderState
from shared.numbers import scale

OPEN_STATUSES = ("new", "partially_filled", "pending_new")
# Ends that only an answer or an absence told: a report of the order itself knows better.
NOT_PLACED = (OrderState.REFUSED, OrderState.NEVER_PLACED)


class Reports:
    """``find_past`` asks the journal for (cl_ord_id, strategy) of an order that ended long ago."""

    def __init__(
        self,
        state: State,
        refusals: Refusals,
        adoption: Adoption,
        find_past: Callable[[str, str], tuple[str, str] | None],
    ) -> None:
        self.state, self.refusals, self.adoption = state, refusals, adoption
        self._find_past = find_past

    def report(self, report: v2.Report, now: int) -> None:
        """What became of an order."""
        order = self.state.registry.find(report.cl_ord_id, report.order_id)
        if order is None:
            if report.order_status in OPEN_STATUSES and report.symbol:
                adopted = self.adoption.adopt(report, now)
                if adopted is not None:
                    _told_filled(adopted, report)
            return
        _told_filled(order, report)
        kind, before, told = report.exec_type, order.state, events.report_data(report)
        if report.order_id and not order.order_id:
            order.order_id = report.order_id
        if order.state in NOT_PLACED and report.order_status in OPEN_STATUSES:
            self.state.tell("warning", "revived", f"{order.cl_ord_id} is open, though it was {before}", alert=True)
            self.state.registry.revive(order)
        if kind in ("new", "pending_new"):
            orders.acknowledged(order, report.order_id, now)
        elif kind == "filled" or (report.exec_id and report.order_status == "filled"):
            # Kraken says that a report of its own follows the last trade; no capture shows it.
            orders.ended(order, OrderState.FILLED, "", now)
        elif kind == "expired":
            orders.ended(order, OrderState.EXPIRED, report.reason, now)
        elif kind == "canceled":
            if self._cancelled(order, report.reason, now):
                told["by"] = "somebody else"
        elif kind in ("amended", "restated"):
            price, qty = numbers(order, report)
            orders.amended(order, price, qty, now)
        # A trade's report is told where it is counted, and "pending_new" says nothing that "new" does not.
        if not report.exec_id and (kind != "pending_new" or before is not order.state):
            self.state.record(order, "report", now, told)
        self.state.registry.note(order)

    def trade(self, report: v2.Report, source: str, now: int) -> bool:
        """A fill, told by a ``snapshot`` or an ``update``; False when it was counted before."""
        fill = fill_of_report(report, parse_rfc3339(report.timestamp) if report.timestamp else 0)
        if fill is None:
            self.state.tell("warning", "report", f"a trade report lacks what a fill needs: {report}")
            return False
        order = self.state.registry.find(report.cl_ord_id, report.order_id)
        cl_ord_id, strategy = self._owner(order, report)
        row = self.state.account.fill(fill, cl_ord_id, strategy)
        if order is not None:
            orders.shown_by_fill(order, report.order_id)
            if row is not None:
                # Known fills are told again by each snapshot, to each life of this process.
                orders.filled(order, scale(fill.qty, order.qty_precision))
                self.state.record(order, "fill", now, {**events.report_data(report), "source": source})
            _told_filled(order, report)
            self.state.registry.note(order)
        if row is not None:
            self.tell_fill(row)
        return row is not None

    def counter(self, report: v2.Report, now: int) -> None:
        """Kraken's own counter of the pair, where it tells it."""
        points = report.points
        if points is None:
            return
        order = self.state.registry.find(report.cl_ord_id, report.order_id)
        symbol = report.symbol or (order.symbol if order is not None else "")
        if symbol:
            self.state.budget.told(symbol, float(points), now)

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

    def record_past(self, row: FillRow, now: int) -> None:
        """A fill that only the trades' history told, on its order where that is still known."""
        order = self.state.registry.find(row.cl_ord_id, row.order_id)
        if order is not None:
            orders.shown_by_fill(order, row.order_id)
            orders.filled(order, scale(Decimal(row.qty), order.qty_precision))
            self.state.registry.note(order)
            told = {
                "exec_id": row.exec_id,
                "last_qty": row.qty,
                "last_price": row.price,
                "fees": {row.fee_asset: row.fee},
            }
            self.state.record(order, "fill", now, {**told, "source": "history", "timestamp": rfc3339(row.fill_ts)})

    def owner_of(self, order_id: str) -> tuple[str, str]:
        """(cl_ord_id, strategy) of a fill told by the history, which names only the exchange's id."""
        return self._owner(self.state.registry.find("", order_id), v2.Report(order_id=order_id))

    def _owner(self, order: Order | None, report: v2.Report) -> tuple[str, str]:
        if order is not None:
            return order.cl_ord_id if order.strategy != FOREIGN else report.cl_ord_id, order.strategy
        past = self._find_past(report.cl_ord_id, report.order_id)
        return past if past is not None else (report.cl_ord_id, FOREIGN)

    def _cancelled(self, order: Order, reason: str, now: int) -> bool:
        """Cancelled, or refused after all; True when neither we nor the exchange did it."""
        if reason == "Post only order":
            self.refusals.refuse(order, reason, now)
            return False
        done = order.filled >= order.qty
        not_ours = reason == "User requested" and order.is_live and not order.cancel_sent and order.amend is None
        if not_ours:
            # Not by us: a person, or another executor. Placing it again at once would be a fight.
            self.refusals.news.append((order, "cancelled by somebody else"))
        orders.ended(order, OrderState.FILLED if done else OrderState.CANCELLED, reason, now)
        if "CancelAllOrdersAfter" in reason:
            self.state.tell("warning", "switch", "the dead man's switch pulled orders", alert=True)
        return not_ours


def _told_filled(order: Order, report: v2.Report) -> None:
    if report.cum_qty is not None:
        orders.told_filled(order, scale(report.cum_qty, order.qty_precision), is_snapshot=False)


def numbers(order: Order, report: v2.Report) -> tuple[int | None, int | None]:
    """(price in ticks, quantity in lots) of a report, where it has them."""
    price = None if report.limit_price is None else scale(report.limit_price, order.price_precision)
    qty = None if report.order_qty is None else scale(report.order_qty, order.qty_precision)
    return price, qty
