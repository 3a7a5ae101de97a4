"""Every checksum of the captured books, by both implementations."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from book import orderbook
from book.frames import new_name
from tests.frames import frame_lines, rust

V1 = "public_v1/book1000_10pairs_cryptofeed.jsonl"
BTC = "public_v2/book10_BTCUSD_python-kraken-sdk_repadded.jsonl"
MINA = "public_v2/book25_MINAGBP_depthcharge_verbatim.jsonl"

MODULES = [
    pytest.param(lambda: orderbook, id="python"),
    pytest.param(rust, id="rust", marks=pytest.mark.rust),
]


@pytest.fixture(params=MODULES)
def module(request: pytest.FixtureRequest) -> Any:
    load: Callable[[], Any] = request.param
    return load()


def is_book(frame: bytes) -> bool:
    return frame.startswith((b"[", b'{"channel":"book"'))


def applied(module: Any, name: str, symbol: str, *arguments: int) -> Any:
    """A book after all frames of a capture, each of which has to be taken."""
    book = module.OrderBook(symbol, *arguments)
    for frame in filter(is_book, frame_lines(name)):
        assert book.apply_frame(frame)
    return book


@pytest.mark.parametrize("precisions", [(1, 8), (-1, -1)], ids=["instrument", "wire"])
def test_the_snapshot_and_509_updates_of_btc_usd_verify(module: Any, precisions: tuple[int, int]) -> None:
    book = applied(module, BTC, "BTC/USD", 10, *precisions)
    assert (book.checksums_ok, book.checksums_failed) == (510, 0)
    assert (book.price_precision, book.qty_precision) == (1, 8)
    assert len(book.bids(99)) == len(book.asks(99)) == 10
    assert module.get_bid(book) < module.get_ask(book)


def test_old_names_of_the_pair_are_the_same_pair(module: Any) -> None:
    assert applied(module, BTC, "XBT/USD", 10, 1, 8).checksums_ok == 510


def test_the_snapshot_and_24_updates_of_mina_gbp_verify(module: Any) -> None:
    assert applied(module, MINA, "MINA/GBP", 25, 4, 8).checksums_ok == 25


def test_4269_v1_updates_of_ten_pairs_verify(module: Any) -> None:
    books: dict[str, Any] = {}
    for frame in filter(is_book, frame_lines(V1)):
        symbol = new_name(json.loads(frame)[-1])
        if symbol not in books:
            books[symbol] = module.OrderBook(symbol, 1000, -1, -1)
        assert books[symbol].apply_frame(frame)
    totals = Counter[str]()
    for book in books.values():
        totals.update(ok=book.checksums_ok, failed=book.checksums_failed)
        assert not book.crossed
    assert (len(books), totals["ok"], totals["failed"]) == (10, 4269, 0)


def test_a_lost_frame_is_noticed(module: Any) -> None:
    book = module.OrderBook("BTC/USD", 10, 1, 8)
    results = [book.apply_frame(frame) for at, frame in enumerate(frame_lines(BTC)) if at != 100]
    assert results.index(False) < 110
    assert not any(results[results.index(False) :])
    assert book.checksums_failed == 1


def test_the_checksums_would_fail_without_truncation(module: Any) -> None:
    """At depth 10 nearly every message tells; a book that keeps everything has to be caught by this capture."""
    book = module.OrderBook("BTC/USD", 1000, 1, 8)
    results = [book.apply_frame(frame) for frame in frame_lines(BTC)]
    assert False in results
