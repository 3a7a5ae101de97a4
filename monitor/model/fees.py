"""What a fee means for quotes: the break-even half-spread."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation


def break_even_bps(maker_percent: str) -> str | None:
    """Return how far from the mid a quote must stand to earn its maker fee back, in basis points; None for no number.

    A bid and an offer at distance h, both filled, earn 2h and pay the maker fee twice.
    """
    try:
        found = Decimal(maker_percent) * 100
    except InvalidOperation:
        return None
    return f"{found:.2f}" if found.is_finite() else None
