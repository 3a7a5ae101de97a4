"""The host's core: takes messages, runs the strategy on a valid view, returns its targets.

A new boot publishes nothing until its view is valid (live book, instrument, valid position and account): until then
the previous boot's target holds its quotes. Once it has published, an invalid view withdraws them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

import msgspec

from shared import limits
from shared.clock import MS, SECOND
from shared.config import Config
from shared.messages import (
    Account,
    Book,
    BookState,
    BookStatus,
    FeedStatus,
    FeedTrades,
    Instruments,
    Message,
    Orders,
    Pair,
    Position,
    Side,
    Target,
)
from shared.numbers import notional
from shared.process.effects import Effects, Outbox
from shared.valuation import legs
from strategy import validity
from strategy.interface import Strategy, Trigger, View
from strategy.loading import load_strategy
from strategy.signals.tracker import Tracker
from strategy.signals.values import NO_SIGNALS, Signals

# Bid and ask of a book and of its price source, None for an empty side.
Touch = tuple[int | None, int | None, int | None, int | None]


class Due(NamedTuple):
    """A decision that a message calls for: the strategy's method, and what it takes besides the view."""

    symbol: str
    event: str
    details: tuple[Message, ...] = ()


@dataclass(slots=True)
class _Symbol:
    """The view of one symbol, and the target last published.

    ``tracker`` keeps the signals, None for a strategy that needs none. ``touch`` holds the prices of the last decision,
    None after a view that was not valid.
    """

    strategy: Strategy
    tracker: Tracker | None
    hears_trades: bool
    touch: Touch | None = None
    book: Book | None = None
    position: Position | None = None
    published: Target | None = None
    published_at: int = 0


