"""The least that an order can close: below it a position is dust."""

from __future__ import annotations

from decimal import Decimal

from executor.state import State
from shared.numbers import unscale

ZERO = Decimal(0)


def least_amount(state: State, asset: str) -> Decimal:
    """Return the smallest position that an order could close, below which it is dust; zero while no pair is known."""
    amounts = []
    for symbol in state.pairs_of.get(asset, ()):
        pair, mid = state.market.pairs.get(symbol), state.market.mids.get(symbol)
        if pair is not None:
            least = unscale(pair.qty_min, pair.qty_precision)
            if mid:
                # A sale within the band must meet the least cost at its limit.
                band = 1 - state.config.trading.price_band_percent / 100
                least = max(least, Decimal(pair.cost_min) / (mid.scaleb(-pair.price_precision) * band))
            amounts.append(least)
    return min(amounts, default=ZERO)
