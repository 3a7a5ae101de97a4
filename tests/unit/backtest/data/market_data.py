"""Frames, recordings and tables for the tests of market data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
import pyarrow as pa

from backtest.data.columns import Columns
from book import orderbook
from collector.recording.files import BARE, schema
from shared.clock import SECOND, rfc3339
from shared.messages import FeedFrame, FeedTrades, Instruments, Message, Pair, Trade

SYMBOL = "BTC/USD"
# 2026-07-24T00:00:00Z.
MIDNIGHT = 1_784_851_200 * SECOND
NOON = MIDNIGHT + 43_200 * SECOND
PAIR = Pair(
    symbol=SYMBOL,
    base="BTC",
    quote="USD",
    status="online",
    price_precision=1,
    qty_precision=8,
    price_increment=1,
    qty_increment=1,
    qty_min=10_000,
    cost_min="0.5",
)
Level = tuple[int, int]


class Exchange:
    """Kraken's side of a book: frames with right checksums, in ticks of 0.1 and lots of 10**-8."""

    def __init__(self, symbol: str = SYMBOL, depth: int = 10) -> None:
        self.symbol = symbol
        self._book = orderbook.OrderBook(symbol, depth, 1, 8)

    def frame(
        self, kind: str, at: int, bids: Sequence[Level] = (), asks: Sequence[Level] = (), *, checksum: int | None = None
    ) -> bytes:
        """Return a v2 frame of a time in ns; ``checksum`` is another than the right one."""
        self._book.apply_frame(self._text(kind, at, bids, asks, None))
        return self._text(kind, at, bids, asks, self._book.checksum() if checksum is None else checksum)

    def _text(self, kind: str, at: int, bids: Sequence[Level], asks: Sequence[Level], checksum: int | None) -> bytes:
        sides = ",".join(
            f'"{name}":[{",".join(f"""{{"price":{ticks / 10:.1f},"qty":{lots / 1e8:.8f}}}""" for ticks, lots in side)}]'
            for name, side in (("bids", bids), ("asks", asks))
        )
        check = "" if checksum is None else f'"checksum":{checksum},'
        element = f'{{"symbol":"{self.symbol}",{sides},{check}"timestamp":"{rfc3339(at)}"}}'
        return f'{{"channel":"book","type":"{kind}","data":[{element}]}}'.encode()


def trade_frame(at: int, side: str, ticks: int, lots: int, trade_id: int, kind: str = "update") -> bytes:
    """Return a v2 trade frame."""
    row = (
        f'{{"symbol":"{SYMBOL}","side":"{side}","price":{ticks / 10:.1f},"qty":{lots / 1e8:.8f},'
        f'"ord_type":"limit","trade_id":{trade_id},"timestamp":"{rfc3339(at)}"}}'
    )
    return f'{{"channel":"trade","type":"{kind}","data":[{row}]}}'.encode()


def rows(columns: Columns | pa.Table) -> list[tuple[int, ...]]:
    """Return rows as (exchange_ts, heard_ts, kind, side, ticks, lots, flags)."""
    table = columns.table if isinstance(columns, Columns) else columns
    return [tuple(row.values()) for row in table.to_pylist()]


class Bus:
    """A recording of the bus; the boot clock began at ``wall - offset``."""

    def __init__(self, offset: int) -> None:
        self.offset = offset
        self.messages: list[tuple[str, Message, int]] = []
        self._seqs: dict[tuple[str, int], int] = {}

    def send(self, topic: str, message: Message, wall: int, boot: int = 7) -> None:
        """Publish a message 40 us after ``wall``, when its cause was received."""
        seq = self._seqs[topic, boot] = self._seqs.get((topic, boot), 0) + 1
        stamped = msgspec.structs.replace(message, src="collector", boot=boot, seq=seq, ts=wall + 40_000)
        self.messages.append((topic, stamped, wall + 60_000 - self.offset))

    def lose(self, topic: str, boot: int = 7) -> None:
        """Lose one message of a topic."""
        self._seqs[topic, boot] = self._seqs.get((topic, boot), 0) + 1

    def frame(self, raw: bytes, wall: int, connection: int = 1, boot: int = 7) -> None:
        received = wall - self.offset
        message = FeedFrame(symbol=SYMBOL, frame=raw, connection=connection, received=received)
        self.send(f"feed.book.{SYMBOL}", message, wall, boot)

    def trade(self, trade: Trade, wall: int) -> None:
        message = FeedTrades(
            symbol=SYMBOL, price_precision=1, qty_precision=8, trades=[trade], received=wall - self.offset
        )
        self.send(f"feed.trade.{SYMBOL}", message, wall)

    def instruments(self, wall: int, pair: Pair = PAIR) -> None:
        self.send("feed.instrument", Instruments(pairs={pair.symbol: pair}), wall)

    def write(self, folder: Path, batch_rows: int = 3) -> Path:
        folder.mkdir(exist_ok=True)
        path = folder / "000001-20260724T120000Z.arrows"
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, schema("one", [])) as writer:
            for first in range(0, len(self.messages), batch_rows):
                writer.write_batch(self._batch(self.messages[first : first + batch_rows]))
        return path

    def _batch(self, messages: Iterable[tuple[str, Message, int]]) -> pa.RecordBatch:
        made = [
            (topic, each.src, each.boot, each.seq, each.ts, heard, 0, msgspec.msgpack.encode(each))
            for topic, each, heard in messages
        ]
        columns = [pa.array(column, kind) for column, kind in zip(zip(*made, strict=True), BARE.types, strict=True)]
        return pa.record_batch(columns, schema=BARE)


def write_lines(path: Path, frames: Iterable[bytes]) -> str:
    """Write a capture; return its path."""
    path.write_bytes(b"".join(frame + b"\n" for frame in frames))
    return str(path)


def parsed(text: str) -> dict[str, object]:
    """Return a command's JSON object."""
    made: dict[str, object] = json.loads(text)
    return made
