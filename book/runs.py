"""Runs of book frames off the bus: Rust takes what is ordinary, and decides nothing that is not.

A book is armed while it is live and nothing speaks against it. Rust stops at the first message that is not the next of
an armed book and of the current connection, or that would not leave the book so; that one takes the common way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from book.interface import BookBatch, OrderBook
from book.tracked import TrackedBook
from shared.bus import Received, Tracker


@dataclass(frozen=True, slots=True)
class Source:
    """The collector whose frames are taken: its name and boot on the bus, and its connection to Kraken."""

    src: str
    boot: int
    connection: int


@dataclass(frozen=True, slots=True)
class Taken:
    """The beginning of a run: so many frames, each book's message after its last, and when that was received.

    Frames that wait together are verified one by one, and a book is told once: whoever reads books keeps the newest.
    """

    frames: int
    finished: list[tuple[bytes, bytes]]
    received: dict[str, int]


class Runs:
    """Hands runs to a batch, and keeps it to the books that are armed; ``decode`` admits a message and decodes it."""

    def __init__(self, batch: BookBatch, tracker: Tracker, decode: Callable[[list[bytes]], Received | None]) -> None:
        self.decode = decode
        self._batch, self._tracker = batch, tracker
        self._armed: dict[str, OrderBook] = {}

    def arm(self, book: TrackedBook, *, is_ordinary: bool) -> None:
        """Arm a book, or disarm it."""
        if not is_ordinary:
            if self._armed.pop(book.symbol, None) is not None:
                self._batch.disarm(book.symbol)
        elif self._armed.get(book.symbol) is not book.book:
            self._armed[book.symbol] = book.book
            self._batch.arm(book.symbol, book.book)

    def take(
        self, parts: list[list[bytes]], start: int, source: Source, now: int, wall: int, oldest: int
    ) -> Taken | None:
        """Take messages from a place on; None if the first is out of the ordinary."""
        seen = self._tracker.seqs(source.src, source.boot)
        if seen is None or not self._armed or min(source.boot, source.connection) < 0:
            return None
        finished, received, frames = self._batch.take(parts, start, source, seen, now, wall, oldest)
        self._tracker.counters.messages += frames
        return Taken(frames, finished, received) if frames else None
