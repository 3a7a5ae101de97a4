"""The market as the bus reports it: pairs, books, mids, rates and targets. Only this module writes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from executor.account.rates import Rates
from shared import limits
from shared.clock import SECOND
from shared.measures.volatility import MidTrend, MidVolatility
from shared.messages import Book, BookState, BookStatus, FeedStatus, Instruments, Message, Pair, Target


@dataclass(frozen=True, slots=True)
class Motion:
    """Volatility and trend of a mid: signals, in float."""

    volatility: MidVolatility = field(default_factory=lambda: MidVolatility(limits.VOLATILITY_HALF_LIFE_S))
    trend: MidTrend = field(default_factory=lambda: MidTrend(limits.TREND_HALF_LIFE_S))

    def take(self, mid: float, now: int) -> None:
        """Take in the mid as it is now."""
        self.volatility.add(now, mid)
        self.trend.add(now, mid)

    def sigma(self) -> float | None:
        """Return the volatility in bp per √s, or None while it is not known."""
        return self.volatility.bps()

    def errors(self, now: int) -> float:
        """Return the trend in standard errors, upwards above 0; 0 while the volatility is not known."""
        return self.trend.errors(now, self.sigma() or 0.0)


@dataclass(slots=True)
class Market:
    """The newest feed status, books, instruments and targets; times are ns of CLOCK_BOOTTIME."""

    rates: Rates
    pairs: dict[str, Pair] = field(default_factory=dict)
    unlisted: frozenset[str] = frozenset()  # configured pairs that the exchange does not list
    books: dict[str, Book] = field(default_factory=dict)
    mids: dict[str, Decimal] = field(default_factory=dict)  # the last good one, in ticks
    targets: dict[tuple[str, str], Target] = field(default_factory=dict)  # by strategy and symbol
    heard: dict[tuple[str, str], int] = field(default_factory=dict)  # when each of these was taken in
    feed: FeedStatus | None = None
    feed_at: int = 0
    books_at: int = 0
    changes: int = 0  # rises when pairs or rates change: the risk gate then values everything again
    _moved_symbols: set[str] = field(default_factory=set)
    _moved_mids: set[str] = field(default_factory=set)
    _motions: dict[str, Motion] = field(default_factory=dict)

    def take(self, message: Message, now: int) -> bool:
        """Take in a message of the collector or the book process; return True if a book moved."""
        if isinstance(message, Book):
            return self._take_book(message, now)
        elif isinstance(message, FeedStatus):
            self.feed, self.feed_at = message, now
        elif isinstance(message, BookStatus):
            self.books_at = now
        elif isinstance(message, Instruments) and message.pairs:
            self.pairs = message.pairs
            self.unlisted = frozenset(message.unknown)
            self.changes += 1
        return False

    def take_target(self, target: Target, now: int) -> None:
        """Keep a strategy's newest target for a symbol."""
        self.targets[target.strategy, target.symbol] = target
        self.heard[target.strategy, target.symbol] = now
        self._moved_symbols.add(target.symbol)

    def take_moved_symbols(self) -> set[str]:
        """Return the symbols with a new book or target since the last call, and forget them."""
        moved, self._moved_symbols = self._moved_symbols, set()
        return moved

    def take_moved_mids(self) -> set[str]:
        """Return the symbols whose mid moved since the last call, and forget them."""
        moved, self._moved_mids = self._moved_mids, set()
        return moved

    @property
    def has_moved_mids(self) -> bool:
        """True if a mid has moved since :meth:`take_moved_mids`."""
        return bool(self._moved_mids)

    def revalue(self, now: int) -> None:
        """Update the rates of the quote assets from the mids."""
        if self.rates.turn(self.pairs, self.mid_prices(), self.fresh(now), now):
            self.changes += 1

    def mid_prices(self) -> dict[str, Decimal]:
        """Return the last good mids as prices."""
        return {s: mid.scaleb(-self.pairs[s].price_precision) for s, mid in self.mids.items() if s in self.pairs}

    def fresh(self, now: int) -> set[str]:
        """Return the pairs whose mid is current: the book process is heard, and the book is live."""
        if now - self.books_at > limits.PATH_DEAD_S * SECOND:
            return set()
        return {symbol for symbol, book in self.books.items() if book.state is BookState.LIVE}

    def sigma(self, symbol: str) -> float | None:
        """Return the volatility of a symbol's mid in bp per √s, or None while it is not known."""
        motion = self._motions.get(symbol)
        return motion.sigma() if motion else None

    def trend(self, symbol: str, now: int) -> float:
        """Return the trend of a symbol's mid in standard errors, upwards above 0; 0 while it is not known."""
        motion = self._motions.get(symbol)
        return motion.errors(now) if motion else 0.0

    @property
    def has_moved(self) -> bool:
        """True if a book or target has moved since the last pass."""
        return bool(self._moved_symbols)

    def _take_book(self, book: Book, now: int) -> bool:
        before_it = self.books.get(book.symbol)
        self.books[book.symbol] = book
        # A pass reads the touch's prices, the state and the precisions; what else changed moves nothing.
        if before_it is not None and _read_by_a_pass(before_it) == _read_by_a_pass(book):
            return False
        self._moved_symbols.add(book.symbol)
        mid = mid_of(book) if book.state is BookState.LIVE else None
        before = self.mids.get(book.symbol)
        if mid is not None and before != mid:
            self.mids[book.symbol] = mid
            self._moved_mids.add(book.symbol)
            self.changes += before is None
            price = float(mid.scaleb(-book.price_precision))
            if book.symbol not in self._motions:
                self._motions[book.symbol] = Motion()
            self._motions[book.symbol].take(price, _received(book, now))
        return True


def _received(book: Book, now: int) -> int:
    """Return when a book's frame came, by this machine's clock: a mid is not younger for having waited to be read."""
    return min(now, max(book.received, now - SECOND))


def _read_by_a_pass(book: Book) -> tuple[object, ...]:
    bid, ask = book.bids[0][0] if book.bids else None, book.asks[0][0] if book.asks else None
    return book.state, bid, ask, book.price_precision, book.qty_precision


def mid_of(book: Book) -> Decimal | None:
    """Return the mid of a book in ticks, or None where a side is empty."""
    if not book.bids or not book.asks:
        return None
    return Decimal(book.bids[0][0] + book.asks[0][0]) / 2
