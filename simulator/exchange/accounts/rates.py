"""Value assets in USD by the exchange's own books. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from shared.numbers import ROUNDING
from shared.valuation import rate_by, route
from simulator.exchange.venue.venue import Venue
from simulator.pairs.pairs import ASSETS, USD


class Rates:
    """Rates by the middles of the listed pairs, in up to two hops."""

    def __init__(self, venues: Mapping[str, Venue]) -> None:
        self._venues = venues
        self._routes: dict[str, tuple[str, ...] | None] = {}

    def usd(self, asset: str) -> Decimal | None:
        """Return US dollars of one unit; None without a route to them."""
        if asset == USD.name:
            return Decimal(1)
        if asset not in self._routes:
            self._routes[asset] = route(asset, USD.name, self._venues)
        way = self._routes[asset]
        if way is None:
            return None
        return rate_by(way, asset, {symbol: self._middle(symbol) for symbol in way})

    def usd_or_start(self, asset: str) -> Decimal:
        """Return US dollars of one unit, as at the start of the table where no listed pair gives a rate."""
        rate = self.usd(asset)
        return ASSETS[asset].usd if rate is None else rate

    def _middle(self, symbol: str) -> Decimal:
        venue = self._venues[symbol]
        bid, ask = venue.touch()
        known = [price for price in (bid, ask) if price is not None] or [venue.last_price]
        return ROUNDING.divide(Decimal(sum(known)).scaleb(-venue.pair.price_precision), Decimal(len(known)))
