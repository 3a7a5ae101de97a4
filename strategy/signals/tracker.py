"""Keep the signals of one symbol up to date: only those that its strategy needs."""

from __future__ import annotations

from collections import deque

from shared import limits
from shared.clock import SECOND
from shared.messages import Book, BookState, FeedTrades, Orders, Side, Trade
from strategy.signals import book_shape
from strategy.signals.forecast import Forecast
from strategy.signals.intensity import Intensity
from strategy.signals.markouts import Markouts
from strategy.signals.order_flow import OrderFlow
from strategy.signals.own_fills import OwnFills
from strategy.signals.values import HORIZONS, NO_SIGNAL, Horizon, Needs, Signals
from strategy.signals.volatility import EwmaVolatility, ParkinsonVolatility

SIDES: tuple[Side, ...] = ("buy", "sell")


class Tracker:
    """Takes in the messages of one symbol and returns its signals. A change of precision begins anew."""

    def __init__(self, needs: Needs, strategy: str) -> None:
        self._needs = needs
        self._strategy = strategy
        self._precision: int | None = None
        self._begin()

    def _begin(self) -> None:
        needs = self._needs
        self._book: Book | None = None
        self._mid: float | None = None
        self._trades: deque[tuple[int, Trade]] = deque(maxlen=limits.VIEW_TRADES)
        half_life_s = needs.volatility_half_life_s
        self._volatility = EwmaVolatility(half_life_s) if half_life_s is not None else None
        half_life_s = needs.parkinson_half_life_s
        self._parkinson = ParkinsonVolatility(half_life_s) if half_life_s is not None else None
        horizon_s = needs.forecast_horizon_s
        self._forecast = Forecast(horizon_s) if horizon_s is not None else None
        half_life_s = needs.order_flow_half_life_s
        self._order_flow = OrderFlow(half_life_s) if half_life_s is not None else None
        half_life_s = needs.intensity_half_life_s
        self._intensity = {side: Intensity(half_life_s) for side in SIDES} if half_life_s is not None else {}
        self._fills = OwnFills(self._strategy)
        half_life_s = needs.markout_half_life_s
        self._markouts: dict[tuple[Side, Horizon], Markouts] = {}
        if half_life_s is not None:
            keys: list[tuple[Side, Horizon]] = [(side, horizon) for side in SIDES for horizon in HORIZONS]
            self._markouts = {key: Markouts(*key, half_life_s) for key in keys}

    def on_book(self, book: Book, now: int) -> None:
        """Take in a new book."""
        if book.state is not BookState.LIVE or not book.bids or not book.asks:
            self._book = self._mid = None
            if self._order_flow is not None:
                self._order_flow.clear()
        else:
            if book.price_precision != self._precision:
                self._precision = book.price_precision
                self._begin()
            self._book, self._mid = book, (book.bids[0][0] + book.asks[0][0]) / 2
            if self._order_flow is not None:
                self._order_flow.add(now, book.bids[0], book.asks[0])
        self.on_time(now)

    def on_time(self, now: int) -> None:
        """Take in that the mid still stands at ``now``."""
        for markouts in self._markouts.values():
            markouts.mid(now, self._mid)
        for intensity in self._intensity.values():
            intensity.add(now, 0)
        if self._mid is None:
            return
        if self._volatility is not None:
            self._volatility.add(now, self._mid)
        if self._parkinson is not None:
            self._parkinson.add(now, self._mid)
        if self._forecast is not None:
            self._forecast.add(now, self._mid)

    def on_gap(self, now: int) -> None:
        """Take in that the market cannot be seen at ``now``: markouts that end here are left out."""
        for markouts in self._markouts.values():
            markouts.mid(now, None)
        if self._order_flow is not None:
            self._order_flow.clear()

    def on_trades(self, message: FeedTrades, now: int) -> None:
        """Take in public trades; those of another precision than the book's are left out."""
        if message.price_precision != self._precision:
            return
        if self._needs.trades:
            self._trades.extend((now, trade) for trade in message.trades)
        for side, intensity in self._intensity.items():
            intensity.add(now, sum(trade.side == side for trade in message.trades))

    def on_orders(self, message: Orders, now: int) -> None:
        """Take in own orders, for the markouts of their fills."""
        if not self._markouts or message.price_precision != self._precision:
            return
        for fill in self._fills.take(message):
            for (side, _), markouts in self._markouts.items():
                if side == fill.side:
                    markouts.fill(now, fill.price)

    def trades(self, now: int) -> tuple[Trade, ...]:
        """Return the public trades of the last ``limits.VIEW_TRADES_S``, oldest first."""
        oldest = now - int(limits.VIEW_TRADES_S * SECOND)
        while self._trades and self._trades[0][0] < oldest:
            self._trades.popleft()
        return tuple(trade for _, trade in self._trades)

    def signals(self, now: int) -> Signals:
        """Return every signal as of ``now``."""
        book, needs = self._book, self._needs
        window, intensity = needs.imbalance_window_bps, self._intensity
        markouts = {
            f"{side}_markout_{horizon}s": estimator.result(now) for (side, horizon), estimator in self._markouts.items()
        }
        return Signals(
            volatility=self._volatility.signal() if self._volatility is not None else NO_SIGNAL,
            parkinson=self._parkinson.signal() if self._parkinson is not None else NO_SIGNAL,
            forecast=self._forecast.signal() if self._forecast is not None else NO_SIGNAL,
            imbalance=book_shape.imbalance(book.bids, book.asks, window) if book and window is not None else NO_SIGNAL,
            microprice=book_shape.microprice(book.bids, book.asks) if book and needs.microprice else NO_SIGNAL,
            order_flow=self._order_flow.signal(now) if self._order_flow is not None else NO_SIGNAL,
            buy_intensity=intensity["buy"].signal(now) if intensity else NO_SIGNAL,
            sell_intensity=intensity["sell"].signal(now) if intensity else NO_SIGNAL,
            **markouts,
        )
