"""Fixed-point numbers: prices in ticks, quantities in lots, money as Decimal.

A tick is ``10 ** -price_precision`` of the quote currency, a lot ``10 ** -qty_precision`` of the base
currency, as Kraken's instrument data gives the precisions. Nothing here rounds silently: a text that does
not fit its precision raises :class:`PrecisionError`.
"""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal, Inexact, InvalidOperation
from typing import NewType

from shared import limits
from shared.errors import PrecisionError

Ticks = NewType("Ticks", int)
Lots = NewType("Lots", int)

# 60 digits hold every product of a price and a quantity that Kraken can print, exactly.
EXACT = Context(prec=60, traps=[Inexact, InvalidOperation])
# More than any price, amount or time of an exchange has.
DIGITS_MAX = 40
ROUNDING = Context(prec=60, traps=[InvalidOperation])


def is_usable(number: Decimal) -> bool:
    """True for a finite number of so few digits that the product of two is exact."""
    if not number.is_finite():
        return False
    _, digits, exponent = number.as_tuple()
    most = limits.NUMBER_DIGITS
    return len(digits) <= most and -most <= int(exponent) and (not number or number.adjusted() < most)


def scale(value: str | int | Decimal, precision: int) -> int:
    """Return the integer number of ``10 ** -precision`` units in ``value``, exactly.

    Raises :class:`PrecisionError` when the value is not a whole number of units.
    """
    try:
        number = Decimal(value)
    except InvalidOperation as error:
        raise PrecisionError(f"{value!r} is not a number") from error
    if not number.is_finite():
        raise PrecisionError(f"{value!r} is not a finite number")
    scaled = number.scaleb(precision, ROUNDING)
    whole = int(scaled)
    if whole != scaled:
        raise PrecisionError(f"{value} has more than {precision} decimals")
    return whole


def finite(value: str | int | float | Decimal) -> Decimal:
    """Return a number from outside, exactly as written (a float as JSON wrote it).

    Raises :class:`PrecisionError` for what is no number (NaN, Infinity), or beyond anything that money can be.
    """
    try:
        number = Decimal(str(value) if isinstance(value, float) else value)
    except (InvalidOperation, TypeError, ValueError) as error:
        raise PrecisionError(f"{value!r} is not a number") from error
    if not number.is_finite():
        raise PrecisionError(f"{value!r} is not a finite number")
    if len(number.as_tuple().digits) > DIGITS_MAX or abs(number.adjusted()) > DIGITS_MAX:
        raise PrecisionError(f"{str(value)[:40]!r} is beyond any price or amount")
    return number


def unscale(units: int, precision: int) -> Decimal:
    """Return ``units`` of ``10 ** -precision`` as a Decimal with exactly ``precision`` decimals."""
    return Decimal(units).scaleb(-precision, EXACT)


def text(units: int, precision: int) -> str:
    """Return plain decimal text of ``units`` of ``10 ** -precision``, trailing zeros kept, never an exponent."""
    return format(unscale(units, precision), "f")


def plain(value: Decimal) -> str:
    """Return plain decimal text without an exponent and without needless trailing zeros (``0`` for zero)."""
    if not value:
        return "0"
    written = format(value, "f")
    return written.rstrip("0").rstrip(".") if "." in written else written


def floor_to(value: Decimal, precision: int) -> int:
    """Return units of ``10 ** -precision``, rounded down."""
    return int(value.scaleb(precision, ROUNDING).to_integral_value(ROUND_FLOOR))


def ceil_to(value: Decimal, precision: int) -> int:
    """Return units of ``10 ** -precision``, rounded up."""
    return int(value.scaleb(precision, ROUNDING).to_integral_value(ROUND_CEILING))


def round_money(value: Decimal, decimals: int) -> Decimal:
    """Return ``value`` rounded half up to ``decimals`` places, as a ledger shows it."""
    return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP, ROUNDING)


def significant(value: Decimal, digits: int) -> Decimal:
    """Return ``value`` rounded half up to so many significant digits."""
    return Context(prec=digits, rounding=ROUND_HALF_UP).plus(value)


def notional(price: int, qty: int, price_precision: int, qty_precision: int) -> Decimal:
    """Return price times quantity in quote currency, exact."""
    return Decimal(price * qty).scaleb(-(price_precision + qty_precision), EXACT)


def approximate(text: str) -> float:
    """Return decimal text as a float, for a chart or a metric and never for money; NaN for what is no number."""
    try:
        return float(text)
    except ValueError:
        return math.nan
