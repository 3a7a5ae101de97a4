"""Every recorded target, decided again by the same strategy on what it was decided on.

A target names the book (its stamps), the position (its count of fills) and the event that it was decided on. The
strategy gets that book, that position and all other messages published before the decision, and decides at that time
only, by the signals that the target carries: these remember more than the recording has. After a target that differs it
goes on from the recorded one, so that one difference is counted once.

A count of fills does not always name one position (a balance may be reported after its fill), and a target does not
say which account message it was decided on. Of those published just before the decision, and perhaps not heard by then,
each is tried; that the strategy decides so on one of them is what is proven.
"""

from __future__ import annotations

import copy
from bisect import bisect_right
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import product
from typing import TypeVar

import msgspec

from backtest.errors import DataError
from backtest.reconciliation.bus import Bus, Said, last_before
from shared.clock import MS
from shared.config import Config
from shared.messages import Account, Book, FeedTrades, Message, Orders, Position, Target
from strategy.host import Host
from strategy.signals.values import Signals

INVALID = "invalid"
# Messages so near to a decision may have been heard before it or after it.
NEAR_NS = 100 * MS
# Not of the decision: the header, and which clock it is read from.
HEADER = {"v": 1, "src": "", "boot": 0, "seq": 0, "ts": 0, "clock": ""}
M = TypeVar("M", bound=Message)


class Unseen(StrEnum):
    """Why a target cannot be decided again."""

    FIRST = "first"
    """The first of a strategy that began before the recording: it is the state that the others go on from."""
    BOOK = "book"
    """The book that it was decided on is not in the recording."""
    POSITION = "position"
    """The position that it was decided on is not in the recording."""
    ACCOUNT = "account"
    """The account that it was decided on may have been published before the recording."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A target that was decided otherwise; ``again`` is None where nothing was decided."""

    recorded: Target
    again: Target | None


@dataclass(slots=True)
class Decided:
    """The outcome: targets that came out equal, those that did not, and those that cannot be decided again."""

    equal: int = 0
    different: list[Difference] = field(default_factory=list)
    unseen: dict[Unseen, int] = field(default_factory=lambda: dict.fromkeys(Unseen, 0))


def decide_again(config: Config, strategy: str, bus: Bus) -> Decided:
    """Return how each recorded target of a strategy comes out when it is decided again."""
    mine = sorted((said for said in bus.targets if said.message.strategy == strategy), key=lambda s: s.message.decided)
    if not mine:
        raise DataError(f"the recording has no target of {strategy}")
    deciding: _Deciding | None = None
    outcome = Decided()
    for said in mine:
        if deciding is None or said.message.boot != deciding.boot:
            deciding = _Deciding(config, strategy, bus, said.message.boot)
        deciding.judge(said.message, outcome)
    return outcome


def _name_of(message: Book | Target) -> tuple[object, ...]:
    """Return what names a book, of it or of a target that was decided on it: books of one batch share their stamps."""
    if isinstance(message, Target):
        bid, ask = message.bid, message.ask
    else:
        bid, ask = (side[0][0] if side else None for side in (message.bids, message.asks))
    return message.received, message.booked, message.exchange_ts, bid, ask


