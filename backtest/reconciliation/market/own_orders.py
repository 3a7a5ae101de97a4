"""Own orders as the executor reported them: what rested at which price, and since when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from backtest.reconciliation.bus import Said
from shared.messages import Order, Orders, OrderState, Side

RESTING = frozenset({OrderState.OPEN, OrderState.CANCELLING})


@dataclass(frozen=True, slots=True)
class Step:
    """A change of own lots at a price; ``at_ts`` is when the executor reported it, ns since the epoch."""

    at_ts: int
    cl_ord_id: str
    side: Side
    price: int
    lots: int


@dataclass(frozen=True, slots=True)
class Stand:
    """An order from ``at_ts`` on: where it rests, with lots that remain; 0 when it does not."""

    at_ts: int
    cl_ord_id: str
    slot: str
    side: Side
    price: int
    remaining: int


def stands(messages: Iterable[Said[Orders]], strategy: str, boot_to_wall: int) -> list[Stand]:
    """Return the changes of a strategy's orders on one symbol, in the order reported."""
    known: dict[str, Stand] = {}
    changes = []
    for said in messages:
        if not said.message.valid:
            continue
        listed = {order.cl_ord_id: order for order in said.message.orders if order.strategy == strategy}
        ts = said.at + boot_to_wall
        gone = [cl_ord_id for cl_ord_id in known if cl_ord_id not in listed]
        for cl_ord_id in gone:
            last = known.pop(cl_ord_id)
            changes.append(Stand(ts, cl_ord_id, last.slot, last.side, last.price, 0))
        for order in listed.values():
            now = Stand(ts, order.cl_ord_id, order.slot, order.side, order.price, _remaining(order))
            before = known.get(order.cl_ord_id)
            if before is None and not now.remaining:
                continue
            if before is None or (before.price, before.remaining) != (now.price, now.remaining):
                changes.append(now)
            if now.remaining:
                known[order.cl_ord_id] = now
            else:
                known.pop(order.cl_ord_id, None)
    return changes


def _remaining(order: Order) -> int:
    return max(0, order.qty - order.filled) if order.state in RESTING and order.order_id else 0


def steps(changes: Iterable[Stand]) -> list[Step]:
    """Return what the changes of orders do to the lots at each price."""
    known: dict[str, Stand] = {}
    made = []
    for now in changes:
        before = known.get(now.cl_ord_id)
        if before is not None and before.price == now.price:
            made.append(Step(now.at_ts, now.cl_ord_id, now.side, now.price, now.remaining - before.remaining))
        else:
            if before is not None and before.remaining:
                made.append(Step(now.at_ts, now.cl_ord_id, now.side, before.price, -before.remaining))
            if now.remaining:
                made.append(Step(now.at_ts, now.cl_ord_id, now.side, now.price, now.remaining))
        known[now.cl_ord_id] = now
    return [step for step in made if step.lots]
