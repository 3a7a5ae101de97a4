"""One pair's order book in Python, the twin of the Rust one: same interface, same results, same names of errors.

Levels are integers in the finer of two precisions. The wire's precision is that of the snapshot's text, and the
checksum is computed in it; the pair's precision is that in which ticks and lots are published.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from heapq import nlargest, nsmallest

import msgspec

from book.frames import DECIMALS_MAX, U64_MAX, FrameError, Level, Message, Number, WrongSymbolError, new_name, scan
from shared import messages as m

__all__ = ["WIRE", "FrameError", "OrderBook", "WrongSymbolError", "get_ask", "get_bid"]

WIRE = -1
"""A precision: as many decimals as the wire prints."""

CHECKSUM_LEVELS = 10
DEPTH_MAX = 1000


@dataclass(frozen=True, slots=True)
class _Scale:
    """The decimals of prices or of quantities: the pair's (WIRE: the wire's), and the most that the wire printed."""

    pair: int
    wire: int = 0

    @property
    def stored(self) -> int:
        return max(self.pair, self.wire)

    @property
    def published(self) -> int:
        return self.wire if self.pair == WIRE else self.pair

    @property
    def per_tick(self) -> int:
        return _power(self.stored - self.published)

    @property
    def per_wire_unit(self) -> int:
        return _power(self.stored - self.wire)

    def units(self, number: Number, name: str) -> int:
        """Return ``number`` in stored units. Raises FrameError if it is not a whole number of ticks or lots."""
        units = number.mantissa * _power(self.stored - number.decimals)
        if units > U64_MAX:
            raise FrameError(f"{name} {number} is too large")
        if units % self.per_tick:
            raise FrameError(f"{name} {number} has more than {self.published} decimals")
        return units

    def after(self, message: Message, numbers: list[Number]) -> _Scale:
        """Return this with the wire's decimals after a message: a snapshot sets them, an update can only raise them."""
        least = self.wire
        if message.snapshot:
            # v2 prints the pair's precision exactly, even where zeros at the end were lost on the way.
            least = max(self.pair, 0) if message.is_v2 else 0
        return replace(self, wire=max([least, *(number.decimals for number in numbers)]))


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
        self._bids: dict[int, int] = {}
        self._asks: dict[int, int] = {}

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
        return bool(self._bids and self._asks) and max(self._bids) >= min(self._asks)

    def clear(self) -> None:
        """Forget every level; the counts of checksums stay."""
        self._bids, self._asks = {}, {}
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
            for message in scan(frame, self._name):
                if not self.apply_message(message):
                    return False
        except FrameError:
            self.synced = False
            raise
        return True

    def bids(self, n: int) -> list[tuple[int, int]]:
        """Return up to ``n`` levels as (ticks, lots), best first."""
        return self._levels(nlargest(n, self._bids), self._bids, self._price.per_tick, self._qty.per_tick)

    def asks(self, n: int) -> list[tuple[int, int]]:
        """Return up to ``n`` levels as (ticks, lots), best first."""
        return self._levels(nsmallest(n, self._asks), self._asks, self._price.per_tick, self._qty.per_tick)

    def checksum(self) -> int:
        """Return Kraken's CRC-32 of the book as it is now."""
        units = self._price.per_wire_unit, self._qty.per_wire_unit
        asks = self._levels(nsmallest(CHECKSUM_LEVELS, self._asks), self._asks, *units)
        bids = self._levels(nlargest(CHECKSUM_LEVELS, self._bids), self._bids, *units)
        return zlib.crc32("".join(f"{price}{qty}" for price, qty in asks + bids).encode())

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
        price = self._price.after(message, [level.price for level in message.levels])
        qty = self._qty.after(message, [level.qty for level in message.levels])
        # All conversions come first, so that a frame with one that fails changes nothing.
        changes = [
            (level, price.units(level.price, "price"), qty.units(level.qty, "quantity")) for level in message.levels
        ]
        if message.snapshot:
            self._bids, self._asks = {}, {}
        else:
            self._rescale(_power(price.stored - self._price.stored), _power(qty.stored - self._qty.stored))
        self._price, self._qty = price, qty
        for level, ticks, lots in changes:
            self._set(level, ticks, lots)
        # Kraken sends no delete for what falls out of the subscribed depth.
        for worst in nsmallest(len(self._bids) - self.depth, self._bids):
            del self._bids[worst]
        for worst in nlargest(len(self._asks) - self.depth, self._asks):
            del self._asks[worst]
        self.synced = self._verify(message.checksum)
        return self.synced

    def _set(self, level: Level, price: int, qty: int) -> None:
        side = self._bids if level.is_bid else self._asks
        if qty:
            side[price] = qty
        else:
            side.pop(price, None)

    def _verify(self, wanted: int | None) -> bool:
        if wanted is None:
            return True
        good = self.checksum() == wanted
        self.checksums_ok += good
        self.checksums_failed += not good
        return good

    def _rescale(self, by_price: int, by_qty: int) -> None:
        """Bring the levels to finer units, if the wire prints more decimals than before."""
        if by_price == by_qty == 1:
            return
        bids, asks = (
            {price * by_price: qty * by_qty for price, qty in side.items()} for side in (self._bids, self._asks)
        )
        if any(price > U64_MAX or qty > U64_MAX for side in (bids, asks) for price, qty in side.items()):
            raise FrameError("a level is too large for the wire's new precision")
        self._bids, self._asks = bids, asks

    @staticmethod
    def _levels(prices: list[int], side: dict[int, int], per_price: int, per_qty: int) -> list[tuple[int, int]]:
        return [(price // per_price, side[price] // per_qty) for price in prices]


def get_bid(book: OrderBook) -> tuple[int, int] | None:
    """Return the best bid as (ticks, lots), None if the side is empty."""
    return next(iter(book.bids(1)), None)


def get_ask(book: OrderBook) -> tuple[int, int] | None:
    """Return the best ask as (ticks, lots), None if the side is empty."""
    return next(iter(book.asks(1)), None)


def _power(exponent: int) -> int:
    return int(10**exponent)
