"""A book and its frames, by both implementations: Kraken's worked examples, and every refusal."""

from __future__ import annotations

import zlib
from typing import Any

import msgpack
import msgspec
import pytest

from shared import messages as m
from tests.frames import frame_lines
from tests.kit.market.orderbooks import HEADER, live, module as module, v2

# ---- Kraken's own examples (KRAKEN.md 1.5.1) ------------------------------------------------------------------------


def test_the_documented_v2_example(module: Any) -> None:
    bids = "45283.5 0.10000000 45283.4 1.54582015 45282.1 0.10000000 45281.0 0.10000000 45280.3 1.54592586 45279.0 "
    bids += "0.07990000 45277.6 0.03310103 45277.5 0.30000000 45277.3 1.54602737 45276.6 0.15445238"
    asks = "45285.2 0.00100000 45286.4 1.54571953 45286.6 1.54571109 45289.6 1.54560911 45290.2 0.15890660 45291.8 "
    asks += "1.54553491 45294.7 0.04454749 45296.1 0.35380000 45297.5 0.09945542 45299.5 0.18772827"
    bid_levels, ask_levels = (list(zip(*[iter(text.split())] * 2, strict=True)) for text in (bids, asks))
    book = module.OrderBook("BTC/USD", 10, 1, 8)
    assert book.apply_frame(v2("snapshot", bid_levels, ask_levels, checksum=3310070434))
    assert book.checksum() == 3310070434
    assert module.get_bid(book) == (452835, 10_000_000)


def test_the_documented_v1_example(module: Any) -> None:
    asks = [f'["0.{5005 + 5 * step:05}","0.00000500","1"]' for step in range(10)]
    prices = [5000, 4995, 4990, 4980, 4975, 4970, 4965, 4960, 4955, 4950]
    bids = [f'["0.{price:05}","0.00000500","1"]' for price in prices]
    asks[0] = '["0.05005","0.00000600","1"]'
    book = module.OrderBook("ETH/XBT", 10, 5, 8)
    snapshot = f'[0,{{"as":[{",".join(asks)}],"bs":[{",".join(bids)}]}},"book-10","ETH/XBT"]'
    assert book.apply_frame(snapshot.encode())
    assert book.apply_frame(b'[0,{"a":[["0.05005","0.00000500","2"]],"c":"974947235"},"book-10","ETH/XBT"]')
    assert book.checksums_ok == 1


def test_the_documented_matic_usd_snapshot_and_update(module: Any) -> None:
    frames = [frame for frame in frame_lines("public_v2/docs_Book_Level_2.jsonl") if b'"channel":"book","t' in frame]
    book = module.OrderBook("MATIC/USD", 10, 4, 8)
    assert [book.apply_frame(frame) for frame in frames] == [True, True]
    assert book.checksum() == 2114181697


# ---- levels ---------------------------------------------------------------------------------------------------------


def test_levels_are_applied_in_order_then_cut_to_depth(module: Any) -> None:
    book = live(module, [("3.0", "1"), ("2.0", "1")], [], depth=2)
    # Removed, refilled at the bottom, and a better one: Kraken sends no delete for what falls out.
    assert book.apply_frame(v2("update", [("3.0", "0.00000000"), ("1.0", "4"), ("4.0", "5")]))
    assert book.bids(9) == [(40, 500_000_000), (20, 100_000_000)]
    assert book.apply_frame(v2("update", [("4.0", "1"), ("4.0", "0"), ("4.0", "2")]))
    assert book.bids(1) == [(40, 200_000_000)]
    assert book.bids(0) == book.bids(-1) == []


def test_deleting_an_unknown_level_is_no_error(module: Any) -> None:
    book = live(module, [("3.0", "1")], [])
    assert book.apply_frame(v2("update", [("9.0", "0")], [("9.0", "0")]))
    assert book.bids(9) == [(30, 100_000_000)]


def test_exponents_and_integers_are_exact(module: Any) -> None:
    book = live(module, [("1E+3", "5e-05"), ("27120", "1.50e1"), ("0.1e1", "0e5")], [])
    assert book.bids(9) == [(271200, 1_500_000_000), (10000, 5000)]


@pytest.mark.parametrize(
    ("price", "qty"),
    [
        ("-1", "1"),
        ("0.0", "1"),
        ("1", "1e12"),
        ("18446744073709551616", "1"),
        ("1e999", "1"),
        ("1e9999", "1"),
        ("1e-19", "1"),
        ("1.05", "1"),
        ("1", "0.000000001"),
        ('"x"', "1"),
        ("null", "1"),
        ("01", "1"),
        ("1.", "1"),
        ("NaN", "1"),
    ],
)
def test_a_level_that_fits_no_integer_of_the_pair_is_refused(module: Any, price: str, qty: str) -> None:
    book = live(module, [("3.0", "1")], [])
    with pytest.raises(module.FrameError):
        book.apply_frame(v2("update", [("4.0", "1"), (price, qty)]))
    assert book.bids(9) == [(30, 100_000_000)]
    assert not book.synced


