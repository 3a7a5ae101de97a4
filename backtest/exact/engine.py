"""The exact engine: market, exchange, executor and strategy in one thread, in virtual time.

Time jumps to the next thing that is due: a public message, one on the private connection, or a timer of a core.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from backtest.exact.history import Mids
from backtest.exact.source import News, Source
from backtest.exact.trader import Trader
from backtest.venue.kraken import Kraken
from backtest.venue.loop import Loop
from shared.clock import SECOND
from shared.config import Config
from shared.messages import (
    Book,
    BookState,
    BookStatus,
    FeedStatus,
    FeedTrades,
    Instruments,
    Message,
    Target,
)
from shared.process.effects import Effects, LogEntry
from simulator.pairs.pairs import ASSETS

M = TypeVar("M", bound=Message)
# How often the path is said to be alive: often enough for a limit of 1 s.
ALIVE_S = 0.45
DRAIN_NS = SECOND
LOG_KEPT = 200


class Decider(Protocol):
    """Where targets come from: a strategy's host, or a recording."""

    def message(self, message: Message, now: int) -> None:
        """Take in one message of the bus."""

    def turn(self, now: int) -> None:
        """Do what is due."""

    def next_due(self, now: int) -> int:
        """Return when a target is due if nothing happens before."""

    def take(self) -> Effects:
        """Return the effects since the last call."""


class Engine:
    """One run of one strategy; ``journal`` is the file of the executor's journal."""

    def __init__(
        self, config: Config, host: Decider, loop: Loop, kraken: Kraken, source: Source, journal: Path
    ) -> None:
        self.loop, self.kraken, self.source = loop, kraken, source
        self.trader = Trader(loop, kraken, config, journal)
        self.host = host
        self.log: list[LogEntry] = []
        self.mids = {symbol: Mids() for symbol in source.pairs}
        self.decisions = 0
        # The lots ahead of each own order when it came to rest, and whether that is known.
        self.places: dict[int, tuple[int, bool]] = {}
        self._is_over = False
        self._levels: int = config.trading.book_depth
        self._heard: dict[str, int] = {}
        self._seq: dict[str, int] = {}
        self._states: dict[str, BookState] = {}
        self._host_due = 0
        self.trader.publish = self._published
        self.trader.on_log = self._logged
        kraken.on_worked = self._poll

    def run(self) -> None:
        """Play the whole market; orders that rest at its end stay."""
        loop, source, boot_to_wall = self.loop, self.source, self.kraken.boot_to_wall
        self._instruments()
        loop.every(ALIVE_S, self._alive)
        self.trader.start()
        end = source.end_ts - boot_to_wall
        while True:
            due = loop.due()
            news = source.advance(min(due, end) + boot_to_wall)
            if news is not None:
                loop.now = news.ts - boot_to_wall
                self._tell(news)
            elif due > end:
                break
            else:
                loop.run_next()
        # What is on the way arrives; nothing is decided any more, and nothing trades.
        self._is_over = True
        loop.run(end + DRAIN_NS)
        self.trader.finish()

    # --- the public feed -----------------------------------------------------------------------------------------

    def _poll(self) -> None:
        """Tell what own requests changed in the public books, and note where new orders stand in their queue."""
        for news in self.source.poll():
            self._tell(news)
        for number, symbol in self.kraken.take_new_orders():
            place = self.source.place(symbol, number)
            if place is not None:
                self.places[number] = place

    def _tell(self, news: News) -> None:
        """Note the market, and send what happened on its way to the client."""
        symbol = news.symbol
        if news.has_touch and self.source.is_live(symbol):
            bids, asks = self.source.levels(symbol, "buy", 1), self.source.levels(symbol, "sell", 1)
            if bids and asks:
                self.mids[symbol].add(news.ts, bids[0][0], asks[0][0])
        at = max(self._heard.get(symbol, 0), self._arrives(news))
        self._heard[symbol] = at
        if news.trades:
            pair = self.source.pairs[symbol]
            self.loop.at(at, self._hear, self._stamped(FeedTrades(
                symbol=symbol,
                price_precision=pair.price_precision,
                qty_precision=pair.qty_precision,
                trades=news.trades,
                received=at,
            ), f"trade {symbol}", at))  # fmt: skip
        if news.state is not None or news.has_book:
            self.loop.at(at, self._hear, self._book(news, at))

    def _arrives(self, news: News) -> int:
        return self.kraken.latency.heard(news.ts, news.heard_ts) - self.kraken.boot_to_wall

    def _book(self, news: News, at: int) -> Book:
        symbol, pair = news.symbol, self.source.pairs[news.symbol]
        is_live = self.source.is_live(symbol)
        n = self._levels if is_live else 0
        made = Book(
            symbol=symbol,
            state=BookState.LIVE if is_live else BookState.RESYNCING,
            price_precision=pair.price_precision,
            qty_precision=pair.qty_precision,
            bids=self.source.levels(symbol, "buy", n),
            asks=self.source.levels(symbol, "sell", n),
            exchange_ts=news.ts,
            received=at,
            booked=at,
        )
        return self._stamped(made, symbol, at)

    def _stamped(self, message: M, topic: str, at: int) -> M:
        """Return a message with the header that the bus would give it."""
        seq = self._seq[topic] = self._seq.get(topic, 0) + 1
        return msgspec.structs.replace(message, boot=1, seq=seq, ts=at + self.kraken.boot_to_wall)

    def _hear(self, message: Message) -> None:
        """Hand a public message to strategy and executor."""
        now = self.loop.now
        self.host.message(message, now)
        if isinstance(message, Book):
            self.trader.take(message)
        self._carry_out()

    # --- the bus -------------------------------------------------------------------------------------------------

    def _carry_out(self) -> None:
        """Hand the strategy's targets to the executor."""
        effects = self.host.take()
        if self._is_over:
            return
        for entry in effects.log:
            self._logged(entry)
        for topic, message in effects.messages:
            self.decisions += 1
            assert isinstance(message, Target)
            self.trader.take(self._stamped(message, topic, self.loop.now))
        if effects.messages or not self._host_due:
            self._plan_host()

    def _plan_host(self) -> None:
        """Have the strategy turn when its next target is due, whatever happens before."""
        due = self.host.next_due(self.loop.now)
        if not self._host_due or due < self._host_due:
            self._host_due = due
            self.loop.at(due, self._turn_host, due)

    def _turn_host(self, due: int) -> None:
        if due != self._host_due:
            return
        self._host_due = 0
        self.host.turn(self.loop.now)
        self._carry_out()

    def _published(self, message: Message) -> None:
        """Hand a message of the executor's to the strategy."""
        self.host.message(self._stamped(message, type(message).__name__, self.loop.now), self.loop.now)
        self.loop.at(self.loop.now, self._carry_out)

    def _alive(self) -> None:
        """Say that collector and book process are alive."""
        now = self.loop.now
        feed = FeedStatus(connected=True, connection=1, last_byte=now, system="online")
        for message in (feed, BookStatus()):
            self.host.message(message, now)
            self.trader.hear(message)

    def _instruments(self) -> None:
        pairs = self.source.pairs
        assets = {asset: ASSETS[asset].decimals for pair in pairs.values() for asset in (pair.base, pair.quote)}
        message = Instruments(pairs=pairs, assets=assets)
        self.host.message(message, self.loop.now)
        self.trader.hear(message)

    def _logged(self, entry: LogEntry) -> None:
        if entry.level != "info" and len(self.log) < LOG_KEPT:
            self.log.append(entry)
