"""Sums of a pair's trades: candles of every interval, and the rolling day of the ticker.

Prices are ticks, volumes lots, times ns since the epoch. Both know only what was traded since the process started.
"""

from __future__ import annotations

from collections import deque

from simulator.wire import NS

INTERVALS = (1, 5, 15, 30, 60, 240, 1440, 10080, 21600)
CANDLES_MAX = 720
MINUTE_NS = 60 * NS
DAY_MINUTES = 1440


class Candle:
    """The trades of one interval, which begins at ``begin`` and lasts ``minutes``; ``ns`` is its last trade's time."""

    __slots__ = ("begin", "close", "high", "low", "minutes", "notional", "ns", "open", "trades", "volume")

    def __init__(self, begin: int, minutes: int, price: int) -> None:
        self.begin = begin
        self.minutes = minutes
        self.open = self.high = self.low = self.close = price
        self.volume = self.notional = self.trades = 0
        self.ns = begin

    def add(self, price: int, qty: int, ns: int) -> None:
        """Count a trade."""
        if price > self.high:
            self.high = price
        if price < self.low:
            self.low = price
        self.close = price
        self.volume += qty
        self.notional += price * qty
        self.trades += 1
        self.ns = ns

    @property
    def end(self) -> int:
        """Return the time when the interval ends."""
        return self.begin + self.minutes * MINUTE_NS

    @property
    def vwap(self) -> int:
        """Return the volume-weighted average price, rounded to ticks."""
        return round(self.notional / self.volume) if self.volume else self.open


class Candles:
    """The last 720 candles of each interval; an interval without trades has none."""

    def __init__(self) -> None:
        self._kept: dict[int, deque[Candle]] = {minutes: deque(maxlen=CANDLES_MAX) for minutes in INTERVALS}

    def add(self, price: int, qty: int, ns: int) -> None:
        """Count a trade in every interval."""
        for minutes, kept in self._kept.items():
            if not kept or ns >= kept[-1].end:
                length = minutes * MINUTE_NS
                kept.append(Candle(ns - ns % length, minutes, price))
            kept[-1].add(price, qty, ns)

    def kept(self, minutes: int) -> list[Candle]:
        """Return the candles of an interval, oldest first, the running one last."""
        return list(self._kept[minutes])

    def last(self, minutes: int) -> Candle | None:
        """Return the running candle of an interval."""
        kept = self._kept[minutes]
        return kept[-1] if kept else None


class Day:
    """The sums of the ticker: trades of the last 24 hours, minute by minute, and those since midnight UTC."""

    __slots__ = ("_minutes", "_price", "_today", "notional", "trades", "volume")

    def __init__(self, price: int) -> None:
        self._price = price
        self._minutes: deque[Candle] = deque()
        self._today = Candle(0, DAY_MINUTES, price)
        self.volume = self.notional = self.trades = 0

    def add(self, price: int, qty: int, ns: int) -> None:
        """Count a trade, and forget what is a day old."""
        minutes = self._minutes
        if not minutes or ns >= minutes[-1].end:
            minutes.append(Candle(ns - ns % MINUTE_NS, 1, price))
            while minutes[0].end <= ns - DAY_MINUTES * MINUTE_NS:
                gone = minutes.popleft()
                self.volume -= gone.volume
                self.notional -= gone.notional
                self.trades -= gone.trades
        minutes[-1].add(price, qty, ns)
        today = self.today(ns)
        if not today.trades:
            today = self._today = Candle(today.begin, DAY_MINUTES, price)
        today.add(price, qty, ns)
        self.volume += qty
        self.notional += price * qty
        self.trades += 1

    def today(self, now: int) -> Candle:
        """Return the trades since midnight UTC; before the first of them everything is at the last price."""
        if now >= self._today.end:
            self._today = Candle(now - now % (DAY_MINUTES * MINUTE_NS), DAY_MINUTES, self._today.close)
        return self._today

    @property
    def open(self) -> int:
        """Return the oldest price of the window."""
        return self._minutes[0].open if self._minutes else self._price

    @property
    def high(self) -> int:
        """Return the highest price of the window."""
        return max((minute.high for minute in self._minutes), default=self._price)

    @property
    def low(self) -> int:
        """Return the lowest price of the window."""
        return min((minute.low for minute in self._minutes), default=self._price)

    def vwap(self) -> int:
        """Return the volume-weighted average price in ticks; the first price without trades."""
        return round(self.notional / self.volume) if self.volume else self._price
