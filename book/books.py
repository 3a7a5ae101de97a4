"""The books of a feed: which of them are live, and why the others are not.

A book is live if its own frames are good (:mod:`book.tracked`) and the path from Kraken is alive: ``feed.status`` is
heard, bytes come from Kraken, and updates are not late. Bad input is counted and logged, and never raises.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

from book import implementation
from book.facts import replayed_depth
from book.interface import Implementation
from book.lateness import LATE_NS, Lateness
from book.runs import Runs, Source
from book.tracked import TrackedBook
from shared import limits
from shared.clock import MS, SECOND
from shared.messages import (
    BookInfo,
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
LIVE = BookState.LIVE
STATUS_NS = limits.PATH_NEWS_MS * MS
# So many books may be looked at in a turn though nothing about them has changed.
LOOKED_AT = 64


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
        # Books that time alone may change, all of which a turn looks at; of the others it looks at a part.
        self._watched: dict[str, TrackedBook] = dict(self._books)
        self._others = deque(self._books.values())
        self._infos: dict[
            str, BookInfo
        ] = {}  # as of the last look at each; if all are looked at, as of the last status
        self._turned = 0
        self._trouble = ""  # of the path, as of the last turn
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
        bad = [f"{name} {self._shown[name]}" for name in self._watched if self._shown.get(name, LIVE) is not LIVE]
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
        assert self._runs is not None
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
        self.out.counts["frames"] += taken.frames
        for symbol, received in taken.received.items():
            self._books[symbol].framed(received, now)
            self._last_byte = max(self._last_byte, min(received, now))
        return start + taken.frames

    def _arm(self, book: TrackedBook) -> None:
        """Leave a book's frames to Rust while nothing about it is out of the ordinary, and it is shown as it is.

        Any other is watched.
        """
        is_ordinary = self._shown.get(book.symbol) is LIVE and book.is_ordinary
        if is_ordinary:
            if self._watched.pop(book.symbol, None) is not None:
                self._infos.pop(book.symbol, None)
        else:
            self._watched[book.symbol] = book
        if self._runs is not None:
            self._runs.arm(book, is_ordinary=is_ordinary)

    def turn(self, now: int) -> None:
        """Notice silence, request snapshots, publish ``book.status`` every 200 ms."""
        part, trouble = self._next_part(now), self._path_trouble(now)
        if trouble != self._trouble:
            self._trouble, part = trouble, [*self._books.values()]
        for book in (*self._watched.values(), *part):
            self._show(book, now)
        self._ask(now)
        if len(part) < len(self._books):
            self._inform(part, now)
        else:
            self._infos.clear()
        if now >= self._status_due:
            self._status_due = now + STATUS_NS
            self._inform(self._watched.values(), now)
            self._inform([self._books[symbol] for symbol in self._books.keys() - self._infos.keys()], now)
            self.out.publish("book.status", BookStatus(books=dict(self._infos), rust=self._rust))

    def _inform(self, books: Iterable[TrackedBook], now: int) -> None:
        for book in books:
            self._infos[book.symbol] = book.info(*self._state(book, now), now)

    def _next_part(self, now: int) -> list[TrackedBook]:
        """Return the books to look at in this turn besides those that are watched: each comes within a status."""
        passed, self._turned = now - self._turned, now
        count = min(len(self._others), max(LOOKED_AT, -(-len(self._others) * passed // STATUS_NS)))
        self._others.rotate(-count)
        return list(islice(reversed(self._others), count))

    def _new(self, symbol: str) -> TrackedBook:
        book = self._books[symbol] = TrackedBook(symbol, self._depth, self._module)
        self._watched[symbol] = book
        self._others.append(book)
        return book

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
            self._arm(book)

    def _instruments(self, instruments: Instruments) -> None:
        for symbol in instruments.references:
            # The collector chose these to value other quotes: each gets a book like any other.
            if symbol not in self._books and not self._is_replay:
                self._new(symbol)
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
        if self._state(book, now)[0] is LIVE:
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
        return self._new(message.symbol)

    def _size_for_replay(self, book: TrackedBook, frame: bytes) -> None:
        """Take precision and depth from a recorded snapshot: a recording need not have them elsewhere."""
        depth = replayed_depth(frame, self._depth) if not book.is_live else None
        if depth is not None:
            price_precision, qty_precision = book.precisions or (self._module.WIRE, self._module.WIRE)
            book.instrument(price_precision, qty_precision, depth)

    # --- what goes out, and why ----------------------------------------------------------------------------------

    def _state(self, book: TrackedBook, now: int) -> tuple[BookState, str]:
        """Return a book's state as the bus shows it, and why."""
        if book.state is not LIVE:
            refusal = self._status.refused.get(book.symbol) if self._status else None
            return book.state, book.why if refusal is None else f"refused: {refusal}"
        if not book.is_live:
            return BookState.RESYNCING, "not in sync"
        trouble = self._path_trouble(now)
        if not trouble and book.lateness.is_lagging(now):
            trouble = "lagging: its updates come late"
        if not trouble and book.contradiction.is_lasting(now):
            trouble = "lagging: trades contradict it"
        return (BookState.SILENT, trouble) if trouble else (LIVE, "")

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
        # An ordinary book asks for nothing; one may have become so since it asked.
        asking = [self._books[symbol] for symbol in dict.fromkeys([*self._watched, *(self._wanted or ())])]
        if status and self._connected and not status.replay and now - self._heard <= PATH_DEAD_NS:
            for book in asking:
                book.ask(now, status.symbols.get(book.symbol) == "subscribed")
        wanted = {book.symbol: book.request for book in asking if book.is_asking}
        if wanted != self._wanted:
            self._wanted = wanted
            self.out.publish("resync", Resync(symbols=wanted))
