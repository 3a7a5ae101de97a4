"""A trade as the tape keeps it."""

from __future__ import annotations

from simulator.exchange.engine import Side


class Trade:
    """A trade on the tape; side and kind are the taker's."""

    __slots__ = ("kind", "ns", "price", "qty", "side", "trade_id")

    def __init__(self, trade_id: int, side: Side, price: int, qty: int, kind: str, ns: int) -> None:
        self.trade_id = trade_id
        self.side = side
        self.price = price
        self.qty = qty
        self.kind = kind
        self.ns = ns
