"""Own orders out of the recorded book: what others have is left, whatever the clocks say."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given, strategies as st

from backtest.data.columns import BUY, SELL, Columns, Kind
from backtest.reconciliation.market.by_price import TakenOut, take_out
from backtest.reconciliation.market.own_orders import Step
from shared.clock import MS, SECOND
from shared.messages import Side
from tests.kit.backtest.market import BEGIN_TS, Tape

Levels = dict[tuple[int, int], int]
SIDES: tuple[Side, Side] = ("buy", "sell")


def levels(columns: Columns, until: int | None = None) -> Levels:
    """The book that rows lead to."""
    book: Levels = {}
    for row in columns.table.to_pylist():
        if until is not None and row["exchange_ts"] > until:
            break
        if row["kind"] == Kind.SNAPSHOT and row["flags"] & 2:
            book = {}
        if row["kind"] in (Kind.SNAPSHOT, Kind.LEVEL):
            book[row["side"], row["ticks"]] = row["lots"]
    return {key: lots for key, lots in book.items() if lots}


def tape() -> Tape:
    made = Tape(depth=3)
    made.snapshot(BEGIN_TS, {100: 10, 99: 20}, {102: 10, 103: 20})
    return made


def step(after: int, price: int, lots: int, side: Side = "buy", cl_ord_id: str = "A") -> Step:
    return Step(BEGIN_TS + after, cl_ord_id, side, price, lots)


@pytest.mark.parametrize("late", [-400 * MS, 0, 700 * MS], ids=["reported before", "at once", "reported later"])
def test_an_order_is_seen_by_its_exact_size(late: int) -> None:
    made = tape()
    made.levels(BEGIN_TS + SECOND, (BUY, 100, 15))
    made.levels(BEGIN_TS + 2 * SECOND, (BUY, 99, 25))
    made.levels(BEGIN_TS + 4 * SECOND, (BUY, 100, 10))
    steps = [step(SECOND + late, 100, 5), step(4 * SECOND + late, 100, -5)]
    others, outcome = take_out(made.columns(), steps)
    for after in (0, SECOND, 2 * SECOND, 4 * SECOND):
        assert levels(others, BEGIN_TS + after)[BUY, 100] == 10
    assert levels(others)[BUY, 99] == 25
    assert outcome == TakenOut(exact=2)


@pytest.mark.parametrize(("reported", "left"), [(SECOND + 10 * MS, 10), (SECOND + 310 * MS, 15)])
def test_of_two_changes_of_one_size_the_nearest_is_ours(reported: int, left: int) -> None:
    made = tape()
    made.levels(BEGIN_TS + SECOND, (BUY, 100, 15))
    made.levels(BEGIN_TS + SECOND + 300 * MS, (BUY, 100, 20))
    others, _ = take_out(made.columns(), [step(reported, 100, 5)])
    assert levels(others, BEGIN_TS + SECOND)[BUY, 100] == left
    assert levels(others)[BUY, 100] == 15


def test_a_level_of_our_own_is_no_level_of_others() -> None:
    made = tape()
    made.levels(BEGIN_TS + SECOND, (SELL, 101, 7))
    made.levels(BEGIN_TS + 2 * SECOND, (SELL, 101, 9))
    others, _ = take_out(made.columns(), [step(SECOND, 101, 7, "sell")])
    assert (SELL, 101) not in levels(others, BEGIN_TS + SECOND)
    assert levels(others)[SELL, 101] == 2


def test_an_order_from_before_is_in_the_snapshot() -> None:
    others, _ = take_out(tape().columns(), [step(-SECOND, 100, 4)])
    assert levels(others)[BUY, 100] == 6


def test_a_change_that_others_share_is_taken_in_part() -> None:
    made = tape()
    made.levels(BEGIN_TS + SECOND, (BUY, 100, 18))
    others, outcome = take_out(made.columns(), [step(SECOND, 100, 5)])
    assert levels(others)[BUY, 100] == 13
    assert outcome == TakenOut(within=1)


def test_a_fill_leaves_the_trade() -> None:
    made = tape()
    made.levels(BEGIN_TS + SECOND, (BUY, 100, 15))
    made.trade(BEGIN_TS + 2 * SECOND, SELL, 100, 12)
    made.levels(BEGIN_TS + 2 * SECOND, (BUY, 100, 3))
    others, outcome = take_out(made.columns(), [step(SECOND, 100, 5), step(2 * SECOND, 100, -2)])
    assert [row["lots"] for row in others.table.to_pylist() if row["kind"] == Kind.TRADE] == [12]
    assert levels(others).get((BUY, 100), 0) == 0
    assert outcome.within == 1


def test_what_no_level_shows_is_counted_and_taken_out_from_its_report_on() -> None:
    made = tape()
    made.levels(BEGIN_TS + 3 * SECOND, (SELL, 103, 25))
    made.levels(BEGIN_TS + 9 * SECOND, (BUY, 100, 12))
    others, outcome = take_out(made.columns(), [step(2 * SECOND, 100, 5)])
    assert levels(others, BEGIN_TS + 3 * SECOND)[BUY, 100] == 5
    assert levels(others)[BUY, 100] == 7
    assert outcome == TakenOut(unseen=1)


def test_a_level_is_never_below_nothing() -> None:
    made = tape()
    made.levels(BEGIN_TS + 9 * SECOND, (BUY, 100, 3))
    others, outcome = take_out(made.columns(), [step(-SECOND, 100, 8)])
    assert (BUY, 100) not in levels(others)
    assert outcome.short_lots == 5


def test_an_order_that_never_rested_changes_nothing() -> None:
    made = tape()
    made.levels(BEGIN_TS + SECOND, (SELL, 103, 25))
    others, outcome = take_out(made.columns(), [step(SECOND, 100, 5), step(SECOND + 2 * MS, 100, -5)])
    assert levels(others)[BUY, 100] == 10
    assert outcome == TakenOut(never_rested=1)


def test_a_level_that_ours_pushes_out_of_the_record_is_removed() -> None:
    made = tape()
    made.levels(BEGIN_TS + SECOND, (BUY, 98, 30))
    made.levels(BEGIN_TS + 2 * SECOND, (BUY, 101, 5))
    others, _ = take_out(made.columns(), [step(2 * SECOND, 101, 5)])
    assert (BUY, 98) not in levels(others)


OTHERS = st.lists(
    st.tuples(st.sampled_from((BUY, SELL)), st.integers(0, 5), st.integers(0, 40).map(lambda n: 2 * n)), max_size=40
)
OWN = st.lists(
    st.tuples(st.integers(0, 39), st.sampled_from((BUY, SELL)), st.integers(0, 5), st.integers(1, 9)), max_size=6
)


@given(changes=OTHERS, own=OWN)
def test_adding_own_orders_and_taking_them_out_gives_the_book(
    changes: list[tuple[int, int, int]], own: list[tuple[int, int, int, int]]
) -> None:
    """Others have even quantities and each own order comes, and perhaps goes, in a message of its own."""
    alone, together = Tape(depth=50), Tape(depth=50)
    bids, asks = {100 - n: 20 for n in range(6)}, {101 + n: 20 for n in range(6)}
    book = {**{(BUY, price): 20 for price in bids}, **{(SELL, price): 20 for price in asks}}
    ours: dict[tuple[int, int], int] = defaultdict(int)
    alone.snapshot(BEGIN_TS, bids, asks)
    together.snapshot(BEGIN_TS, bids, asks)
    steps = []
    for number, (side, distance, lots) in enumerate([*changes, (BUY, 0, 2)]):
        ts = BEGIN_TS + (number + 1) * 3 * SECOND
        price = 100 - distance if side == BUY else 101 + distance
        book[side, price] = lots
        alone.levels(ts, (side, price, lots))
        together.levels(ts, (side, price, lots + ours[side, price]))
        for place, (when, own_side, own_distance, own_lots) in enumerate(own):
            own_price = 100 - own_distance if own_side == BUY else 101 + own_distance
            key = own_side, own_price
            if when == number:
                ours[key] += 2 * own_lots + 1
                at = ts + (place + 1) * MS
                together.levels(at, (*key, book[key] + ours[key]))
                steps.append(Step(at + 15 * MS, f"{place}", SIDES[own_side], own_price, 2 * own_lots + 1))
    others, outcome = take_out(together.columns(), steps)
    for number in range(len(changes) + 1):
        until = BEGIN_TS + (number + 1) * 3 * SECOND + SECOND
        assert levels(others, until) == levels(alone.columns(), until)
    assert outcome.short_lots == outcome.unseen == 0
