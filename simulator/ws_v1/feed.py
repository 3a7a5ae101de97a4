"""Public messages of WebSocket version 1 (KRAKEN.md 2): arrays of texts, the old names, one frame for both sides.

Prices have at least five decimals, so the checksum of the same book differs from version 2's.
"""

from __future__ import annotations

from collections.abc import Iterable
from zlib import crc32

from simulator.exchange.venue.book import FullBook, Ladder, Run
from simulator.exchange.venue.candles import Candle, Day
from simulator.exchange.venue.trade import Trade
from simulator.pairs.pairs import PLACES, Pair
from simulator.wire import micros

# A channel's number: the pair's block and the channel's place in it, as Kraken numbers them.
_PLACES = {"book": 0, "trade": 1, "spread": 3, "ticker": 4, "ohlc": 5}
_FIRST, _BLOCK = 336, 32


def channel_id(pair: Pair, channel: str) -> int:
    """Return the number of a channel of a pair; depths and intervals share it."""
    return _FIRST + _BLOCK * PLACES[pair.symbol] + _PLACES[channel]


def channel_name(channel: str, depth: int) -> str:
    """Return a channel's name: ``book-10``, ``ohlc-5``, ``trade``."""
    return f"{channel}-{depth}" if depth else channel


def _frame(pair: Pair, channel: str, depth: int, payload: str) -> str:
    return f'[{channel_id(pair, channel)},{payload},"{channel_name(channel, depth)}","{pair.wsname}"]'


def snapshot(book: FullBook, depth: int) -> str:
    """Return the snapshot of a depth; version 1 puts no checksum on it."""
    pair = book.pair
    sides = []
    for name, side in (("as", book.asks), ("bs", book.bids)):
        levels = ",".join(
            f'["{pair.padded_price(price)}","{pair.qty(qty)}","{micros(side.when[price])}"]'
            for price, qty in side.best(depth)
        )
        sides.append(f'"{name}":[{levels}]')
    return _frame(pair, "book", depth, f"{{{','.join(sides)}}}")


def update(book: FullBook, runs: Iterable[Run], depth: int) -> str:
    """Return the frame of an event for a depth, empty when it touches nothing there.

    Both sides go into one frame, as two objects; the checksum is in the last one.
    """
    pair = book.pair
    sides: dict[str, list[str]] = {"a": [], "b": []}
    for run in runs:
        texts = sides["b" if run.side == "buy" else "a"]
        for entry in run.views[depth]:
            mark = ',"r"' if entry.refill else ""
            texts.append(f'["{pair.padded_price(entry.price)}","{pair.qty(entry.qty)}","{micros(entry.ns)}"{mark}]')
    parts = [f'"{name}":[{",".join(texts)}]' for name, texts in sides.items() if texts]
    if not parts:
        return ""
    parts[-1] += f',"c":"{checksum(book)}"'
    return _frame(pair, "book", depth, ",".join(f"{{{part}}}" for part in parts))


def checksum(book: FullBook) -> int:
    """Return CRC-32 over the version 1 texts of the ten best levels a side (KRAKEN.md 1.5.1)."""
    scale = int(10 ** max(0, 5 - book.pair.price_precision))

    def text(side: Ladder) -> str:
        return "".join([f"{price * scale}{qty}" for price, qty in side.best(10)])

    return crc32((text(book.asks) + text(book.bids)).encode())


def trades(pair: Pair, rows: Iterable[Trade]) -> str:
    """Return a ``trade`` frame, oldest first."""
    texts = ",".join(
        f'["{pair.padded_price(t.price)}","{pair.qty(t.qty)}","{micros(t.ns)}","{t.side[0]}","{t.kind[0]}",""]'
        for t in rows
    )
    return _frame(pair, "trade", 0, f"[{texts}]")


def ticker(book: FullBook, day: Day, last_price: int, last_qty: int, now: int) -> str:
    """Return the ticker: today's and the last 24 hours' figures. Prices are ticks, quantities lots."""
    pair, today = book.pair, day.today(now)
    bid, ask = book.touch()
    sides = []
    for name, price, side in (("a", ask, book.asks), ("b", bid, book.bids)):
        lots = side.qty.get(price or 0, 0)
        whole = lots // 10**pair.qty_precision
        sides.append(f'"{name}":["{pair.padded_price(price or 0)}",{whole},"{pair.qty(lots)}"]')

    def prices(one: int, two: int) -> str:
        return f'["{pair.padded_price(one)}","{pair.padded_price(two)}"]'

    return _frame(
        pair,
        "ticker",
        0,
        f'{{{",".join(sides)},"c":["{pair.padded_price(last_price)}","{pair.qty(last_qty)}"],'
        f'"v":["{pair.qty(today.volume)}","{pair.qty(day.volume)}"],"p":{prices(today.vwap, day.vwap())},'
        f'"t":[{today.trades},{day.trades}],"l":{prices(today.low, day.low)},"h":{prices(today.high, day.high)},'
        f'"o":{prices(today.open, day.open)}}}',
    )


def spread(book: FullBook, now: int) -> str:
    """Return the touch and what stands there."""
    pair, (bid, ask) = book.pair, book.touch()
    sizes = (book.bids.qty.get(bid or 0, 0), book.asks.qty.get(ask or 0, 0))
    texts = [pair.padded_price(bid or 0), pair.padded_price(ask or 0), micros(now), *map(pair.qty, sizes)]
    return _frame(pair, "spread", 0, "[" + ",".join(f'"{text}"' for text in texts) + "]")


def candle(pair: Pair, c: Candle) -> str:
    """Return the running candle of an interval."""
    prices = ",".join(f'"{pair.padded_price(price)}"' for price in (c.open, c.high, c.low, c.close, c.vwap))
    payload = f'["{micros(c.ns)}","{micros(c.end)}",{prices},"{pair.qty(c.volume)}",{c.trades}]'
    return _frame(pair, "ohlc", c.minutes, payload)
