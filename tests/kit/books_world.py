"""The books' core with a clock of the test's own, fed as the bus feeds it; and frames to feed it with."""

from __future__ import annotations

import msgspec

from book import orderbook
from book.books import Books
from shared import messages as m
from shared.clock import MS, SECOND

BTC, ETH = "BTC/USD", "ETH/USD"
BOOT = 77
WALL = 1_790_000_000 * SECOND


def frame(
    kind: str, symbol: str = BTC, checksum: int | None = None, at: float = 0, **sides: list[tuple[str, str]]
) -> bytes:
    """A v2 frame; ``at`` is its timestamp in seconds after WALL."""
    texts = {
        side: ",".join(f'{{"price":{price},"qty":{qty}}}' for price, qty in sides.get(side, []))
        for side in ("bids", "asks")
    }
    tail = "" if checksum is None else f',"checksum":{checksum}'
    # 2026-09-21T14:13:20Z is WALL.
    tail += f',"timestamp":"2026-09-21T14:13:{20 + at:06.3f}Z"'
    element = f'{{"symbol":"{symbol}","bids":[{texts["bids"]}],"asks":[{texts["asks"]}]{tail}}}'
    return f'{{"channel":"book","type":"{kind}","data":[{element}]}}'.encode()


def snapshot(symbol: str = BTC) -> bytes:
    return frame("snapshot", symbol, bids=[("100.0", "1")], asks=[("101.0", "1")])


def update(symbol: str = BTC, at: float = 0) -> bytes:
    return frame("update", symbol, at=at, bids=[("100.1", "2")])


class BooksWorld:
    """A core with a clock of the test's own, fed as the bus feeds it."""

    def __init__(self, symbols: tuple[str, ...] = (BTC, ETH)) -> None:
        self.now = 1000 * SECOND
        self.symbols = symbols
        self.books = Books([*symbols], 10, orderbook)
        self.boot, self.connection = BOOT, 1
        self.published: list[m.Book] = []
        self.problems: list[str] = []
        self.requests: list[dict[str, int]] = []
        self.status: m.BookStatus | None = None
        self.subscribed = True

    @property
    def wall(self) -> int:
        return WALL + self.now - 1000 * SECOND

    def send(self, message: m.Message, missed: int = 0) -> None:
        self.books.message(message, missed, self.now, self.wall)
        self.carry_out()

    def carry_out(self) -> None:
        wanted = self.books.take()
        for symbol in wanted.books:
            raw = self.books.encode(symbol, "book", 1, 1, self.wall, self.now)
            self.published.append(msgspec.msgpack.decode(raw, type=m.Book))
        for _, message in wanted.messages:
            if isinstance(message, m.Resync):
                self.requests.append(message.symbols)
            elif isinstance(message, m.BookStatus):
                self.status = message
        self.problems += [entry.text for entry in wanted.log]

    def instruments(self, price_precision: int = 1, symbols: tuple[str, ...] = ()) -> None:
        pairs = {
            symbol: m.Pair(
                symbol=symbol,
                base=symbol[:3],
                quote="USD",
                status="online",
                price_precision=price_precision,
                qty_precision=8,
                price_increment=1,
                qty_increment=1,
                qty_min=1,
                cost_min="0.5",
            )
            for symbol in symbols or self.symbols
        }
        self.send(m.Instruments(boot=self.boot, pairs=pairs))

    def feed_status(self, connected: bool = True, replay: bool = False, last_byte: int | None = None) -> None:
        state = "subscribed" if self.subscribed else "pending"
        self.send(
            m.FeedStatus(
                boot=self.boot,
                connected=connected,
                connection=self.connection,
                last_byte=self.now if last_byte is None else last_byte,
                symbols={} if replay else dict.fromkeys(self.symbols, state),
                replay=replay,
            )
        )

    def frame(self, raw: bytes, missed: int = 0, symbol: str = BTC) -> None:
        message = m.FeedFrame(boot=self.boot, symbol=symbol, frame=raw, connection=self.connection, received=self.now)
        self.send(message, missed)

    def passes(self, seconds: float, *, news: bool = True, bytes_: bool = True) -> None:
        """Let time pass in turns of 100 ms, with or without ``feed.status`` and bytes from Kraken."""
        last_byte = self.now
        for _ in range(round(seconds * 10)):
            self.now += 100 * MS
            if news:
                self.feed_status(last_byte=self.now if bytes_ else last_byte)
            self.turn()

    def turn(self) -> None:
        self.books.turn(self.now)
        self.carry_out()

    def state(self, symbol: str = BTC) -> str:
        newest = [book for book in self.published if book.symbol == symbol][-1]
        assert bool(newest.bids or newest.asks) == (newest.state == "live")
        return newest.state

    def info(self, symbol: str = BTC) -> m.BookInfo:
        self.now += 200 * MS
        self.feed_status()
        self.turn()
        assert self.status is not None
        return self.status.books[symbol]
