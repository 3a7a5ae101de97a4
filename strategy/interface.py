"""What a strategy is: a pure class, events in, a target or nothing out.

A strategy does no I/O, reads no clock and draws no random numbers: the same events give the same targets, live, on a
recording and in a test. One instance serves one symbol. Whatever a method returns replaces the target before it;
None leaves that as it is, :meth:`View.withdraw` asks for no quotes at all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

import msgspec

from shared.messages import Book, FeedTrades, Fees, Orders, Pair, Position, Quote, Target


@dataclass(frozen=True, slots=True)
class View:
    """What a strategy knows when it decides: all of it valid, the book live.

    ``now`` is in ns of CLOCK_BOOTTIME; ``max_position`` and ``min_order`` are in quote currency.
    """

    now: int
    pair: Pair
    book: Book
    position: Position
    fees: Fees
    max_position: Decimal
    min_order: Decimal

    def target(self, quotes: list[Quote], why: str = "") -> Target:
        """The whole set of quotes wanted; the host fills in whose it is and how long it holds."""
        book = self.book
        return Target(
            strategy="",
            symbol=self.pair.symbol,
            price_precision=self.pair.price_precision,
            qty_precision=self.pair.qty_precision,
            quotes=quotes,
            decided=self.now,
            ttl_ms=0,
            fills=self.position.fills,
            received=book.received,
            booked=book.booked,
            exchange_ts=book.exchange_ts,
            bid=book.bids[0][0] if book.bids else None,
            ask=book.asks[0][0] if book.asks else None,
            why=why,
        )

    def withdraw(self, why: str) -> Target:
        """A target without quotes."""
        return self.target([], why)


class Strategy(ABC):
    """Base of all strategies; ``Settings`` is the type of the configuration's ``settings`` section.

    The settings type should forbid unknown fields, and raise ValueError in ``__post_init__`` for what cannot work:
    both are told with the key's name at start.
    """

    Settings: ClassVar[type[msgspec.Struct]]

    @abstractmethod
    def __init__(self, settings: msgspec.Struct) -> None:
        """Called once for each symbol."""

    @abstractmethod
    def on_book(self, view: View) -> Target | None:
        """The book changed (it is in ``view``)."""

    def on_trade(self, view: View, trades: FeedTrades) -> Target | None:
        """Others traded."""
        return None

    def on_position(self, view: View) -> Target | None:
        """A fill changed the position, or it became known."""
        return self.on_book(view)

    def on_order(self, view: View, orders: Orders) -> Target | None:
        """Own orders changed."""
        return None

    def on_time(self, view: View) -> Target | None:
        """A second passed since the last target; the host says the old one again when this returns None."""
        return self.on_book(view)
