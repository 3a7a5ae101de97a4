"""The break-even half-spread of a fee."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation


def break_even_bps(maker_percent: str) -> str | None:
    """Return how far from the mid a quote must stand to earn its maker fee back, in basis points; None for no number.

    A bid and an offer at distance h, both filled, earn 2h and pay the maker fee twice.
    """
    try:
        bps = Decimal(maker_percent) * 100
    except InvalidOperation:
        return None
    return f"{bps:.2f}" if bps.is_finite() else None
