"""Read what a market did from a file: captured frames, a recording of TradeByte's bus, or a list of level events."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

import msgspec
import pyarrow as pa

from shared.errors import CaptureError
from shared.kraken import captures
from shared.messages import FeedFrame, FeedTrades
from simulator.errors import RecordingError
from simulator.exchange.engine import Side
from simulator.market.replay import Moment, arrivals
from simulator.pairs.pairs import PAIRS

# The first line of a CSV of level events; a level keeps one id until its quantity changes.
EVENTS_HEADER = "ts,type,side,price_ticks,qty,id"
EVENTS_PAIR = "BTC/USD"
# Its quantities are in millionths; the pair has eight decimals.
EVENTS_LOTS = 100
_frame = msgspec.msgpack.Decoder(FeedFrame)
_trades = msgspec.msgpack.Decoder(FeedTrades)
# What pyarrow raises for bytes that are no recording, or that were damaged on the disk.
_DAMAGED = (pa.ArrowException, OSError, ValueError, KeyError, TypeError)

Arrival = tuple[str, Moment]


def read(path: Path) -> list[Arrival]:
    """Return (symbol, moment) in the order in which they came. Raises :class:`RecordingError`."""
    try:
        if path.is_dir():
            files = sorted(path.glob("*.arrows"))
            if not files:
                raise RecordingError("no recorded file is in this folder")
            return [arrival for file in files for arrival in _bus(file)]
        if path.suffix == ".arrows":
            return list(_bus(path))
        if path.suffix == ".csv":
            return _events(path)
        return arrivals(captures.frames(path))
    except OSError as error:
        raise RecordingError(error.strerror or str(error)) from error
    except CaptureError as error:
        raise RecordingError(str(error)) from error


def _bus(path: Path) -> Iterator[Arrival]:
    """Yield the books and trades of a recorded file, up to its last whole batch."""
    content = path.read_bytes()
    try:
        reader = pa.ipc.open_stream(content)
    except _DAMAGED as error:
        raise RecordingError(f"{path.name} is no recording of TradeByte's bus, or was cut off at once") from error
    last: tuple[int, bytes] | None = None
    newest = 0
    try:
        for batch in reader:
            for topic, payload in zip(
                batch.column("topic").to_pylist(), batch.column("payload").to_pylist(), strict=True
            ):
                if topic.startswith("feed.book."):
                    message = _frame.decode(payload)
                    # A frame of several symbols was published on the topic of each.
                    if (message.received, message.frame) != last:
                        last = (message.received, message.frame)
                        arrived = arrivals([message.frame], newest)
                        newest = max([newest, *(moment.ns for _, moment in arrived)])
                        yield from arrived
                elif topic.startswith("feed.trade."):
                    yield from _bus_trades(_trades.decode(payload))
    except (*_DAMAGED, msgspec.DecodeError):
        # The rest of a file that is still being written, or was cut off.
        return


def _bus_trades(message: FeedTrades) -> Iterator[Arrival]:
    pair = PAIRS.get(message.symbol)
    if pair is None or (message.price_precision, message.qty_precision) != (pair.price_precision, pair.qty_precision):
        return
    for trade in message.trades:
        yield message.symbol, Moment(trade.trade_ts, "trade", ((trade.side, trade.price, trade.qty),))


def _events(path: Path) -> list[Arrival]:
    """Return the moments of a CSV of level events: those of one time are a message, and the first the snapshot."""
    with path.open(encoding="utf-8", newline="") as file:
        if file.readline().strip() != EVENTS_HEADER:
            raise RecordingError(f"its first line is not {EVENTS_HEADER}")
        try:
            rows = [
                (int(ns), kind, _side(side), int(price), int(qty) * EVENTS_LOTS)
                for ns, kind, side, price, qty, _ in csv.reader(file)
            ]
        except ValueError as error:
            raise RecordingError(f"a line is no level event: {error}") from error
    arrived: list[Arrival] = []
    for ns, group in groupby(rows, key=lambda row: row[0]):
        events = list(group)
        trades = [Moment(ns, "trade", (row[2:],)) for row in events if row[1] == "trade"]
        # By side and price: what was cancelled and added again at one moment did not leave the queue.
        levels = {(side, price): qty if kind == "add" else 0 for _, kind, side, price, qty in _changes(events)}
        arrived += [(EVENTS_PAIR, trade) for trade in trades]
        if levels:
            first = not any(moment.kind == "snapshot" for _, moment in arrived)
            changed = tuple((*level, qty) for level, qty in levels.items())
            arrived.append((EVENTS_PAIR, Moment(ns, "snapshot" if first else "book", changed)))
    return arrived


def _side(name: str) -> Side:
    if name not in ("buy", "sell"):
        raise ValueError(f"{name!r} is no side")
    return "buy" if name == "buy" else "sell"


def _changes(events: Iterable[tuple[int, str, Side, int, int]]) -> list[tuple[int, str, Side, int, int]]:
    return [event for event in events if event[1] in ("add", "cancel")]
