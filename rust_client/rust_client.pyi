"""Kraken order books from raw frames, a matching engine, and a recorded market to queue in; each has a Python twin."""

from typing import Literal, Protocol

WIRE: int
"""As a precision: whatever the wire prints."""
__version__: str

class FrameError(ValueError):
    """Bytes that are no sound book frame of this pair; the book is not in sync afterwards."""

class WrongSymbolError(ValueError):
    """A sound book frame that holds only other symbols; the book is untouched."""

class EngineError(ValueError):
    """An order or a call that the engine cannot take; nothing has changed."""

class OrderBook:
    """One pair's order book.

    Prices are ticks of ``10 ** -price_precision``, quantities lots of ``10 ** -qty_precision``; WIRE (-1) takes
    either precision from the snapshot's text. ``depth`` is the subscription's, 1 to 1000. ValueError otherwise.
    """

    def __init__(self, symbol: str, depth: int, price_precision: int, qty_precision: int) -> None: ...
    def apply_frame(self, frame: bytes) -> bool:
        """Take one v1 or v2 book frame, old and new pair names alike; True if the book is in sync after it.

        False when the checksum fails, and for updates from then on, or from the start, until a snapshot. Raises
        FrameError or WrongSymbolError; a frame is taken whole or not at all.
        """
    def bids(self, n: int) -> list[tuple[int, int]]:
        """Return up to ``n`` levels as (ticks, lots), best first."""
    def asks(self, n: int) -> list[tuple[int, int]]:
        """Return up to ``n`` levels as (ticks, lots), best first."""
    def checksum(self) -> int:
        """Return Kraken's CRC-32 of the book as it is now."""
    def clear(self) -> None:
        """Forget every level; the counts of checksums stay."""
    def encode(self, n: int, state: str, src: str, boot: int, seq: int, ts: int, received: int, booked: int) -> bytes:
        """Return the bus message ``shared.messages.Book`` as msgpack, with levels only in the state ``live``.

        Raises ValueError for an unknown state, and for ``live`` when the book is crossed or not in sync.
        """
    @property
    def symbol(self) -> str: ...
    @property
    def depth(self) -> int: ...
    @property
    def price_precision(self) -> int:
        """Return the decimals of a tick."""
    @property
    def qty_precision(self) -> int:
        """Return the decimals of a lot."""
    @property
    def synced(self) -> bool:
        """True if a snapshot has come and nothing has failed since."""
    @property
    def crossed(self) -> bool:
        """True if the best bid is not below the best ask."""
    @property
    def checksums_ok(self) -> int: ...
    @property
    def checksums_failed(self) -> int: ...
    @property
    def exchange_ts(self) -> int:
        """Return the last frame's own time in ns since the epoch, 0 where it has none."""
    @property
    def last_was_snapshot(self) -> bool:
        """True if the last frame held a snapshot, whose time is that of the last change and not of its sending."""

def get_bid(book: OrderBook) -> tuple[int, int] | None:
    """Return the best bid as (ticks, lots), None where the side is empty."""

def get_ask(book: OrderBook) -> tuple[int, int] | None:
    """Return the best ask as (ticks, lots), None where the side is empty."""

class FeedBatch:
    """Raw frames of Kraken to finished bus messages ``feed.book.<symbol>``.

    ``seqs`` is the publisher's: the last number of each topic, which is counted up here.
    """

    def __init__(self, src: str, boot: int, seqs: dict[str, int]) -> None: ...
    def want(self, symbol: str) -> None:
        """Take frames of a symbol from now on."""
    def take(
        self, frames: list[bytes], start: int, connection: int, received: int, ts: int
    ) -> list[tuple[bytes, bytes]]:
        """Return topic and message of each frame from a place on, up to the first that is no plain book frame.

        Plain is a v2 frame of a wanted symbol in the very form in which Kraken sends it.
        """

class _Source(Protocol):
    @property
    def src(self) -> str: ...
    @property
    def boot(self) -> int: ...
    @property
    def connection(self) -> int: ...

