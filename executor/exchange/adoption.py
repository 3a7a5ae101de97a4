"""Adopting orders of the account that were not known: an earlier life's, a newer executor's, or foreign ones."""

from __future__ import annotations

from decimal import Decimal

from executor.orders import ids
from executor.orders.order import Active, Audit, Doubt, Order, Presence, Stamps
from executor.orders.registry import ADOPTED, FOREIGN
from executor.orders.transitions import rescale
from executor.record import events
from executor.state import State
from shared.clock import SECOND
from shared.kraken import v2
from shared.numbers import ceil_to, floor_to

# Decimals of an order on a pair whose instrument data are not known; no pair has more.
UNKNOWN_PRECISION = 12
RELATIVE = ("pct", "quote")  # types of limit price that are a distance from a moving price


class Adoption:
    """Adopts orders.

    ``is_start`` until the first snapshot was read: a newer epoch seen before then is outbid, not obeyed.
    """

    def __init__(self, state: State) -> None:
        self.state = state
        self.is_start = True

    def adopt(self, report: v2.Report, now: int) -> Order | None:
        """Adopt an order that the registry lacks: an earlier life's, which is cancelled, or a foreign one (T16).

        Return None for one that cannot be adopted, or that a newer executor manages.
        """
        state = self.state
        mine = ids.parse(report.cl_ord_id)
        exchange_s = state.exchange_ts(now) // SECOND
        if mine is not None and not ids.is_writers(mine.epoch, exchange_s):
            mine = None
        if mine is not None and mine.epoch > state.life.epoch:
            if not self.is_start:
                newer = f"a newer executor trades this account (epoch {mine.epoch}, ours {state.life.epoch})"
                state.session.give_way(newer)
                state.out.give_way(newer)
            state.out.outbid(mine.epoch + 1)
            if not self.is_start:
                return None  # the newer executor manages it: our journal must not claim it
        presence = stated_presence(report, Presence.SHOWN)
        is_priceless = stated_price(report) is None and presence is not Presence.WAITING
        if report.order_qty is None or is_priceless or not report.symbol or report.side not in ("buy", "sell"):
            state.out.count("open order without side, price or quantity")
            return None
        pair = state.market.pairs.get(report.symbol)
        price_precision = pair.price_precision if pair else UNKNOWN_PRECISION
        qty_precision = pair.qty_precision if pair else UNKNOWN_PRECISION
        near = ceil_to if report.side == "buy" else floor_to  # a finer price is rounded towards the market
        order = Order(
            cl_ord_id=report.cl_ord_id or report.order_id,
            strategy=FOREIGN if mine is None else ADOPTED,
            symbol=report.symbol,
            slot=mine.slot if mine else "",
            side="buy" if report.side == "buy" else "sell",
            price=near(stated_price(report) or Decimal(0), price_precision),
            qty=ceil_to(report.order_qty, qty_precision),
            price_precision=price_precision,
            qty_precision=qty_precision,
            life=Active.OPEN,
            order_id=report.order_id,
            touched=now,
            stamps=Stamps(acked=now),
            doubt=Doubt(confirmed=now),
            audit=Audit(events=state.next_event(report.cl_ord_id or report.order_id)),
            presence=presence,
            is_adopted=True,
            is_margin=report.is_margin,
            doomed="left by an earlier life of this executor" if mine is not None else "",
            created_ts=state.stated_ts(report.timestamp, now),
        )
        if mine is None:
            kind = ("margin " if report.is_margin else "") + (report.order_type or "limit")
            text = f"an order on {report.symbol} ({kind}) is not ours: left alone, and counted"
            state.out.tell("warning", "foreign", text)
        data = {
            **events.report_data(report),
            "epoch": state.life.epoch,
            "is_start": self.is_start,
            "ours": mine is not None,
        }
        state.record(order, "adopted", now, data)
        state.registry.add(order)
        return order

    def rescale(self) -> None:
        """Bring adopted orders to the precisions of their pairs, once these are known or have changed."""
        for order in self.state.registry.standing():
            pair = self.state.market.pairs.get(order.symbol)
            if pair is None or not order.is_adopted:
                continue
            if (order.price_precision, order.qty_precision) != (pair.price_precision, pair.qty_precision):
                rescale(order, pair.price_precision, pair.qty_precision)
                self.state.registry.note(order)


def stated_price(report: v2.Report) -> Decimal | None:
    """Return the price at which a report's order rests or will rest; None without one, or where it is relative."""
    if report.limit_price is None or report.limit_price <= 0 or report.limit_price_type in RELATIVE:
        return None
    return report.limit_price


def stated_presence(report: v2.Report, before: Presence) -> Presence:
    """Return how much of a report's order the book shows; a report that does not say changes nothing."""
    if report.order_status == "triggered" or (report.triggers is not None and report.triggers.status == "triggered"):
        # A triggered stop without a limit price trades at once and never rests.
        return before if report.order_type and stated_price(report) is None else Presence.PARTLY
    if report.order_type == "":
        return before
    if report.order_type == "limit":
        return Presence.PARTLY if report.effective_time else Presence.SHOWN  # it may start later
    return Presence.PARTLY if report.order_type == "iceberg" else Presence.WAITING
