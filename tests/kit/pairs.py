"""Instrument data that tests share."""

from __future__ import annotations

from shared.messages import Pair

BTC = Pair(
    symbol="BTC/USD",
    base="BTC",
    quote="USD",
    status="online",
    price_precision=1,
    qty_precision=8,
    price_increment=1,
    qty_increment=1,
    qty_min=5000,
    cost_min="0.5",
)
