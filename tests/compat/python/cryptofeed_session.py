"""A whole session of cryptofeed, whose Kraken feed knows public market data over WebSocket v1. Its hosts are fixed."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from typing import Any

from cryptofeed import FeedHandler
from cryptofeed.defines import CANDLES, L2_BOOK, TICKER, TRADES
from cryptofeed.exchanges import Kraken

PAIRS = ["BTC-USD", "ETH-USD", "SOL-USD"]
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

    pairs = len(Kraken.symbols())
    print(
        f"markets: {pairs} pairs; {counts['tickers']} tickers, {counts['trades']} trades, {counts['candles']} candles"
    )
    bad = counts["snapshots"] - len(PAIRS)
    print(f"books: {counts['updates']} updates of {len(PAIRS)} pairs, depth 100, {bad} bad by its own checksum")
    print("not in this client: orders, history, private feed over WebSocket")
    assert counts["updates"], counts
    assert bad == 0, counts
    assert counts["tickers"], counts
    assert counts["trades"], counts
    assert counts["candles"], counts


if __name__ == "__main__":
    main()
