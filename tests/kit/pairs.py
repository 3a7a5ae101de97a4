"""Instrument data that tests share."""

from __future__ import annotations

import msgspec

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


def pair_of(symbol: str, price_decimals: int, qty_decimals: int) -> Pair:
    """Return a pair whose orders may be as small as one lot."""
    return msgspec.structs.replace(
        BTC,
        symbol=symbol,
        base=symbol.split("/")[0],
        price_precision=price_decimals,
        qty_precision=qty_decimals,
        qty_min=1,
    )
