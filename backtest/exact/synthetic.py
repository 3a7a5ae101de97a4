"""The simulator's own crowd as the market of a backtest."""

from __future__ import annotations

from collections import deque

from backtest.exact.pairs import pair_message
from backtest.exact.source import Levels, News
from backtest.venue.kraken import Kraken
from shared.messages import Pair, Side, Trade
from simulator.exchange.engine import resting_order
from simulator.exchange.venue.venue import Venue


class Synthetic:
    """Steps the crowd; every book is live from the start."""

    def __init__(self, kraken: Kraken, begin_ts: int, end_ts: int) -> None:
        self._kraken = kraken
        self.begin_ts, self.end_ts = begin_ts, end_ts
        self._venues = kraken.world.exchange.venues
        self.pairs: dict[str, Pair] = {symbol: pair_message(symbol) for symbol in self._venues}
        self._touches: dict[str, tuple[int | None, int | None]] = {}
        self._changed: dict[str, int] = {}
        self._trade_ids = {symbol: venue.trade_id for symbol, venue in self._venues.items()}
        self._due = begin_ts
        self._news: deque[News] = deque()
        self.rows = 0

    def advance(self, until_ts: int) -> News | None:
        """Step the crowd up to ``until_ts``, or to the first change."""
        while not self._news:
            if self._due > until_ts:
                return None
            now = self._due
            self._kraken.loop.now = now - self._kraken.boot_to_wall
            self._due = max(now + 1, self._kraken.world.step(now))
            self._news.extend(self._changes(now))
        return self._news.popleft()

    def poll(self) -> list[News]:
        """Return the books that own requests changed."""
        return self._changes(self._kraken.ts)

    def levels(self, symbol: str, side: Side, n: int) -> Levels:
        """Return the best levels of a pair."""
        return self._venues[symbol].book.side(side).best(n)

    def is_live(self, symbol: str) -> bool:
        """True if both sides have a level."""
        return None not in self._venues[symbol].touch()

    def place(self, symbol: str, order: int) -> tuple[int, bool] | None:
        """Return the lots ahead of a resting own order, which are always known."""
        engine = self._venues[symbol].engine
        resting = resting_order(engine, order)
        if resting is None:
            return None
        ahead = 0
        for number in engine.queue(resting.side, resting.price):
            if number == order:
                break
            other = resting_order(engine, number)
            ahead += other.remaining if other is not None else 0
        return ahead, True

    def _changes(self, ts: int) -> list[News]:
        news = []
        for symbol, venue in self._venues.items():
            if self._changed.get(symbol) == venue.book.changed_ns:
                continue
            self._changed[symbol] = venue.book.changed_ns
            self.rows += 1
            touch = venue.touch()
            moved = self._touches.get(symbol) != touch
            self._touches[symbol] = touch
            news.append(News(symbol, ts, ts, True, moved, None, self._trades(symbol, venue)))
        return news

    def _trades(self, symbol: str, venue: Venue) -> list[Trade]:
        last, self._trade_ids[symbol] = self._trade_ids[symbol], venue.trade_id
        new = min(venue.trade_id - last, len(venue.tape))
        tape = list(venue.tape)[-new:] if new else []
        return [
            Trade(side=trade.side, price=trade.price, qty=trade.qty, trade_id=trade.trade_id, trade_ts=trade.ns)
            for trade in tape
        ]
