"""The simulator's pairs as the bus has them."""

from __future__ import annotations

from decimal import Decimal

from shared.messages import Pair
from simulator.pairs.pairs import PAIRS


def pair_message(symbol: str) -> Pair:
    """Return a pair as ``feed.instrument`` has it. Raises KeyError for one that the simulator does not know."""
    pair = PAIRS[symbol]
    return Pair(
        symbol=symbol,
        base=pair.base.name,
        quote=pair.quote.name,
        status="online",
        price_precision=pair.price_precision,
        qty_precision=pair.qty_precision,
        cost_precision=pair.cost_precision,
        price_increment=pair.tick,
        qty_increment=1,
        qty_min=pair.qty_min,
        cost_min=str(Decimal(pair.cost_min).scaleb(-pair.quote.decimals)),
    )
