"""Order books as others keep them: ``python books.py NAME FILE PASSES``.

FILE is JSON: a list of ``{"depth": n, "frames": [text, ...]}``. Each is played so many times; of each the median is
printed, in us a frame of CPU time. Each book takes Kraken's own bytes and is used as its users use it; those that check
Kraken's checksum end the run where one fails.
"""

import asyncio
import json
import statistics
import sys
import time
import zlib
from bisect import bisect_left, insort
from decimal import Decimal
from itertools import islice
from pathlib import Path

import msgspec

SYMBOL = "BTC/USD"


class Level(msgspec.Struct):
    price: Decimal
    qty: Decimal


class Element(msgspec.Struct):
    bids: list[Level]
    asks: list[Level]
    checksum: int


class Frame(msgspec.Struct):
    type: str
    data: list[Element]


class RawLevel(msgspec.Struct):
    price: msgspec.Raw
    qty: msgspec.Raw


class RawElement(msgspec.Struct):
    bids: list[RawLevel]
    asks: list[RawLevel]
    checksum: int


class RawFrame(msgspec.Struct):
    type: str
    data: list[RawElement]


class CBook:
    """order-book: the frame by msgspec with Decimals, its checksum."""

    def __init__(self, depth: int) -> None:
        from order_book import OrderBook

        self.make = lambda: OrderBook(max_depth=depth, max_depth_strict=True, checksum_format="KRAKEN")
        self.decoder = msgspec.json.Decoder(Frame)

    def apply(self, frame: bytes) -> None:
        message = self.decoder.decode(frame)
        if message.type == "snapshot":
            self.book = self.make()
        book, element = self.book, message.data[0]
        for side, levels in ((book.bids, element.bids), (book.asks, element.asks)):
            for level in levels:
                if level.qty:
                    side[level.price] = level.qty
                elif level.price in side:
                    del side[level.price]
        assert book.checksum() == element.checksum


class BisectBook:
    """Sorted lists and the text of each level; the frame by msgspec, numbers from their text; whole checksum."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.decoder = msgspec.json.Decoder(RawFrame)

    def apply(self, frame: bytes) -> None:
        message = self.decoder.decode(frame)
        if message.type == "snapshot":
            self.bids, self.asks, self.bid_texts, self.ask_texts = [], [], {}, {}
        element = message.data[0]
        if element.bids:
            self.change(element.bids, -1, self.bids, self.bid_texts)
        if element.asks:
            self.change(element.asks, 1, self.asks, self.ask_texts)
        texts = [self.ask_texts[key] for key in self.asks[:10]]
        texts += [self.bid_texts[key] for key in self.bids[:10]]
        assert zlib.crc32(b"".join(texts)) == element.checksum

    def change(self, levels: list[RawLevel], sign: int, keys: list[int], texts: dict[int, bytes]) -> None:
        for level in levels:
            price = bytes(level.price).replace(b".", b"").lstrip(b"0")
            qty = bytes(level.qty).replace(b".", b"").lstrip(b"0")
            key = sign * int(price)
            if qty:
                if key not in texts:
                    insort(keys, key)
                texts[key] = price + qty
            elif key in texts:
                del texts[key], keys[bisect_left(keys, key)]
        for key in keys[self.depth :]:
            del texts[key]
        del keys[self.depth :]


class SortedBook:
    """sortedcontainers' SortedDict a side, with the parser of TradeByte's Python book; whole checksum."""

    def __init__(self, depth: int) -> None:
        from sortedcontainers import SortedDict

        sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
        from book import plain

        self.read, self.depth = plain.read, depth
        self.bids, self.asks = SortedDict(), SortedDict()

    def apply(self, frame: bytes) -> None:
        message = self.read(frame, SYMBOL)
        if message.snapshot:
            self.bids.clear()
            self.asks.clear()
        for level in message.levels:
            side, key = (self.bids, -level.price) if level.is_bid else (self.asks, level.price)
            if level.qty:
                side[key] = level.qty
            else:
                side.pop(key, None)
        for side in (self.bids, self.asks):
            while len(side) > self.depth:
                side.popitem()
        texts = [f"{price}{qty}" for price, qty in islice(self.asks.items(), 10)]
        texts += [f"{-key}{qty}" for key, qty in islice(self.bids.items(), 10)]
        assert zlib.crc32("".join(texts).encode()) == message.checksum


class SdkBook:
    """python-kraken-sdk's SpotOrderBookClient, its handler called with the parsed frame."""

    def __init__(self, depth: int) -> None:
        import kraken.spot.orderbook as module

        class Market:
            def get_asset_pairs(self, pair: str) -> dict[str, dict[str, int]]:
                return {pair: {"pair_decimals": 1, "lot_decimals": 8}}

        module.Market = Market
        # The book alone: the connection that its base class makes is not used.
        module.SpotWSClient.__init__ = lambda _: None
        self.client = module.SpotOrderBookClient(depth=depth, callback=self.note)

    def note(self, pair: str, message: dict[str, object]) -> None:
        assert "error" not in message, pair

    def apply(self, frame: bytes) -> None:
        try:
            self.client.on_message(json.loads(frame)).send(None)
        except StopIteration:
            return
        raise AssertionError("the book waits")


