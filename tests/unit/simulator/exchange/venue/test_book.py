"""Views of the book (KRAKEN.md 1.5): a client that follows the rules has the book's best levels after every message."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings, strategies as st

from simulator.exchange.engine import MatchingEngine, Side
from simulator.exchange.venue.book import DEPTHS, FullBook
from simulator.pairs.pairs import PAIRS
from tests.kit.simulator.followers import Follower

BTC = PAIRS["BTC/USD"]


def followed(book: FullBook, name: str, depth: int) -> list[tuple[str, str]]:
    side = book.bids if name == "bids" else book.asks
    return [(BTC.price(price), BTC.qty(qty)) for price, qty in side.best(depth)]


# KRAKEN.md 1.5.1: price and quantity in turns, best first.
DOCUMENTED_BIDS = """
45283.5 0.10000000 45283.4 1.54582015 45282.1 0.10000000 45281.0 0.10000000 45280.3 1.54592586
45279.0 0.07990000 45277.6 0.03310103 45277.5 0.30000000 45277.3 1.54602737 45276.6 0.15445238
"""
DOCUMENTED_ASKS = """
45285.2 0.00100000 45286.4 1.54571953 45286.6 1.54571109 45289.6 1.54560911 45290.2 0.15890660
45291.8 1.54553491 45294.7 0.04454749 45296.1 0.35380000 45297.5 0.09945542 45299.5 0.18772827
"""


def test_the_documented_book_has_the_documented_checksum() -> None:
    bids = [
        "45283.5",
        "0.10000000",
        "45283.4",
        "1.54582015",
        "45282.1",
        "0.10000000",
        "45281.0",
        "0.10000000",
        "45280.3",
        "1.54592586",
        "45279.0",
        "0.07990000",
        "45277.6",
        "0.03310103",
        "45277.5",
        "0.30000000",
        "45277.3",
        "1.54602737",
        "45276.6",
        "0.15445238",
    ]
    asks = [
        "45285.2",
        "0.00100000",
        "45286.4",
        "1.54571953",
        "45286.6",
        "1.54571109",
        "45289.6",
        "1.54560911",
        "45290.2",
        "0.15890660",
        "45291.8",
        "1.54553491",
        "45294.7",
        "0.04454749",
        "45296.1",
        "0.35380000",
        "45297.5",
        "0.09945542",
        "45299.5",
        "0.18772827",
    ]
    book = FullBook(BTC)
    sides: dict[Side, list[str]] = {"buy": bids, "sell": asks}
    for side, levels in sides.items():
        pairs = zip(levels[::2], levels[1::2], strict=True)
        book.apply([(side, int(p.replace(".", "")), int(q.replace(".", ""))) for p, q in pairs], 1, [])
    assert book.checksum == 3310070434


def test_a_delete_is_followed_at_once_by_the_level_that_enters() -> None:
    book = FullBook(BTC)
    book.apply([("buy", 100 - i, 5) for i in range(12)], 1, [])
    (message,) = book.apply([("buy", 100, 0), ("buy", 99, 0), ("buy", 101, 7)], 2, [10])
    entries = json.loads(message[1])["data"][0]["bids"]
    assert [entry["price"] for entry in entries] == [10.0, 9.0, 9.9, 8.9, 10.1]


def test_a_level_pushed_out_is_not_announced_and_what_is_outside_is_silent() -> None:
    book = FullBook(BTC)
    book.apply([("sell", 100 + i, 5) for i in range(10)], 1, [])
    (message,) = book.apply([("sell", 99, 5)], 2, [10])
    assert len(json.loads(message[1])["data"][0]["asks"]) == 1
    assert book.apply([("sell", 500, 5)], 3, [10]) == []


def test_a_snapshot_carries_the_time_of_the_last_change() -> None:
    book = FullBook(BTC)
    book.apply([("buy", 100, 5)], 1_700_000_000_000_000_000, [])
    assert json.loads(book.snapshot(10))["data"][0]["timestamp"] == "2023-11-14T22:13:20.000000Z"


OPERATION = st.tuples(
    st.sampled_from(["submit", "market", "amend", "cancel"]),
    st.sampled_from(["buy", "sell"]),
    st.integers(1, 40),
    st.integers(1, 9),
    st.integers(0, 60),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(OPERATION, max_size=120), st.integers(0, 80))
def test_every_depth_follows_the_book_through_anything(operations: list[Any], late: int) -> None:
    engine, book = MatchingEngine(), FullBook(BTC)
    followers: dict[int, Follower] = {}
    for number, (what, side, price, qty, which) in enumerate(operations):
        if number == late:
            followers = {depth: Follower(depth, book.snapshot(depth)) for depth in DEPTHS}
        if what == "submit":
            engine.submit(number, 0, side, price * 25, qty)
        elif what == "market":
            engine.submit(number, 0, side, None, qty)
        elif what == "amend":
            engine.amend(which, price * 25, qty)
        else:
            engine.cancel(which)
        for depth, text in book.apply(engine.changes(), number, followers):
            data = json.loads(text)["data"]
            assert len(data) == 1
            assert not (data[0]["bids"] and data[0]["asks"]), "one side a message"
            followers[depth].take(text)
        for depth, follower in followers.items():
            for name in ("bids", "asks"):
                assert follower.best(name) == followed(book, name, depth)


@settings(max_examples=40, deadline=None)
@given(st.lists(OPERATION, max_size=120))
def test_the_full_book_is_the_engines(operations: list[Any]) -> None:
    engine, book = MatchingEngine(), FullBook(BTC)
    for number, (what, side, price, qty, which) in enumerate(operations):
        if what == "cancel":
            engine.cancel(which)
        elif what == "amend":
            engine.amend(which, price, qty)
        else:
            engine.submit(number, 0, side, price if what == "submit" else None, qty)
        book.apply(engine.changes(), number, [])
    assert book.bids.best(1000) == engine.levels("buy", 1000)
    assert book.asks.best(1000) == engine.levels("sell", 1000)
