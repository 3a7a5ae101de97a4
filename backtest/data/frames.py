"""Turn Kraken's book frames into rows, with every checksum verified on the way.

:class:`FrameReader` is the Rust one where it is built, else its Python twin; both give the same.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backtest.data.columns import BUY, SELL, Flag, Kind, Mark
from book.facts import depth_that_holds
from book.frames import FrameError, new_name, scan
from book.levels import Level, Message
from book.orderbook import OrderBook
from shared.rust import rust_module

DAY_NS = 86_400 * 10**9
INT64_MAX = 2**63 - 1
# The typecodes of the columns, in the order of the schema.
_CODES = "qqBBqqB"


@dataclass(slots=True)
class _Rows:
    """Rows by column, in the order of the schema."""

    columns: tuple[array[int], ...] = field(default_factory=lambda: tuple(array(code) for code in _CODES))

    def add(self, *values: int) -> None:
        """Append one row."""
        for column, value in zip(self.columns, values, strict=True):
            column.append(value)

    def take(self) -> list[bytes]:
        """Return each column's bytes, and begin anew."""
        taken = [column.tobytes() for column in self.columns]
        self.columns = tuple(array(code) for code in _CODES)
        return taken


class PythonFrameReader:
    """One pair's book frames as rows, up to the first failure and again from the next snapshot on.

    At each midnight (UTC) that it passes, the book is stated anew as a snapshot, so that every day can be read alone.
    Times never go back: a message that is older than the one before it counts as of the same time.
    """

    def __init__(self, symbol: str, price_precision: int, qty_precision: int) -> None:
        self.depth = 0
        """The most levels a side that a snapshot's subscription followed, 0 before the first."""
        self._symbol, self._name = symbol, new_name(symbol)
        self._precisions = price_precision, qty_precision
        self._book = OrderBook(symbol, 10, price_precision, qty_precision)
        self._expected = 0
        self._last = 0
        self._rows = _Rows()
        # Levels of a message of followed rows that has not ended yet, and whether it is a snapshot.
        self._pending: list[Level] = []
        self._pending_snapshot = False

    @property
    def checksums_ok(self) -> int:
        """Return how many checksums matched."""
        return self._book.checksums_ok

    @property
    def checksums_failed(self) -> int:
        """Return how many checksums failed."""
        return self._book.checksums_failed

    @property
    def synced(self) -> bool:
        """True from a snapshot on, until something fails."""
        return self._book.synced

    def expect_depth(self, depth: int) -> None:
        """Take the depth of the subscription, where the source states it; else each snapshot's size says it."""
        self._expected = depth

    def feed(self, frame: bytes, heard_ts: int) -> bool:
        """Take one book frame, v1 or v2, heard at a time (0: unknown); return whether the book is in sync after it.

        A failed checksum leaves a mark. Raises FrameError, which leaves one too, or WrongSymbolError.
        """
        try:
            for message in scan(frame, self._name):
                if not self._take(message, heard_ts):
                    return False
        except FrameError:
            self.mark(Mark.UNREADABLE, heard_ts)
            raise
        return True

    def change(self, exchange_ts: int, heard_ts: int, snapshot: bool, levels: Iterable[tuple[int, int, int]]) -> bool:
        """Take a message of a source without frames: levels as (side, ticks, lots). Raises FrameError as ``feed``."""
        price, qty = self._precisions
        made = [Level(side == BUY, ticks, price, lots, qty) for side, ticks, lots in levels]
        return self._take(Message(True, snapshot, made, None, exchange_ts), heard_ts)

    def follow(self, kinds: bytes, sides: bytes, ticks: bytes, lots: bytes, flags: bytes) -> None:
        """Bring the book to where it is after rows, given as the bytes of their columns; no row is made of them."""
        price, qty = self._precisions
        rows = zip(kinds, sides, array("q", ticks), array("q", lots), flags, strict=True)
        for kind, side, level_ticks, level_lots, flag in rows:
            if kind == Kind.MARK:
                self._book.clear()
            elif kind != Kind.TRADE:
                self._pending_snapshot = self._pending_snapshot or kind == Kind.SNAPSHOT
                if level_ticks:
                    self._pending.append(Level(side == BUY, level_ticks, price, level_lots, qty))
                if flag & Flag.LAST:
                    self._end_message()

    def edges(self) -> tuple[int, int, int, int] | None:
        """Return the best bid and ask and the last bid and ask that the book holds, in ticks; None without a side."""
        bids, asks = self._book.bids(self._book.depth), self._book.asks(self._book.depth)
        return (bids[0][0], asks[0][0], bids[-1][0], asks[-1][0]) if bids and asks else None

    def mark(self, why: int, heard_ts: int) -> None:
        """Leave a mark after which the book is not trusted until a snapshot; none where it is not trusted already."""
        if self._book.synced:
            self._add_mark(why, heard_ts)
        self._book.clear()

    def state(self, exchange_ts: int, heard_ts: int) -> None:
        """State the book as it is now, as a snapshot at a time."""
        bids = [(BUY, *level) for level in self._book.bids(self._book.depth)]
        asks = [(SELL, *level) for level in self._book.asks(self._book.depth)]
        self._add_levels(Kind.SNAPSHOT, exchange_ts, heard_ts, bids + asks)

    def take(self) -> list[bytes]:
        """Return the rows so far as the bytes of each column, and begin anew."""
        return self._rows.take()

    def _add_mark(self, why: int, heard_ts: int) -> None:
        self._rows.add(self._last, heard_ts or self._last, Kind.MARK, 0, 0, why, 0)

    def _end_message(self) -> None:
        message = Message(True, self._pending_snapshot, self._pending, None, 0)
        self._pending, self._pending_snapshot = [], False
        if message.snapshot:
            self._fit(message)
        self._book.apply_message(message)

    def _take(self, message: Message, heard_ts: int) -> bool:
        if message.snapshot:
            self._fit(message)
        was_synced, failed = self._book.synced, self._book.checksums_failed
        at = max(message.exchange_ts or heard_ts, self._last)
        if was_synced:
            self._pass_midnight(at, heard_ts)
        if not self._book.apply_message(message):
            if self._book.checksums_failed > failed:
                self._last = at
                self._add_mark(Mark.CHECKSUM, heard_ts)
            return False
        if not self._last:
            self._date_first(at, heard_ts or at)
        self._last = at
        self._add(message, at, heard_ts or at)
        return True

    def _fit(self, message: Message) -> None:
        """Make the book as deep as the subscription that a snapshot is of."""
        bids = sum(level.is_bid for level in message.levels)
        depth = self._expected or depth_that_holds(max(bids, len(message.levels) - bids))
        self.depth = max(self.depth, depth)
        self._book.depth = depth

    def _date_first(self, at: int, heard: int) -> None:
        """Give rows of a snapshot without a time that of the first message with one."""
        exchange, received = self._rows.columns[:2]
        for place in range(len(exchange)):
            exchange[place], received[place] = at, received[place] or heard

    def _pass_midnight(self, at: int, heard_ts: int) -> None:
        midnight = at - at % DAY_NS
        if self._last and self._last < midnight:
            self.state(midnight, midnight + (max(heard_ts - at, 0) if heard_ts else 0))

    def _add(self, message: Message, at: int, heard: int) -> None:
        price, qty = self._precisions
        levels = [
            (
                BUY if level.is_bid else SELL,
                _units(level.price, level.price_decimals, price),
                _units(level.qty, level.qty_decimals, qty),
            )
            for level in message.levels
        ]
        self._add_levels(Kind.SNAPSHOT if message.snapshot else Kind.LEVEL, at, heard, levels)

    def _add_levels(self, kind: Kind, at: int, heard: int, levels: list[tuple[int, int, int]]) -> None:
        if kind == Kind.SNAPSHOT and not levels:
            levels = [(BUY, 0, 0)]  # an empty book, too, empties the one before
        last = len(levels) - 1
        for place, (side, ticks, lots) in enumerate(levels):
            first = Flag.FIRST if kind == Kind.SNAPSHOT and not place else 0
            self._rows.add(at, heard, kind, side, ticks, lots, first | (Flag.LAST if place == last else 0))


def _units(mantissa: int, decimals: int, precision: int) -> int:
    """Return a number in units of a precision, which the book has checked to be exact."""
    more = precision - decimals
    units = mantissa * int(10**more) if more >= 0 else mantissa // int(10**-more)
    return min(units, INT64_MAX)


if TYPE_CHECKING or (module := rust_module()) is None:  # noqa: SIM108 - mypy takes the name for a type only so
    FrameReader = PythonFrameReader
else:
    FrameReader = module.FrameReader
