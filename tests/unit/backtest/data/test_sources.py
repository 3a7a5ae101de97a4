"""Captures and recordings become columns: exchange order, gaps as marks, bad rows named and counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from backtest.data.columns import BUY, SELL, Columns, Flag, Kind, Mark
from backtest.data.coverage import coverage_bps
from backtest.data.sources import read
from backtest.errors import DataError
from shared.clock import SECOND
from shared.messages import Trade
from tests.frames import frames_path
from tests.unit.backtest.data.market_data import (
    MIDNIGHT,
    NOON,
    PAIR,
    SYMBOL,
    Bus,
    Exchange,
    rows,
    trade_frame,
    write_lines,
)

FLASHBOOK = "public_v2/book10_trades_BTCUSD_ETHUSD_flashbook.jsonl"
# The boot clock of the machine that recorded began here.
OFFSET = NOON - 1000 * SECOND


def kinds(columns: Columns) -> list[int]:
    return [row[2] for row in rows(columns)]


def marks(columns: Columns) -> list[int]:
    return [row[5] for row in rows(columns) if row[2] == Kind.MARK]


def snapshot(exchange: Exchange, at: int = NOON) -> bytes:
    return exchange.frame("snapshot", at, [(1000, 5)], [(1001, 7)])


def test_the_captured_book_and_trades_of_two_pairs_hold_every_checksum() -> None:
    made = read([str(frames_path(FLASHBOOK))])
    tally = made.tally
    assert (tally.checksums_ok, tally.checksums_failed, tally.bad_rows, tally.gaps.total()) == (2962, 0, 0, 0)
    assert {symbol: each.table.num_rows for symbol, each in made.columns.items()} == {"BTC/USD": 805, "ETH/USD": 3424}
    assert {symbol: each.depth for symbol, each in made.columns.items()} == {"BTC/USD": 10, "ETH/USD": 10}
    assert {symbol: coverage_bps(each) for symbol, each in made.columns.items()} == {"BTC/USD": 1.425, "ETH/USD": 2.03}
    for each in made.columns.values():
        times = each.table["exchange_ts"].to_pylist()
        assert times == sorted(times)
        assert each.table["heard_ts"].to_pylist() == times, "the capture has no stamps of its own"
    assert 21 < tally.seconds < 23


def test_only_the_wanted_pairs_are_read() -> None:
    assert list(read([str(frames_path(FLASHBOOK))], symbols=["ETH/USD"]).columns) == ["ETH/USD"]


def test_a_pair_that_no_table_has_is_refused_with_what_to_give() -> None:
    path = str(frames_path("public_v1/book1000_10pairs_cryptofeed.jsonl"))
    with pytest.raises(DataError, match=r"OMG/USD.*simulator\.asset_pairs"):
        read([path])
    made = read([path], symbols=["XMR/USD"])
    assert made.columns["XMR/USD"].depth == 1000, "version 1 names the depth in each frame"
    assert made.tally.checksums_failed == made.tally.bad_rows == 0
    assert made.tally.checksums_ok > 0


def test_trades_come_before_the_book_change_of_the_same_time_and_snapshots_of_trades_do_not_count(
    tmp_path: Path,
) -> None:
    exchange = Exchange()
    frames = [
        snapshot(exchange),
        trade_frame(NOON - SECOND, "buy", 1001, 1, 1, "snapshot"),
        exchange.frame("update", NOON + 1000, [], [(1001, 4)]),
        trade_frame(NOON + 1000, "buy", 1001, 3, 2),
        trade_frame(NOON + 1000, "buy", 1001, 3, 2),
    ]
    made = read([write_lines(tmp_path / "capture.jsonl", frames)]).columns[SYMBOL]
    assert kinds(made) == [Kind.SNAPSHOT, Kind.SNAPSHOT, Kind.TRADE, Kind.LEVEL]
    assert rows(made)[2] == (NOON + 1000, NOON + 1000, Kind.TRADE, BUY, 1001, 3, Flag.LAST)


def test_version_1_is_read_too(tmp_path: Path) -> None:
    frames = [
        b'{"channelID":336,"channelName":"book-25","event":"subscriptionStatus","pair":"XBT/USD",'
        b'"status":"subscribed","subscription":{"depth":25,"name":"book"}}',
        b'[336,{"as":[["10.10000","1.00000000","1700000000.000001"]],"bs":[["10.00000","2.00000000","1700000000.0"]]},'
        b'"book-25","XBT/USD"]',
        b'[336,{"a":[["10.20000","3.00000000","1700000001.5"]]},{"b":[["10.00000","0.00000000","1700000001.5"]]},'
        b'"book-25","XBT/USD"]',
        b'[337,[["10.10000","0.50000000","1700000001.5","b","l",""]],"trade","XBT/USD"]',
        b'{"event":"heartbeat"}',
    ]
    made = read([write_lines(tmp_path / "old.jsonl", frames)]).columns[SYMBOL]
    assert made.depth == 25
    late = 1_700_000_001_500_000_000
    assert rows(made)[2:] == [
        (late, late, Kind.TRADE, BUY, 101, 50_000_000, Flag.LAST),
        (late, late, Kind.LEVEL, SELL, 102, 300_000_000, 0),
        (late, late, Kind.LEVEL, BUY, 100, 0, Flag.LAST),
    ]


def test_what_cannot_be_read_is_named_with_its_line_and_ends_the_book(tmp_path: Path) -> None:
    exchange = Exchange()
    frames = [
        snapshot(exchange),
        b"",
        b"rubbish",
        exchange.frame("update", NOON + 1000, [(1000, 1)]),
        snapshot(exchange, NOON + 2000),
        exchange.frame("update", NOON + 3000, [(1000, 2)]).replace(b"1000", b"x"),
        trade_frame(NOON + 3000, "buy", 1001, 1, 3).replace(b'"price":100.1', b'"price":100.123'),
        trade_frame(NOON + 4000, "buy", 1001, 1, 4),
    ]
    frames[5] = frames[5].replace(b'"price":100.0', b'"price":x')
    made = read([write_lines(tmp_path / "capture.jsonl", frames)])
    assert [bad.line for bad in made.tally.bad] == [3, 6, 7]
    assert made.tally.bad_rows == 3
    assert all(bad.file.endswith("capture.jsonl") for bad in made.tally.bad)
    columns = made.columns[SYMBOL]
    assert marks(columns) == [Mark.UNREADABLE, Mark.UNREADABLE]
    assert kinds(columns) == [0 + Kind.SNAPSHOT] * 2 + [Kind.MARK] + [Kind.SNAPSHOT] * 2 + [Kind.MARK, Kind.TRADE]
    assert made.tally.gaps == {Mark.UNREADABLE: 2}


def test_a_second_source_begins_with_a_mark_where_the_first_one_ends(tmp_path: Path) -> None:
    paths = [
        write_lines(tmp_path / name, [snapshot(Exchange(), at)])
        for name, at in (("later.jsonl", NOON + SECOND), ("earlier.jsonl", NOON))
    ]
    made = read(paths).columns[SYMBOL]
    assert kinds(made) == [1, 1, Kind.MARK, 1, 1]
    assert rows(made)[2][0] == NOON
    assert marks(made) == [Mark.RECONNECT]


def test_a_window_begins_with_the_book_at_its_beginning(tmp_path: Path) -> None:
    exchange = Exchange()
    frames = [snapshot(exchange)]
    frames += [exchange.frame("update", NOON + second * SECOND, [(1000, second)]) for second in range(1, 6)]
    path = write_lines(tmp_path / "capture.jsonl", frames)
    made = read([path], begin=NOON + 3 * SECOND, end=NOON + 5 * SECOND).columns[SYMBOL]
    begin = NOON + 3 * SECOND
    assert rows(made) == [
        (begin, begin, Kind.SNAPSHOT, BUY, 1000, 2, Flag.FIRST),
        (begin, begin, Kind.SNAPSHOT, SELL, 1001, 7, Flag.LAST),
        (begin, begin, Kind.LEVEL, BUY, 1000, 3, Flag.LAST),
        (begin + SECOND, begin + SECOND, Kind.LEVEL, BUY, 1000, 4, Flag.LAST),
    ]
    with pytest.raises(DataError, match="no book or trade"):
        read([path], end=NOON)


def test_a_window_after_a_gap_begins_without_a_book(tmp_path: Path) -> None:
    exchange = Exchange()
    frames = [
        snapshot(exchange),
        exchange.frame("update", NOON + SECOND, [(1000, 1)], checksum=1),
        trade_frame(NOON + 3 * SECOND, "sell", 1000, 1, 1),
    ]
    made = read([write_lines(tmp_path / "capture.jsonl", frames)], begin=NOON + 2 * SECOND).columns[SYMBOL]
    assert kinds(made) == [Kind.TRADE]


def test_a_recording_has_the_times_at_which_it_was_received(tmp_path: Path) -> None:
    bus, exchange = Bus(OFFSET), Exchange()
    bus.instruments(NOON)
    bus.frame(snapshot(exchange), NOON + 5000)
    bus.trade(Trade(side="sell", price=1000, qty=2, trade_id=1, trade_ts=NOON + 1000), NOON + 6000)
    bus.frame(exchange.frame("update", NOON + 1000, [(1000, 3)]), NOON + 7000)
    bus.write(tmp_path)
    made = read([str(tmp_path)])
    columns = made.columns[SYMBOL]
    assert columns.pair == PAIR
    # The offset of the clocks is known to within the 40 us that publishing took.
    assert [(row[0] - NOON, row[1] - NOON - 40_000, row[2]) for row in rows(columns)] == [
        (0, 5000, Kind.SNAPSHOT),
        (0, 5000, Kind.SNAPSHOT),
        (1000, 6000, Kind.TRADE),
        (1000, 7000, Kind.LEVEL),
    ]
    assert (made.tally.frames, made.tally.checksums_ok, made.tally.gaps.total()) == (3, 2, 0)


def test_lost_frames_and_reconnects_of_a_recording_are_marks_and_its_trades_stay(tmp_path: Path) -> None:
    bus, exchange = Bus(OFFSET), Exchange()
    topic = f"feed.book.{SYMBOL}"
    bus.frame(snapshot(exchange), NOON)
    bus.lose(topic)
    bus.frame(exchange.frame("update", NOON + 2 * SECOND, [(1000, 3)]), NOON + 2 * SECOND)
    bus.trade(Trade(side="sell", price=1000, qty=2, trade_ts=NOON + 3 * SECOND), NOON + 3 * SECOND)
    bus.frame(snapshot(exchange, NOON + 4 * SECOND), NOON + 4 * SECOND)
    bus.frame(snapshot(exchange, NOON + 5 * SECOND), NOON + 5 * SECOND, connection=2)
    bus.frame(snapshot(exchange, NOON + 6 * SECOND), NOON + 6 * SECOND, boot=8)
    bus.lose(f"feed.trade.{SYMBOL}")
    bus.trade(Trade(side="sell", price=1000, qty=2, trade_ts=NOON + 7 * SECOND), NOON + 7 * SECOND)
    bus.write(tmp_path)
    made = read([str(tmp_path)])
    columns = made.columns[SYMBOL]
    assert marks(columns) == [Mark.MISSED, Mark.RECONNECT, Mark.RECONNECT]
    assert kinds(columns) == [1, 1, Kind.MARK, Kind.TRADE, 1, 1, Kind.MARK, 1, 1, Kind.MARK, 1, 1, Kind.TRADE]
    assert made.tally.gaps == {Mark.MISSED: 1, Mark.RECONNECT: 2}
    assert made.tally.trades_missed == 1


def test_a_message_that_was_recorded_twice_counts_once(tmp_path: Path) -> None:
    bus, exchange = Bus(OFFSET), Exchange()
    bus.frame(snapshot(exchange), NOON)
    bus.trade(Trade(side="sell", price=1000, qty=2, trade_ts=NOON + 1000), NOON + 1000)
    bus.messages *= 2
    bus.write(tmp_path)
    assert kinds(read([str(tmp_path)]).columns[SYMBOL]) == [1, 1, Kind.TRADE]


def test_a_recording_that_is_cut_off_is_read_up_to_its_last_whole_batch_and_says_so(tmp_path: Path) -> None:
    bus, exchange = Bus(OFFSET), Exchange()
    bus.frame(snapshot(exchange), NOON)
    for second in range(1, 7):
        bus.frame(exchange.frame("update", NOON + second * SECOND, [(1000, second)]), NOON + second * SECOND)
    path = bus.write(tmp_path)
    path.write_bytes(path.read_bytes()[:-200])
    made = read([str(path)])
    assert len(rows(made.columns[SYMBOL])) == 2 + 5
    assert [(bad.file, bad.line) for bad in made.tally.bad] == [(str(path), 7)]


def test_precisions_that_change_on_the_way_are_refused(tmp_path: Path) -> None:
    bus, exchange = Bus(OFFSET), Exchange()
    bus.instruments(NOON)
    bus.frame(snapshot(exchange), NOON)
    changed = {name: getattr(PAIR, name) for name in PAIR.__struct_fields__} | {"price_precision": 2}
    bus.instruments(NOON + SECOND, type(PAIR)(**changed))
    bus.write(tmp_path)
    with pytest.raises(DataError, match="precisions change"):
        read([str(tmp_path)])


def test_a_path_without_market_data_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read([str(tmp_path / "nowhere.jsonl")])
    with pytest.raises(DataError, match="neither a recording nor"):
        read([str(tmp_path)])
    (tmp_path / "x.arrows").write_bytes(b"rubbish")
    with pytest.raises(DataError, match="no book or trade"):
        read([str(tmp_path / "x.arrows")])


def test_midnight_is_stated_in_what_is_read(tmp_path: Path) -> None:
    exchange = Exchange()
    frames = [snapshot(exchange, MIDNIGHT - SECOND), exchange.frame("update", MIDNIGHT + SECOND, [(1000, 1)])]
    made = read([write_lines(tmp_path / "capture.jsonl", frames)]).columns[SYMBOL]
    assert [row[0] - MIDNIGHT for row in rows(made)] == [-SECOND, -SECOND, 0, 0, SECOND]
