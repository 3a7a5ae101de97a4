"""A failing book is never published as live, whatever the feed, the bus or the clock may do."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings, strategies as st

from book import orderbook
from book.books import Books
from shared import messages as m
from shared.clock import MS, SECOND
from tests.frames import rust
from tests.kit.market.book_changes import PRICE_DECIMALS, QTY_DECIMALS, SYMBOL, Exchange, changes, mutated
from tests.kit.pairs import pair_of

WALL = 1_786_923_425 * SECOND

actions = st.one_of(
    st.tuples(st.just("change"), changes),
    st.tuples(st.just("change"), changes),
    st.tuples(st.just("change"), changes),
    st.tuples(st.just("snapshot")),
    st.tuples(st.just("lost on the way"), changes),
    st.tuples(st.just("lost on the bus"), changes),
    st.tuples(st.just("broken"), changes),
    st.tuples(st.just("garbage"), st.binary(max_size=40)),
    st.tuples(st.just("time"), st.sampled_from([10 * MS, 150 * MS, 900 * MS, 1200 * MS, 3500 * MS, 6 * SECOND])),
    st.tuples(st.just("status")),
    st.tuples(st.just("status")),
    st.tuples(st.just("disconnect")),
    st.tuples(st.just("connect")),
    st.tuples(st.just("collector restarts")),
    st.tuples(st.just("instruments"), st.sampled_from([PRICE_DECIMALS, PRICE_DECIMALS, 2, 0, 99])),
)


class World:
    """An exchange, a feed that may fail in every way, a core, and what may be true of a book that is live."""

    def __init__(self, module: Any, depth: int) -> None:
        self.exchange = Exchange(depth, is_v1=False)
        self.books = Books([SYMBOL], depth, module)
        self.now = 1000 * SECOND
        self.boot, self.connection, self.connected = 1, 1, True
        self.heard = self.last_byte = 0
        self.snapshot_seen = self.gap = False
        self.delivered: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self.published: list[m.Book] = []
        self.requests: list[m.Resync] = []

    def act(self, name: str, *arguments: Any, data: st.DataObject) -> None:
        if name == "time":
            self.now += arguments[0]
        elif name == "status":
            self.status()
        elif name == "disconnect":
            self.connected = self.snapshot_seen = False
            self.status()
        elif name in ("connect", "collector restarts"):
            self.boot += name == "collector restarts"
            self.connection = 1 if name == "collector restarts" else self.connection + 1
            self.connected, self.snapshot_seen = True, False
            self.status()
        elif name == "instruments":
            self.instruments(arguments[0])
        elif name == "snapshot":
            self.frame(self.exchange.snapshot(), is_snapshot=True)
        elif name == "garbage":
            self.frame(arguments[0], is_sound=False)
        else:
            side, price, qty = arguments[0]
            raw = self.exchange.change(side, price + 200 * (side == "asks"), qty)
            if name == "broken":
                self.frame(data.draw(mutated(raw)), is_sound=False)
            elif name == "lost on the bus":
                self.frame(raw, missed=data.draw(st.integers(1, 3)))
            elif name == "change":
                self.frame(raw)
        self.books.turn(self.now)
        self.check()

    def status(self) -> None:
        self.heard = self.last_byte = self.now
        self.send(
            m.FeedStatus(
                boot=self.boot,
                connected=self.connected,
                connection=self.connection,
                last_byte=self.now,
                symbols={SYMBOL: "subscribed"},
            )
        )

    def instruments(self, price_precision: int) -> None:
        pair = pair_of(SYMBOL, price_precision, QTY_DECIMALS)
        self.send(m.Instruments(boot=self.boot, pairs={SYMBOL: pair}))

    def frame(self, raw: bytes, *, missed: int = 0, is_snapshot: bool = False, is_sound: bool = True) -> None:
        self.gap = (self.gap or missed > 0) and not is_snapshot
        self.snapshot_seen |= is_snapshot and self.connected
        self.last_byte = self.now
        if is_sound:
            self.delivered = (self.exchange.window("bids"), self.exchange.window("asks"))
        message = m.FeedFrame(boot=self.boot, symbol=SYMBOL, frame=raw, connection=self.connection, received=self.now)
        self.send(message, missed)

    def send(self, message: m.Message, missed: int = 0) -> None:
        self.books.message(message, missed, self.now, WALL)
        self.check()

    def check(self) -> None:
        wanted = self.books.take()
        for symbol in wanted.books:
            raw = self.books.encode(symbol, "book", 1, 1, WALL, self.now)
            self.check_book(msgspec.msgpack.decode(raw, type=m.Book))
        self.requests += [message for _, message in wanted.messages if isinstance(message, m.Resync)]

    def check_book(self, book: m.Book) -> None:
        self.published.append(book)
        if book.state is not m.BookState.LIVE:
            assert (book.bids, book.asks) == ([], [])
            return
        assert self.connected
        assert self.snapshot_seen
        assert not self.gap
        assert self.now - self.heard <= SECOND
        assert self.now - self.last_byte <= 3 * SECOND
        factor = 10 ** (book.price_precision - PRICE_DECIMALS)
        # A broken frame may be sound where it counts; then its levels are the exchange's own too.
        truths = [self.delivered, (self.exchange.window("bids"), self.exchange.window("asks"))]
        published = (
            {price // factor: qty for price, qty in book.bids},
            {price // factor: qty for price, qty in book.asks},
        )
        assert published in truths
        assert not book.bids or not book.asks or book.bids[0][0] < book.asks[0][0]


sequences = st.lists(actions, min_size=5, max_size=40)


def run(module: Any, sequence: list[tuple[Any, ...]], depth: int, data: st.DataObject) -> World:
    world = World(module, depth)
    world.instruments(PRICE_DECIMALS)
    world.status()
    for action in sequence:
        world.act(*action, data=data)
    return world


@settings(max_examples=150)
@given(sequences, st.sampled_from([1, 10]), st.data())
def test_what_is_published_as_live_is_the_exchange_s_book(
    sequence: list[tuple[Any, ...]], depth: int, data: st.DataObject
) -> None:
    run(orderbook, sequence, depth, data)


@pytest.mark.rust
@given(sequences, st.sampled_from([1, 10]), st.data())
def test_the_same_holds_with_rust(sequence: list[tuple[Any, ...]], depth: int, data: st.DataObject) -> None:
    run(rust(), sequence, depth, data)


@given(sequences, st.data())
def test_a_book_comes_back_after_anything(sequence: list[tuple[Any, ...]], data: st.DataObject) -> None:
    """Whatever happened: with a connection, news and a snapshot the book is live again, and nothing is asked for."""
    world = run(orderbook, sequence, 10, data)
    world.act("connect", data=data)
    world.act("instruments", PRICE_DECIMALS, data=data)
    world.act("snapshot", data=data)
    assert world.published[-1].state is m.BookState.LIVE
    assert world.requests[-1].symbols == {}
