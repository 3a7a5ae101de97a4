"""Amounts in a pair's quote: digits to about a cent's worth, and the asset named unless it is the currency."""

from __future__ import annotations

import pytest

from monitor.ui.amounts import decimals, in_quote


@pytest.mark.parametrize(
    ("rate", "places"),
    [("1", 2), ("1.08", 2), ("100000", 7), ("2500", 5), ("0.0067", 0), (None, 8), ("", 8), ("NaN", 8), ("-1", 8)],
)
def test_decimals_show_a_cents_worth(rate: str | None, places: int) -> None:
    assert decimals(rate) == places


@pytest.mark.parametrize(
    ("value", "symbol", "rate", "text"),
    [
        ("1.504", "BTC/USD", "1", "+1.50"),
        ("-0.004", "BTC/USD", "1", "0.00"),
        ("1234.5", "BTC/EUR", "1.08", "+1,234.50 EUR"),
        ("0.00012345678", "ETH/BTC", "100000", "+0.0001235 BTC"),
        ("-151.4", "BTC/JPY", "0.0067", "-151 JPY"),
        ("0.1", "ETH/BTC", None, "+0.10000000 BTC"),
        (None, "BTC/USD", "1", "-"),
        ("x", "BTC/USD", "1", "?"),
    ],
)
def test_an_amount_names_its_quote_unless_that_is_the_currency(
    value: str | None, symbol: str, rate: str | None, text: str
) -> None:
    assert in_quote(value, symbol, "USD", rate, signed=True) == text
