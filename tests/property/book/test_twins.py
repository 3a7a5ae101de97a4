"""The Rust book, the Python book and a naive model are one, on whatever an exchange or a fault may send."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings, strategies as st

from book import orderbook, plain
from book.frames import any_form
from shared import messages as m
from tests.frames import rust
from tests.kit.market.book_changes import PRICE_DECIMALS, QTY_DECIMALS, SYMBOL, Exchange, changes, mutated


@st.composite
def conversations(draw: st.DrawFn) -> tuple[Exchange, list[bytes]]:
    """An exchange and the frames that it sent, from a snapshot on."""
    exchange = Exchange(draw(st.sampled_from([1, 3, 10, 25])), draw(st.booleans()))
    for side, price, qty in draw(st.lists(changes, max_size=40)):
        exchange.change(side, price + 200 * (side == "asks"), qty)
    frames = [exchange.snapshot()]
    for side, price, qty in draw(st.lists(changes, max_size=30)):
        frames.append(exchange.change(side, price + 200 * (side == "asks"), qty))
    return exchange, frames


def state(book: Any) -> tuple[Any, ...]:
    """All that can be seen of a book."""
    precisions = (book.price_precision, book.qty_precision)
    counts = (book.checksums_ok, book.checksums_failed)
    times = (book.exchange_ts, book.last_was_snapshot)
    levels = (book.bids(99), book.asks(99))
    return levels, book.checksum(), book.synced, book.crossed, times, precisions, counts


def outcome(book: Any, frame: bytes) -> str:
    """Return what a frame came to: True, False, or the error's name."""
    try:
        return str(book.apply_frame(frame))
    except ValueError as error:
        return type(error).__name__


def pair(depth: int, precisions: tuple[int, int]) -> list[Any]:
    return [module.OrderBook(SYMBOL, depth, *precisions) for module in (orderbook, rust())]


precisions = st.sampled_from([(PRICE_DECIMALS, QTY_DECIMALS), (-1, -1), (2, 8)])


@given(conversations())
def test_the_python_book_is_the_exchange_s(conversation: tuple[Exchange, list[bytes]]) -> None:
    exchange, frames = conversation
    book = orderbook.OrderBook(SYMBOL, exchange.depth, PRICE_DECIMALS, QTY_DECIMALS)
    assert all(book.apply_frame(frame) for frame in frames)
    assert dict(book.bids(99)) == exchange.window("bids")
    assert dict(book.asks(99)) == exchange.window("asks")
    assert [price for price, _ in book.bids(99)] == sorted(exchange.window("bids"), reverse=True)
    assert [price for price, _ in book.asks(99)] == sorted(exchange.window("asks"))


@pytest.mark.rust
@given(conversations(), precisions)
def test_both_books_are_one_on_sound_frames(
    conversation: tuple[Exchange, list[bytes]], given_precisions: tuple[int, int]
) -> None:
    exchange, frames = conversation
    python, fast = pair(exchange.depth, given_precisions)
    for frame in frames:
        assert outcome(python, frame) == outcome(fast, frame)
        assert state(python) == state(fast)


@pytest.mark.rust
@settings(max_examples=300)
@given(conversations(), precisions, st.data())
def test_both_books_are_one_on_broken_frames(
    conversation: tuple[Exchange, list[bytes]], given_precisions: tuple[int, int], data: st.DataObject
) -> None:
    exchange, frames = conversation
    python, fast = pair(exchange.depth, given_precisions)
    for frame in frames[:6]:
        broken = data.draw(mutated(frame))
        for sent in (broken, frame):
            assert outcome(python, sent) == outcome(fast, sent)
            assert state(python) == state(fast)


@st.composite
def odd_values(draw: st.DrawFn) -> Any:
    """JSON that is nearly a book frame: the right words in the wrong places."""
    number = st.sampled_from(["1.5", "2", "0", "0.00", "7e1", "-3", "", "x", "0.10000", "18446744073709551616"])
    scalar = st.one_of(number, st.none(), st.booleans(), st.integers(-1, 2**33), st.just({"name": "book"}))
    v1_level = st.lists(st.one_of(number, scalar, st.just("r")), max_size=4)
    v2_level = st.dictionaries(st.sampled_from(["price", "qty", "x"]), scalar, max_size=3)
    levels = st.one_of(st.lists(v1_level, max_size=3), st.lists(v2_level, max_size=3), scalar)
    if draw(st.booleans()):
        body = st.dictionaries(st.sampled_from(["a", "b", "as", "bs", "c", "name"]), levels, max_size=4)
        bodies = draw(st.lists(st.one_of(body, body, body, scalar), max_size=3))
        channel = draw(st.one_of(st.just("book-10"), st.just({"name": "book"}), scalar, body))
        return [1, *bodies, channel, draw(st.sampled_from(["XBT/USD", "BTC/USD", "ETH/USD", 5]))]
    names = st.sampled_from(["XBT/USD", "BTC/USD", "BTC/USD", "ETH/USD", 5])
    optional = {"checksum": scalar, "timestamp": scalar, "asks": levels, "x": levels}
    element = st.fixed_dictionaries({"symbol": names, "bids": levels}, optional=optional)
    data = st.one_of(st.lists(st.one_of(element, element, element, scalar), max_size=3), scalar)
    kind = st.sampled_from(["update", "snapshot", "snapshot", 1])
    return draw(st.fixed_dictionaries({"channel": st.just("book"), "data": data, "type": kind}))


