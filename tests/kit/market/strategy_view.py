"""The view of a strategy."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from shared.messages import Book, BookState, Fees, Position
from strategy.interface import View
from tests.kit.pairs import BTC


def view(bid: int = 840_000, ask: int = 840_001, *, position: int = 0, maker: str = "0.00", **pair: Any) -> View:
    """Return the view of the strategy; prices in tenths of a dollar, the position in lots."""
    return View(
        now=1,
        pair=msgspec.structs.replace(BTC, **pair),
        book=Book(
            symbol="BTC/USD",
            state=BookState.LIVE,
            price_precision=1,
            qty_precision=8,
            bids=[(bid, 10**8)],
            asks=[(ask, 10**8)],
        ),
        position=Position(strategy="m", symbol="BTC/USD", valid=True, qty_precision=8, account_position=position),
        fees=Fees(maker=maker, taker="0.10"),
        max_position=Decimal(1000),
        min_order=Decimal(10),
    )
