"""One pair's order book in Python, the twin of the Rust one: same interface, same results, same names of errors.

Levels are integers in the finer of two precisions. The wire's precision is that of the snapshot's text, and the
checksum is computed in it; the pair's precision is that in which ticks and lots are published.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

import msgspec

from book import plain
from book.frames import FrameError, WrongSymbolError, any_form, new_name
from book.ladder import Ladder
from book.levels import DECIMALS_MAX, U64_MAX, Level, Message, Number
from shared import messages as m

__all__ = ["WIRE", "FrameError", "OrderBook", "WrongSymbolError", "get_ask", "get_bid"]

WIRE = -1
"""A precision: as many decimals as the wire prints."""

DEPTH_MAX = 1000


@dataclass(frozen=True, slots=True)
class _Scale:
    """The decimals of prices or of quantities: the pair's (WIRE: the wire's), and the most that the wire printed."""

    pair: int
    wire: int = 0
    stored: int = field(init=False)
    published: int = field(init=False)
    per_tick: int = field(init=False)
    per_wire_unit: int = field(init=False)
    exact: int = field(init=False)
    """So many decimals on the wire are in stored units as they stand, and these are ticks or lots; -1 if none are."""

    def __post_init__(self) -> None:
        stored, published = max(self.pair, self.wire), self.wire if self.pair == WIRE else self.pair
        for name, value in (
            ("stored", stored),
            ("published", published),
            ("per_tick", _power(stored - published)),
            ("per_wire_unit", _power(stored - self.wire)),
            ("exact", stored if stored == published == self.wire else -1),
        ):
            object.__setattr__(self, name, value)

    def units(self, mantissa: int, decimals: int, name: str) -> int:
        """Return a number in stored units. Raises FrameError if it is not a whole number of ticks or lots."""
        units = mantissa * _power(self.stored - decimals)
        if units > U64_MAX:
            raise FrameError(f"{name} {Number(mantissa, decimals)} is too large")
        if units % self.per_tick:
            raise FrameError(f"{name} {Number(mantissa, decimals)} has more than {self.published} decimals")
        return units

    def after(self, message: Message, decimals: list[int]) -> _Scale:
        """Return this with the wire's decimals after a message: a snapshot sets them, an update can only raise them."""
        least = self.wire
        if message.snapshot:
            # v2 prints the pair's precision exactly, even where zeros at the end were lost on the way.
            least = max(self.pair, 0) if message.is_v2 else 0
        return _Scale(self.pair, max([least, *decimals]))