@pytest.mark.rust
@settings(max_examples=300)
@given(st.lists(odd_values(), min_size=1, max_size=5), precisions)
def test_both_books_are_one_on_odd_shapes(values: list[Any], given_precisions: tuple[int, int]) -> None:
    python, fast = pair(10, given_precisions)
    for value in values:
        frame = json.dumps(value).encode()
        assert outcome(python, frame) == outcome(fast, frame)
        assert state(python) == state(fast)


@pytest.mark.rust
@given(st.binary(max_size=60))
def test_both_books_refuse_garbage(frame: bytes) -> None:
    python, fast = pair(10, (1, 8))
    assert outcome(python, frame) == outcome(fast, frame) == "FrameError"


@pytest.mark.rust
@given(st.from_regex(r"-?[0-9]{0,22}(\.[0-9]{0,20})?([eE][+-]?[0-9]{1,4})?", fullmatch=True))
def test_both_books_read_numbers_alike(text: str) -> None:
    python, fast = pair(10, (-1, -1))
    for value in (text, f'"{text}"'):
        bids = f'[{{"price":{value},"qty":{value}}}]'
        frame = f'{{"channel":"book","type":"snapshot","data":[{{"symbol":"BTC/USD","bids":{bids}}}]}}'
        assert outcome(python, frame.encode()) == outcome(fast, frame.encode())
        assert state(python) == state(fast)


@pytest.mark.rust
@given(
    st.one_of(
        st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{0,10})?Z?", fullmatch=True),
        st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
        st.from_regex(r"[0-9]{0,11}(\.[0-9]{0,10})?", fullmatch=True),
    )
)
def test_both_books_read_times_alike(text: str) -> None:
    for frame in (
        f'{{"channel":"book","type":"snapshot","data":[{{"symbol":"BTC/USD","bids":[],"timestamp":"{text}"}}]}}',
        f'[1,{{"as":[["1","1","{text}"]]}},"book-10","XBT/USD"]',
    ):
        python, fast = pair(10, (-1, -1))
        assert outcome(python, frame.encode()) == outcome(fast, frame.encode()) == "True"
        assert python.exchange_ts == fast.exchange_ts


@pytest.mark.rust
@given(
    conversations(),
    st.integers(0, 30),
    st.sampled_from(list(m.BookState)),
    st.lists(st.integers(0, 2**63 - 1), min_size=5, max_size=5),
)
def test_both_books_encode_the_typed_message(
    conversation: tuple[Exchange, list[bytes]], n: int, book_state: m.BookState, numbers: list[int]
) -> None:
    exchange, frames = conversation
    books = pair(exchange.depth, (PRICE_DECIMALS, QTY_DECIMALS))
    encoded = []
    for book in books:
        for frame in frames:
            book.apply_frame(frame)
        if book.crossed and book_state is m.BookState.LIVE:
            return
        encoded.append(book.encode(n, book_state, "book", *numbers))
    message, fast = (msgspec.msgpack.decode(raw, type=m.Book) for raw in encoded)
    assert message == fast
    assert msgspec.msgpack.decode(encoded[0]) == msgspec.msgpack.decode(encoded[1])
    assert bool(message.bids or message.asks) <= (book_state is m.BookState.LIVE)


def read(frame: bytes, symbol: str, read_by: Any) -> Any:
    """Return what a reader made of a frame: its messages, or the error's name."""
    try:
        return read_by(frame, symbol)
    except ValueError as error:
        return type(error).__name__


@settings(max_examples=300)
@given(conversations(), st.data())
def test_the_python_reader_of_kraken_s_own_form_reads_what_the_general_one_reads(
    conversation: tuple[Exchange, list[bytes]], data: st.DataObject
) -> None:
    exchange, frames = conversation
    for frame in frames[:4]:
        assert exchange.is_v1 or plain.read(frame, SYMBOL) is not None
        cut = frame[: data.draw(st.integers(0, len(frame)))]
        for sent in (frame, cut, data.draw(mutated(frame))):
            message = plain.read(sent, SYMBOL)
            assert message is None or [message] == read(sent, SYMBOL, any_form)
