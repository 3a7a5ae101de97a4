"""The rates of assets in the trading currency, for limits, sizes and profit.

They are taken once a second, so that the strategies (by the ``account`` message) and the risk gate use the same ones.
A quote asset is valued by the pairs that :func:`shared.valuation.route` returns, a base by a pair of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from executor.record.rows import MetaRow
from shared import limits
from shared.clock import SECOND
from shared.messages import Rate
from shared.numbers import plain, significant
from shared.valuation import ONE, legs, rate_by, route

DIGITS = 12


@dataclass(frozen=True, slots=True)
class Way:
    """The pairs by which an asset is valued, and its rate as last taken (None before the first)."""

    symbols: tuple[str, ...]
    rate: Decimal | None = None


class Rates:
    """Rates of every asset of the traded pairs. Times are ns of CLOCK_BOOTTIME."""

    def __init__(self, currency: str, traded: Iterable[str]) -> None:
        self.currency = currency
        self._traded = list(traded)
        self._ways: dict[str, Way] = {currency: Way((), ONE)}
        self._available: frozenset[str] = frozenset()  # the pairs that these ways were chosen from
        # The last rates of an earlier process: better than none for limits, until a mid has come.
        self._earlier: dict[str, Decimal] = {}
        self._live_at: dict[str, int] = {}
        self._due = self._again = 0
        self.is_complete = False  # once every asset of the traded pairs has had a rate

    def restore(self, kept: str | None) -> None:
        """Restore the rates that the journal holds."""
        self._earlier = {asset: Decimal(rate) for asset, rate in json.loads(kept or "{}").items()}

    def row(self) -> MetaRow:
        """Return the rates for the journal."""
        return MetaRow("rates", json.dumps({asset: str(rate) for asset, rate in self.known.items()}))

    def last(self, asset: str) -> Decimal | None:
        """Return what one unit was last worth to this or an earlier process; None if never known."""
        rate = self.rate(asset)
        return rate if rate is not None else self._earlier.get(asset)

    @property
    def known(self) -> dict[str, Decimal]:
        """Return what one unit of each asset was last worth to this or an earlier process."""
        return {**self._earlier, **self.values}

    @property
    def values(self) -> dict[str, Decimal]:
        """Return what one unit of each asset is worth, as last taken, whether or not that is still valid."""
        return {asset: way.rate for asset, way in self._ways.items() if way.rate is not None}

    def rate(self, asset: str) -> Decimal | None:
        """Return what one unit is worth, as last taken; None before the first time, or if no pair values it."""
        way = self._ways.get(asset)
        return way.rate if way is not None else None

    def is_valid(self, asset: str, now: int) -> bool:
        """True while every mid behind the rate is live, or was a moment ago: a resync takes less than that."""
        way = self._ways.get(asset)
        if way is None or way.rate is None:
            return False
        stale = int(limits.RATE_STALE_S * SECOND)
        return all(now - self._live_at.get(symbol, -stale - 1) <= stale for symbol in way.symbols)

    def why_not(self, asset: str, now: int) -> str:
        """Return why an asset cannot be valued now; empty if it can."""
        if self.is_valid(asset, now):
            return ""
        way = self._ways.get(asset)
        if way is None:
            return f"no pair values {asset} in {self.currency}"
        return f"the rate of {asset} is {'not known' if way.rate is None else 'stale'} ({', '.join(way.symbols)})"

    def turn(self, available: Iterable[str], mids: Mapping[str, Decimal], live: Iterable[str], now: int) -> bool:
        """Update the rates when they are due, those without one sooner; return True if one changed.

        ``available`` are the pairs whose instrument data is known, ``mids`` the last good mid of each as a price,
        ``live`` those whose book is live now.
        """
        self._live_at.update(dict.fromkeys(live, now))
        is_due = now >= self._due
        if not is_due and (self.is_complete or now < self._again):
            return False
        self._again = now + int(limits.RATES_AGAIN_S * SECOND)
        if is_due:
            self._due = now + int(limits.RATES_EVERY_S * SECOND)
        before = self._ways
        self._ways = self._choose_ways(available)
        for asset, way in self._ways.items():
            if is_due or way.rate is None:
                rate = rate_by(way.symbols, asset, mids)
                if rate is not None:
                    self._ways[asset] = Way(way.symbols, significant(rate, DIGITS))
        assets = {leg for symbol in self._traded for leg in legs(symbol)}
        self.is_complete = all(asset in self._ways and self._ways[asset].rate is not None for asset in assets)
        return self._ways != before

    def published(self, now: int) -> dict[str, Rate]:
        """Return the rates as the ``account`` message carries them."""
        return {
            asset: Rate(
                rate=plain(way.rate) if way.rate is not None else "",
                valid=self.is_valid(asset, now),
                way=list(way.symbols),
            )
            for asset, way in sorted(self._ways.items())
        }

    def _choose_ways(self, available: Iterable[str]) -> dict[str, Way]:
        """Return the ways through the pairs that are known, each with the last rate of its asset."""
        given = frozenset(available)
        if given == self._available:
            return dict(self._ways)
        self._available = given
        return {
            asset: Way(way.symbols, self._ways[asset].rate if asset in self._ways else None)
            for asset, way in self._find_ways(given).items()
        }

    def _find_ways(self, available: frozenset[str]) -> dict[str, Way]:
        ways = {self.currency: Way(())}
        for quote in dict.fromkeys(legs(symbol)[1] for symbol in self._traded):
            symbols = route(quote, self.currency, available, self._traded)
            if symbols is not None:
                ways[quote] = Way(symbols)
        for symbol in sorted(self._traded, key=lambda symbol: legs(symbol)[1] != self.currency):
            base, quote = legs(symbol)
            if symbol in available and base not in ways and quote in ways:
                ways[base] = Way((symbol, *ways[quote].symbols))
        return ways
