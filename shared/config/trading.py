"""The section ``trading``: pairs and limits."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

from shared.config.sandbox import SANDBOX_PAIRS


class Trading(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The pairs to trade and every limit; amounts in ``currency``, ``inventory_base`` in units of each traded base.

    Other quote currencies are valued through ``pairs`` or ``reference_pairs``, which are subscribed to and never
    traded; by default these are chosen from what the exchange lists.
    """

    currency: str = "USD"
    default_pair: str = ""
    reference_pairs: list[str] | None = None
    pairs: list[str] = msgspec.field(default_factory=lambda: list(SANDBOX_PAIRS))
    book_depth: Literal[10, 25, 100, 500, 1000] = 10
    record_depth: Literal[10, 25, 100, 500, 1000] = 100
    max_position_size: Decimal = Decimal(1000)
    min_order_size: Decimal = Decimal(10)
    max_order_size: Decimal = Decimal(250)
    max_gross_position: Decimal = Decimal(3000)
    max_daily_loss: Decimal = Decimal(50)
    max_open_orders: int = 20
    max_orders_per_minute: int = 600
    price_band_percent: Decimal = Decimal(1)
    inventory_base: dict[str, Decimal] | None = None
    tier: Literal["starter", "intermediate", "pro"] = "intermediate"
    dry_run: bool = False

    @property
    def feed_depth(self) -> int:
        """Return the depth to subscribe to: the deeper of what strategies see and what recordings get."""
        return max(self.book_depth, self.record_depth)

    @property
    def bases(self) -> frozenset[str]:
        """Return the traded bases: each has one position, over all pairs that move it."""
        return frozenset(pair.partition("/")[0] for pair in self.pairs)
