"""The book's core as its process runs it, with all that it sends; and the collector's numbering of messages."""

from __future__ import annotations

from typing import Any

import msgspec
import zmq

from book.books import Books
from book.runs import Runs
from shared import messages as m
from shared.bus import Received, Subscriber, topics
from shared.clock import SECOND
from tests.frames import rust
from tests.kit.market.book_changes import PRICE_DECIMALS, QTY_DECIMALS, Exchange
from tests.kit.pairs import pair_of

SYMBOLS = ["BTC/USD", "ETH/USD"]
# The time that the exchange's frames carry.
WALL = 1_786_923_425 * SECOND
DEPTH, PUBLISHED = 10, 5
BOOT = 99


class Reader:
    """The book's core behind a subscriber's decoding; keeps what the process would send and log, in order."""

    def __init__(self, module: Any, symbols: list[str], *, in_runs: bool) -> None:
        self.subscriber = Subscriber(zmq.Context.instance(), [], [])
        self.books = Books(symbols, DEPTH, module, published=PUBLISHED)
        self.seqs: dict[str, int] = {}
        self.sent: list[tuple[bytes, bytes]] = []
        self.numbers: dict[bytes, int] = {}
        self.log: list[Any] = []
        self.by_rust = 0
        self._in_runs = in_runs
        if in_runs:
            batch = module.BookBatch("book", BOOT, self.seqs, PUBLISHED)
            self.books.take_runs(Runs(batch, self.subscriber.tracker, self.subscriber.decode))

    def close(self) -> None:
        self.subscriber.socket.close()

    def take(self, parts: list[list[bytes]], now: int, wall: int) -> None:
        """Take messages in order: alone, or frames of books that stand together as a run."""
        at = 0
        while at < len(parts):
            end = at
            while self._in_runs and end < len(parts) and parts[end][0].startswith(b"feed.book."):
                end += 1
            if end > at:
                self._run(parts[at:end], now, wall)
            else:
                received = self.subscriber.decode(parts[at])
                if received is not None:
                    self.message(received, now, wall)
                end = at + 1
            at = end

    def _run(self, parts: list[list[bytes]], now: int, wall: int) -> None:
        at = 0
        while at < len(parts):
            before, at = at, self.books.run(parts, at, now, wall)
            self.by_rust += (at - before) * bool(self.books.out.pending.finished)
            self.carry_out(now, wall)

    def message(self, received: Received, now: int, wall: int) -> None:
        self.books.message(received.message, received.missed, now, wall)
        self.carry_out(now, wall)

    def turn(self, now: int, wall: int) -> None:
        self.books.turn(now)
        self.carry_out(now, wall)

    def carry_out(self, now: int, wall: int) -> None:
        wanted = self.books.take()
        self.sent += wanted.finished
        for symbol in wanted.books:
            topic = f"book.{symbol}"
            self.seqs[topic] = self.seqs.get(topic, 0) + 1
            raw = self.books.encode(symbol, "book", BOOT, self.seqs[topic], wall, now)
            self.sent.append((topics.encode(topic), raw))
        self.sent += [(topics.encode(topic), msgspec.msgpack.encode(message)) for topic, message in wanted.messages]
        self.log += wanted.log


def _books_last(reader: Reader) -> dict[bytes, list[dict[str, object]]]:
    """Return what a reader sent since the last call, by topic and without numbers, which count on one by one.

    Of live books that follow one another only the last counts: a run tells a book once.
    """
    messages: dict[bytes, list[dict[str, object]]] = {}
    for topic, raw in reader.sent:
        message = msgspec.msgpack.decode(raw)
        number = message.pop("seq", 0)
        if topic.startswith(b"book.") and "state" in message:
            assert number == reader.numbers.get(topic, 0) + 1
            reader.numbers[topic] = number
            earlier = messages.get(topic, [])
            if earlier and (earlier[-1]["state"], message["state"]) == ("live", "live"):
                earlier.pop()
        messages.setdefault(topic, []).append(message)
    reader.sent = []
    return messages


class Feed:
    """A collector's numbering: messages as they are on the wire."""

    def __init__(self) -> None:
        self.boot, self.connection = 1, 1
        self.seqs: dict[str, int] = {}

    def wire(self, topic: str, message: m.Message, *, skip: int = 0) -> list[bytes]:
        """Return topic and payload of the next message of a topic, ``skip`` messages lost before it."""
        self.seqs[topic] = seq = self.seqs.get(topic, 0) + 1 + skip
        stamped = msgspec.structs.replace(message, src="collector", boot=self.boot, seq=seq, ts=7)
        return [topics.encode(topic), msgspec.msgpack.encode(stamped)]

    def restart(self) -> None:
        """Begin a new boot, whose numbers begin again."""
        self.boot, self.connection, self.seqs = self.boot + 1, 1, {}


