"""What was made, in total and of one pair. A core."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from monitor.views.shown import Shown
from monitor.views.text import money


def made(realised: str, unrealised: str, fees: str) -> Decimal | None:
    """Profit: realised and unrealised less fees; None where one of them is no number."""
    try:
        return Decimal(realised) + Decimal(unrealised) - Decimal(fees)
    except InvalidOperation:
        return None


def total_made(shown: Shown) -> str | None:
    """The profit of all pairs to the cent, with its sign; None until the executor has told it, reconciled."""
    total = shown.profit.total
    value = made(total.realised, total.unrealised, total.fees)
    return money(value, signed=True) if shown.profit.valid and value is not None else None
