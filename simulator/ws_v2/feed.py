"""Public messages of WebSocket version 2 besides the books: trade, ticker and ohlc (KRAKEN.md 1.6 to 1.8)."""

from __future__ import annotations

from collections.abc import Iterable

from simulator.exchange.venue.book import FullBook
from simulator.exchange.venue.candles import Candle, Day
from simulator.exchange.venue.trade import Trade
from simulator.pairs.pairs import Pair
from simulator.wire import iso, iso_ns


def candles(pair: Pair, kind: str, rows: Iterable[Candle], now: int) -> str:
    """Return an ``ohlc`` message; ``kind`` is ``snapshot`` or ``update``."""
    texts = ",".join(
        f'{{"symbol":"{pair.symbol}","open":{pair.price(c.open)},"high":{pair.price(c.high)},'
        f'"low":{pair.price(c.low)},"close":{pair.price(c.close)},"trades":{c.trades},'
        f'"volume":{pair.qty(c.volume)},"vwap":{pair.price(c.vwap)},"interval_begin":"{iso_ns(c.begin)}",'
        f'"interval":{c.minutes},"timestamp":"{iso(c.end)}"}}'
        for c in rows
    )
    return f'{{"channel":"ohlc","type":"{kind}","timestamp":"{iso_ns(now)}","data":[{texts}]}}'


def trades(pair: Pair, kind: str, rows: Iterable[Trade]) -> str:
    """Return a ``trade`` message, oldest first."""
    texts = ",".join(
        f'{{"symbol":"{pair.symbol}","side":"{trade.side}","price":{pair.price(trade.price)},'
        f'"qty":{pair.qty(trade.qty)},"ord_type":"{trade.kind}","trade_id":{trade.trade_id},'
        f'"timestamp":"{iso(trade.ns)}"}}'
        for trade in rows
    )
    return f'{{"channel":"trade","type":"{kind}","data":[{texts}]}}'


def ticker(book: FullBook, day: Day, last_price: int, kind: str, now: int) -> str:
    """Return a ``ticker`` message; ``last_price`` is in ticks."""
    pair = book.pair
    bid, ask = book.touch()
    change = last_price - day.open
    return (
        f'{{"channel":"ticker","type":"{kind}","data":[{{"symbol":"{pair.symbol}","bid":{pair.price(bid or 0)},'
        f'"bid_qty":{pair.qty(book.bids.qty.get(bid or 0, 0))},"ask":{pair.price(ask or 0)},'
        f'"ask_qty":{pair.qty(book.asks.qty.get(ask or 0, 0))},"last":{pair.price(last_price)},'
        f'"volume":{pair.qty(day.volume)},"vwap":{pair.price(day.vwap())},"low":{pair.price(day.low)},'
        f'"high":{pair.price(day.high)},"change":{pair.price(change)},"change_pct":{change * 100 / day.open:.2f},'
        f'"trades":{day.trades},"timestamp":"{iso(now)}"}}]}}'
    )