class World:
    """One feed, read by both; actions put messages on the bus, and a turn hands over what has gathered."""

    def __init__(self, *, replay: bool = False) -> None:
        module = rust()
        self.readers = [Reader(module, SYMBOLS, in_runs=in_runs) for in_runs in (False, True)]
        self.exchanges = {symbol: Exchange(DEPTH, is_v1=False) for symbol in SYMBOLS}
        self.feed, self.replay = Feed(), replay
        self.now, self.lag, self.connected = 1000 * SECOND, 0, True
        # The exchange's time less CLOCK_BOOTTIME; 0: unknown.
        self.offset = 0
        self.parts: list[list[bytes]] = []

    def act(self, name: str, *arguments: Any) -> None:
        if name == "recovery":
            self.act("instruments", PRICE_DECIMALS)
            self.act("status", True)
            for symbol in SYMBOLS:
                self.frame(symbol, "snapshot")
        elif name == "time":
            self.now += arguments[0]
        elif name == "lag":
            self.lag = arguments[0]
        elif name == "status":
            self.connected = arguments[0]
            self.status()
        elif name == "unheard":
            self.status(last_byte=1)
        elif name in ("connect", "collector restarts"):
            if name == "connect":
                self.feed.connection += 1
            else:
                self.feed.restart()
            self.connected = True
            self.status()
        elif name == "instruments":
            self.instruments(arguments[0])
        elif name == "trade":
            self.trade(arguments[0])

    def put(self, topic: str, message: m.Message, *, skip: int = 0) -> None:
        self.parts.append(self.feed.wire(topic, message, skip=skip))

    def frame(self, symbol: str, kind: str, change: tuple[str, int, int] = ("bids", 1, 0)) -> bytes:
        """Send a frame of a change, unless it is lost on the way or to be broken; return it."""
        exchange, (side, price, qty) = self.exchanges[symbol], change
        if kind == "again":
            self.parts += self.parts[-1:]
            return b""
        price += 200 * (side == "asks" or kind == "crossing")
        raw = exchange.snapshot() if kind == "snapshot" else exchange.change(side, price, qty)
        raw = raw.replace(b"BTC/USD", symbol.encode())
        if kind == "other shape":
            raw = raw.replace(b'":', b'": ')
        if kind not in ("lost on the way", "broken"):
            self.put_frame(symbol, raw, skip=2 * (kind == "lost on the bus"), old=kind == "old connection")
        return raw

    def put_frame(self, symbol: str, raw: bytes, *, skip: int = 0, old: bool = False) -> None:
        message = m.FeedFrame(symbol=symbol, frame=raw, connection=self.feed.connection - old, received=self.now - 5)
        self.put(f"feed.book.{symbol}", message, skip=skip)

    def status(self, last_byte: int | None = None) -> None:
        message = m.FeedStatus(
            connected=self.connected,
            connection=self.feed.connection,
            last_byte=self.now if last_byte is None else last_byte,
            symbols=dict.fromkeys(SYMBOLS, "subscribed"),
            replay=self.replay,
            exchange_offset=self.offset,
            offset_uncertain_ms=1.0 if self.offset else -1.0,
        )
        self.put("feed.status", message)

    def instruments(self, price_precision: int) -> None:
        pairs = {symbol: pair_of(symbol, price_precision, QTY_DECIMALS) for symbol in SYMBOLS}
        self.put("feed.instrument", m.Instruments(pairs=pairs))

    def trade(self, price: int) -> None:
        trades = [m.Trade(side="buy", price=price, qty=1)]
        message = m.FeedTrades(
            symbol=SYMBOLS[0],
            price_precision=PRICE_DECIMALS,
            qty_precision=QTY_DECIMALS,
            trades=trades,
            received=self.now,
        )
        self.put(f"feed.trade.{SYMBOLS[0]}", message)

    def close(self) -> None:
        for reader in self.readers:
            reader.close()

    def turn(self) -> None:
        """Hand over what has gathered, turn, and hold both against one another."""
        for reader in self.readers:
            reader.take(self.parts, self.now, WALL + self.lag)
            reader.turn(self.now, WALL + self.lag)
        self.parts = []
        alone, in_runs = self.readers
        assert _books_last(in_runs) == _books_last(alone)
        assert in_runs.log == alone.log
        assert in_runs.books.out.counts == alone.books.out.counts
        assert in_runs.books.trouble == alone.books.trouble
        assert in_runs.subscriber.counters == alone.subscriber.counters
