"""The market of a seed: the pairs, those that only value a quote, and what each asset is worth."""

from __future__ import annotations

from dataclasses import dataclass

from shared.valuation import legs
from simulator.pairs.pairs import ASSETS, PAIRS

USD = "USD"


@dataclass(frozen=True, slots=True)
class Market:
    """Traded pairs and feed-only reference pairs.

    ``ways`` names the pairs that value each quote asset in dollars: spelled out, so that nothing that is tested finds
    them.
    """

    traded: tuple[str, ...]
    references: tuple[str, ...]
    ways: dict[str, tuple[str, ...]]

    @property
    def listed(self) -> tuple[str, ...]:
        """All pairs that the exchange lists."""
        return self.traded + self.references

    @property
    def bases(self) -> list[str]:
        """The traded bases, in order."""
        return sorted({legs(symbol)[0] for symbol in self.traded})

    @property
    def assets(self) -> list[str]:
        """All assets of the listed pairs, in order."""
        return sorted({asset for symbol in self.listed for asset in legs(symbol)})


MARKETS = (
    Market(("BTC/USD", "ETH/USD", "SOL/USD"), (), {"USD": ()}),
    # Two pairs of one base, and one that moves two bases.
    Market(("BTC/USD", "BTC/EUR", "ETH/BTC"), ("EUR/USD",), {"USD": (), "EUR": ("EUR/USD",), "BTC": ("BTC/USD",)}),
    # A base that only another base quotes, and no pair of that in dollars.
    Market(
        ("BTC/EUR", "ETH/BTC", "DOGE/USD", "SOL/EUR"),
        ("EUR/USD",),
        {"USD": (), "EUR": ("EUR/USD",), "BTC": ("BTC/EUR", "EUR/USD")},
    ),
    # Prices without decimals and with nine, a quote that dollars are traded for, lots of five decimals.
    Market(("BTC/JPY", "PEPE/USD", "ETH/USD"), ("USD/JPY",), {"USD": (), "JPY": ("USD/JPY",)}),
)


class Values:
    """Return what one unit of each asset is worth in dollars, as the world has it; prices of all pairs follow."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self._usd = {asset: float(ASSETS[asset].usd) for asset in market.assets}
        self._usd[USD] = 1.0

    def usd(self, asset: str) -> float:
        """Dollars of one unit."""
        return self._usd[asset]

    def mid(self, symbol: str) -> float:
        """The middle of a pair, in its last decimal."""
        base, quote = legs(symbol)
        return self._usd[base] / self._usd[quote] * 10.0 ** PAIRS[symbol].price_precision

    def lots(self, symbol: str, dollars: float) -> int:
        """Return how many lots of a pair's base so many dollars are."""
        base, _ = legs(symbol)
        return int(dollars / self._usd[base] * 10.0 ** PAIRS[symbol].qty_precision)

    def move(self, symbol: str, bp: float) -> list[str]:
        """Move a pair by so many basis points; returns all pairs that it moves."""
        base, quote = legs(symbol)
        asset, factor = (base, 1 + bp / 1e4) if base != USD else (quote, 1 / (1 + bp / 1e4))
        self._usd[asset] *= factor
        return [other for other in self.market.listed if asset in legs(other)]
