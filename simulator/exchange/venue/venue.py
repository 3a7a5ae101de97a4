"""One pair's market place: the matching engine, the full book that it publishes, and the tape of trades."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TypeVar
from zlib import crc32

from simulator.exchange.engine import Engine, Event, Side
from simulator.exchange.venue.book import FullBook
from simulator.exchange.venue.candles import INTERVALS, Candles, Day
from simulator.exchange.venue.level3 import OrderBook
from simulator.exchange.venue.trade import Trade
from simulator.pairs.pairs import Pair
from simulator.wire import make_id
from simulator.ws_v1 import feed as feed_v1
from simulator.ws_v2 import feed

TAPE = 1000
SPREADS = 200
# Crowd orders live above this number, account orders below: the two never share an id in an engine.
CROWD_FROM = 1 << 40
STRANGERS_FROM = 1 << 60
Key = TypeVar("Key")


class Venue:
    """Run operations on the engine, number their trades, and collect the public messages.

    ``depths`` are the v2 book depths that have subscribers, ``subscribed`` the other (channel, depth) that have;
    ``on_crowd(order_id, remaining)`` hears what happened to the crowd's resting orders. Public messages gather in
    ``public`` as (channel, depth, text); channels of version 1 begin with ``v1.``. A ticker's depth is 0 for
    every trade and 1 for every new touch, a candle's is its interval.
    """

    def __init__(self, pair: Pair, engine: Engine, trade_id: int, last_price: int) -> None:
        self.pair = pair
        self.status = pair.status
        self.trade_id = trade_id
        self.reopen(engine, last_price)
        self._touch: tuple[int | None, int | None] = (None, None)
        self._touch_qty: tuple[int, int] = (0, 0)
        self.depths: dict[int, int] = {}
        self.subscribed: dict[tuple[str, int], int] = {}
        self.public: list[tuple[str, int, str]] = []
        self.on_crowd: Callable[[int, int], None] | None = None
        self._strangers = STRANGERS_FROM
        # The salt of order ids in level3, and whether its numbers are text; the exchange sets both.
        self.salt = 0
        self.quoted = False

    def reopen(self, engine: Engine, last_price: int) -> None:
        """Begin with an empty book and no past, as at the start or when the pair's prices get other decimals."""
        self.engine = engine
        # Single orders, kept while someone follows them.
        self._orders: OrderBook | None = None
        self.last_price = last_price
        self.book = FullBook(self.pair)
        self.day = Day(last_price)
        self.candles = Candles()
        self.tape: deque[Trade] = deque(maxlen=TAPE)
        # (ns, bid, ask) of the last touches.
        self.spreads: deque[tuple[int, int, int]] = deque(maxlen=SPREADS)

    def crowd_number(self) -> int:
        """Return an engine id for an order of nobody's that never rests."""
        self._strangers += 1
        return self._strangers

    def level3_snapshots(self) -> list[tuple[str, int, str]]:
        """Return ``level3`` snapshots for every depth that has subscribers, as public messages of a new book."""
        followed = [depth for channel, depth in self.subscribed if channel == "level3"]
        self._orders = self.order_book() if followed else None
        return [("level3", depth, self.order_book().snapshot(depth)) for depth in followed]

    def v1_snapshots(self) -> list[tuple[str, int, str]]:
        """Return version 1 book snapshots for every depth that has subscribers, as public messages."""
        return [
            ("v1.book", d, feed_v1.snapshot(self.book, d)) for channel, d in self.subscribed if channel == "v1.book"
        ]

    def order_name(self, number: int) -> str:
        """Return the id of an order of the book; ids of the crowd's orders differ between pairs."""
        crowd = crc32(self.pair.symbol.encode()) << 20 if number >= CROWD_FROM else 0
        return make_id("O", number, self.salt + crowd)

    def order_book(self) -> OrderBook:
        """Return the single orders of the book as it is."""
        if self._orders is not None:
            return self._orders
        return OrderBook(self.pair, self.engine, self.book, self.order_name, self.quoted)

    def listen(self, channel: str, depth: int, by: int) -> None:
        """Count a channel's subscribers: it got (``by`` 1) or lost (-1) one."""
        if channel == "book":
            _count(self.depths, depth, by)
        else:
            _count(self.subscribed, (channel, depth), by)
        if channel == "level3":
            followed = any(name == "level3" for name, _ in self.subscribed)
            self._orders = self.order_book() if followed else None

    def submit(
        self,
        order_id: int,
        owner: int,
        side: Side,
        price: int | None,
        qty: int,
        now: int,
        tif: str = "gtc",
        post_only: bool = False,
        stp: str = "cancel_newest",
    ) -> list[Event]:
        """Run a new order; a trade event carries its trade id as the last member."""
        events = self.engine.submit(order_id, owner, side, price, qty, tif, post_only, stp)
        return self._done(events, side, "market" if price is None else "limit", now)

    def amend(
        self, order_id: int, side: Side, price: int | None, qty: int | None, now: int, post_only: bool = False
    ) -> list[Event]:
        """Amend an order; ``qty`` is the new total."""
        return self._done(self.engine.amend(order_id, price, qty, post_only), side, "limit", now)

    def cancel(self, order_id: int, now: int) -> list[Event]:
        """Cancel an order."""
        return self._done(self.engine.cancel(order_id), None, "", now)

    def _done(self, events: list[Event], side: Side | None, kind: str, now: int) -> list[Event]:
        result: list[Event] = []
        trades: list[Trade] = []
        for event in events:
            if event[0] == "trade":
                # A cancel, which has no side here, trades nothing.
                assert side is not None
                _, _, maker, price, qty, _, maker_remaining = event
                self.trade_id += 1
                self.last_price = price
                self.day.add(price, qty, now)
                self.candles.add(price, qty, now)
                trades.append(Trade(self.trade_id, side, price, qty, kind, now))
                if maker >= CROWD_FROM and self.on_crowd is not None:
                    self.on_crowd(maker, maker_remaining)
                result.append((*event, self.trade_id))
            else:
                result.append(event)
        if trades:
            self.tape.extend(trades)
            self.public.append(("trade", 0, feed.trades(self.pair, "update", trades)))
        old = [depth for channel, depth in self.subscribed if channel == "v1.book"] if self.subscribed else []
        followed = [depth for channel, depth in self.subscribed if channel == "level3"] if self.subscribed else []
        depths = {*self.depths, *old, *followed} if self.subscribed else self.depths
        changes = self.engine.changes()
        runs = self.book.change(changes, now, depths)
        for depth, text in self.book.messages(runs, self.depths):
            self.public.append(("book", depth, text))
        if self._orders is not None:
            messages = self._orders.change(changes, runs, followed, bool(trades))
            self.public += [("level3", depth, text) for depth, text in messages]
        for depth in old:
            frame = feed_v1.update(self.book, runs, depth)
            if frame:
                self.public.append(("v1.book", depth, frame))
        bid, ask = touch = self.touch()
        moved = touch != self._touch
        if moved and bid is not None and ask is not None:
            self.spreads.append((now, bid, ask))
        if self.subscribed:
            self._publish_rare(trades, touch, moved, now)
        self._touch = touch
        return result

    def _publish_rare(self, trades: list[Trade], touch: tuple[int | None, int | None], moved: bool, now: int) -> None:
        """Publish on the channels that few subscribe to."""
        subscribed, public = self.subscribed, self.public
        bid, ask = touch
        sizes = (self.book.bids.qty.get(bid or 0, 0), self.book.asks.qty.get(ask or 0, 0))
        resized = moved or sizes != self._touch_qty
        self._touch_qty = sizes
        if trades and ("ticker", 0) in subscribed:
            public.append(("ticker", 0, feed.ticker(self.book, self.day, self.last_price, "update", now)))
        if moved and ("ticker", 1) in subscribed:
            public.append(("ticker", 1, feed.ticker(self.book, self.day, self.last_price, "update", now)))
        if trades:
            for minutes in INTERVALS:
                candle = self.candles.last(minutes)
                if candle is not None and ("ohlc", minutes) in subscribed:
                    public.append(("ohlc", minutes, feed.candles(self.pair, "update", [candle], now)))
                if candle is not None and ("v1.ohlc", minutes) in subscribed:
                    public.append(("v1.ohlc", minutes, feed_v1.candle(self.pair, candle)))
            if ("v1.trade", 0) in subscribed:
                public.append(("v1.trade", 0, feed_v1.trades(self.pair, trades)))
        if (trades or moved) and ("v1.ticker", 0) in subscribed:
            public.append(("v1.ticker", 0, feed_v1.ticker(self.book, self.day, self.last_price, self.last_qty, now)))
        if resized and ("v1.spread", 0) in subscribed:
            public.append(("v1.spread", 0, feed_v1.spread(self.book, now)))

    @property
    def last_qty(self) -> int:
        """Return lots of the last trade, 0 before the first."""
        return self.tape[-1].qty if self.tape else 0

    def touch(self) -> tuple[int | None, int | None]:
        """Return best bid and best ask in ticks; None where a side is empty."""
        return self.book.touch()


def _count(counts: dict[Key, int], key: Key, by: int) -> None:
    counts[key] = counts.get(key, 0) + by
    if not counts[key]:
        del counts[key]
