"""Orders as they are put on the wire, as the exchange's side and the checks read it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from shared.clock import parse_rfc3339
from shared.numbers import scale
from simulator.exchange.orders import Account, Order
from simulator.pairs.pairs import PAIRS

CANCELS = frozenset({"cancel_order", "batch_cancel"})
PLACING = frozenset({"add_order", "batch_add", "amend_order"})
ORDER_METHODS = PLACING | CANCELS


def is_ours(cl_ord_id: str | None) -> bool:
    """True if it is an executor's."""
    return cl_ord_id is not None and cl_ord_id.startswith("T") and len(cl_ord_id) == 18


def is_flatten(body: dict[str, Any]) -> bool:
    """True for an order of a flatten."""
    return bool(body["method"] == "add_order" and body["params"].get("time_in_force") == "ioc")


def added(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The orders of an add_order or batch_add."""
    params = body["params"]
    return params["orders"] if body["method"] == "batch_add" else [params]


@dataclass(frozen=True, slots=True)
class Open:
    """An order as the exchange may have it: ticks at the dearest, lots still to fill at the most."""

    symbol: str
    side: str
    price: int
    lots: int
    ours: bool


def resting(orders: Iterable[Order], foreign_until_ns: int) -> dict[str, Open]:
    """The orders that rest, by name; of foreign ones those that were opened before the time given."""
    result: dict[str, Open] = {}
    for order in orders:
        ours = is_ours(order.cl_ord_id)
        if order.price is None or (not ours and order.opened_ns >= foreign_until_ns):
            continue
        name = order.cl_ord_id if ours else order.order_id
        assert name is not None
        result[name] = Open(order.pair.symbol, order.side, order.price, order.remaining, ours)
    return result


def with_request(standing: dict[str, Open], account: Account, body: dict[str, Any]) -> dict[str, Open]:
    """Return what stands, at its worst, with a request that is on its way."""
    result, params = dict(standing), body["params"]
    if body["method"] == "amend_order":
        name = params["cl_ord_id"]
        before, order = standing.get(name), account.by_client.get(name)
        if before is not None and order is not None:
            price = scale(params["limit_price"], order.pair.price_precision)
            lots = scale(params["order_qty"], order.pair.qty_precision) - order.filled
            result[name] = replace(before, price=max(before.price, price), lots=max(before.lots, lots))
        return result
    pair = PAIRS[params["symbol"]]
    for row in added(body):
        price, lots = scale(row["limit_price"], pair.price_precision), scale(row["order_qty"], pair.qty_precision)
        result.setdefault(row["cl_ord_id"], Open(pair.symbol, row["side"], price, lots, True))
    return result


def is_alive(body: dict[str, Any], ts: int) -> bool:
    """True if a request places something, and its deadline has not passed."""
    return body["method"] in PLACING and parse_rfc3339(body["params"]["deadline"]) > ts
