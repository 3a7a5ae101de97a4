"""A strategy that wants anything: most of the time sane quotes, at times crossing, too large, too many, or turned."""

from __future__ import annotations

from random import Random

from shared.messages import Quote, Side
from simulator.pairs.pairs import PAIRS

SLOTS = ("0", "1", "2", "3")


class RandomStrategy:
    """Quotes of one strategy on one symbol; they stay for some seconds and then change."""

    def __init__(self, name: str, symbol: str, seed: int, wildness: float) -> None:
        self.name, self.symbol, self.wildness = name, symbol, wildness
        self.fills = 0
        self.quiet: list[Quote] | None = None
        self._rng = Random(f"strategy {name} {symbol} {seed}")
        self._quotes: list[Quote] = []
        self._left = 0
        self._rate = 1.0

    def quotes(self, mid: float, rate: float) -> list[Quote]:
        """Return what it wants now, around the mid in ticks; ``rate`` is the quote asset in dollars."""
        self._rate = rate
        if self.quiet is not None:
            return self.quiet
        self._left -= 1
        if self._left <= 0:
            self._left = self._rng.randrange(1, 12)
            if self._quotes and self._rng.random() < 0.4:
                self._quotes = [self._moved(quote) for quote in self._quotes]
            else:
                self._quotes = self._sane(mid) if self._rng.random() > self.wildness else self._wild(mid)
        return self._quotes

    def sane(self, mid: float, rate: float, sides: list[Side]) -> list[Quote]:
        """One quote a side, for the end of a run."""
        self._rate = rate
        return [self._quote("b0" if side == "buy" else "a0", side, mid, 4.0, 60.0) for side in sides]

    def _quote(self, slot: str, side: Side, mid: float, away_bp: float, dollars: float) -> Quote:
        pair = PAIRS[self.symbol]
        price = max(1, round(mid * (1 - away_bp / 1e4 if side == "buy" else 1 + away_bp / 1e4)))
        lots = round(dollars / (price * self._rate) * 10 ** (pair.price_precision + pair.qty_precision))
        return Quote(slot=slot, side=side, price=price, qty=max(1, lots))

    def _moved(self, quote: Quote) -> Quote:
        """The same slot at another price and size: what an amend is for."""
        pair = PAIRS[self.symbol]
        price = max(1, round(quote.price * (1 + self._rng.choice([0, self._rng.uniform(-4e-4, 4e-4)]))))
        lots = round(quote.qty * self._rng.choice([1, self._rng.uniform(0.3, 2.5)]))
        most = 245 / (price * self._rate) * 10 ** (pair.price_precision + pair.qty_precision)
        return Quote(slot=quote.slot, side=quote.side, price=price, qty=max(1, min(lots, int(most))))

    def _sane(self, mid: float) -> list[Quote]:
        rng = self._rng
        first, size = rng.uniform(0, 4), rng.uniform(15, 120)
        quotes = []
        for level in range(rng.randrange(1, 3)):
            quotes.append(self._quote(f"b{level}", "buy", mid, first + 2 * level, size))
            quotes.append(self._quote(f"a{level}", "sell", mid, first + 2 * level, size))
        return quotes if rng.random() > 0.15 else []

    def _wild(self, mid: float) -> list[Quote]:
        rng = self._rng
        quotes = []
        for slot in rng.sample([side + level for side in "ab" for level in SLOTS], rng.randrange(1, 9)):
            # A slot's letter means nothing: sides change, prices cross the market, our own orders and the band.
            side: Side = "buy" if rng.random() < 0.5 else "sell"
            away = rng.choice([rng.uniform(-8, 10), rng.uniform(-2, 2), rng.uniform(-150, 150)])
            dollars = rng.choice([rng.uniform(5, 30), rng.uniform(30, 245), rng.uniform(200, 400)])
            quotes.append(self._quote(slot, side, mid, away, dollars))
        return quotes
