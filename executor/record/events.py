"""The events of each order, as rows for the journal: the causal chain that ``why`` shows.

An event says what came in, was decided or was sent, and which state the order had afterwards. One row holds everything
that led to a request (frame, book, target, plan, risk, rate budget, bytes), so a request costs two rows: its own and
its answer's. An order's first and newest events are kept, those between dropped, so that days of amends stay small.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from executor.decide.budget import Budget
from executor.decide.planner import Change, Stay, retreats
from executor.effects import Request
from executor.orders.order import Kept, Order
from executor.record.rows import EventRow
from shared import limits
from shared.clock import SECOND
from shared.kraken import v2
from shared.kraken.counters import CANCEL_WORST
from shared.messages import Target
from shared.numbers import text

REDACTED = "(redacted)"
_encoder = msgspec.json.Encoder(decimal_format="string")


def place(n: int) -> int:
    """Return the place that an order's ``n``th event takes: the first few keep theirs, later ones share a ring."""
    if n < limits.EVENTS_FIRST:
        return n
    return limits.EVENTS_FIRST + (n - limits.EVENTS_FIRST) % limits.EVENTS_LAST


def row(order: Order, kind: str, event_ts: int, data: dict[str, object]) -> EventRow:
    """Return the order's next event, with the targets since its last one that left it as it was."""
    event = _row(order, kind, event_ts, data)
    order.audit.kept = None
    order.audit.events += 1
    return event


def kept_row(order: Order, event_ts: int) -> EventRow:
    """Return an event for targets that leave the order as it is; the next event takes its place, and has them too."""
    return _row(order, "kept", event_ts, {})


def _row(order: Order, kind: str, event_ts: int, data: dict[str, object]) -> EventRow:
    kept = order.audit.kept
    if kept is not None:
        waited = {"since_ts": kept.since_ts, "until_ts": kept.until_ts, "targets": kept.whys}
        data = {**data, "kept": waited}
    encoded = _encoder.encode(data).decode()
    return EventRow(
        order.cl_ord_id, place(order.audit.events), order.audit.events, event_ts, kind, order.state.value, encoded
    )


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


def why_changed(order: Order, change: Change) -> dict[str, object]:
    """Return what an amend changes, and why the planner does not leave the order as it is."""
    reasons = []
    if change.price != order.price:
        ticks = abs(change.price - order.price)
        way = "away from the market" if retreats(order.side, order.price, change.price) else "towards the market"
        reasons.append(f"the wanted price moved {ticks} tick{'' if ticks == 1 else 's'} {way}")
    if change.remaining > order.remaining:
        reasons.append("less than half of the wanted quantity is left")
    elif change.remaining < order.remaining:
        reasons.append("less is wanted than rests")
    turn = change.turn
    worth: dict[str, object] = {}
    if turn is not None and turn.loss_bps is not None and turn.price_bps is not None and change.price != order.price:
        worth = {"staying_bps": round(turn.loss_bps, 3), "moving_bps": round(turn.price_bps, 3)}
    return {
        "step": "amend",
        "why": "; ".join(reasons),
        **worth,
        "old_price": text(order.price, order.price_precision),
        "old_qty": text(order.remaining, order.qty_precision),
        "price": text(change.price, order.price_precision),
        "qty": text(change.remaining, order.qty_precision),
    }


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
