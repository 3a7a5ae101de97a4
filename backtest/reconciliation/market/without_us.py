"""One pair's recorded market beside the same without our own orders: by price, and by order where it is recorded so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from backtest.data.columns import Columns
from backtest.reconciliation.bus import Said
from backtest.reconciliation.market import by_order, by_price, own_orders
from backtest.reconciliation.market.by_price import TakenOut
from shared.messages import Orders


@dataclass(frozen=True, slots=True)
class WithoutUs:
    """The columns as ``recorded``, those of ``others``, and what was taken out between them."""

    recorded: Columns
    others: Columns
    taken: TakenOut


def take_out(recorded: Columns, messages: Sequence[Said[Orders]], strategy: str, boot_to_wall: int) -> WithoutUs:
    """Return a pair's market with and without a strategy's orders, of which ``messages`` told."""
    steps = own_orders.steps(own_orders.stands(messages, strategy, boot_to_wall))
    others, taken = by_price.take_out(recorded, steps)
    orders = None
    if recorded.orders is not None:
        orders, taken.single_orders = by_order.take_out(recorded, by_order.own_ids(messages, strategy))
    return WithoutUs(recorded, replace(others, orders=orders), taken)
