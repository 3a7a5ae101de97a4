"""Fixed point: exact or refused."""

from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from shared.errors import PrecisionError
from shared.numbers import floor_to, notional, plain, round_money, scale, text, unscale


@pytest.mark.parametrize(
    ("value", "precision", "units"),
    [("62807.0", 1, 628070), ("5e-05", 8, 5000), ("1E+2", 0, 100), ("0.00000000", 8, 0), ("-0.5", 1, -5), (7, 2, 700)],
)
def test_scales_exactly(value: str, precision: int, units: int) -> None:
    assert scale(value, precision) == units


@pytest.mark.parametrize("value", ["0.12", "NaN", "Infinity", "x", ""])
def test_what_does_not_fit_is_refused_and_never_rounded(value: str) -> None:
    with pytest.raises(PrecisionError):
        scale(value, 1)


@given(st.integers(-(10**18), 10**18), st.integers(0, 10))
def test_text_keeps_every_decimal_and_reads_back(units: int, precision: int) -> None:
    written = text(units, precision)
    assert "E" not in written.upper()
    assert scale(written, precision) == units
    assert unscale(units, precision) == Decimal(written)


def test_notional_is_exact() -> None:
    assert notional(840001, 119047, 1, 8) == Decimal("84000.1") * Decimal("0.00119047")


def test_plain_has_no_exponent_and_no_needless_zeros() -> None:
    assert [plain(Decimal(t)) for t in ("0E-8", "1E+2", "1.50", "10")] == ["0", "100", "1.5", "10"]


def test_money_rounds_half_up_and_floors_go_down() -> None:
    assert round_money(Decimal("0.34575"), 4) == Decimal("0.3458")
    assert floor_to(Decimal("-0.5"), 0) == -1
