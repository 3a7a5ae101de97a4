"""Valuation of assets in the trading currency: which pairs to use, and the rates that their mids give.

A quote asset is valued by a pair with the currency (one hop), or through a third asset (two hops): EUR by EUR/USD, JPY
by USD/JPY, PEPE by PEPE/EUR and EUR/USD. Of several ways the one with the fewest hops is used, then the one that needs
the fewest pairs besides the traded ones, then the one through the deepest market, then the first by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import lru_cache

from shared import limits
from shared.numbers import ROUNDING

HOPS_MAX = 2
# Third assets that are preferred among equal ways: the deepest markets.
_BRIDGES = ("USD", "EUR", "BTC", "USDT", "USDC", "ETH")

ONE = Decimal(1)


@lru_cache(maxsize=limits.BUS_TRACKED_TOPICS)
def legs(symbol: str) -> tuple[str, str]:
    """Return base and quote of a symbol as WebSocket v2 writes it."""
    base, _, quote = symbol.partition("/")
    return base, quote


def route(asset: str, currency: str, pairs: Iterable[str], preferred: Iterable[str] = ()) -> tuple[str, ...] | None:
    """Return the pairs that lead from an asset to the currency, in order: () for the currency, None if there are none.

    ``pairs`` are the symbols that may be used, ``preferred`` those that cost nothing as they are traded anyway.
    """
    if asset == currency:
        return ()
    known = sorted(set(pairs))
    cheap = frozenset(preferred)
    to_currency: dict[str, list[str]] = {}
    from_asset: dict[str, list[str]] = {}
    for symbol in known:
        base, quote = legs(symbol)
        for one, other in ((base, quote), (quote, base)):
            if other == currency:
                to_currency.setdefault(one, []).append(symbol)
            if one == asset:
                from_asset.setdefault(other, []).append(symbol)
    direct = to_currency.get(asset, [])
    if direct:
        return (min(direct, key=lambda symbol: (symbol not in cheap, symbol)),)
    ways = [
        (first, second)
        for bridge in from_asset.keys() & to_currency.keys()
        for first in from_asset[bridge]
        for second in to_currency[bridge]
    ]
    return min(ways, key=lambda way: (sum(s not in cheap for s in way), _bridge_rank(way), way), default=None)


def _bridge_rank(way: tuple[str, str]) -> int:
    (bridge,) = set(legs(way[0])) & set(legs(way[1]))
    return _BRIDGES.index(bridge) if bridge in _BRIDGES else len(_BRIDGES)


def reference_pairs(currency: str, traded: Iterable[str], available: Iterable[str]) -> list[str]:
    """Return the pairs to subscribe to, besides the traded ones, so that each quote asset can be valued.

    A quote asset that no pairs value is left out: nothing is quoted in it.
    """
    traded = list(dict.fromkeys(traded))
    may_use = {*traded, *available}
    references: dict[str, None] = {}
    for quote in dict.fromkeys(legs(symbol)[1] for symbol in traded):
        for symbol in route(quote, currency, may_use, {*traded, *references}) or ():
            if symbol not in traded:
                references[symbol] = None
    return list(references)


def rate_by(way: Iterable[str], asset: str, mids: Mapping[str, Decimal]) -> Decimal | None:
    """Return the worth of one unit of an asset by these pairs, or None if one of them has no mid."""
    rate = ONE
    for symbol in way:
        mid = mids.get(symbol)
        if not mid:
            return None
        base, quote = legs(symbol)
        if asset == base:
            rate, asset = ROUNDING.multiply(rate, mid), quote
        else:
            rate, asset = ROUNDING.divide(rate, mid), base
    return rate
