"""The section ``strategies``: settings by name; each strategy is a process of its own."""

from __future__ import annotations

from decimal import Decimal
from typing import Any  # Any: settings of a strategy, which its own class reads

import msgspec


class Strategy(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One strategy: the class as ``module:Class``, its pairs, how long a target holds, and its own settings."""

    class_: str = msgspec.field(name="class", default="strategy.market_maker:MarketMaker")
    pairs: list[str] = msgspec.field(default_factory=list)
    ttl_ms: int = 3000
    max_position_size: Decimal | None = None
    max_open_orders: int | None = None
    settings: dict[str, Any] = msgspec.field(default_factory=dict)
