"""A recording of the whole bus, read once: each message once, in the order published, by kind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from backtest.errors import DataError
from collector.errors import UnreadableRecording
from collector.recording.files import Recording, Row, find
from shared.bus import topics
from shared.messages import (
    Account,
    Book,
    BookStatus,
    Control,
    FeedStatus,
    FeedTrades,
    Fill,
    Instruments,
    Message,
    Orders,
    Position,
    Target,
)

M = TypeVar("M", bound=Message)
KINDS = (Account, Book, BookStatus, Control, FeedStatus, FeedTrades, Fill, Instruments, Orders, Position, Target)
_header = msgspec.msgpack.Decoder(Message)


@dataclass(frozen=True, slots=True)
class Said(Generic[M]):
    """A message, and when it was published: ns of the machine's CLOCK_BOOTTIME."""

    at: int
    message: M


@dataclass(slots=True)
class Bus:
    """The messages of a recording. ``boot_to_wall`` added to CLOCK_BOOTTIME gives ns since the epoch.

    Lists are in the order published; books, trades and orders by symbol, positions by strategy and symbol.
    """

    boot_to_wall: int = 0
    instruments: Instruments | None = None
    books: dict[str, list[Said[Book]]] = field(default_factory=lambda: defaultdict(list))
    trades: dict[str, list[Said[FeedTrades]]] = field(default_factory=lambda: defaultdict(list))
    orders: dict[str, list[Said[Orders]]] = field(default_factory=lambda: defaultdict(list))
    positions: dict[tuple[str, str], list[Said[Position]]] = field(default_factory=lambda: defaultdict(list))
    targets: list[Said[Target]] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    accounts: list[Said[Account]] = field(default_factory=list)
    controls: list[Said[Control]] = field(default_factory=list)
    feed: list[Said[FeedStatus]] = field(default_factory=list)
    book_status: list[Said[BookStatus]] = field(default_factory=list)
    # Messages that could not be read.
    unreadable: int = 0

    def take(self, at: int, message: Message) -> None:
        """Keep a message."""
        if isinstance(message, Book):
            self.books[message.symbol].append(Said(at, message))
        elif isinstance(message, FeedTrades):
            self.trades[message.symbol].append(Said(at, message))
        elif isinstance(message, Orders):
            self.orders[message.symbol].append(Said(at, message))
        elif isinstance(message, Position):
            self.positions[message.strategy, message.symbol].append(Said(at, message))
        elif isinstance(message, Target):
            self.targets.append(Said(at, message))
        elif isinstance(message, Fill):
            self.fills.append(message)
        elif isinstance(message, Account):
            self.accounts.append(Said(at, message))
        elif isinstance(message, Control):
            self.controls.append(Said(at, message))
        elif isinstance(message, FeedStatus):
            self.feed.append(Said(at, message))
        elif isinstance(message, BookStatus):
            self.book_status.append(Said(at, message))
        elif isinstance(message, Instruments) and message.pairs:
            self.instruments = self.instruments or message


def read(paths: Iterable[str]) -> Bus:
    """Return the messages of recorded files or folders. Raises DataError."""
    try:
        recording = Recording(find(Path(path) for path in paths))
    except UnreadableRecording as error:
        raise DataError(str(error)) from error
    return gather(recording.rows())


def gather(rows: Iterable[Row]) -> Bus:
    """Return the messages of recorded rows. Raises DataError if there is none of any target or account."""
    bus = Bus()
    newest: dict[str, tuple[int, int]] = {}
    decoders = {kind.name: msgspec.msgpack.Decoder(kind.message) for kind in topics.KINDS if kind.message in KINDS}
    for row in rows:
        kind = topics.kind_of(row.topic)
        decoder = decoders.get(kind.name) if kind is not None else None
        if decoder is None:
            continue
        try:
            header = _header.decode(row.payload)
            if (header.boot, header.seq) <= newest.get(row.topic, (0, 0)):
                continue
            message = decoder.decode(row.payload)
        except (msgspec.DecodeError, UnicodeDecodeError):
            bus.unreadable += 1
            continue
        newest[row.topic] = header.boot, header.seq
        offset = row.wall - row.heard
        bus.boot_to_wall = bus.boot_to_wall or offset
        bus.take(header.ts - offset, message)
    if not (bus.targets and bus.accounts and bus.instruments and bus.feed):
        raise DataError(
            "the recording lacks targets, account, instruments or the feed's status: record everything "
            "('tradebyte record' without a topic) while the system runs"
        )
    return bus


def last_before(messages: list[Said[M]], at: int) -> int:
    """Return the place of the last message published at or before ``at``; -1 without one."""
    low, high = 0, len(messages)
    while low < high:
        middle = (low + high) // 2
        if messages[middle].at <= at:
            low = middle + 1
        else:
            high = middle
    return low - 1