class OrderBook:
    """One pair's order book.

    Prices are ticks of ``10 ** -price_precision``, quantities lots of ``10 ** -qty_precision``; WIRE (-1) takes
    either precision from the snapshot's text. ``depth`` is the subscription's, 1 to 1000. ValueError otherwise.
    """

    def __init__(self, symbol: str, depth: int, price_precision: int, qty_precision: int) -> None:
        if not symbol or not 1 <= depth <= DEPTH_MAX:
            raise ValueError("a book wants a symbol and a depth of 1 to 1000")
        if not (WIRE <= price_precision <= DECIMALS_MAX and WIRE <= qty_precision <= DECIMALS_MAX):
            raise ValueError(f"a precision is WIRE or 0 to {DECIMALS_MAX}")
        self.symbol = symbol
        self.depth = depth
        self.synced = False
        """True from a snapshot on, until something fails."""
        self.checksums_ok = 0
        self.checksums_failed = 0
        self.exchange_ts = 0
        """The last frame's own time in ns since the epoch, 0 if it has none."""
        self.last_was_snapshot = False
        """True if the last frame had a snapshot; its time is that of the last change, not of its sending."""
        self._name = new_name(symbol)
        self._price = _Scale(price_precision)
        self._qty = _Scale(qty_precision)
        self._bids = Ladder(is_bid=True)
        self._asks = Ladder(is_bid=False)

    @property
    def price_precision(self) -> int:
        """Return decimals of a tick."""
        return self._price.published

    @property
    def qty_precision(self) -> int:
        """Return decimals of a lot."""
        return self._qty.published

    @property
    def crossed(self) -> bool:
        """True while the best bid is not below the best ask."""
        bid, ask = self._bids.best, self._asks.best
        return bid is not None and ask is not None and bid >= ask

    def clear(self) -> None:
        """Forget every level; the counts of checksums stay."""
        self._bids.clear()
        self._asks.clear()
        self._price, self._qty = _Scale(self._price.pair), _Scale(self._qty.pair)
        self.synced = False
        self.exchange_ts = 0
        self.last_was_snapshot = False

    def apply_frame(self, frame: bytes) -> bool:
        """Take one v1 or v2 book frame, with the pair's old or new name; return whether the book is in sync after it.

        It is not after a failed checksum, nor before the next (or the first) snapshot. A frame is taken whole or not at
        all. Raises FrameError or WrongSymbolError.
        """
        if not isinstance(frame, bytes):
            raise TypeError("a frame is bytes")
        try:
            message = plain.read(frame, self._name)
            if message is not None:
                return self.apply_message(message)
            # Up to the first after which the book is not in sync.
            return all(map(self.apply_message, any_form(frame, self._name)))
        except FrameError:
            self.synced = False
            raise

    def bids(self, n: int) -> list[tuple[int, int]]:
        """Return up to ``n`` levels as (ticks, lots), best first."""
        return self._bids.best_first(n, self._price.per_tick, self._qty.per_tick)

    def asks(self, n: int) -> list[tuple[int, int]]:
        """Return up to ``n`` levels as (ticks, lots), best first."""
        return self._asks.best_first(n, self._price.per_tick, self._qty.per_tick)

    def checksum(self) -> int:
        """Return Kraken's CRC-32 of the book as it is now."""
        return zlib.crc32(self._bids.text(), zlib.crc32(self._asks.text()))

    def encode(self, n: int, state: str, src: str, boot: int, seq: int, ts: int, received: int, booked: int) -> bytes:
        """Return the bus message ``shared.messages.Book`` as msgpack, with levels only in the state ``live``.

        Raises ValueError for an unknown state, and for ``live`` when the book is crossed or not in sync.
        """
        live = m.BookState(state) is m.BookState.LIVE
        if live and (not self.synced or self.crossed):
            raise ValueError("a book that is crossed or not in sync is not live")
        n = max(n, 0) if live else 0
        message = m.Book(
            src=src,
            boot=boot,
            seq=seq,
            ts=ts,
            symbol=self.symbol,
            state=m.BookState(state),
            price_precision=self.price_precision,
            qty_precision=self.qty_precision,
            bids=self.bids(n),
            asks=self.asks(n),
            checksum=self.checksum() if n else 0,
            exchange_ts=self.exchange_ts,
            received=received,
            booked=booked,
        )
        return msgspec.msgpack.encode(message)

    def apply_message(self, message: Message) -> bool:
        """Take one message of a frame; return whether the book is in sync after it. Raises FrameError."""
        self.exchange_ts = message.exchange_ts
        self.last_was_snapshot = message.snapshot
        if not message.snapshot and not self.synced:
            return False
        levels = self._converted(message) if message.snapshot or not self._is_exact(message) else message.levels
        bids, asks = self._bids, self._asks
        for level in levels:
            (bids if level.is_bid else asks).set(level.price, level.qty)
        bids.truncate(self.depth)
        asks.truncate(self.depth)
        self.synced = self._verify(message.checksum)
        return self.synced

    def _is_exact(self, message: Message) -> bool:
        """True if the message's numbers are in the book's units as they stand."""
        price, qty = self._price.exact, self._qty.exact
        for level in message.levels:  # noqa: SIM110 - all() takes half a microsecond more
            if level.price_decimals != price or level.qty_decimals != qty:
                return False
        return True

    def _converted(self, message: Message) -> list[Level]:
        """Return the message's levels in the book's units, and bring the book to these; empty it for a snapshot.

        All conversions come first, so that a frame with one that fails changes nothing.
        """
        price = self._price.after(message, [level.price_decimals for level in message.levels])
        qty = self._qty.after(message, [level.qty_decimals for level in message.levels])
        levels = [
            msgspec.structs.replace(
                level,
                price=price.units(level.price, level.price_decimals, "price"),
                qty=qty.units(level.qty, level.qty_decimals, "quantity"),
            )
            for level in message.levels
        ]
        if message.snapshot:
            self._bids.clear()
            self._asks.clear()
        if (price, qty) != (self._price, self._qty):
            self._rescale(price, qty)
        return levels

    def _verify(self, wanted: int | None) -> bool:
        if wanted is None:
            return True
        good = self.checksum() == wanted
        self.checksums_ok += good
        self.checksums_failed += not good
        return good

    def _rescale(self, price: _Scale, qty: _Scale) -> None:
        """Take new scales, and bring the levels to finer units if the wire prints more decimals than before."""
        # Coarser than before they are only from a snapshot on, which finds the book empty.
        by_price = _power(price.stored - self._price.stored)
        by_qty = _power(qty.stored - self._qty.stored)
        if self._bids.outgrows(by_price, by_qty) or self._asks.outgrows(by_price, by_qty):
            raise FrameError("a level is too large for the wire's new precision")
        self._price, self._qty = price, qty
        for side in (self._bids, self._asks):
            side.rescale(by_price, by_qty, (price.per_wire_unit, qty.per_wire_unit))


def get_bid(book: OrderBook) -> tuple[int, int] | None:
    """Return the best bid as (ticks, lots), None if the side is empty."""
    return next(iter(book.bids(1)), None)


def get_ask(book: OrderBook) -> tuple[int, int] | None:
    """Return the best ask as (ticks, lots), None if the side is empty."""
    return next(iter(book.asks(1)), None)


def _power(exponent: int) -> int:
    return int(10**exponent)
