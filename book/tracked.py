"""One symbol's book with its state: whether it is good, why not, and whether a new snapshot must be asked for."""

from __future__ import annotations

from dataclasses import dataclass

from book.interface import Implementation
from book.lateness import Contradiction, Lateness
from shared import limits
from shared.clock import MS, SECOND
from shared.messages import BookInfo, BookState

SNAPSHOT_WAIT_NS = 1 * SECOND
RESYNC_AGAIN_NS = int(limits.RESYNC_AGAIN_S * SECOND)
STALE_NS = 60 * SECOND


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault of a frame: its kind, under which it is counted, and a text (by default the kind)."""

    kind: str
    detail: str = ""

    @property
    def text(self) -> str:
        """Return what to write into the log."""
        return self.detail or self.kind


class TrackedBook:
    """One symbol's book. ``state`` is syncing, live or resyncing, by its frames; :mod:`book.books` adds silence.

    Times are ns of CLOCK_BOOTTIME. ``module`` has OrderBook and its errors.
    """

    def __init__(self, symbol: str, depth: int, module: Implementation) -> None:
        self.symbol = symbol
        self.state = BookState.SYNCING
        self.why = "no instrument data yet"
        self.received = 0
        self.request = 0
        """The number of the newest request for a snapshot; ``is_asking`` while it is not met."""
        self.is_asking = False
        self.lateness = Lateness()
        self.contradiction = Contradiction()
        self.precisions: tuple[int, int] | None = None
        self._module, self._depth = module, depth
        # Until the instrument data come, a placeholder that can only be published as not live.
        self.book = module.OrderBook(symbol, depth, module.WIRE, module.WIRE)
        self._counted = (0, 0)
        self._framed = 0
        self._asked = 0
        self._subscribed = 0
        # True if no snapshot is known to be on its way.
        self._snapshot_missed = False

    @property
    def is_live(self) -> bool:
        """True if its frames are good and it is in sync now: the last check before a book is published as live."""
        return self.state is BookState.LIVE and bool(self.book.synced) and not self.book.crossed

    def coverage_bps(self) -> float:
        """Return the mean distance of both sides' last levels from the mid in bp, 0 without a side."""
        bids, asks = self.book.bids(self._depth), self.book.asks(self._depth)
        if not bids or not asks:
            return 0.0
        return round((asks[-1][0] - bids[-1][0]) / (asks[0][0] + bids[0][0]) * 10_000, 2)

    def instrument(self, price_precision: int, qty_precision: int, depth: int | None = None) -> None:
        """Take the pair's precisions; a change makes a new book, which needs a new snapshot.

        Raises ValueError or OverflowError for precisions that no pair has, and changes nothing then.
        """
        depth = depth or self._depth
        if self.precisions == (price_precision, qty_precision) and self._depth == depth:
            return
        book = self._module.OrderBook(self.symbol, depth, price_precision, qty_precision)
        known = self.precisions is not None
        self._counted = (self.checksums_ok, self.checksums_failed)
        self.book, self.precisions, self._depth = book, (price_precision, qty_precision), depth
        if known:
            self.desync("precision changed")
        else:
            self.why = "no snapshot yet"

    def reset(self, why: str) -> None:
        """Empty the book for a new connection, or for none: the subscription brings a snapshot by itself."""
        self.book.clear()
        self.state, self.why = BookState.SYNCING, why
        self.is_asking = self._snapshot_missed = False
        self._asked = self._subscribed = 0
        self.lateness.forget()
        self.contradiction.forget()

    def desync(self, why: str) -> None:
        """Empty a book that is or may be wrong, until a new snapshot, which must be asked for."""
        self.book.clear()
        self.state, self.why = BookState.RESYNCING, why
        self._snapshot_missed = True
        self.lateness.forget()
        self.contradiction.forget()

    def frame(self, frame: bytes, missed: int, received: int, now: int) -> Problem | None:
        """Take a raw frame before which ``missed`` were lost; return what went wrong with it, or None."""
        self._framed = now
        if self.precisions is None:
            self._snapshot_missed = True
            return Problem("frame before its instrument data")
        lost = Problem("frames lost on the bus", f"{missed} frames lost on the bus") if missed else None
        if lost and self.state is BookState.LIVE:
            self.desync(lost.text)
        failed = self.book.checksums_failed
        try:
            synced = self.book.apply_frame(frame)
        except ValueError as error:
            self.desync(f"{type(error).__name__}: {error}")
            return Problem(type(error).__name__, self.why)
        self.received = max(received, 0)
        if self.book.checksums_failed > failed:
            self.desync("checksum failed")
            return Problem(self.why)
        if not synced:
            self._snapshot_missed = True
            return lost
        if self.book.crossed:
            self.desync("crossed")
            return Problem(self.why)
        self.state, self.why = BookState.LIVE, ""
        self._snapshot_missed = False
        self.contradiction.touch(*self.touch())
        return lost

    def framed(self, received: int, now: int) -> None:
        """Note that frames which left a live book live were taken without this, the last received at a time."""
        self.received, self._framed = received, now

    @property
    def is_ordinary(self) -> bool:
        """True if it is live and nothing speaks against it."""
        return self.is_live and self.lateness.is_clear and self.contradiction.is_clear

    def touch(self) -> tuple[int | None, int | None]:
        """Return the best bid and ask in ticks, None where a side is empty."""
        bids, asks = self.book.bids(1), self.book.asks(1)
        return (bids[0][0] if bids else None), (asks[0][0] if asks else None)

    def trades(self, prices: list[int], now: int) -> None:
        """Take public trades at these prices (ticks)."""
        if self.is_live:
            for price in prices:
                self.contradiction.trade(price, *self.touch(), now)

    def ask(self, now: int, subscribed: bool) -> None:
        """Ask for a snapshot if one is missing and none can be expected.

        A desync asks once; the request's number rises again only after 5 s without a good snapshot. ``subscribed`` says
        that Kraken has acknowledged the subscription: the snapshot then follows within milliseconds.
        """
        if self.state is BookState.LIVE:
            self.is_asking = False
            return
        self._subscribed = (self._subscribed or now) if subscribed else 0
        overdue = self._subscribed and now - self._subscribed >= SNAPSHOT_WAIT_NS
        if self.precisions is None or not (self._snapshot_missed or overdue):
            return
        if not self._asked or now - self._asked >= RESYNC_AGAIN_NS:
            self.request += 1
            self.is_asking, self._asked = True, now

    @property
    def checksums_ok(self) -> int:
        """Return how many checksums matched since the process began, over all books of this symbol."""
        return self._counted[0] + int(self.book.checksums_ok)

    @property
    def checksums_failed(self) -> int:
        """Return how many checksums failed since the process began, over all books of this symbol."""
        return self._counted[1] + int(self.book.checksums_failed)

    def info(self, state: BookState, why: str, now: int) -> BookInfo:
        """Return the book's part of ``book.status``; ``age_ms`` is since the last frame, -1 before the first."""
        age = now - self._framed
        return BookInfo(
            state=state,
            age_ms=age // MS if self._framed else -1,
            checksums_ok=self.checksums_ok,
            checksums_failed=self.checksums_failed,
            stale=bool(self._framed) and age > STALE_NS,
            why=why,
            coverage_bps=self.coverage_bps() if state is BookState.LIVE else 0.0,
        )
