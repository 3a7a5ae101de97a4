"""Recordings of the bus: its raw book frames and its trades, with the time at which each was received here."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median_low

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from backtest.data.columns import BUY, SELL, Mark
from backtest.data.frames import INT64_MAX
from backtest.data.market import Market
from backtest.data.places import Place
from backtest.errors import DataError
from collector.recording.files import BARE, DAMAGED, NAME
from shared.clock import SECOND
from shared.messages import FeedFrame, FeedTrades, Instruments

_frame = msgspec.msgpack.Decoder(FeedFrame)
_trades = msgspec.msgpack.Decoder(FeedTrades)
_instruments = msgspec.msgpack.Decoder(Instruments)
_BOOK, _LEVEL3, _TRADE, _INSTRUMENT = "feed.book.", "feed.level3.", "feed.trade.", "feed.instrument"
_Message = FeedFrame | FeedTrades | Instruments


def files(place: Place) -> list[Place]:
    """Return a recording's files in order. Raises DataError."""
    if not place.is_folder:
        return [place]
    numbered = [(int(match[1]), file) for file in place.files() if (match := NAME.fullmatch(file.name))]
    return [file for _, file in sorted(numbered, key=lambda each: each[0])]


def read(recorded: list[Place], market: Market) -> Iterator[None]:
    """Read a recording's files; yield after each, so that the rows may be taken. Raises DataError."""
    _list_first(recorded, market)
    reader = _Reader(market)
    for file in recorded:
        reader.file = file.text
        for number, batch in _batches(file, market):
            reader.take(batch, number)
        yield


def _list_first(recorded: list[Place], market: Market) -> None:
    """List the pairs of the first instrument message that can be read: frames may have come before it."""
    for file in recorded:
        for _, batch in _batches(file, None):
            for at in pc.indices_nonzero(pc.equal(batch.column("topic"), _INSTRUMENT)).to_pylist():
                # One that cannot be read is counted when its turn comes.
                with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
                    for pair in _instruments.decode(batch.column("payload")[at].as_py()).pairs.values():
                        market.list_pair(pair)
                    return


def _batches(file: Place, market: Market | None) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Yield a file's batches up to its last whole one, each with the number of its first row (from 1)."""
    row = 1
    try:
        with file.source() as source:
            reader = pa.ipc.open_stream(source)
            if not reader.schema.equals(BARE):
                raise DataError(f"{file.text}: no recording of TradeByte's bus")
            for batch in reader:
                yield row, batch
                row += batch.num_rows
    except DAMAGED as error:
        # The rest of a file that is still written, or was cut off.
        if market is not None:
            market.tally.note(file.text, row, f"cut off or damaged here: {error}")


@dataclass(slots=True)
class _Topic:
    """The newest boot, seq and connection that were read of a topic; boot 0 before the first message.

    ``has_orders`` is True where its frames are of single orders.
    """

    boot: int = 0
    seq: int = 0
    connection: tuple[int, int] = (0, 0)
    has_orders: bool = False

    def missed_before(self, boot: int, seq: int) -> int | None:
        """Return how many messages are missing before this one; None for one that was there before."""
        last_boot, last = self.boot or boot, self.seq if self.boot else seq - 1
        if boot < last_boot or (boot == last_boot and seq <= last):
            return None
        self.boot, self.seq = boot, seq
        return seq - last - 1 if boot == last_boot else seq - 1


class _Reader:
    def __init__(self, market: Market) -> None:
        self.file = ""
        self._market = market
        # None for a topic that no rows are made of.
        self._topics: dict[str, _Topic | None] = {}

    def take(self, batch: pa.RecordBatch, number: int) -> None:
        """Take a batch, whose first row has a number in its file."""
        decoded = self._decoded(batch, number)
        offsets = _offsets([message for _, _, message in decoded])
        for line, topic, message in decoded:
            if isinstance(message, Instruments):
                for pair in message.pairs.values():
                    self._market.list_pair(pair)
                continue
            missed = topic.missed_before(message.boot, message.seq)
            if missed is None:
                continue
            heard = message.received + offsets[message.boot]
            if not 0 < heard <= INT64_MAX:
                self._market.tally.note(self.file, line, f"received at {heard}, which is no time")
                self._market.mark_all(Mark.UNREADABLE, 0)
            elif isinstance(message, FeedFrame):
                self._frame(topic, message, heard, missed, line)
            else:
                self._trades(message, heard, missed, line)

    def _decoded(self, batch: pa.RecordBatch, number: int) -> list[tuple[int, _Topic, _Message]]:
        decoded: list[tuple[int, _Topic, _Message]] = []
        known = self._topics
        names, payloads = batch.column("topic").to_pylist(), batch.column("payload").to_pylist()
        for line, (name, payload) in enumerate(zip(names, payloads, strict=True), number):
            topic = known[name] if name in known else self._meet(name)
            if topic is None:
                continue
            try:
                if name.startswith((_BOOK, _LEVEL3)):
                    message: _Message = _frame.decode(payload)
                elif name.startswith(_TRADE):
                    message = _trades.decode(payload)
                else:
                    message = _instruments.decode(payload)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                self._market.tally.note(self.file, line, f"{name}: {error}")
                continue
            decoded.append((line, topic, message))
        return decoded

    def _meet(self, name: str) -> _Topic | None:
        is_wanted = name.startswith((_BOOK, _LEVEL3, _TRADE)) or name == _INSTRUMENT
        topic = self._topics[name] = _Topic(has_orders=name.startswith(_LEVEL3)) if is_wanted else None
        return topic

    def _frame(self, topic: _Topic, message: FeedFrame, heard: int, missed: int, line: int) -> None:
        self._market.tally.frames += 1
        rows = self._market.rows(message.symbol)
        if rows is None:
            return
        mark, take = (rows.mark_orders, rows.order_frame) if topic.has_orders else (rows.mark, rows.frame)
        connection = message.boot, message.connection
        if connection != topic.connection:
            if topic.connection != (0, 0):
                mark(Mark.RECONNECT, heard)
            topic.connection = connection
        elif missed:
            mark(Mark.MISSED, heard)
        take(message.frame, heard, self.file, line)

    def _trades(self, message: FeedTrades, heard: int, missed: int, line: int) -> None:
        self._market.tally.frames += 1
        self._market.tally.trades_missed += missed
        rows = self._market.rows(message.symbol)
        if rows is None:
            return
        precisions = rows.pair.price_precision, rows.pair.qty_precision
        if (message.price_precision, message.qty_precision) != precisions:
            self._market.tally.note(self.file, line, f"{message.symbol}: trades in other precisions than {precisions}")
            return
        for trade in message.trades:
            side = BUY if trade.side == "buy" else SELL
            try:
                rows.trade(trade.trade_ts or heard, heard, side, trade.price, trade.qty, trade.trade_id)
            except ValueError as error:
                self._market.tally.note(self.file, line, str(error))


def _offsets(messages: list[_Message]) -> dict[int, int]:
    """Return, by boot, what makes CLOCK_BOOTTIME of the publisher's machine ns since the epoch.

    A message is published right after it was received, so that the least difference of the two is that of the clocks;
    stamps that are far from the others are damaged, and do not count.
    """
    differences: dict[int, list[int]] = {}
    for message in messages:
        if not isinstance(message, Instruments):
            differences.setdefault(message.boot, []).append(message.ts - message.received)
    usual = {boot: median_low(each) - SECOND for boot, each in differences.items()}
    return {boot: min(value for value in each if value >= usual[boot]) for boot, each in differences.items()}