class _Deciding:
    """One life of the strategy."""

    def __init__(self, config: Config, strategy: str, bus: Bus, boot: int) -> None:
        self.boot = boot
        self._host = Host(config, strategy)
        self._bus = bus
        assert bus.instruments is not None
        self._host.hear(bus.instruments, 0)
        self._symbols = set(self._host.symbols)
        self._begun: set[str] = set()
        # By symbol: how many books were heard, and how many of the other messages.
        self._books_heard: dict[str, int] = {}
        self._others_heard: dict[str, int] = {}
        self._others = {symbol: self._merged(symbol) for symbol in self._symbols}
        self._by_stamp = {
            symbol: {_name_of(said.message): n for n, said in enumerate(bus.books[symbol])} for symbol in self._symbols
        }

    def _merged(self, symbol: str) -> list[Said[FeedTrades] | Said[Orders]]:
        return sorted([*self._bus.trades[symbol], *self._bus.orders[symbol]], key=lambda said: said.at)

    def judge(self, target: Target, outcome: Decided) -> None:
        """Decide a recorded target again, and note how it came out."""
        symbol = target.symbol
        if symbol not in self._symbols:
            return
        is_first = symbol not in self._begun
        self._begun.add(symbol)
        again, why = self._again(target)
        if is_first and target.seq != 1:
            why = Unseen.FIRST
        if why is not None:
            outcome.unseen[why] += 1
        elif again is not None and _decision(again) == _decision(target):
            outcome.equal += 1
            return
        else:
            outcome.different.append(Difference(target, again))
        self._host.resume(target)

    def _again(self, target: Target) -> tuple[Target | None, Unseen | None]:
        symbol, at = target.symbol, target.decided
        book = self._book(target)
        if book is None:
            return None, Unseen.BOOK
        positions, accounts = self._positions(target), _near(self._bus.accounts, at)
        if not positions:
            return None, Unseen.POSITION
        last = self._hear_market(symbol, book, at)
        self._hear_last(self._bus.feed, at)
        self._hear_last(self._bus.book_status, at)
        self._hear_sources(at)
        details: tuple[Message, ...] = ()
        if target.event in ("trade", "order"):
            kind: type[Message] = FeedTrades if target.event == "trade" else Orders
            details = tuple(said.message for said in last if isinstance(said.message, kind))[-1:]
        before = self._host
        outcomes: list[tuple[Host, Target | None]] = []
        choices = list(product(positions, accounts))
        for position, account in choices:
            host = copy.deepcopy(before) if len(choices) > 1 else before
            made = _decide(host, target, position, account, details)
            outcomes.append((host, made))
            if made is not None and _decision(made) == _decision(target):
                break
        else:
            del outcomes[1:]
            if self._bus.accounts[0].at > at - NEAR_NS:
                return None, Unseen.ACCOUNT
        self._host, made = outcomes[-1]
        return made, None

    def _book(self, target: Target) -> int | None:
        """Return how many of the symbol's books were heard when a target was decided."""
        books = self._bus.books[target.symbol]
        if target.event == INVALID:
            return last_before(books, target.decided) + 1
        place = self._by_stamp[target.symbol].get(_name_of(target))
        return None if place is None else place + 1

    def _positions(self, target: Target) -> list[Position]:
        """Return the positions that a target may have been decided on, the likeliest first."""
        said = self._bus.positions[target.strategy, target.symbol]
        near = _near(said, target.decided)
        if target.event == INVALID:
            return near
        fitting = [position for position in near if position.fills == target.fills]
        if fitting:
            return fitting
        known = said[: last_before(said, target.decided + NEAR_NS) + 1]
        return [each.message for each in known if each.message.fills == target.fills][-1:]

    def _hear_market(self, symbol: str, books: int, at: int) -> list[Said[FeedTrades] | Said[Orders]]:
        """Hear a symbol's books up to a number, and its trades and orders up to a time; return those last heard."""
        others, heard = self._others[symbol], self._others_heard.get(symbol, 0)
        for said in self._bus.books[symbol][self._books_heard.get(symbol, 0) : books]:
            when = min(max(said.message.booked, said.at), at)
            heard = self._hear_others(others, heard, when)
            self._host.hear(said.message, when)
        self._books_heard[symbol] = max(books, self._books_heard.get(symbol, 0))
        self._others_heard[symbol] = heard = self._hear_others(others, heard, at)
        return others[max(0, heard - 20) : heard]

    def _hear_others(self, others: list[Said[FeedTrades] | Said[Orders]], heard: int, until: int) -> int:
        end = bisect_right(others, until, lo=heard, key=lambda said: said.at)
        for said in others[heard:end]:
            self._host.hear(said.message, said.at)
        return end

    def _hear_last(self, messages: list[Said[M]], at: int) -> None:
        place = last_before(messages, at)
        if place >= 0:
            self._host.hear(messages[place].message, messages[place].at)

    def _hear_sources(self, at: int) -> None:
        """Hear the newest books of pairs that the strategy does not trade: prices may be taken from them."""
        for other, books in self._bus.books.items():
            if other not in self._symbols:
                self._hear_last(books, at)


def _decide(
    host: Host, target: Target, position: Position, account: Account, details: tuple[Message, ...]
) -> Target | None:
    at = target.decided
    host.hear(account, at)
    host.hear(position, at)
    host.take()
    event = "on_time" if target.event == INVALID else f"on_{target.event}"
    signals = Signals.of_values(target.signals) if target.signals else None
    host.decide(target.symbol, at, event, *details, signals=signals)
    made = [message for _, message in host.take().messages if isinstance(message, Target)]
    return made[0] if made else None


def _near(messages: list[Said[M]], at: int) -> list[M]:
    """Return the messages of which the last heard at a time may be any, the last published first."""
    place = last_before(messages, at)
    near = []
    while place >= 0:
        near.append(messages[place].message)
        if messages[place].at < at - NEAR_NS:
            break
        place -= 1
    return near


def _decision(target: Target) -> Target:
    """Return what was decided, without the header; of a withdrawal by an invalid view only that it is one."""
    if target.event == INVALID:
        return msgspec.structs.replace(
            target, **HEADER, received=0, booked=0, exchange_ts=0, bid=None, ask=None, why=""
        )
    return msgspec.structs.replace(target, **HEADER)