class BookBatch:
    """Bus messages ``feed.book.<symbol>`` to books, and to finished bus messages ``book.<symbol>``.

    ``seqs`` is the publisher's: the last number of each topic, which is counted up here; ``published`` is the levels a
    side in a message.
    """

    def __init__(self, src: str, boot: int, seqs: dict[str, int], published: int) -> None: ...
    def arm(self, symbol: str, book: OrderBook) -> None:
        """Take frames of a symbol into its book, which is live."""
    def disarm(self, symbol: str) -> None:
        """Take no frame of a symbol any more."""
    def take(
        self,
        messages: list[list[bytes]],
        start: int,
        source: _Source,
        seen: dict[str, int],
        now: int,
        ts: int,
        oldest: int,
    ) -> tuple[list[tuple[bytes, bytes]], dict[str, int], int]:
        """Take messages, topic and payload, from a place on, up to the first that is out of the ordinary.

        Ordinary is the next message by ``seen`` (the last number of each topic, which is counted up here) from the
        source, of an armed book, with an update in Kraken's own form that is no older than ``oldest`` by its own time
        (ns since the epoch) and leaves the book in sync and not crossed. Return topic and message of each book as
        its last frame leaves it, when that was received by symbol, and how many messages were taken.
        """

_Side = Literal["buy", "sell"]

class MatchingEngine:
    """Price-time priority for one pair, in ticks and lots; ``simulator/exchange/engine.py`` is the naive reference."""

    def __init__(self) -> None: ...
    def submit(
        self,
        order_id: int,
        owner: int,
        side: str,
        price: int | None,
        qty: int,
        tif: str = "gtc",
        post_only: bool = False,
        stp: str = "cancel_newest",
    ) -> list[tuple[str | int, ...]]:
        """Take a new order; return what became of it, in order. Raises EngineError."""
    def amend(
        self, order_id: int, price: int | None, qty: int | None, post_only: bool = False
    ) -> list[tuple[str | int, ...]]:
        """Change a resting order's price, or its total quantity, or both. Raises EngineError."""
    def cancel(self, order_id: int) -> list[tuple[str | int, ...]]:
        """Take an order out; return nothing if it does not rest here."""
    def levels(self, side: str, n: int) -> list[tuple[int, int]]: ...
    def best(self, side: str) -> tuple[int, int] | None: ...
    def queue(self, side: str, price: int) -> list[int]: ...
    def order(self, order_id: int) -> tuple[int, _Side, int, int, int] | None:
        """Return (owner, side, price, remaining, filled), or None."""
    def count(self) -> int: ...
    def changes(self) -> list[tuple[_Side, int, int]]:
        """Return the levels touched since the last call, in the order of first touch; a total of 0 is a level gone."""

class FrameReader:
    """One pair's book frames as rows of columns; ``backtest/data/frames.py`` is the Python twin."""

    def __init__(self, symbol: str, price_precision: int, qty_precision: int) -> None: ...
    @property
    def depth(self) -> int:
        """Return the most levels a side that a snapshot's subscription followed, 0 before the first."""
    @property
    def checksums_ok(self) -> int: ...
    @property
    def checksums_failed(self) -> int: ...
    @property
    def synced(self) -> bool: ...
    def expect_depth(self, depth: int) -> None:
        """Take the depth of the subscription; 0: each snapshot's size says it."""
    def feed(self, frame: bytes, heard_ts: int) -> bool:
        """Take one book frame, heard at a time (0: unknown); True if the book is in sync after it.

        A failed checksum leaves a mark, and so does a frame that raises FrameError. Raises WrongSymbolError too.
        """
    def change(self, exchange_ts: int, heard_ts: int, snapshot: bool, levels: list[tuple[int, int, int]]) -> bool:
        """Take a message of levels as (side, ticks, lots)."""
    def follow(self, kinds: bytes, sides: bytes, ticks: bytes, lots: bytes, flags: bytes) -> None:
        """Bring the book to where it is after rows, given as the bytes of their columns; no row is made of them."""
    def edges(self) -> tuple[int, int, int, int] | None:
        """Return the best bid and ask and the last bid and ask that the book holds, in ticks; None without a side."""
    def mark(self, why: int, heard_ts: int) -> None:
        """Leave a mark, where the book is in sync, and forget the book."""
    def state(self, exchange_ts: int, heard_ts: int) -> None:
        """State the book as it is now, as a snapshot at a time."""
    def take(self) -> list[bytes]:
        """Return the rows so far as the bytes of each column, little-endian, and begin anew."""

