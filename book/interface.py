"""The order book as the rest of the process sees it; the Rust book and its Python twin implement it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class OrderBook(Protocol):
    """One pair's book; prices are ticks, quantities lots. See :class:`book.orderbook.OrderBook`."""

    @property
    def price_precision(self) -> int:
        """Return the decimals of a tick."""
        ...

    @property
    def qty_precision(self) -> int:
        """Return the decimals of a lot."""
        ...

    @property
    def synced(self) -> bool:
        """True from a snapshot on, until something fails."""
        ...

    @property
    def crossed(self) -> bool:
        """True while the best bid is not below the best ask."""
        ...

    @property
    def checksums_ok(self) -> int:
        """Return how many checksums matched."""
        ...

    @property
    def checksums_failed(self) -> int:
        """Return how many checksums failed."""
        ...

    @property
    def exchange_ts(self) -> int:
        """Return the last frame's own time in ns since the epoch, 0 if it has none."""
        ...

    @property
    def last_was_snapshot(self) -> bool:
        """True if the last frame had a snapshot; its time is that of the last change, not of its sending."""
        ...

    def apply_frame(self, frame: bytes) -> bool:
        """Take one book frame, whole or not at all; return True if the book is in sync after it.

        Raises the implementation's FrameError or WrongSymbolError, both ValueErrors.
        """
        ...

    def bids(self, n: int) -> list[tuple[int, int]]:
        """Return up to ``n`` levels as (ticks, lots), best first."""
        ...

    def asks(self, n: int) -> list[tuple[int, int]]:
        """Return up to ``n`` levels as (ticks, lots), best first."""
        ...

    def checksum(self) -> int:
        """Return Kraken's CRC-32 of the book as it is now."""
        ...

    def clear(self) -> None:
        """Forget every level; the counts of checksums stay."""
        ...

    def encode(self, n: int, state: str, src: str, boot: int, seq: int, ts: int, received: int, booked: int) -> bytes:
        """Return the bus message ``shared.messages.Book`` as msgpack; ValueError for a live book that is not sound."""
        ...


class Source(Protocol):
    """The collector's boot and its connection to Kraken, by whose messages books are kept."""

    @property
    def src(self) -> str:
        """Return the collector's name on the bus."""
        ...

    @property
    def boot(self) -> int:
        """Return its boot."""
        ...

    @property
    def connection(self) -> int:
        """Return the number of its connection."""
        ...


class BookBatch(Protocol):
    """Bus messages to books and to finished bus messages, in one call. See ``rust_client.pyi``."""

    def arm(self, symbol: str, book: OrderBook, /) -> None:
        """Take frames of a symbol into its book, which is live."""
        ...

    def disarm(self, symbol: str, /) -> None:
        """Take no frame of a symbol any more."""
        ...

    def take(
        self,
        messages: list[list[bytes]],
        start: int,
        source: Source,
        seen: dict[str, int],
        now: int,
        ts: int,
        oldest: int,
        /,
    ) -> tuple[list[tuple[bytes, bytes]], dict[str, int], int]:
        """Take messages from a place on, up to the first that is out of the ordinary.

        Return topic and message of each book as its last frame leaves it, when that was received by symbol, and how
        many messages were taken.
        """
        ...


class Implementation(Protocol):
    """A module that makes books. :mod:`book.implementation` chooses one; tests and benchmarks name theirs."""

    @property
    def WIRE(self) -> int:
        """Return the precision that stands for as many decimals as the wire prints."""
        ...

    @property
    def OrderBook(self) -> Callable[[str, int, int, int], OrderBook]:
        """Return the class of books, made from a pair, a depth and the precisions of price and quantity."""
        ...

    @property
    def FrameError(self) -> type[ValueError]:
        """Return the error for bytes that are no sound book frame of the pair."""
        ...

    @property
    def WrongSymbolError(self) -> type[ValueError]:
        """Return the error for a sound frame of other pairs."""
        ...