class CcxtBook:
    """ccxt's watchOrderBook handler, with a client that nobody waits on."""

    def __init__(self, depth: int) -> None:
        import ccxt.pro

        class Client:
            def __init__(self, hash: str) -> None:
                self.subscriptions = {hash: {"limit": depth}}

            def resolve(self, book: object, hash: str) -> None:
                pass

        self.loop = asyncio.new_event_loop()
        self.exchange = ccxt.pro.kraken({"asyncio_loop": self.loop})
        self.client = Client(self.exchange.get_message_hash("orderbook", None, SYMBOL))

    def apply(self, frame: bytes) -> None:
        self.exchange.handle_order_book(self.client, json.loads(frame))


class NautilusBook:
    """nautilus_trader's L2 OrderBook, a delta a level."""

    def __init__(self, _depth: int) -> None:
        from nautilus_trader.model.book import OrderBook
        from nautilus_trader.model.data import BookOrder, OrderBookDelta
        from nautilus_trader.model.enums import BookAction, BookType, OrderSide
        from nautilus_trader.model.identifiers import InstrumentId
        from nautilus_trader.model.objects import Price, Quantity

        instrument = InstrumentId.from_str("BTC/USD.KRAKEN")
        self.decoder = msgspec.json.Decoder(RawFrame)
        self.book = OrderBook(instrument, BookType.L2_MBP)
        price_of, qty_of = Price.from_str, Quantity.from_str

        def delta(level: RawLevel, side: OrderSide) -> OrderBookDelta:
            qty = qty_of(bytes(level.qty).decode())
            action = BookAction.UPDATE if qty.raw else BookAction.DELETE
            order = BookOrder(side, price_of(bytes(level.price).decode()), qty, 0)
            return OrderBookDelta(instrument, action, order, 0, 0, 0, 0)

        self.delta, self.buy, self.sell = delta, OrderSide.BUY, OrderSide.SELL

    def apply(self, frame: bytes) -> None:
        message = self.decoder.decode(frame)
        if message.type == "snapshot":
            self.book.clear(0, 0)
        element = message.data[0]
        for side, levels in ((self.buy, element.bids), (self.sell, element.asks)):
            for level in levels:
                self.book.apply_delta(self.delta(level, side))


BOOKS = {
    "order-book": CBook,
    "bisect": BisectBook,
    "sortedcontainers": SortedBook,
    "python-kraken-sdk": SdkBook,
    "ccxt": CcxtBook,
    "nautilus_trader": NautilusBook,
}


def main() -> None:
    name, file, passes = sys.argv[1:4]
    took = []
    for workload in json.loads(Path(file).read_bytes()):
        frames = [frame.encode() for frame in workload["frames"]]
        took.append(statistics.median(play(BOOKS[name](workload["depth"]), frames) for _ in range(int(passes))))
    print(json.dumps(took))


def play(book: object, frames: list[bytes]) -> float:
    apply = book.apply
    began = time.thread_time_ns()
    for frame in frames:
        apply(frame)
    return (time.thread_time_ns() - began) / len(frames) / 1000


if __name__ == "__main__":
    main()
