"""Amounts in a quote asset for people: as many digits as matter, and the asset named where it is not the currency.

Pairs make profit in their quote asset, such as BTC or JPY: a cent's worth has more decimals then, or fewer.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Final

from shared.valuation import legs

CENT_DECIMALS: Final = 2
DECIMALS_MAX: Final = 8


def decimals(rate: str | None) -> int:
    """Return how many decimals show a unit that is worth ``rate`` in the currency to a cent's worth, or to less."""
    try:
        worth = Decimal(rate or "")
    except InvalidOperation:
        return DECIMALS_MAX
    if not worth.is_finite() or worth <= 0:
        return DECIMALS_MAX
    return min(DECIMALS_MAX, max(0, CENT_DECIMALS + worth.adjusted()))


def in_quote(value: str | Decimal | None, symbol: str, currency: str, rate: str | None, *, signed: bool = False) -> str:
    """Return a pair's amount, with its quote asset unless that is the currency; ``?`` for what is no number.

    ``rate`` is what one unit of the quote is worth in the currency, None where that is not known.
    """
    if value is None:
        return "-"
    quote = legs(symbol)[1]
    places = CENT_DECIMALS if quote == currency else decimals(rate)
    try:
        amount = Decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
    except InvalidOperation:
        return "?"
    text = format(amount, "+,f" if signed else ",f") if amount else format(abs(amount), "f")
    return text if quote == currency else f"{text} {quote}"
