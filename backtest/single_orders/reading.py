"""Read the ``level3`` frames of recordings and captures into tables, a pair each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from backtest.data import pairs as known
from backtest.data.columns import Mark
from backtest.errors import DataError
from backtest.single_orders.table import OrderRows, SingleOrders
from collector.errors import UnreadableRecording
from collector.recording.files import Recording, find
from shared.errors import CaptureError, FrameError
from shared.kraken import captures
from shared.kraken.level3 import messages
from shared.messages import FeedFrame, Instruments, Orders, Pair

TOPICS = ("feed.level3", "feed.instrument", "order")
_frame = msgspec.msgpack.Decoder(FeedFrame)
_instruments = msgspec.msgpack.Decoder(Instruments)
_own = msgspec.msgpack.Decoder(Orders)


@dataclass(slots=True)
class Reading:
    """The tables by symbol, and what was counted on the way; ``bad`` names frames that could not be read.

    ``own`` has the ids of our own orders, as the executor published them.
    """

    orders: dict[str, SingleOrders] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)
    checksums_ok: int = 0
    checksums_failed: int = 0
    bad: list[str] = field(default_factory=list)


def read(paths: Sequence[str], symbols: Collection[str] | None = None) -> Reading:
    """Return the single orders of all paths, of ``symbols`` (None: all). Raises DataError."""
    reader = _Reader(symbols)
    for path in map(Path, paths):
        try:
            if path.is_dir() or path.suffix == ".arrows":
                reader.recording(Recording(find([path]), TOPICS))
            else:
                reader.capture(path)
        except (UnreadableRecording, CaptureError) as error:
            raise DataError(f"{path}: {error}") from error
    return reader.finish(paths)


class _Reader:
    def __init__(self, symbols: Collection[str] | None) -> None:
        self._symbols = symbols
        self._listed: dict[str, Pair] = {}
        self._rows: dict[str, OrderRows] = {}
        self._newest: dict[str, tuple[int, int, int]] = {}
        self._bad: list[str] = []
        self._own: set[str] = set()

    def recording(self, recording: Recording) -> None:
        """Take a recording's frames; a reconnect or lost messages leave a mark."""
        for row in recording.rows():
            try:
                if row.topic == "feed.instrument":
                    self._listed |= _instruments.decode(row.payload).pairs
                    continue
                if row.topic.startswith("order."):
                    self._own |= {order.order_id for order in _own.decode(row.payload).orders if order.order_id}
                    continue
                message = _frame.decode(row.payload)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                self._bad.append(f"{row.topic}: {error}")
                continue
            boot, connection, seq = self._newest.get(row.topic, (message.boot, message.connection, message.seq - 1))
            self._newest[row.topic] = message.boot, message.connection, message.seq
            if (boot, connection) != (message.boot, message.connection):
                self._mark(message.symbol, Mark.RECONNECT, message.ts)
            elif message.seq != seq + 1:
                self._mark(message.symbol, Mark.MISSED, message.ts)
            # It is published right after it was received.
            self._take(message.frame, message.ts)

    def capture(self, path: Path) -> None:
        """Take a capture's frames."""
        for frame in captures.frames(path):
            if b'"level3"' in frame and b'"data"' in frame:
                self._take(frame, 0)

    def finish(self, paths: Sequence[str]) -> Reading:
        """Return what was read. Raises DataError if it is nothing."""
        reading = Reading(own=self._own, bad=self._bad)
        for symbol, rows in self._rows.items():
            reading.checksums_ok += rows.checksums_ok
            reading.checksums_failed += rows.checksums_failed
            if rows.rows:
                reading.orders[symbol] = rows.made()
        if not reading.orders:
            raise DataError(f"{', '.join(paths)}: no single orders (level3) of a wanted pair are in it")
        return reading

    def _take(self, frame: bytes, heard_ts: int) -> None:
        try:
            is_snapshot, elements = messages(frame)
            for message in elements:
                if self._symbols is None or message.symbol in self._symbols:
                    self._of(message.symbol).take(is_snapshot, message, heard_ts)
        except FrameError as error:
            self._bad.append(str(error))

    def _mark(self, symbol: str, why: Mark, heard_ts: int) -> None:
        if symbol in self._rows:
            self._rows[symbol].mark(why, heard_ts)

    def _of(self, symbol: str) -> OrderRows:
        if symbol not in self._rows:
            self._rows[symbol] = OrderRows(self._listed.get(symbol) or known.by_symbol(symbol))
        return self._rows[symbol]
