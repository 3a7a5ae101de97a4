"""A whole session of cryptofeed, which knows public market data over WebSocket v1 and REST. Its hosts are fixed.

Its private REST calls cannot succeed anywhere: they read an attribute that its own answers do not have.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from typing import Any

from cryptofeed import FeedHandler
from cryptofeed.defines import CANDLES, L2_BOOK, TICKER, TRADES
from cryptofeed.exchanges import Kraken

PAIRS = ["BTC-USD", "ETH-USD", "SOL-USD", "DOGE-USD", "ETH-BTC"]
counts: Counter[str] = Counter()


async def book(update: Any, _received: float) -> None:
    """Count a book whose checksum cryptofeed found good; a bad one ends its connection."""
    counts["snapshots" if update.delta is None else "updates"] += 1
    assert update.book.bids.index(0)[0] < update.book.asks.index(0)[0]


def counter(name: str) -> Any:
    """Return a callback that counts."""

    async def count(_update: Any, _received: float) -> None:
        counts[name] += 1

    return count


async def rest(symbol: str) -> str:
    """Read what REST has of a symbol; return the error of the first private call."""
    kraken = Kraken(config={"kraken": {"key_id": os.environ["KRAKEN_KEY"], "key_secret": os.environ["KRAKEN_SECRET"]}})
    ticker = await kraken.ticker(symbol)
    assert ticker["bid"] < ticker["ask"]
    book = await kraken.l2_book(symbol)
    assert len(book.book.bids) > 10
    assert [trade async for trades in kraken.trades(symbol) for trade in trades]
    try:
        await kraken.balances()
    except AttributeError as error:
        return str(error)
    raise AssertionError("a private call succeeds now: the session should use them")


def main() -> None:
    """Follow everything that it has for MINUTES."""
    callbacks = {L2_BOOK: book, TICKER: counter("tickers"), TRADES: counter("trades"), CANDLES: counter("candles")}
    handler = FeedHandler()
    handler.add_feed(
        Kraken(
            symbols=PAIRS,
            channels=list(callbacks),
            callbacks=callbacks,
            max_depth=100,
            checksum_validation=True,
        )
    )
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    handler.run(start_loop=False, install_signal_handlers=False)
    loop.run_until_complete(asyncio.sleep(float(os.environ["MINUTES"]) * 60))
    handler.stop(loop=loop)
    private_error = asyncio.run(rest(PAIRS[0]))

    pairs = len(Kraken.symbols())
    streams = f"{counts['tickers']} tickers, {counts['trades']} trades, {counts['candles']} candles"
    print(f"markets: {pairs} pairs; over REST ticker, depth, trades; {streams}")
    bad = counts["snapshots"] - len(PAIRS)
    print(f"books: {counts['updates']} updates of {len(PAIRS)} pairs, depth 100, {bad} bad by its own checksum")
    print(f"not in this client: a private feed; its orders and history fail in itself ({private_error})")
    assert counts["updates"], counts
    assert bad == 0, counts
    assert counts["tickers"], counts
    assert counts["trades"], counts
    assert counts["candles"], counts


if __name__ == "__main__":
    main()