def test_a_price_between_two_ticks_is_named(module: Any) -> None:
    book = live(module, [("3.0", "1")], [])
    with pytest.raises(module.FrameError, match=r"price 1\.05 has more than 1 decimals"):
        book.apply_frame(v2("update", [("1.05", "1")]))


def test_v1_is_checked_as_printed_and_published_in_ticks(module: Any) -> None:
    book = module.OrderBook("BTC/USD", 10, 1, 8)
    snapshot = (
        b'[0,{"as":[["5541.30000","2.50700000","1534614248.123678"]],"bs":[["5541.20000","1.5"]]},"book-10","XBT/USD"]'
    )
    assert book.apply_frame(snapshot)
    assert book.checksum() == zlib.crc32(b"554130000250700000554120000150000000")
    assert (book.asks(1), book.bids(1)) == ([(55413, 250_700_000)], [(55412, 150_000_000)])
    assert book.exchange_ts == 1_534_614_248_123_678_000


def test_v1_takes_both_sides_of_one_frame_and_no_time_of_a_republished_level(module: Any) -> None:
    book = live(module, [("1.0", "1")], [("9.0", "1")])
    frame = (
        b'[0,{"a":[["9.00000","0.00000000","5.5"]]},{"b":[["1.00000","3","9.5","r"]]},'
        b'{"name":"book","depth":10},"XBT/USD"]'
    )
    assert book.apply_frame(frame)
    assert (book.bids(9), book.asks(9)) == ([(10, 300_000_000)], [])
    assert book.exchange_ts == 5_500_000_000
    assert module.get_ask(book) is None


def test_a_wire_finer_than_the_snapshot_rescales_the_book(module: Any) -> None:
    book = module.OrderBook("BTC/USD", 10, module.WIRE, module.WIRE)
    assert book.apply_frame(v2("snapshot", [("5", "1.5")], [("7", "2")]))
    assert book.apply_frame(v2("update", [("5.25", "1")]))
    assert (book.price_precision, book.qty_precision) == (2, 1)
    assert (book.bids(9), book.asks(9)) == ([(525, 10), (500, 15)], [(700, 20)])


# ---- in sync or not -------------------------------------------------------------------------------------------------


def test_an_update_before_a_snapshot_is_false(module: Any) -> None:
    book = module.OrderBook("BTC/USD", 10, 1, 8)
    assert book.apply_frame(v2("update", [("1.0", "1")])) is False
    assert not book.synced


def test_a_failed_checksum_holds_until_the_next_snapshot(module: Any) -> None:
    book = live(module, [("1.0", "1")], [("2.0", "1")])
    assert book.apply_frame(v2("update", [("1.1", "1")], checksum=7)) is False
    assert book.apply_frame(v2("update", [("1.1", "1")])) is False
    assert (book.synced, book.checksums_failed) == (False, 1)
    assert book.apply_frame(v2("snapshot", [("1.1", "1")])) is True
    assert book.bids(9) == [(11, 100_000_000)]


def test_clear_forgets_levels_and_keeps_counts(module: Any) -> None:
    book = live(module, [("1.0", "1")], [])
    book.apply_frame(v2("update", checksum=1))
    book.clear()
    assert (book.bids(9), book.synced, book.exchange_ts, book.checksums_failed) == ([], False, 0, 1)


def test_crossed_means_that_bid_meets_ask(module: Any) -> None:
    assert live(module, [("2.0", "1")], [("2.0", "1")]).crossed
    assert not live(module, [("1.9", "1")], [("2.0", "1")]).crossed
    assert not live(module, [("1.9", "1")], []).crossed


@pytest.mark.parametrize(
    "frame",
    [
        v2("update", symbol="BTC/USDT"),
        b'{"data":[{"bids":"nonsense","symbol":"XBT/USDT"}],"type":"update","channel":"book"}',
        b'[1,{"a":[["x"]]},"book-10","XBT/USDT"]',
    ],
)
def test_another_symbol_s_frame_raises_and_changes_nothing(module: Any, frame: bytes) -> None:
    book = live(module, [("1.0", "1")], [])
    with pytest.raises(module.WrongSymbolError, match="USDT"):
        book.apply_frame(frame)
    assert book.synced


