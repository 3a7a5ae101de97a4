"""Frames become rows, each checksum verified; the Rust reader and its Python twin say the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, strategies as st

from backtest.data.columns import BUY, SELL, Flag, Kind, Mark
from backtest.data.frames import DAY_NS, PythonFrameReader
from backtest.data.rows import to_table
from tests.frames import frame_lines, rust
from tests.unit.backtest.data.market_data import MIDNIGHT, NOON, SYMBOL, Exchange, rows

Reader = Any
FIRST, LAST = int(Flag.FIRST), int(Flag.LAST)


def _rust_reader() -> Callable[..., Reader]:
    made: Callable[..., Reader] = rust().FrameReader
    return made


@pytest.fixture(params=["python", "rust"])
def reader(request: pytest.FixtureRequest) -> Reader:
    made = PythonFrameReader if request.param == "python" else _rust_reader()
    return made(SYMBOL, 1, 8)


def taken(reader: Reader) -> list[tuple[int, ...]]:
    return rows(to_table(reader.take()))


def snapshot(exchange: Exchange, at: int = NOON) -> bytes:
    return exchange.frame("snapshot", at, [(1000, 5), (999, 6)], [(1001, 7)])


def test_a_snapshot_and_its_changes_are_rows_with_the_ends_of_their_messages(reader: Reader) -> None:
    exchange = Exchange()
    assert reader.feed(snapshot(exchange), NOON + 9)
    assert reader.feed(exchange.frame("update", NOON + 1000, [(1000, 0), (998, 4)]), NOON + 1009)
    assert taken(reader) == [
        (NOON, NOON + 9, Kind.SNAPSHOT, BUY, 1000, 5, FIRST),
        (NOON, NOON + 9, Kind.SNAPSHOT, BUY, 999, 6, 0),
        (NOON, NOON + 9, Kind.SNAPSHOT, SELL, 1001, 7, LAST),
        (NOON + 1000, NOON + 1009, Kind.LEVEL, BUY, 1000, 0, 0),
        (NOON + 1000, NOON + 1009, Kind.LEVEL, BUY, 998, 4, LAST),
    ]
    assert (reader.checksums_ok, reader.checksums_failed, reader.depth) == (2, 0, 10)
    assert taken(reader) == []


def test_a_failed_checksum_is_a_mark_and_nothing_follows_it_until_a_snapshot(reader: Reader) -> None:
    exchange = Exchange()
    reader.feed(snapshot(exchange), NOON)
    taken(reader)
    assert not reader.feed(exchange.frame("update", NOON + 1000, [(1000, 1)], checksum=1), NOON + 1005)
    assert not reader.feed(exchange.frame("update", NOON + 2000, [(1000, 2)]), NOON + 2000)
    assert taken(reader) == [(NOON + 1000, NOON + 1005, Kind.MARK, 0, 0, Mark.CHECKSUM, 0)]
    assert reader.feed(snapshot(exchange, NOON + 3000), NOON + 3000)
    assert [row[2] for row in taken(reader)] == [Kind.SNAPSHOT] * 3


def test_an_unreadable_frame_is_a_mark_and_raises(reader: Reader) -> None:
    exchange = Exchange()
    reader.feed(snapshot(exchange), NOON)
    taken(reader)
    with pytest.raises(ValueError, match=r"byte|JSON"):
        reader.feed(b'{"channel":"book","type":"upd', NOON + 5)
    assert taken(reader) == [(NOON, NOON + 5, Kind.MARK, 0, 0, Mark.UNREADABLE, 0)]
    assert not reader.synced


def test_a_gap_is_marked_once(reader: Reader) -> None:
    reader.mark(Mark.MISSED, NOON)
    assert taken(reader) == [], "a book that is not known yet loses nothing"
    reader.feed(snapshot(Exchange()), NOON)
    taken(reader)
    reader.mark(Mark.MISSED, NOON + 5)
    reader.mark(Mark.RECONNECT, NOON + 6)
    assert [row[5] for row in taken(reader)] == [Mark.MISSED]


def test_the_book_is_stated_anew_at_midnight(reader: Reader) -> None:
    exchange = Exchange()
    late = MIDNIGHT - 1000
    reader.feed(snapshot(exchange, late), late + 3)
    reader.feed(exchange.frame("update", late + 500, [(1000, 9)]), late + 503)
    taken(reader)
    reader.feed(exchange.frame("update", MIDNIGHT + 1000, [(999, 0)]), MIDNIGHT + 1003)
    assert taken(reader) == [
        (MIDNIGHT, MIDNIGHT + 3, Kind.SNAPSHOT, BUY, 1000, 9, FIRST),
        (MIDNIGHT, MIDNIGHT + 3, Kind.SNAPSHOT, BUY, 999, 6, 0),
        (MIDNIGHT, MIDNIGHT + 3, Kind.SNAPSHOT, SELL, 1001, 7, LAST),
        (MIDNIGHT + 1000, MIDNIGHT + 1003, Kind.LEVEL, BUY, 999, 0, LAST),
    ]


def test_time_never_goes_back_within_the_book(reader: Reader) -> None:
    exchange = Exchange()
    reader.feed(snapshot(exchange), 0)
    reader.feed(exchange.frame("update", NOON - 5000, [(1000, 1)]), 0)
    assert {row[0] for row in taken(reader)} == {NOON}


def test_a_snapshot_without_a_time_is_as_old_as_what_comes_next(reader: Reader) -> None:
    exchange = Exchange()
    bare = snapshot(exchange).replace(b',"timestamp":"2026-07-24T12:00:00.000000Z"', b"")
    assert b"timestamp" not in bare
    reader.feed(bare, 0)
    reader.feed(exchange.frame("update", NOON, [(1000, 1)]), 0)
    assert {row[:2] for row in taken(reader)} == {(NOON, NOON)}


def test_levels_beyond_the_depth_of_the_subscription_are_followed_no_more(reader: Reader) -> None:
    bids = [(1000 - n, 1) for n in range(10)]
    exchange = Exchange()
    reader.feed(exchange.frame("snapshot", NOON, bids, [(1001, 1)]), 0)
    reader.feed(exchange.frame("update", NOON + 1000, [(1000, 0), (990, 3)]), 0)
    assert reader.edges() == (999, 1001, 990, 1001)
    reader.feed(exchange.frame("update", NOON + 2000, [(1000, 2)]), 0)
    assert reader.edges() == (1000, 1001, 991, 1001)


def test_a_stated_depth_counts_for_a_thin_book(reader: Reader) -> None:
    reader.expect_depth(25)
    reader.feed(snapshot(Exchange()), 0)
    assert reader.depth == 25


def test_followed_rows_lead_to_the_same_book(reader: Reader) -> None:
    exchange = Exchange()
    reader.feed(snapshot(exchange), 0)
    reader.feed(exchange.frame("update", NOON + 1000, [(1000, 0), (990, 3)]), 0)
    made = reader.take()
    reader.state(NOON + 2000, NOON + 2000)
    wanted = taken(reader)
    other = type(reader)(SYMBOL, 1, 8)
    other.follow(*(made[column] for column in (2, 3, 4, 5, 6)))
    assert other.edges() == reader.edges() == (999, 1001, 990, 1001)
    other.state(NOON + 2000, NOON + 2000)
    assert taken(other) == wanted


def test_both_read_the_captured_frames_alike() -> None:
    twins = [_rust_reader()("ETH/USD", 2, 8), PythonFrameReader("ETH/USD", 2, 8)]
    frames = [
        line for line in frame_lines("public_v2/book10_trades_BTCUSD_ETHUSD_flashbook.jsonl") if b'"book"' in line
    ]
    for frame in frames:
        if b'"data"' in frame and b'"ETH/USD"' in frame:
            assert twins[0].feed(frame, 0) == twins[1].feed(frame, 0) is True
    assert twins[0].checksums_ok == twins[1].checksums_ok > 2000
    assert twins[0].take() == twins[1].take()


LEVELS = st.lists(st.tuples(st.integers(990, 1010), st.integers(0, 3)), max_size=4)
STEPS = st.one_of(
    st.tuples(st.sampled_from(["snapshot", "update"]), LEVELS, LEVELS, st.integers(0, 3 * DAY_NS), st.booleans()),
    st.sampled_from([b"", b"[]", b'{"channel":"book"}', b'{"channel":"book","type":"update","data":[]}']),
    st.sampled_from(list(Mark)),
)


@given(st.lists(STEPS, max_size=20), st.sampled_from([0, NOON]))
def test_the_twins_agree_on_whatever_comes(steps: list[Any], heard: int) -> None:
    twins = [_rust_reader()(SYMBOL, 1, 8), PythonFrameReader(SYMBOL, 1, 8)]
    exchange = Exchange()
    for step in steps:
        if isinstance(step, Mark):
            for twin in twins:
                twin.mark(step, heard)
            continue
        if isinstance(step, bytes):
            frame = step
        else:
            kind, bids, asks, later, is_good = step
            if not bids and not asks:
                continue
            frame = exchange.frame(kind, NOON + later, bids, asks, checksum=None if is_good else 5)
        outcomes = []
        for twin in twins:
            try:
                outcomes.append(twin.feed(frame, heard))
            except ValueError:
                outcomes.append(None)
        assert outcomes[0] == outcomes[1]
        assert twins[0].synced == twins[1].synced
    assert twins[0].edges() == twins[1].edges()
    assert twins[0].depth == twins[1].depth
    assert twins[0].take() == twins[1].take()
