"""Orders on the account that were not known: of an earlier life, of a newer executor, or somebody else's. A core."""

from __future__ import annotations

from decimal import Decimal

from executor import events, ids
from executor.orders import Order
from executor.registry import FOREIGN
from executor.state import State
from shared.clock import parse_rfc3339
from shared.kraken import v2
from shared.messages import OrderState
from shared.numbers import scale


class Adoption:
    """``is_start`` until the first snapshot was read: a newer epoch found by then is one to be above of."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.is_start = True

    def adopt(self, report: v2.Report, now: int) -> Order | None:
        """An order that this executor did not know: one of an earlier life, which goes, or somebody else's (T16)."""
        state = self.state
        mine = ids.parse(report.cl_ord_id)
        if mine is not None and mine.epoch > state.epoch:
            if not self.is_start:
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
        order.events = state.next_event(order.cl_ord_id)
        data = {**events.report_data(report), "epoch": state.epoch, "is_start": self.is_start, "ours": mine is not None}
        state.record(order, "adopted", now, data)
        state.registry.add(order)
        return order


def _decimals(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return -exponent if isinstance(exponent, int) and exponent < 0 else 0