class OrderReader:
    """One pair's frames of single orders (level 3) as rows; ``backtest/data/order_rows.py`` has the Python twin."""

    def __init__(self, symbol: str, price_precision: int, qty_precision: int) -> None: ...
    @property
    def depth(self) -> int:
        """Return the most levels a side that a snapshot's subscription followed, 0 before the first."""
    @property
    def synced(self) -> bool: ...
    @property
    def checksums(self) -> tuple[int, int]:
        """Return how many checksums matched, and how many failed."""
    def feed(self, frame: bytes, heard_ts: int) -> bool:
        """Take a frame heard at a time (0: unknown); False, and nothing taken, if it is not of the ordinary form.

        A failed checksum leaves a mark.
        """
    def take_message(
        self,
        snapshot: bool,
        changes: list[tuple[int, bool, str, int, int, int]],
        checksum: int,
        exchange_ts: int,
        heard_ts: int,
    ) -> None:
        """Take a message whose changes are (event, whether a bid, id, ticks, lots, order_ts); times 0: unknown."""
    def mark(self, why: int, heard_ts: int) -> None:
        """Leave a mark, where the book is in sync, and forget the book."""
    def take(self) -> list[bytes]:
        """Return the rows so far as the bytes of each column, little-endian, and begin anew.

        Ids are two: where each begins and the last ends (i32), and their text.
        """

class _Buffer(Protocol):
    def __buffer__(self, flags: int, /) -> memoryview: ...

class QueueMarket:
    """Recorded books with own orders in their queues; ``backtest/venue/queue_market.py`` is the naive reference.

    ``model`` is front, pro_rata, power, log or back; ``power`` is that of the model power. Raises EngineError.
    """

    def __init__(self, symbols: int, model: str = "pro_rata", power: float = 2.0) -> None: ...
    def load(
        self,
        exchange_ts: _Buffer,
        heard_ts: _Buffer,
        symbol: _Buffer,
        kind: _Buffer,
        side: _Buffer,
        ticks: _Buffer,
        lots: _Buffer,
        flags: _Buffer,
        orders: _Buffer | None = None,
    ) -> None:
        """Append whole messages: buffers of i64, i64, u16, u8, u8, i64, i64, u8, and of u32. Raises EngineError."""
    def again(self, model: str = "pro_rata", power: float = 2.0) -> QueueMarket:
        """Return a new market of the same rows and depths, which shares their memory. Raises EngineError."""
    def set_depth(self, symbol: int, depth: int, order_depth: int = 0) -> None:
        """Set the levels a side that the record follows, by price and by single orders; 0 is all of them."""
    def advance(self, until_ns: int, stop: int) -> tuple[int, int, int, int]:
        """Play messages up to a time, or to the first that did something of ``stop`` or filled an own order.

        Return (what it did of that, symbol, first row, end row).
        """
    def next_ts(self) -> int | None: ...
    def now(self) -> int: ...
    def row(self, index: int) -> tuple[int, int, int, int, int, int, int, int, int]:
        """Return a row that is still held. Raises EngineError."""
    def take_events(self, symbol: int) -> list[tuple[str | int, ...]]:
        """Return the trades of resting own orders with the record since the last call."""
    def fills_ahead(self, symbol: int) -> list[int | None]:
        """Return what was still ahead of the order of each event that ``take_events`` has next; None: not known."""
    def submit(
        self,
        symbol: int,
        order_id: int,
        owner: int,
        side: str,
        price: int | None,
        qty: int,
        tif: str = "gtc",
        post_only: bool = False,
        stp: str = "cancel_newest",
    ) -> list[tuple[str | int, ...]]:
        """Take a new order; return what became of it, in order. Raises EngineError."""
    def amend(
        self, symbol: int, order_id: int, price: int | None, qty: int | None, post_only: bool = False
    ) -> list[tuple[str | int, ...]]:
        """Change a resting order; less quantity keeps the place. Raises EngineError."""
    def cancel(self, symbol: int, order_id: int) -> list[tuple[str | int, ...]]: ...
    def order(self, symbol: int, order_id: int) -> tuple[int, _Side, int, int, int] | None:
        """Return (owner, side, price, remaining, filled), or None."""
    def place(self, symbol: int, order_id: int) -> tuple[int, bool] | None:
        """Return (recorded quantity ahead, whether that is known), or None."""
    def count(self, symbol: int) -> int: ...
    def levels(self, symbol: int, side: str, n: int) -> list[tuple[int, int]]: ...
    def best(self, symbol: int, side: str) -> tuple[int, int] | None: ...
    def queue(self, symbol: int, side: str, price: int) -> list[int]: ...
    def is_live(self, symbol: int) -> bool: ...
    def stats(self, symbol: int) -> dict[str, int]: ...
    def screen(
        self, rule: object, every_ns: int | None, delays_ns: tuple[int, int, int, int], end_ts: int
    ) -> dict[str, object]:
        """Play a market of one symbol by a rule until ``end_ts``, deciding every so often or (None) at each touch.

        ``rule`` has the fields of ``backtest.screen.built_in``'s FixedRule or MakerRule; the delays are one way, and a
        submit's, an amend's and a cancel's time inside the exchange. Raises EngineError.
        """
