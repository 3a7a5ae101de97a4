"""The Rust book, the Python book and a naive model are one, on whatever an exchange or a fault may send."""

from __future__ import annotations

import json
import zlib
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from book import orderbook
from shared import messages as m
from tests.frames import rust

PRICE_DECIMALS, QTY_DECIMALS = 1, 3
SYMBOL = "BTC/USD"


def fixed(units: int, decimals: int, wire: int) -> str:
    """``units`` of ``10 ** -decimals`` as text with ``wire`` decimals."""
    digits = str(units * 10 ** (wire - decimals)).rjust(wire + 1, "0")
    return f"{digits[: len(digits) - wire]}.{digits[len(digits) - wire :]}"


class Exchange:
    """A naive Kraken: the whole book in two dicts, and frames as Kraken forms them.

    What a message says is the difference of the window of ``depth`` levels before and after a change: deletes, the
    levels that come into the window, and nothing about what falls out of it.
    """

    def __init__(self, depth: int, is_v1: bool) -> None:
        self.depth, self.is_v1 = depth, is_v1
        self.wire = (5, 8) if is_v1 else (PRICE_DECIMALS, QTY_DECIMALS)
        self.sides: dict[str, dict[int, int]] = {"bids": {}, "asks": {}}

    def window(self, side: str) -> dict[int, int]:
        levels = sorted(self.sides[side].items(), reverse=side == "bids")
        return dict(levels[: self.depth])

    def texts(self, price: int, qty: int) -> tuple[str, str]:
        return fixed(price, PRICE_DECIMALS, self.wire[0]), fixed(qty, QTY_DECIMALS, self.wire[1])

    def checksum(self) -> int:
        levels = [*list(self.window("asks").items())[:10], *list(self.window("bids").items())[:10]]
        texts = (text for price, qty in levels for text in self.texts(price, qty))
        return zlib.crc32("".join(text.replace(".", "").lstrip("0") for text in texts).encode())

    def snapshot(self) -> bytes:
        return self.frame("snapshot", {side: list(self.window(side).items()) for side in self.sides})

    def change(self, side: str, price: int, qty: int) -> bytes:
        before = self.window(side)
        self.sides[side].pop(price, None)
        if qty:
            self.sides[side][price] = qty
        after = self.window(side)
        said = [(price, 0)] if price in before and price not in after and not qty else []
        said += [(price, qty) for price, qty in after.items() if before.get(price) != qty]
        return self.frame("update", {side: said})

    def frame(self, kind: str, sides: dict[str, list[tuple[int, int]]]) -> bytes:
        if self.is_v1:
            return self.v1_frame(kind, sides)
        texts = {side: [self.texts(*level) for level in sides.get(side, [])] for side in ("bids", "asks")}
        bids, asks = (
            ",".join(f'{{"price":{price},"qty":{qty}}}' for price, qty in levels) for levels in texts.values()
        )
        element = f'{{"symbol":"{SYMBOL}","bids":[{bids}],"asks":[{asks}],'
        element += f'"checksum":{self.checksum()},"timestamp":"2026-08-16T23:37:05.376419Z"}}'
        return f'{{"channel":"book","type":"{kind}","data":[{element}]}}'.encode()

    def v1_frame(self, kind: str, sides: dict[str, list[tuple[int, int]]]) -> bytes:
        bodies: list[dict[str, Any]] = []
        for side, levels in sides.items():
            key = side[0] + ("s" if kind == "snapshot" else "")
            texts = [[*self.texts(*level), "1693415330.62"] for level in levels]
            if kind == "snapshot" and bodies:
                bodies[0][key] = texts
            else:
                bodies.append({key: texts})
        if kind == "update":
            bodies[-1]["c"] = str(self.checksum())
        return json.dumps([336, *bodies, f"book-{self.depth}", "XBT/USD"]).encode()


prices = st.integers(900, 1000)
quantities = st.one_of(st.just(0), st.integers(1, 10**6))
changes = st.tuples(st.sampled_from(["bids", "asks"]), prices, quantities)


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


@st.composite
def mutated(draw: st.DrawFn, frame: bytes) -> bytes:
    """The frame with a few bytes changed, taken out, put in or repeated, or its numbers written otherwise."""
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(len(frame) - 1, 0)))
        to = at + draw(st.integers(0, 30))
        how = draw(st.sampled_from(["byte", "cut", "repeat", "insert", "number", "key"]))
        if how == "byte":
            frame = frame[:at] + draw(st.binary(min_size=1, max_size=1)) + frame[at + 1 :]
        elif how == "cut":
            frame = frame[:at] + frame[to:]
        elif how == "repeat":
            frame = frame[:to] + frame[at:to] + frame[to:]
        elif how == "insert":
            frame = frame[:at] + draw(st.sampled_from(SCRAPS)) + frame[at:]
        elif how == "number":
            old = draw(st.sampled_from([b"0.", b"9", b"1", b"00", b'"']))
            frame = frame.replace(old, draw(st.sampled_from(SCRAPS)), 1)
        else:
            old = draw(st.sampled_from([b"bids", b"asks", b"price", b"qty", b"USD", b"book", b"update", b"checksum"]))
            frame = frame.replace(old, draw(st.sampled_from(SCRAPS)), draw(st.integers(1, 3)))
    return frame


SCRAPS = [
    *(b"0", b"-", b"1e2", b"1E-3", b"5e-05", b"0.00000000", b"1e999", b"99999999999999999999", b".", b"1.25", b"NaN"),
    *(b"null", b"true", b"{}", b"[]", b"[[]]", b'""', b'"r"', b'"x":1,', b'"\\u0041"', b"\\", b'"', b",", b":"),
    *(b"bids", b"asks", b"price", b"qty", b"b", b"as", b"c", b"name", b"EUR", b"symbol", b"snapshot", b"ticker"),
    *(b"\xff", b"\xc3\xa9", b"\x00", b" ", b"\n", b"\\/", b"\\ud800"),
]


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
