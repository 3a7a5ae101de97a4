"""An executor whose pairs share bases and are quoted in other assets."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from shared.messages import Fees
from tests.kit.executor_world import World, configuration
from tests.kit.pairs import BTC

BTC_EUR = msgspec.structs.replace(BTC, symbol="BTC/EUR", quote="EUR")


ETH_BTC = msgspec.structs.replace(
    BTC, symbol="ETH/BTC", base="ETH", quote="BTC", price_precision=5, cost_min="0.00002", qty_min=100_000
)


ETH_USD = msgspec.structs.replace(BTC, symbol="ETH/USD", base="ETH", price_precision=2)


EUR_USD = msgspec.structs.replace(BTC, symbol="EUR/USD", base="EUR", price_precision=4, qty_min=1)


PAIRS = {pair.symbol: pair for pair in (BTC, BTC_EUR, ETH_BTC, ETH_USD, EUR_USD)}


# 84,000 USD, 80,000 EUR at 1.05, and ETH at 0.03 BTC: 2,520 USD.
TOUCHES = {
    "BTC/USD": (840_000, 840_001),
    "BTC/EUR": (800_000, 800_001),
    "ETH/BTC": (3_000, 3_001),
    "ETH/USD": (252_000, 252_001),
    "EUR/USD": (10_500, 10_501),
}


def world(*pairs: str, references: tuple[str, ...] = ("EUR/USD",), **trading: Any) -> World:
    inventory = {symbol.partition("/")[0]: Decimal(1) for symbol in pairs}
    made = World(configuration(pairs=list(pairs), **{"inventory_base": inventory, **trading}))
    made.pairs = {symbol: PAIRS[symbol] for symbol in (*pairs, *references)}
    made.touches = TOUCHES
    for symbol in pairs:
        made.state.account.fees[symbol] = Fees(maker="0.00", taker="0.10")
    return made