class Host:
    """Runs one configured strategy on its symbols.

    ``clock`` names this machine's CLOCK_BOOTTIME (:func:`shared.clock.clock_id`), of which all times are.
    """

    def __init__(self, config: Config, name: str, clock: str = "") -> None:
        kind, settings = load_strategy(config, name)
        self.name = name
        self.out = Outbox(Effects)
        self._config = config
        self._clock = clock
        self._ttl_ms = config.strategies[name].ttl_ms
        self._symbols = {symbol: self._begin(kind(settings)) for symbol in config.strategy_pairs(name)}
        self._pairs_of = _pairs_of(self._symbols)
        # Books of other pairs that prices are taken from.
        self._sources: dict[str, Book | None] = {
            state.strategy.needs.price_source: None
            for state in self._symbols.values()
            if state.strategy.needs.price_source is not None
        }
        self._pairs: dict[str, Pair] = {}
        self._account: Account | None = None
        self._feed: FeedStatus | None = None
        self._feed_at = self._books_at = 0

    def _begin(self, strategy: Strategy) -> _Symbol:
        tracker = Tracker(strategy.needs, self.name) if strategy.needs.is_any else None
        return _Symbol(strategy, tracker, type(strategy).on_trade is not Strategy.on_trade)

    def trigger(self, symbol: str) -> Trigger:
        """Return the book messages of the symbol that matter: to a decision, or to a signal."""
        return self._symbols[symbol].strategy.heeds

    @property
    def symbols(self) -> list[str]:
        """Return the pairs that the strategy trades."""
        return list(self._symbols)

    def wants_trades(self, symbol: str) -> bool:
        """True if public trades of the symbol must be passed to :meth:`message`."""
        state = self._symbols[symbol]
        return state.hears_trades or state.strategy.needs.public_trades

    def take(self) -> Effects:
        """Return the effects since the last call."""
        return self.out.take()

    def message(self, message: Message, now: int) -> None:
        """Take in one message of the bus, and decide where it calls for that; ``now`` in ns of CLOCK_BOOTTIME."""
        for symbol, event, details in self.hear(message, now):
            self.decide(symbol, now, event, *details)

    def hear(self, message: Message, now: int) -> Sequence[Due]:
        """Take in one message of the bus without deciding; return the decisions that it calls for."""
        if isinstance(message, Book):
            return self._on_book(message, now)
        if isinstance(message, FeedTrades):
            return self._on_trades(message, now)
        if isinstance(message, Position):
            if message.strategy == self.name and message.symbol in self._symbols:
                self._symbols[message.symbol].position = message
                return (Due(message.symbol, "on_position"),)
        elif isinstance(message, Orders):
            if message.symbol in self._symbols:
                tracker = self._symbols[message.symbol].tracker
                if tracker is not None:
                    tracker.on_orders(message, now)
                return (Due(message.symbol, "on_order", (message,)),)
        elif isinstance(message, FeedStatus):
            self._feed, self._feed_at = message, now
        elif isinstance(message, BookStatus):
            self._books_at = now
        elif isinstance(message, Instruments):
            if message.pairs:
                self._pairs = message.pairs
        elif isinstance(message, Account):
            self._account = message
        return ()

    def resume(self, target: Target) -> None:
        """Go on from a target that another instance published."""
        state = self._symbols[target.symbol]
        state.published, state.published_at = target, target.decided
        state.strategy.resume(target)

    def turn(self, now: int) -> None:
        """Decide again on each symbol once a second, and withdraw quotes where the view is not valid any more."""
        for symbol, state in self._symbols.items():
            if (
                state.published is None
                or now - state.published_at >= limits.TARGET_REPEAT_S * SECOND
                or self.why_not(symbol, now)
            ):
                self.decide(symbol, now, "on_time")

    def next_due(self, now: int) -> int:
        """Return when the next target is to be repeated, if nothing happens before; ns of CLOCK_BOOTTIME."""
        repeat = int(limits.TARGET_REPEAT_S * SECOND)
        last = min((state.published_at for state in self._symbols.values() if state.published), default=now)
        return max(last + repeat, now + TURN_MS * MS)

    def why_not(self, symbol: str, now: int) -> str:
        """Return why the view of a symbol is not valid, or an empty text."""
        return (
            validity.why_no_path(self._feed, self._feed_at, self._books_at, now)
            or validity.why_no_book(self._pairs.get(symbol), self._symbols[symbol].book)
            or validity.why_no_value(self._pairs[symbol], self._account)
        )

    def why_silent(self, symbol: str) -> str:
        """Return why no new target is published, or an empty text.

        Without position or account the executor is starting or reconnecting, and guards its quotes itself. The last
        target is not withdrawn but expires, so that quotes outlive an executor's restart.
        """
        position = self._symbols[symbol].position
        if position is None or not position.valid:
            return "the position is not known"
        if self._account is None or not self._account.valid or symbol not in self._account.fees:
            return "the account is not known"
        return ""

    @property
    def quoting(self) -> dict[str, int]:
        """Return the number of quotes in each symbol's last target."""
        return {symbol: len(s.published.quotes) if s.published else 0 for symbol, s in self._symbols.items()}

    def _on_book(self, message: Book, now: int) -> Sequence[Due]:
        due = self._on_source(message) if message.symbol in self._sources else []
        state = self._symbols.get(message.symbol)
        if state is None:
            return due
        state.book = message
        if state.tracker is not None:
            state.tracker.on_book(message, now)
        if state.strategy.trigger is Trigger.BOOK or state.touch is None or state.touch != self._touch(state):
            due.append(Due(message.symbol, "on_book"))
        return due

    def _on_source(self, message: Book) -> list[Due]:
        """Keep a live book that prices are taken from; return the decisions on the pairs that do."""
        self._sources[message.symbol] = message if message.state is BookState.LIVE else None
        return [
            Due(symbol, "on_book")
            for symbol, state in self._symbols.items()
            if state.strategy.needs.price_source == message.symbol and state.touch != self._touch(state)
        ]

    def _source(self, state: _Symbol) -> Book | None:
        """Return the live book that a symbol takes its prices from, None where it has no other than its own."""
        name = state.strategy.needs.price_source
        return None if name is None else self._sources[name]

    def _touch(self, state: _Symbol) -> Touch:
        """Return the prices that a decision is due on."""
        return *_prices(state.book), *_prices(self._source(state))

    def _on_trades(self, message: FeedTrades, now: int) -> Sequence[Due]:
        state = self._symbols.get(message.symbol)
        if state is None:
            return ()
        if state.tracker is not None and state.strategy.needs.public_trades:
            state.tracker.on_trades(message, now)
        return (Due(message.symbol, "on_trade", (message,)),) if state.hears_trades else ()

    def decide(self, symbol: str, now: int, event: str, *details: Message, signals: Signals | None = None) -> None:
        """Have the strategy decide on a symbol, by the method that ``event`` names; publish a target that is due.

        ``signals`` take the place of those that the host keeps: a decision is made again on what it was made on.
        """
        state = self._symbols.get(symbol)
        if state is None:
            return
        why = self.why_not(symbol, now)
        if why:
            state.touch = None
            if state.tracker is not None:
                state.tracker.on_gap(now)
            if state.published is not None and state.published.quotes:
                gone = msgspec.structs.replace(state.published, quotes=[], event="invalid", why=why)
                self._publish(symbol, state, gone, now)
            return
        if self.why_silent(symbol):
            state.touch = None
            return
        view = self._view(symbol, state, now, signals)
        try:
            target: Target | None = getattr(state.strategy, event)(view, *details)
        except Exception as error:  # noqa: BLE001 - a strategy's error withdraws its quotes and is logged
            self.out.tell("error", "strategy", f"{symbol}: {event} raised {error!r}; quotes withdrawn")
            target = view.withdraw(f"{event} raised {type(error).__name__}")
        if target is not None or event == "on_book":
            # A decision that keeps the last target by None still saw this touch.
            state.touch = self._touch(state)
        if target is not None and len(target.quotes) > limits.QUOTES_PER_TARGET:
            text = f"{symbol}: {len(target.quotes)} quotes, {limits.QUOTES_PER_TARGET} at most; withdrawn"
            self.out.tell("error", "strategy", text)
            target = view.withdraw("too many quotes")
        due = now - state.published_at >= limits.TARGET_REPEAT_S * SECOND
        if target is None and due and state.published is not None:
            # The strategy keeps its target: publish it again, as decided now.
            target = msgspec.structs.replace(state.published, fills=view.position.fills)
        if target is None:
            return
        same = state.published is not None and (state.published.quotes, state.published.fills) == (
            target.quotes,
            target.fills,
        )
        if not same or due:
            led_to = {"event": event.removeprefix("on_"), "signals": view.signals.values()}
            self._publish(symbol, state, msgspec.structs.replace(target, **led_to), now)

    def _view(self, symbol: str, state: _Symbol, now: int, signals: Signals | None) -> View:
        assert state.book is not None
        assert state.position is not None
        assert self._account is not None
        pair, account = self._pairs[symbol], self._account
        base = account.rates.get(pair.base)
        tracker, needs = state.tracker, state.strategy.needs
        if tracker is not None:
            tracker.on_time(now)
        return View(
            now=now,
            pair=pair,
            book=state.book,
            position=state.position,
            fees=account.fees[symbol],
            max_position=self._config.trading.max_position_size,
            min_order=self._config.trading.min_order_size,
            max_order=self._config.trading.max_order_size,
            rate=Decimal(account.rates[pair.quote].rate),
            base_value=Decimal(base.rate) if base is not None and base.rate else Decimal(0),
            other_buys=self._quoted_on_others(pair.base, symbol, "buy"),
            other_sells=self._quoted_on_others(pair.base, symbol, "sell"),
            signals=signals or (tracker.signals(now) if tracker is not None else NO_SIGNALS),
            trades=tracker.trades(now) if tracker is not None and needs.trades else (),
            source=self._source(state),
        )

    def _quoted_on_others(self, base: str, symbol: str, side: Side) -> Decimal:
        """Return what this strategy's quotes on other pairs add to a base on one side, in the trading currency."""
        assert self._account is not None
        total = Decimal(0)
        for other in self._pairs_of.get(base, ()):
            state, pair = self._symbols[other], self._pairs.get(other)
            if other == symbol or state.published is None or pair is None:
                continue
            # A buy of ETH/BTC sells BTC.
            moving = side if pair.base == base else ("sell" if side == "buy" else "buy")
            rate = self._account.rates.get(pair.quote)
            if rate is None or not rate.rate:
                continue
            cost = sum(
                (
                    notional(quote.price, quote.qty, pair.price_precision, pair.qty_precision)
                    for quote in state.published.quotes
                    if quote.side == moving
                ),
                Decimal(0),
            )
            total += cost * Decimal(rate.rate)
        return total

    def _publish(self, symbol: str, state: _Symbol, target: Target, now: int) -> None:
        origin = {"strategy": self.name, "symbol": symbol, "clock": self._clock}
        stamped = msgspec.structs.replace(target, decided=now, ttl_ms=self._ttl_ms, **origin)
        state.published, state.published_at = stamped, now
        self.out.publish(f"target.{self.name}.{symbol}", stamped)

    @property
    def trouble(self) -> str:
        """Return why some symbols are not quoted, as of the last status messages; empty if all are."""
        now = max(self._feed_at, self._books_at)
        reasons = {symbol: self.why_not(symbol, now) or self.why_silent(symbol) for symbol in self._symbols}
        return "; ".join(f"{symbol}: {why}" for symbol, why in reasons.items() if why)


TURN_MS = 50
assert TURN_MS * MS < limits.PATH_DEAD_S * SECOND


def _pairs_of(symbols: Iterable[str]) -> dict[str, list[str]]:
    """Return the pairs of each asset that is the base or the quote of one."""
    pairs: dict[str, list[str]] = {}
    for symbol in symbols:
        for asset in legs(symbol):
            pairs.setdefault(asset, []).append(symbol)
    return pairs


def _prices(book: Book | None) -> tuple[int | None, int | None]:
    """Return the prices of the best bid and ask, None for an empty side."""
    if book is None:
        return None, None
    return book.bids[0][0] if book.bids else None, book.asks[0][0] if book.asks else None
