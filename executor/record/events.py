"""The events of each order, as rows for the journal: the causal chain that ``why`` shows.

An event says what came in, was decided or was sent, and which state the order had afterwards. One row holds everything
that led to a request (frame, book, target, plan, risk, rate budget, bytes), so a request costs two rows: its own and
its answer's. An order's first and newest events are kept, those between dropped, so that days of amends stay small.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal

from executor.decide.budget import Budget
from executor.decide.planner import Change, Stay, retreats
from executor.effects import Request
from executor.orders.order import Kept, Order
from executor.record.order_event import Event, Part
from shared import limits
from shared.clock import SECOND
from shared.kraken import v2
from shared.kraken.counters import CANCEL_WORST
from shared.messages import Target
from shared.numbers import text

REDACTED = "(redacted)"


def event(order: Order, kind: str, event_ts: int, *parts: Part) -> Event:
    """Return the order's next event, with the targets since its last one that left it as it was."""
    audit = order.audit
    made = Event(order.cl_ord_id, audit.events, event_ts, kind, order.life, parts, audit.kept)
    audit.kept = None
    audit.events += 1
    return made


def kept_event(order: Order, event_ts: int) -> Event:
    """Return an event for targets that leave the order as it is; the next event takes its place, and has them too."""
    kept = order.audit.kept
    if kept is not None:  # as it is now: it goes on counting
        kept = replace(kept, whys=dict(kept.whys))
    return Event(order.cl_ord_id, order.audit.events, event_ts, "kept", order.life, (), kept)


def keep(order: Order, target: Target, why: Stay, now_ts: int) -> bool:
    """Count a newer target that leaves the order as it is; return True when an event of its own is due for that."""
    order.audit.judged = target.decided
    kept = order.audit.kept = order.audit.kept or Kept(now_ts, now_ts, now_ts)
    kept.until_ts = now_ts
    kept.whys[why.value] = kept.whys.get(why.value, 0) + 1
    if now_ts - kept.recorded_ts < limits.KEPT_EVERY_S * SECOND:
        return False
    kept.recorded_ts = now_ts
    return True


def cause(target: Target | None, slot: str, boot_to_wall: int) -> dict[str, object]:
    """Return the frame, book and target behind a decision, as far as they are known; times are ns since the epoch."""
    if target is None:
        return {}
    wanted: dict[str, object] = {
        "decided_ts": target.decided + boot_to_wall,
        "ttl_ms": target.ttl_ms,
        "fills": target.fills,
    }
    for quote in target.quotes:
        if quote.slot == slot:
            wanted["price"] = text(quote.price, target.price_precision)
            wanted["qty"] = text(quote.qty, target.qty_precision)
    if target.why:
        wanted["why"] = target.why
    if target.signals:
        wanted["signals"] = target.signals
    data: dict[str, object] = {"target": wanted}
    if target.received:
        data["frame"] = {"received_ts": target.received + boot_to_wall, "exchange_ts": target.exchange_ts}
        sides = {"bid": target.bid, "ask": target.ask}
        touch = {side: text(price, target.price_precision) for side, price in sides.items() if price is not None}
        data["book"] = {"booked_ts": target.booked + boot_to_wall, **touch}
    return data


def budget(budget: Budget, symbol: str, points: float, open_after: int, now: int) -> dict[str, object]:
    """Return the pair's counter before a transaction, the transaction's points, and those held back for pulling."""
    return {
        "points": points,
        "counter": round(budget.value(symbol, now), 2),
        "held_back": CANCEL_WORST * open_after,
        "threshold": budget.threshold,
    }


def sent_bytes(request: Request, cl_ord_id: str) -> str:
    """Return a request as it leaves, its token redacted; of a batch only this order's part."""
    params = {**request.params, "token": REDACTED}
    orders = params.get("orders")
    if isinstance(orders, list):  # one entry an order, in the order of the request's ids
        params["orders"] = [orders[request.orders.index(cl_ord_id)]]
    return v2.request(request.method, params, request.req_id)


def sent(request: Request, cl_ord_id: str) -> dict[str, object]:
    """Return what the event of a decision says about its request."""
    data: dict[str, object] = {"req_id": request.req_id, "bytes": sent_bytes(request, cl_ord_id)}
    if len(request.orders) > 1:
        data["batch"] = len(request.orders)
    return data


@dataclass(frozen=True, slots=True)
class Amended:
    """A change, with the order's price and remaining quantity before it."""

    change: Change
    price: int
    remaining: int
    budget: dict[str, object] = field(default_factory=dict)

    def plan(self) -> dict[str, object]:
        """Return what an amend changes, and why the planner does not leave the order as it is."""
        order, change = self.change.order, self.change
        reasons = []
        if change.price != self.price:
            ticks = abs(change.price - self.price)
            way = "away from the market" if retreats(order.side, self.price, change.price) else "towards the market"
            reasons.append(f"the wanted price moved {ticks} tick{'' if ticks == 1 else 's'} {way}")
        if change.remaining > self.remaining:
            reasons.append("less than half of the wanted quantity is left")
        elif change.remaining < self.remaining:
            reasons.append("less is wanted than rests")
        turn = change.turn
        worth: dict[str, object] = {}
        if turn is not None and turn.loss_bps is not None and turn.price_bps is not None and change.price != self.price:
            worth = {"staying_bps": round(turn.loss_bps, 3), "moving_bps": round(turn.price_bps, 3)}
        return {
            "step": "amend",
            "why": "; ".join(reasons),
            **worth,
            "old_price": text(self.price, order.price_precision),
            "old_qty": text(self.remaining, order.qty_precision),
            "price": text(change.price, order.price_precision),
            "qty": text(change.remaining, order.qty_precision),
        }

    def chosen(self) -> dict[str, object]:
        """Return the plan, and the budget that it was made by."""
        return {"plan": self.plan(), "budget": self.budget}


def report_data(report: v2.Report) -> dict[str, object]:
    """Return an ``executions`` report under Kraken's names, without what is empty."""
    names = ("exec_type", "order_status", "reason", "limit_price", "order_qty", "cum_qty")
    trade = ("exec_id", "last_qty", "last_price", "liquidity_ind") if report.exec_id else ()
    values = {name: getattr(report, name) for name in (*names, *trade, "order_id", "timestamp")}
    data = {
        name: format(value, "f") if isinstance(value, Decimal) else value
        for name, value in values.items()
        if value not in ("", None)
    }
    if report.exec_id:
        data["fees"] = {fee.asset: format(fee.qty, "f") for fee in report.fees}
    return data