@pytest.mark.parametrize(("symbol", "wire"), [("DOGE/USD", "XDG/USD"), ("ETH/BTC", "ETH/XBT"), ("XDG/XBT", "DOGE/BTC")])
def test_both_legs_are_known_by_old_and_new_names(module: Any, symbol: str, wire: str) -> None:
    for book_symbol, frame_symbol in ((symbol, wire), (wire, symbol)):
        book = module.OrderBook(book_symbol, 10, 5, 8)
        assert book.apply_frame(f'[1,{{"as":[["1","1","1"]],"bs":[]}},"book-10","{frame_symbol}"]'.encode())
        assert book.symbol == book_symbol


def test_of_several_elements_only_ours_is_taken(module: Any) -> None:
    book = live(module, [("1.0", "1")], [])
    frame = (
        b'{"channel":"book","type":"update","data":[{"symbol":"A/B","bids":[{"price":9.9,"qty":1}],"asks":[]},'
        b'{"symbol":"XBT\\/USD","bids":[{"price":1.1,"qty":2}],"asks":[]}]}'
    )
    assert book.apply_frame(frame)
    assert [price for price, _ in book.bids(9)] == [11, 10]


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"CloudFlare WebSocket proxy restarting",
        b"{}",
        b"[]",
        b"null",
        b"[" * 100_000,
        b'["\xff"]',
        b'{"channel":"heartbeat"}',
        b'{"channel":"book","type":"other","data":[]}',
        b'{"channel":"book","type":"update","data":[]}',
        b'{"channel":"book","type":"update","data":[{"symbol":"BTC/USD"}]}',
        b'{"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[],"bids":[]}]}',
        b'{"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[],"checksum":"x"}]}',
        v2("update") + b"x",
        b'[0,{"a":[["1"]]},"book-10","XBT/USD"]',
        b'[0,{"a":[]},"trade","XBT/USD"]',
        b'[0,"book-10","XBT/USD"]',
    ],
)
def test_what_is_no_book_frame_raises_a_named_error(module: Any, frame: bytes) -> None:
    book = live(module, [("1.0", "1")], [])
    with pytest.raises(module.FrameError):
        book.apply_frame(frame)
    assert not book.synced
    assert issubclass(module.FrameError, ValueError)


def test_a_frame_has_to_be_bytes(module: Any) -> None:
    with pytest.raises(TypeError):
        live(module, [], []).apply_frame("text")


@pytest.mark.parametrize("arguments", [("", 10, 1, 8), ("A/B", 0, 1, 8), ("A/B", 1001, 1, 8), ("A/B", 10, 19, 8)])
def test_a_book_refuses_what_no_book_is(module: Any, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError):
        module.OrderBook(*arguments)
    with pytest.raises(ValueError):
        module.OrderBook("A/B", 10, -2, 8)


# ---- the bus message ------------------------------------------------------------------------------------------------


def test_encode_is_the_typed_message(module: Any) -> None:
    book = live(module, [("1.0", "1"), ("0.9", "300000.0")], [("2.0", "2")])
    src, boot, seq, ts, received, booked = HEADER
    wanted = m.Book(
        src=src,
        boot=boot,
        seq=seq,
        ts=ts,
        symbol="BTC/USD",
        state=m.BookState.LIVE,
        price_precision=1,
        qty_precision=8,
        bids=[(10, 100_000_000)],
        asks=[(20, 200_000_000)],
        checksum=book.checksum(),
        received=received,
        booked=booked,
    )
    raw = book.encode(1, "live", *HEADER)
    assert isinstance(raw, bytes)
    assert msgspec.msgpack.decode(raw, type=m.Book) == wanted
    assert msgpack.unpackb(raw) == msgpack.unpackb(msgspec.msgpack.encode(wanted))


@pytest.mark.parametrize("state", ["syncing", "resyncing", "silent"])
def test_levels_are_published_only_of_a_live_book(module: Any, state: str) -> None:
    message = msgspec.msgpack.decode(live(module, [("1.0", "1")], []).encode(9, state, *HEADER), type=m.Book)
    assert (message.state, message.bids, message.asks) == (state, [], [])


def test_a_bad_book_cannot_be_encoded_as_live(module: Any) -> None:
    crossed = live(module, [("2.0", "1")], [("2.0", "1")])
    empty = module.OrderBook("BTC/USD", 10, 1, 8)
    for book in (crossed, empty):
        with pytest.raises(ValueError, match="not live"):
            book.encode(9, "live", *HEADER)
    with pytest.raises(ValueError):
        crossed.encode(9, "fine", *HEADER)
