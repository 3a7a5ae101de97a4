"""The valuation of an asset: by the fewest hops, then the fewest pairs besides the traded ones."""

from __future__ import annotations

from decimal import Decimal

import pytest

from shared.valuation import rate_by, reference_pairs, route

LISTED = [
    "BTC/USD",
    "BTC/EUR",
    "ETH/BTC",
    "EUR/USD",
    "USD/JPY",
    "PEPE/EUR",
    "BTC/JPY",
    "USDT/USD",
    "USDT/EUR",
    "SOL/EUR",
]


@pytest.mark.parametrize(
    ("asset", "preferred", "way"),
    [
        ("USD", [], ()),
        ("EUR", [], ("EUR/USD",)),
        ("JPY", [], ("USD/JPY",)),
        ("BTC", ["BTC/EUR"], ("BTC/USD",)),
        ("ETH", [], ("ETH/BTC", "BTC/USD")),
        ("PEPE", [], ("PEPE/EUR", "EUR/USD")),
        ("SOL", [], ("SOL/EUR", "EUR/USD")),
        ("XMR", [], None),
    ],
)
def test_the_shortest_way_is_taken(asset: str, preferred: list[str], way: tuple[str, ...] | None) -> None:
    assert route(asset, "USD", LISTED, preferred) == way


def test_of_equal_ways_the_one_through_traded_pairs_is_taken() -> None:
    pairs = ["ETH/BTC", "BTC/USD", "ETH/EUR", "EUR/USD"]
    assert route("ETH", "USD", pairs, ["ETH/BTC", "BTC/USD"]) == ("ETH/BTC", "BTC/USD")
    assert route("ETH", "USD", pairs, ["ETH/EUR"]) == ("ETH/EUR", "EUR/USD")


def test_only_quotes_that_are_not_the_currency_want_a_reference() -> None:
    assert reference_pairs("USD", ["BTC/USD", "ETH/USD"], LISTED) == []
    assert reference_pairs("USD", ["BTC/EUR", "ETH/BTC"], LISTED) == ["EUR/USD", "BTC/USD"]
    assert reference_pairs("EUR", ["BTC/USD"], LISTED) == ["EUR/USD"]
    assert reference_pairs("USD", ["BTC/XMR"], LISTED) == ["BTC/USD"]  # by the traded pair itself
    assert reference_pairs("USD", ["AAA/XMR"], LISTED) == []


@pytest.mark.parametrize(
    ("way", "asset", "rate"),
    [
        (("EUR/USD",), "EUR", Decimal("1.05")),
        (("USD/JPY",), "JPY", Decimal("0.008")),
        (("PEPE/EUR", "EUR/USD"), "PEPE", Decimal("0.0000105")),
        ((), "USD", Decimal(1)),
    ],
)
def test_a_rate_follows_its_way_in_either_direction(way: tuple[str, ...], asset: str, rate: Decimal) -> None:
    mids = {"EUR/USD": Decimal("1.05"), "USD/JPY": Decimal(125), "PEPE/EUR": Decimal("0.00001")}
    assert rate_by(way, asset, mids) == rate
    assert not way or rate_by(way, asset, {}) is None
