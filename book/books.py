"""The books of a feed: which of them are live, and why the others are not.

A book is live if its own frames are good (:mod:`book.tracked`) and the path from Kraken is alive: ``feed.status`` is
heard, bytes come from Kraken, and updates are not late. Bad input is counted and logged, and never raises.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from book import implementation
from book.facts import replayed_depth
from book.interface import Implementation
from book.lateness import LATE_NS, Lateness
from book.runs import Runs, Source
from book.tracked import TrackedBook
from shared import limits
from shared.clock import MS, SECOND
from shared.messages import (
    BookState,
    BookStatus,
    FeedFrame,
    FeedStatus,
    FeedTrades,
    Instruments,
    Message,
    Resync,
)
from shared.process import effects

PATH_DEAD_NS = int(limits.PATH_DEAD_S * SECOND)
SILENT_NS = int(limits.WS_SILENT_S * SECOND)
TROUBLES_SHOWN = 5
STATUS_NS = limits.PATH_NEWS_MS * MS


@dataclass(slots=True)
class Effects(effects.Effects):
    """The effects of a message or a turn.

    ``books`` are the symbols to publish, by :meth:`Books.encode`; ``finished`` are topics and messages of books as they
    are on the wire.
    """

    books: dict[str, None] = field(default_factory=dict)
    finished: list[tuple[bytes, bytes]] = field(default_factory=list)


class Books:
    """All books of one feed; in a replay every symbol of the recording has one.

    ``depth`` is the subscription's, ``published`` the levels a side that go on the bus (None: all of them).
    ``now`` is ns of CLOCK_BOOTTIME, ``wall`` ns since the epoch.
    """

    def __init__(
        self,
        symbols: list[str],
        depth: int,
        module: Implementation = implementation,
        *,
        published: int | None = None,
        rust: bool = False,
    ) -> None:
        self.out = effects.Outbox(Effects)
        self._module, self._depth, self._rust = module, depth, rust
        self.published = published or depth
        self._books = {symbol: TrackedBook(symbol, depth, module) for symbol in symbols}
        self._shown: dict[str, BookState] = {}
        self._runs: Runs | None = None
        self._src = ""
        self._connection = (0, 0)
        self._status: FeedStatus | None = None
        self._connected = False
        self._heard = self._last_byte = 0
        self._lateness = Lateness()
        self._status_due = 0
        # The resync requests last published; None before the first, which is published even if it is empty.
        self._wanted: dict[str, int] | None = None

    @property
    def trouble(self) -> str:
        """Return which books are not live, and why; empty when all are."""
        bad = [f"{symbol} {state}" for symbol, state in self._shown.items() if state is not BookState.LIVE]
        more = f" and {len(bad) - TROUBLES_SHOWN} more" if len(bad) > TROUBLES_SHOWN else ""
        return ", ".join(bad[:TROUBLES_SHOWN]) + more

    def take(self) -> Effects:
        """Return the effects since the last call."""
        return self.out.take()

    # --- what comes in -------------------------------------------------------------------------------------------

    def message(self, message: Message, missed: int, now: int, wall: int) -> None:
        """Take in one message of the bus, before which ``missed`` of its topic were lost."""
        if isinstance(message, FeedFrame):
            self._frame(message, missed, now, wall)
        elif isinstance(message, FeedStatus):
            self._feed_status(message, now)
        elif isinstance(message, Instruments):
            self._instruments(message)
        elif isinstance(message, FeedTrades):
            self._trades(message, now)

    def take_runs(self, runs: Runs) -> None:
        """Take runs of undecoded frames by Rust from now on."""
        self._runs = runs

    def run(self, parts: list[list[bytes]], start: int, now: int, wall: int) -> int:
        """Take in messages of a run from a place on: all that are ordinary, or else one; return where to go on."""
        assert self._runs is not None, "who drains undecoded frames hands over what takes them"
        taken = None
        if self._connected and self._lateness.is_clear and not self._path_trouble(now):
            oldest = 0 if self._is_replay else (self._exchange_now(now) or wall) - LATE_NS
            source = Source(self._src, *self._connection)
            taken = self._runs.take(parts, start, source, now, wall, max(oldest, 0))
        if taken is None:
            item = self._runs.decode(parts[start])
            if item is not None:
                self.message(item.message, item.missed, now, wall)
            return start + 1
        self.out.pending.finished += taken.finished
        self.out.counts["frames"] += len(taken.finished)
        for symbol, received in taken.received.items():
            self._books[symbol].framed(received, now)
            self._last_byte = max(self._last_byte, min(received, now))
        return start + len(taken.finished)

    def _arm(self, book: TrackedBook) -> None:
        """Leave a book's frames to Rust while nothing about it is out of the ordinary, and it is shown as it is."""
        if self._runs is not None:
            is_shown = self._shown.get(book.symbol) is BookState.LIVE
            self._runs.arm(book, is_ordinary=is_shown and book.is_ordinary)

    def turn(self, now: int) -> None:
        """Notice silence, request snapshots, publish ``book.status`` every 200 ms."""
        for book in self._books.values():
            self._show(book, now)
        self._ask(now)
        if now >= self._status_due:
            self._status_due = now + STATUS_NS
            infos = {book.symbol: book.info(*self._state(book, now), now) for book in self._books.values()}
            self.out.publish("book.status", BookStatus(books=infos, rust=self._rust))

    def _feed_status(self, status: FeedStatus, now: int) -> None:
        if not self._adopt((status.boot, status.connection)):
            self.out.count("feed.status of an old connection")
            return
        self._status, self._heard = status, now
        self._last_byte = max(self._last_byte, min(status.last_byte, now))
        if self._connected and not status.connected:
            self._reset("not connected to Kraken")
        self._connected = status.connected

    def _adopt(self, connection: tuple[int, int]) -> bool:
        """Follow the feed to a newer connection, which empties all books; return False for an old one."""
        if connection > self._connection:
            self._connection, self._connected, self._last_byte = connection, True, 0
            self._lateness.forget()
            self._reset("new connection, no snapshot yet")
        return connection == self._connection

    def _reset(self, why: str) -> None:
        for book in self._books.values():
            book.reset(why)

    def _instruments(self, instruments: Instruments) -> None:
        for symbol in instruments.references:
            # The collector chose these to value other quotes: each gets a book like any other.
            if symbol not in self._books and not self._is_replay:
                self._books[symbol] = TrackedBook(symbol, self._depth, self._module)
        for symbol, pair in instruments.pairs.items():
            book = self._books.get(symbol)
            if book is None or (self._is_replay and book.is_live):
                # A change of precision needs a snapshot, for which a recording cannot be asked.
                continue
            try:
                book.instrument(pair.price_precision, pair.qty_precision)
            except (ValueError, OverflowError) as error:
                self.out.problem("instrument data refused", f"{symbol}: {error}")
            self._arm(book)

    def _frame(self, message: FeedFrame, missed: int, now: int, wall: int) -> None:
        book = self._books.get(message.symbol) or self._replayed(message)
        if book is None:
            self.out.count("frame of a symbol not asked for")
            return
        if not self._adopt((message.boot, message.connection)) or not self._connected:
            self.out.count("frame of an old connection")
            return
        self._last_byte = max(self._last_byte, min(message.received, now))
        if self._is_replay:
            self._size_for_replay(book, message.frame)
        self.out.count("frames")
        wrong = book.frame(message.frame, missed, message.received, now)
        if wrong:
            beginning = message.frame[: limits.BAD_MESSAGE_SHOWN_BYTES]
            self.out.problem(wrong.kind, f"{message.symbol}: {wrong.text}: {beginning!r}")
        self._note_lateness(book, now, wall)
        if self._state(book, now)[0] is BookState.LIVE:
            self.out.pending.books[book.symbol] = None
        self._show(book, now)
        self._src = message.src
        self._arm(book)

    def _trades(self, message: FeedTrades, now: int) -> None:
        book = self._books.get(message.symbol)
        if book is not None and book.precisions == (message.price_precision, message.qty_precision):
            book.trades([trade.price for trade in message.trades], now)
            self._arm(book)

    def _note_lateness(self, book: TrackedBook, now: int, wall: int) -> None:
        stamp = book.book.exchange_ts
        if stamp and not book.book.last_was_snapshot and not self._is_replay:
            exchange_now = self._exchange_now(now) or wall
            for lateness in (self._lateness, book.lateness):
                lateness.update(exchange_now - stamp, now)

    def _exchange_now(self, now: int) -> int:
        """Return the exchange's time by the collector's estimate, ns since the epoch; 0 if that is not good enough."""
        status = self._status
        if status is None or not 0 <= status.offset_uncertain_ms <= limits.CLOCK_UNCERTAIN_MS:
            return 0
        return now + status.exchange_offset

    # --- replay --------------------------------------------------------------------------------------------------

    @property
    def _is_replay(self) -> bool:
        return self._status is not None and self._status.replay

    def _replayed(self, message: FeedFrame) -> TrackedBook | None:
        """Return a new book for a symbol of the recording that is not configured."""
        if not self._is_replay or not message.symbol or len(self._books) >= limits.BUS_TRACKED_TOPICS:
            return None
        book = self._books[message.symbol] = TrackedBook(message.symbol, self._depth, self._module)
        return book

    def _size_for_replay(self, book: TrackedBook, frame: bytes) -> None:
        """Take precision and depth from a recorded snapshot: a recording need not have them elsewhere."""
        depth = replayed_depth(frame, self._depth) if not book.is_live else None
        if depth is not None:
            price_precision, qty_precision = book.precisions or (self._module.WIRE, self._module.WIRE)
            book.instrument(price_precision, qty_precision, depth)

    # --- what goes out, and why ----------------------------------------------------------------------------------

    def _state(self, book: TrackedBook, now: int) -> tuple[BookState, str]:
        """Return a book's state as the bus shows it, and why."""
        if book.state is not BookState.LIVE:
            refusal = self._status.refused.get(book.symbol) if self._status else None
            return book.state, book.why if refusal is None else f"refused: {refusal}"
        if not book.is_live:
            return BookState.RESYNCING, "not in sync"
        trouble = self._path_trouble(now)
        if not trouble and book.lateness.is_lagging(now):
            trouble = "lagging: its updates come late"
        if not trouble and book.contradiction.is_lasting(now):
            trouble = "lagging: trades contradict it"
        return (BookState.SILENT, trouble) if trouble else (BookState.LIVE, "")

    def _path_trouble(self, now: int) -> str:
        """Return why nothing from Kraken can be trusted to be current; empty if it can."""
        if now - self._heard > PATH_DEAD_NS:
            return "feed.status not heard for 1 s"
        if now - self._last_byte > SILENT_NS:
            return "nothing from Kraken for 3 s"
        return "lagging: updates come late" if self._lateness.is_lagging(now) else ""

    def _show(self, book: TrackedBook, now: int) -> None:
        state, _ = self._state(book, now)
        if self._shown.get(book.symbol) is not state:
            self._shown[book.symbol] = state
            self.out.pending.books[book.symbol] = None
            self._arm(book)

    def encode(self, symbol: str, src: str, boot: int, seq: int, ts: int, now: int) -> bytes:
        """Return the message ``book.<symbol>`` with the book as it is now, ``booked`` at ``now``."""
        book = self._books[symbol]
        state, _ = self._state(book, now)
        return bytes(book.book.encode(self.published, state.value, src, boot, seq, ts, book.received, now))

    def _ask(self, now: int) -> None:
        """Ask for snapshots while the feed can fetch them; a new connection brings them by itself."""
        status = self._status
        if status and self._connected and not status.replay and now - self._heard <= PATH_DEAD_NS:
            for book in self._books.values():
                book.ask(now, status.symbols.get(book.symbol) == "subscribed")
        wanted = {book.symbol: book.request for book in self._books.values() if book.is_asking}
        if wanted != self._wanted:
            self._wanted = wanted
            self.out.publish("resync", Resync(symbols=wanted))
