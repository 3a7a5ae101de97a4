"""The price that quotes are placed around: one of a book's prices, the last public trade, or the last own fill."""

from __future__ import annotations

from enum import StrEnum

from shared.messages import Book, Orders
from strategy.interface import View
from strategy.models.levels import NoQuotes
from strategy.signals.book_shape import microprice
from strategy.signals.own_fills import OwnFills


class PriceType(StrEnum):
    """The kinds of reference price."""

    MID = "mid"
    BEST_BID = "best_bid"
    BEST_ASK = "best_ask"
    MICROPRICE = "microprice"
    LAST_TRADE = "last_trade"
    LAST_OWN_FILL = "last_own_fill"


OF_TRADES = frozenset({PriceType.LAST_TRADE, PriceType.LAST_OWN_FILL})


class Reference:
    """Returns the reference price in ticks of the quoted pair; ``source`` names another pair to take it from."""

    def __init__(self, kind: PriceType, source: str | None) -> None:
        self._kind = kind
        self._source = source
        self._last_trade: float | None = None
        self._last_own: float | None = None
        self._fills: OwnFills | None = None

    def on_order(self, orders: Orders, strategy: str) -> None:
        """Take in own orders, for the price of the last fill."""
        if self._fills is None:
            self._fills = OwnFills(strategy)
        for fill in self._fills.take(orders):
            self._last_own = float(fill.price)

    def price(self, view: View, mid: float) -> float | NoQuotes:
        """Return the price, or why there is none. Before the first own fill its kind stands for the mid."""
        if view.trades:
            self._last_trade = float(view.trades[-1].price)
        if self._kind is PriceType.LAST_TRADE:
            return self._last_trade if self._last_trade is not None else NoQuotes("no public trade was seen yet")
        if self._kind is PriceType.LAST_OWN_FILL:
            return self._last_own if self._last_own is not None else mid
        if self._source is None:
            return self._of_book(view.book)
        book = view.source
        if book is None or not book.bids or not book.asks:
            return NoQuotes(f"{self._source} has no live book")
        return self._of_book(book) * 10.0 ** (view.pair.price_precision - book.price_precision)

    def _of_book(self, book: Book) -> float:
        bid, ask = book.bids[0][0], book.asks[0][0]
        if self._kind is PriceType.BEST_BID:
            return float(bid)
        if self._kind is PriceType.BEST_ASK:
            return float(ask)
        if self._kind is PriceType.MICROPRICE:
            return microprice(book.bids, book.asks).value
        return (bid + ask) / 2
