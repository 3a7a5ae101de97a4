"""One pair's rows from one source: levels and marks from the frame reader, trades beside them, merged by time."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from backtest.data.columns import SCHEMA, Flag, Kind, Mark
from backtest.data.frames import INT64_MAX, FrameReader
from backtest.data.order_rows import order_rows
from backtest.data.tally import Tally
from shared.errors import FrameError
from shared.messages import Pair


class PairRows:
    """Gathers one pair's rows from one source; failures are counted, and named by ``file`` and ``line``."""

    def __init__(self, pair: Pair, tally: Tally) -> None:
        self.pair = pair
        self.reader = FrameReader(pair.symbol, pair.price_precision, pair.qty_precision)
        self._tally = tally
        # The checksums that are in the tally already: good ones and failed ones.
        self._counted = (0, 0)
        self._trades: array[int] = array("q")
        self._last_trade_id = 0
        self.orders = order_rows(pair)

    def frame(self, frame: bytes, heard_ts: int, file: str, line: int) -> None:
        """Take a book frame."""
        try:
            if self.reader.feed(frame, heard_ts):
                return
        except ValueError as error:
            self._tally.note(file, line, str(error))
            self._tally.gaps[Mark.UNREADABLE] += 1
        self._count_checksums()

    def order_frame(self, frame: bytes, heard_ts: int, file: str, line: int) -> None:
        """Take a frame of single orders; its elements of other pairs are left."""
        try:
            self.orders.feed(frame, heard_ts)
        except FrameError as error:
            self.orders.mark(Mark.UNREADABLE, heard_ts)
            self._tally.note(file, line, str(error))
            self._tally.gaps[Mark.UNREADABLE] += 1

    def mark_orders(self, why: Mark, heard_ts: int) -> None:
        """Take a gap in the single orders."""
        self._tally.gaps[why] += 1
        self.orders.mark(why, heard_ts)

    def change(self, exchange_ts: int, heard_ts: int, snapshot: bool, levels: list[tuple[int, int, int]]) -> None:
        """Take a message of levels from a source without frames, as (side, ticks, lots)."""
        self.reader.change(exchange_ts, heard_ts, snapshot, levels)

    def mark(self, why: Mark, heard_ts: int) -> None:
        """Take a gap."""
        self._tally.gaps[why] += 1
        self.reader.mark(why, heard_ts)

    def trade(self, exchange_ts: int, heard_ts: int, side: int, ticks: int, lots: int, trade_id: int = 0) -> None:
        """Take a trade; one whose id was there before is the same again. Raises ValueError."""
        if trade_id and trade_id <= self._last_trade_id:
            return
        self._last_trade_id = max(trade_id, self._last_trade_id)
        row = bounded(exchange_ts), bounded(heard_ts or exchange_ts), side, bounded(ticks, 1), bounded(lots)
        self._trades.extend(row)

    def _count_checksums(self) -> None:
        ok, failed = self.orders.checksums
        ok, failed = ok + self.reader.checksums_ok, failed + self.reader.checksums_failed
        self._tally.checksums_ok += ok - self._counted[0]
        if failed > self._counted[1]:
            self._tally.checksums_failed += failed - self._counted[1]
            self._tally.gaps[Mark.CHECKSUM] += failed - self._counted[1]
        self._counted = ok, failed

    def take(self) -> pa.Table:
        """Return the rows so far in the order of the exchange's time, and begin anew."""
        self._count_checksums()
        levels = to_table(self.reader.take())
        trades = self._trade_table()
        self._trades = array("q")
        return ordered([trades, levels]) if trades.num_rows else levels

    def _trade_table(self) -> pa.Table:
        flat = pa.array(self._trades, pa.int64())
        count = len(self._trades) // 5
        every = [flat.take(pa.array(range(place, 5 * count, 5), pa.int64())) for place in range(5)]
        kind = pa.array([Kind.TRADE] * count, pa.uint8())
        flags = pa.array([Flag.LAST] * count, pa.uint8())
        exchange, heard, side, ticks, lots = every
        return pa.table([exchange, heard, kind, side.cast(pa.uint8()), ticks, lots, flags], schema=SCHEMA)


def bounded(value: int, least: int = 0) -> int:
    """Return a value that a column can hold. Raises ValueError for one below ``least`` or too large."""
    if not least <= value <= INT64_MAX:
        raise ValueError(f"{str(value)[:40]} is beyond any price, quantity or time")
    return value


def ordered(tables: Iterable[pa.Table]) -> pa.Table:
    """Return rows in the order of the exchange's time; at the same time trades first, else as they came."""
    table = pa.concat_tables(tables).combine_chunks()
    later = pc.cast(pc.not_equal(table["kind"], pa.scalar(int(Kind.TRADE), pa.uint8())), pa.int64())
    return table.take(pc.sort_indices(pc.add(pc.multiply(table["exchange_ts"], 2), later)))


def to_table(columns: list[bytes]) -> pa.Table:
    """Return a frame reader's rows as a table."""
    arrays = [
        pa.Array.from_buffers(kind, len(data) // kind.byte_width, [None, pa.py_buffer(data)])
        for kind, data in zip(SCHEMA.types, columns, strict=True)
    ]
    return pa.table(arrays, schema=SCHEMA)
