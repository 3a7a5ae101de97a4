"""Keep the prices of all pairs consistent: which pairs follow others, and by which route.

The pairs that lead form a tree of assets; a pair that closes a circle in it (ETH/BTC beside ETH/USD and BTC/USD)
follows what the others imply, as arbitrage makes it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence

from simulator.market.market import Market
from simulator.market.style import CALM, is_pegged

# Time constants: a triangle's gap closes in about a second, a peg's in about a minute.
TRIANGLE_S, PEG_S = 1.0, 60.0
# Whose pairs lead first: the deepest markets.
_QUOTES = ("USD", "EUR", "BTC", "USDT", "USDC")

# A symbol, and True where the route goes from its base to its quote.
Leg = tuple[str, bool]


def ways(symbols: Iterable[str]) -> dict[str, tuple[Leg, ...]]:
    """Return the pairs that follow, each with the leading pairs that its price is the product of."""
    tree: dict[str, list[tuple[str, Leg]]] = {}
    following: dict[str, tuple[Leg, ...]] = {}
    for symbol in sorted(symbols, key=_rank):
        base, quote = symbol.split("/")
        way = _way(tree, base, quote)
        if way is None:
            tree.setdefault(base, []).append((quote, (symbol, True)))
            tree.setdefault(quote, []).append((base, (symbol, False)))
        else:
            following[symbol] = way
    return following


def _rank(symbol: str) -> tuple[bool, int, str]:
    quote = symbol.split("/")[1]
    return symbol not in CALM, _QUOTES.index(quote) if quote in _QUOTES else len(_QUOTES), symbol


def _way(tree: Mapping[str, Sequence[tuple[str, Leg]]], base: str, quote: str) -> tuple[Leg, ...] | None:
    """Return the shortest way through the tree, None where there is none."""
    queue: deque[tuple[str, tuple[Leg, ...]]] = deque([(base, ())])
    seen = {base}
    while queue:
        asset, way = queue.popleft()
        if asset == quote:
            return way
        for other, leg in tree.get(asset, ()):
            if other not in seen:
                seen.add(other)
                queue.append((other, (*way, leg)))
    return None


def link(markets: Sequence[Market], now: int) -> None:
    """Make every market that closes a circle follow the others, and every pegged one its start price."""
    by_symbol = {market.venue.pair.symbol: market for market in markets}
    following = ways(by_symbol)
    for symbol, market in by_symbol.items():
        if symbol in following:
            legs = [(by_symbol[name], forward) for name, forward in following[symbol]]
            market.follow(_product(legs), TRIANGLE_S, now)
        elif is_pegged(market.venue.pair):
            market.follow(_constant(market), PEG_S, now)


def _product(legs: Sequence[tuple[Market, bool]]) -> Callable[[], float]:
    def implied() -> float:
        price = 1.0
        for market, forward in legs:
            price = price * market.worth if forward else price / market.worth
        return price

    return implied


def _constant(market: Market) -> Callable[[], float]:
    pair = market.venue.pair
    price = pair.start_price / 10.0**pair.price_precision
    return lambda: price
