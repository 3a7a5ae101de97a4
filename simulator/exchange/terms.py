"""Terms that only some types of orders have: trailing distances, what an iceberg shows, a conditional close.

A distance is a decimal with its sign, in percent (``pct``) or in the quote asset (``quote``).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from simulator.pairs.instrument import Pair

TRIGGERED_KINDS = (
    "stop-loss", "take-profit", "stop-loss-limit", "take-profit-limit", "trailing-stop", "trailing-stop-limit",
)  # fmt: skip
# An order that settles a margin position without a trade.
SETTLE = "settle-position"
TRAILING_KINDS = ("trailing-stop", "trailing-stop-limit")
CLOSE_KINDS = ("limit", "stop-loss", "take-profit", "stop-loss-limit", "take-profit-limit")
# An iceberg shows at least this part of itself.
DISPLAY_SHARE = 15


@dataclass(frozen=True, slots=True)
class Distance:
    """A distance between two prices; ``kind`` is ``pct`` or ``quote``."""

    amount: Decimal
    kind: str

    def ticks(self, pair: Pair, reference: int) -> int:
        """Return the distance from a price in ticks, on the pair's tick."""
        exact = (
            Decimal(reference) * self.amount / 100 if self.kind == "pct" else self.amount.scaleb(pair.price_precision)
        )
        return int((exact / pair.tick).to_integral_value(ROUND_HALF_UP)) * pair.tick

    def describe(self, pair: Pair) -> str:
        """Describe the distance as REST does: with a sign, percent with four decimals."""
        return f"{self.amount:+.4f}%" if self.kind == "pct" else f"{self.amount:+.{pair.price_precision}f}"


@dataclass(frozen=True, slots=True)
class Close:
    """The order of the other side that each fill places; prices in ticks."""

    kind: str
    trigger: int | None = None
    price: int | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms that few orders have; most are ``PLAIN``.

    ``trail`` is the trigger's distance from the best price since the order came, ``offset`` that of the limit from the
    trigger, ``display`` the lots of an iceberg that are shown at once. ``distance`` is the trigger's from the last
    price when the order came, ``cash`` what a market buy may cost, ``leverage`` a margin order's, 0 without margin.
    """

    trail: Distance | None = None
    offset: Distance | None = None
    display: int = 0
    close: Close | None = None
    distance: Distance | None = None
    cash: Decimal | None = None
    leverage: int = 0
    reduce_only: bool = False

    def text(self) -> str | None:
        """Return the terms as the database keeps them, None of an order without any."""
        return None if self == PLAIN else json.dumps(asdict(self), default=str)


def read_terms(text: str | None) -> Terms:
    """Read what :meth:`Terms.text` gave."""
    if not text:
        return PLAIN
    # Any: our own database, as Terms.text wrote it.
    kept: dict[str, Any] = json.loads(text)
    for name in ("trail", "offset", "distance"):
        if kept.get(name) is not None:
            kept[name] = Distance(Decimal(kept[name]["amount"]), kept[name]["kind"])
    if kept.get("close") is not None:
        kept["close"] = Close(**kept["close"])
    if kept.get("cash") is not None:
        kept["cash"] = Decimal(kept["cash"])
    return Terms(**kept)


PLAIN = Terms()
