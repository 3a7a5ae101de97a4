"""The synthetic market as columns: the rows make its book again, and trades come before what they change."""

from __future__ import annotations

import pytest

from backtest.data.columns import BUY, SELL, Columns, Flag, Kind
from backtest.exact import setting
from backtest.exact.crowd_rows import BookRows, crowd_columns
from backtest.exact.pairs import pair_message
from backtest.exact.source import Levels, News
from shared.clock import SECOND
from shared.config import Config, Simulator
from shared.messages import Side, Trade

BTC = "BTC/USD"
DEPTH = 25


def simulator(seed: int = 3) -> Simulator:
    config = Config()
    return setting.prepare(config, next(iter(config.strategies)), [BTC], [BTC], seed, "volatile").simulator


@pytest.fixture(scope="module")
def columns() -> Columns:
    return crowd_columns(simulator(), BTC, DEPTH, 20)


def rows(columns: Columns) -> list[tuple[int, ...]]:
    return list(zip(*(column.to_pylist() for column in columns.table.columns), strict=True))


def test_a_book_is_a_snapshot_and_then_what_changed() -> None:
    book: dict[Side, Levels] = {"buy": [(99, 5), (98, 6), (97, 1)], "sell": [(101, 7)]}
    made = BookRows(2)
    made.take(News(BTC, 10, 11, True), 11, lambda side, n: book[side][:n])
    book["buy"] = [(99, 2), (97, 1)]
    trade = Trade(side="sell", price=99, qty=3, trade_ts=20)
    made.take(News(BTC, 20, 22, True, trades=[trade]), 22, lambda side, n: book[side][:n])
    made.take(News(BTC, 30, 33, True), 33, lambda side, n: book[side][:n])
    assert rows(made.columns(pair_message(BTC))) == [
        (10, 11, Kind.SNAPSHOT, BUY, 99, 5, Flag.FIRST),
        (10, 11, Kind.SNAPSHOT, BUY, 98, 6, 0),
        (10, 11, Kind.SNAPSHOT, SELL, 101, 7, Flag.LAST),
        (20, 22, Kind.TRADE, SELL, 99, 3, Flag.LAST),
        (20, 22, Kind.LEVEL, BUY, 98, 0, 0),
        (20, 22, Kind.LEVEL, BUY, 99, 2, 0),
        (20, 22, Kind.LEVEL, BUY, 97, 1, Flag.LAST),
    ]


def test_the_crowds_book_is_sound_after_each_message_and_no_deeper_than_recorded(columns: Columns) -> None:
    book: dict[int, dict[int, int]] = {BUY: {}, SELL: {}}
    kinds = set()
    before = 0
    for ts, heard_ts, kind, side, ticks, lots, flags in rows(columns):
        assert before <= ts == heard_ts
        before = ts
        kinds.add(kind)
        if kind == Kind.TRADE:
            assert ticks >= min(book[SELL]) if side == BUY else ticks <= max(book[BUY])
            continue
        book[side].pop(ticks, None)
        if lots:
            book[side][ticks] = lots
        if flags & Flag.LAST:
            assert max(book[BUY]) < min(book[SELL])
            assert max(map(len, book.values())) <= DEPTH
    assert kinds == {Kind.SNAPSHOT, Kind.LEVEL, Kind.TRADE}
    begin_ts, end_ts = columns.span
    assert 15 * SECOND < end_ts - begin_ts <= 20 * SECOND


def test_the_same_seed_gives_the_same_rows_and_another_seed_others(columns: Columns) -> None:
    begin_ts, _ = columns.span
    first = columns.table.slice(0, sum(row[0] <= begin_ts + 3 * SECOND for row in rows(columns)))
    assert crowd_columns(simulator(), BTC, DEPTH, 3).table.equals(first)
    assert not crowd_columns(simulator(4), BTC, DEPTH, 3).table.equals(first)
