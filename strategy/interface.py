"""The interface of a strategy: a pure class, events in, a target or nothing out.

A strategy does no I/O, reads no clock and draws no random numbers: the same events give the same targets, live, on a
recording and in a test. One instance serves one symbol. A returned target replaces the last one; None keeps that, and
:meth:`View.withdraw` asks for no quotes at all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import ClassVar

import msgspec

from shared.messages import Book, FeedTrades, Fees, Orders, Pair, Position, Quote, Side, Target, Trade
from shared.numbers import unscale
from strategy.signals.values import NO_SIGNALS, NOTHING, Needs, Signals

HEADROOM = Decimal("0.999")


class Trigger(Enum):
    """The book messages on which a strategy decides anew."""

    TOUCH = "touch"
    """The price of the best bid or ask changed since the last decision, or the view was not valid then."""
    BOOK = "book"
    """Every one."""


@dataclass(frozen=True, slots=True)
class View:
    """The view on which a strategy decides: all of it valid, the book live.

    ``now`` is in ns of CLOCK_BOOTTIME. Money is in the trading currency: ``max_position``, ``min_order``,
    ``max_order``, and ``other_buys`` and ``other_sells``, the worth of this strategy's quotes on its other pairs that
    move the same base. ``rate`` is the worth of one unit of the pair's quote asset, ``base_value`` the least worth
    that the risk gate gives one unit of the base.

    ``signals`` and ``trades`` (public ones of the last minute, oldest first) are as of ``now``; they hold only what the
    strategy's :attr:`Strategy.needs` name. ``source`` is the live book of the pair that they name, None without one.
    """

    now: int
    pair: Pair
    book: Book
    position: Position
    fees: Fees
    max_position: Decimal
    min_order: Decimal
    max_order: Decimal = Decimal(250)
    rate: Decimal = Decimal(1)
    base_value: Decimal = Decimal(0)
    other_buys: Decimal = Decimal(0)
    other_sells: Decimal = Decimal(0)
    signals: Signals = NO_SIGNALS
    trades: tuple[Trade, ...] = ()
    source: Book | None = None

    def worth(self, price: Decimal) -> Decimal:
        """Return the worth of one unit of the base in the risk gate, at the worse of ``price`` and the mid."""
        bids, asks = self.book.bids, self.book.asks
        mid = unscale(bids[0][0] + asks[0][0], self.pair.price_precision) / 2 if bids and asks else price
        return max(price, mid) * self.rate

    def position_worth(self) -> Decimal:
        """Return the account's position in the base, over all pairs, in the trading currency."""
        base = unscale(self.position.account_position, self.pair.qty_precision)
        return base * max(self.worth(Decimal(0)), self.base_value)

    def room(self, side: Side, limit: Decimal) -> Decimal:
        """Return the worth that a side may still quote before the position could pass ``limit``, over all pairs.

        A little headroom is left, as the market may move before the risk gate sees the target.
        """
        position, others = self.position_worth(), self.other_buys if side == "buy" else self.other_sells
        return limit * HEADROOM - (position if side == "buy" else -position) - others

    def target(self, quotes: list[Quote], why: str = "") -> Target:
        """Return a target with all wanted quotes; the host fills in the strategy's name and how long it holds."""
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
        """Return a target without quotes."""
        return self.target([], why)


class SettingError(ValueError):
    """A setting that cannot work; ``key`` is its name, ``text`` what is wrong with it."""

    def __init__(self, key: str, text: str) -> None:
        super().__init__(f"{key} {text}")
        self.key = key


class Strategy(ABC):
    """Base of all strategies; ``Settings`` is the type of the configuration's ``settings`` section.

    The settings type should forbid unknown fields, and raise :class:`SettingError` (or ValueError) in
    ``__post_init__`` for settings that cannot work. A start and ``doctor`` then report file, line and key.
    """

    Settings: ClassVar[type[msgspec.Struct]]
    # A strategy that reads nothing of the book but the touch's prices saves its decisions on other messages by TOUCH.
    trigger: Trigger = Trigger.BOOK
    # The signals that the host keeps for it; ``__init__`` may set it by the settings.
    needs: Needs = NOTHING

    @property
    def heeds(self) -> Trigger:
        """The book messages that matter: to a decision, or to a signal."""
        return Trigger.BOOK if self.needs.every_book else self.trigger

    @abstractmethod
    def __init__(self, settings: msgspec.Struct) -> None:
        """Begin on one symbol."""

    @abstractmethod
    def on_book(self, view: View) -> Target | None:
        """Decide: the book changed by the :attr:`trigger` (it is in ``view``)."""

    def on_trade(self, view: View, trades: FeedTrades) -> Target | None:
        """Decide: others traded. Called only where a strategy has its own."""
        return None

    def on_position(self, view: View) -> Target | None:
        """Decide: a fill changed the position, or it became known."""
        return self.on_book(view)

    def on_order(self, view: View, orders: Orders) -> Target | None:
        """Decide: own orders changed."""
        return None

    def on_time(self, view: View) -> Target | None:
        """Decide: a second passed since the last target; the host repeats the old one when this returns None."""
        return self.on_book(view)

    def resume(self, target: Target) -> None:  # noqa: B027 - nothing to do where no price is kept
        """Take up the prices that a published target holds, as if this instance had decided it."""
