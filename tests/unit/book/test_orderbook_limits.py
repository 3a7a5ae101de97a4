"""The book's edges, by both implementations: sizes at their limits, errors in their words, and what a new book says."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from book import orderbook
from shared import messages as m
from tests.kit.market.orderbooks import HEADER, MODULES, Levels, live, v2

U64_MAX = 2**64 - 1


@pytest.fixture(params=MODULES, name="module")
def _module(request: pytest.FixtureRequest) -> Any:
    load: Callable[[], Any] = request.param
    return load()


def unscaled(module: Any, bids: Levels, depth: int = 10) -> Any:
    """A book that takes both precisions from the snapshot."""
    book = module.OrderBook("BTC/USD", depth, module.WIRE, module.WIRE)
    assert book.apply_frame(v2("snapshot", bids))
    return book


def decoded(book: Any, levels: int, state: str = "live") -> m.Book:
    return msgspec.msgpack.decode(book.encode(levels, state, *HEADER), type=m.Book)


# ---- a new book, and one that was cleared ---------------------------------------------------------------------------


def test_a_new_book_is_empty_and_has_no_time(module: Any) -> None:
    book = module.OrderBook("BTC/USD", 10, 1, 8)
    assert (book.bids(9), book.asks(9), book.crossed) == ([], [], False)
    assert (book.synced, book.exchange_ts, book.last_was_snapshot) == (False, 0, False)
    assert (book.checksums_ok, book.checksums_failed, book.symbol, book.depth) == (0, 0, "BTC/USD", 10)
    assert (module.get_bid(book), module.get_ask(book)) == (None, None)


def test_a_cleared_book_has_no_time_and_no_snapshot(module: Any) -> None:
    book = live(module, [("1.0", "1")], [("2.0", "1")])
    assert book.last_was_snapshot is True
    assert book.apply_frame(v2("update", [("1.0", "2")]))
    assert book.last_was_snapshot is False
    assert book.apply_frame(v2("snapshot", [("1.0", "1")]))
    book.clear()
    assert (book.synced, book.last_was_snapshot, book.crossed) == (False, False, False)


def test_a_cleared_book_takes_the_wires_precision_anew(module: Any) -> None:
    book = unscaled(module, [("5.25", "1.5")])
    assert (book.price_precision, book.qty_precision) == (2, 1)
    book.clear()
    assert (book.price_precision, book.qty_precision) == (0, 0)
    assert book.apply_frame(v2("snapshot", [("5", "1")]))
    assert book.bids(1) == [(5, 1)]


def test_a_refused_frame_takes_the_book_out_of_sync_until_a_snapshot(module: Any) -> None:
    book = live(module, [("1.0", "1")], [])
    with pytest.raises(module.FrameError):
        book.apply_frame(b"nonsense")
    assert book.synced is False
    assert book.apply_frame(v2("update", [("1.1", "1")])) is False
    assert book.apply_frame(v2("snapshot", [("1.1", "1")])) is True
    assert book.synced is True


# ---- limits ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [("A/B", 1, 18, 18), ("A/B", 1000, -1, -1), ("A/B", 10, 0, 0)])
def test_a_book_may_have_any_depth_and_precision_within_the_limits(module: Any, arguments: tuple[Any, ...]) -> None:
    book = module.OrderBook(*arguments)
    assert (book.depth, book.price_precision, book.qty_precision) == (
        arguments[1],
        max(0, arguments[2]),
        max(0, arguments[3]),
    )


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("", 10, 1, 8), "a book wants a symbol and a depth of 1 to 1000"),
        (("A/B", 0, 1, 8), "a book wants a symbol and a depth of 1 to 1000"),
        (("A/B", 1001, 1, 8), "a book wants a symbol and a depth of 1 to 1000"),
        (("A/B", 10, 19, 8), "a precision is WIRE or 0 to 18"),
        (("A/B", 10, 1, 19), "a precision is WIRE or 0 to 18"),
        (("A/B", 10, 1, -2), "a precision is WIRE or 0 to 18"),
        (("A/B", 10, -2, 1), "a precision is WIRE or 0 to 18"),
    ],
)
def test_what_no_book_is_is_refused_in_words(module: Any, arguments: tuple[Any, ...], text: str) -> None:
    with pytest.raises(ValueError, match=f"^{text}$"):
        module.OrderBook(*arguments)


def test_a_price_and_a_quantity_may_be_as_large_as_64_bits_hold(module: Any) -> None:
    book = module.OrderBook("A/B", 10, 0, 0)
    assert book.apply_frame(v2("snapshot", [(str(U64_MAX), str(U64_MAX))], symbol="A/B"))
    assert book.bids(1) == [(U64_MAX, U64_MAX)]


@pytest.mark.parametrize(
    ("level", "text"),
    [
        (("1844674407370955162", "1"), "price 1844674407370955162 is too large"),
        (("1", "184467440738"), "quantity 184467440738 is too large"),
        (("1.05", "1"), "price 1.05 has more than 1 decimals"),
        (("1", "0.000000001"), "quantity 0.000000001 has more than 8 decimals"),
    ],
)
def test_a_level_that_does_not_fit_is_named(module: Any, level: tuple[str, str], text: str) -> None:
    book = live(module, [("3.0", "1")], [])
    with pytest.raises(module.FrameError, match=f"^{text}$"):
        book.apply_frame(v2("update", [level]))


@pytest.mark.parametrize(
    ("first", "finer"),
    [((str(U64_MAX), "1"), ("0.5", "1")), (("1", str(U64_MAX)), ("2", "0.5"))],
)
def test_a_book_that_cannot_be_brought_to_finer_units_is_refused(
    module: Any,
    first: tuple[str, str],
    finer: tuple[str, str],
) -> None:
    book = unscaled(module, [first])
    with pytest.raises(module.FrameError, match=r"^a level is too large for the wire's new precision$"):
        book.apply_frame(v2("update", [finer]))
    assert book.synced is False


def test_a_level_may_be_as_large_as_64_bits_hold_in_finer_units_too(module: Any) -> None:
    book = unscaled(module, [(str((U64_MAX - 5) // 10), str((U64_MAX - 5) // 10))])
    assert book.apply_frame(v2("update", [("0.5", "0.5")]))
    assert book.bids(1) == [(U64_MAX - 5, U64_MAX - 5)]


@pytest.mark.parametrize(
    ("first", "finer", "level"),
    [
        (("1", str(U64_MAX)), ("0.5", "1"), (10, U64_MAX)),
        ((str(U64_MAX), "1"), ("1", "0.5"), (U64_MAX, 10)),
    ],
)
def test_the_precision_that_stays_leaves_a_level_as_large_as_64_bits_hold(
    module: Any, first: tuple[str, str], finer: tuple[str, str], level: tuple[int, int]
) -> None:
    book = unscaled(module, [first])
    assert book.apply_frame(v2("update", [finer]))
    assert book.bids(1) == [level]


@pytest.mark.parametrize(
    ("first", "finer", "levels"),
    [
        (("5", "2"), ("6", "0.5"), [(6, 5), (5, 20)]),
        (("5", "2"), ("5.5", "3"), [(55, 3), (50, 2)]),
        (("5", "2"), ("5.5", "0.25"), [(55, 25), (50, 200)]),
    ],
)
def test_each_precision_is_made_finer_by_itself(
    module: Any,
    first: tuple[str, str],
    finer: tuple[str, str],
    levels: list[tuple[int, int]],
) -> None:
    book = unscaled(module, [first])
    assert book.apply_frame(v2("update", [finer]))
    assert book.bids(9) == levels
    assert all(isinstance(units, int) for level in book.bids(9) for units in level)


def test_both_sides_are_cut_to_the_depth_at_their_far_ends(module: Any) -> None:
    book = live(module, [("2.0", "1"), ("1.0", "1")], [("3.0", "1"), ("4.0", "1")], depth=2)
    assert book.apply_frame(v2("update", [("1.5", "1"), ("0.5", "1")], [("3.5", "1"), ("5.0", "1")]))
    assert [price for price, _ in book.bids(9)] == [20, 15]
    assert [price for price, _ in book.asks(9)] == [30, 35]


# ---- checksums ------------------------------------------------------------------------------------------------------


def test_checksums_are_counted_each(module: Any) -> None:
    book = live(module, [("1.0", "1")], [])
    good = zlib.crc32(b"10100000000")
    for _ in range(3):
        assert book.apply_frame(v2("snapshot", [("1.0", "1")], checksum=good))
        assert not book.apply_frame(v2("snapshot", [("1.0", "1")], checksum=good + 1))
    assert (book.checksums_ok, book.checksums_failed) == (3, 3)


def test_a_v2_book_is_checked_with_the_pairs_decimals_though_the_wire_lost_zeros(module: Any) -> None:
    book = module.OrderBook("BTC/USD", 10, 1, 8)
    assert book.apply_frame(v2("snapshot", [("3", "1")]))
    assert book.checksum() == zlib.crc32(b"30100000000")


def test_a_v1_book_is_checked_with_the_decimals_that_the_wire_prints(module: Any) -> None:
    book = module.OrderBook("BTC/USD", 10, 3, 8)
    assert book.apply_frame(b'[0,{"as":[],"bs":[["3.1","1.5","1"]]},"book-10","XBT/USD"]')
    assert book.checksum() == zlib.crc32(b"3115")
    whole = module.OrderBook("BTC/USD", 10, 0, 0)
    assert whole.apply_frame(b'[0,{"as":[],"bs":[["3","2","1"]]},"book-10","XBT/USD"]')
    assert whole.checksum() == zlib.crc32(b"32")


def test_a_book_without_decimals_is_checked_without_any(module: Any) -> None:
    book = module.OrderBook("BTC/USD", 10, 0, 0)
    assert book.apply_frame(v2("snapshot", [("3", "2")]))
    assert book.checksum() == zlib.crc32(b"32")


# ---- the bus message ------------------------------------------------------------------------------------------------


def test_a_message_has_the_exchanges_time(module: Any) -> None:
    book = module.OrderBook("BTC/USD", 10, 1, 8)
    assert book.apply_frame(b'[0,{"as":[],"bs":[["3.1","1.5","5.5"]]},"book-10","XBT/USD"]')
    assert decoded(book, 1).exchange_ts == 5_500_000_000


@pytest.mark.parametrize("levels", [0, -1])
def test_a_message_without_levels_has_no_checksum(module: Any, levels: int) -> None:
    message = decoded(live(module, [("1.0", "1")], [("2.0", "1")]), levels)
    assert (message.bids, message.asks, message.checksum) == ([], [], 0)


def test_a_message_of_a_book_that_is_not_live_has_no_checksum(module: Any) -> None:
    assert decoded(live(module, [("1.0", "1")], []), 9, "silent").checksum == 0


def test_why_a_book_cannot_be_live_and_why_a_frame_is_none_is_said(module: Any) -> None:
    empty = module.OrderBook("BTC/USD", 10, 1, 8)
    if module is orderbook:
        with pytest.raises(TypeError, match=r"^a frame is bytes$"):
            empty.apply_frame("text")
    with pytest.raises(ValueError, match=r"^a book that is crossed or not in sync is not live$"):
        empty.encode(9, "live", *HEADER)


def test_the_touch_is_the_best_level_of_each_side(module: Any) -> None:
    book = live(module, [("1.0", "1"), ("1.5", "2")], [("3.0", "1"), ("2.0", "3")])
    assert module.get_bid(book) == (15, 200_000_000)
    assert module.get_ask(book) == (20, 300_000_000)


def v1(kind: str, price: str, qty: str = "1.50") -> bytes:
    return f'[1,{{"{kind}":[["{price}","{qty}","1"]]}},"book-10","XBT/USD"]'.encode()


def test_an_update_in_the_wires_decimals_is_whole_ticks_all_the_same(module: Any) -> None:
    book = module.OrderBook("BTC/USD", 10, 1, 1)
    assert book.apply_frame(v1("bs", "5541.20000"))
    assert book.apply_frame(v1("b", "5541.30000"))
    assert book.apply_frame(v1("b", "5541.4", "1.5"))
    assert book.bids(9) == [(55414, 15), (55413, 15), (55412, 15)]
    with pytest.raises(module.FrameError, match="more than 1 decimals"):
        book.apply_frame(v1("b", "5541.30001"))


def test_an_update_finer_than_the_snapshot_is_checked_in_its_decimals(module: Any) -> None:
    book = module.OrderBook("BTC/USD", 10, 3, 3)
    assert book.apply_frame(v1("bs", "3.1", "1.5"))
    assert book.apply_frame(v1("b", "3.125", "1.500"))
    assert book.checksum() == zlib.crc32(b"3125150031001500")
