"""The comparison of backtesters: orders at given times, what the record says of each, and the causes of differences."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from backtest.data.columns import BUY, SELL
from backtest.exact.replayed import Tape as Played, merge
from backtest.venue.recorded import Submitted
from benchmarks.backtest_agree import causes, events, evidence, orders, table
from benchmarks.backtest_agree.causes import Cause
from benchmarks.backtest_agree.evidence import Evidence, Reach
from benchmarks.backtest_agree.orders import Difference, Filled, Order, Outcome, Pace, Schedule
from shared.clock import MS, SECOND
from tests.kit.backtest.market import BEGIN_TS, Tape, walk

PACE = Pace(SECOND, 900 * MS, 10 * MS)


def at(seconds: float) -> int:
    return BEGIN_TS + round(seconds * SECOND)


def quiet(*, depth: int = 25) -> Tape:
    """A bid of 50 at 1000 and an ask of 50 at 1010."""
    tape = Tape(depth=depth)
    tape.snapshot(BEGIN_TS, {1000: 50, 999: 10}, {1010: 50, 1011: 10})
    return tape


def merged(tape: Tape) -> Played:
    return merge({"BTC/USD": tape.columns()})


def buy(ticks: int = 1000, begin: float = 1, end: float = 2) -> Order:
    return Order(1, BUY, ticks, at(begin), at(end))


def planned(*some: Order, lots: int = 20) -> Schedule:
    return Schedule(list(some), lots, 10 * MS, 0.0)


def seen(tape: Tape, order: Order) -> Evidence:
    return evidence.gather(events.rows(merged(tape)), [order])[order.number]


def filled(seconds: float, lots: int = 20, last: float | None = None) -> Filled:
    return Filled(at(seconds), at(seconds if last is None else last), lots)


def cause(tape: Tape, ours: Filled | None, theirs: Filled | None, refused: bool = False) -> Cause:
    """Return why an engine's fill of the one bid differs from ours."""
    outcomes = [Outcome({1: fill} if fill else {}, []) for fill in (ours, theirs)]
    if refused:
        outcomes[1] = Outcome({}, [1])
    (explained,) = causes.explain("other", planned(buy()), {1: seen(tape, buy())}, *outcomes)
    return explained.cause


def test_rows_remove_what_leaves_the_depth_and_what_a_snapshot_leaves_out() -> None:
    tape = quiet(depth=2)
    tape.levels(at(1), (BUY, 1001, 5), (SELL, 1009, 5))
    tape.snapshot(at(2), {900: 1}, {901: 1})
    rows = events.rows(merged(tape))
    removed = [(ts, side, ticks, is_last) for ts, _, side, ticks, lots, is_last in rows if not lots]
    assert removed[:2] == [(at(1), BUY, 999, False), (at(1), SELL, 1011, True)]
    assert {(side, ticks) for ts, side, ticks, _ in removed[2:]} == {
        (BUY, 1001),
        (BUY, 1000),
        (SELL, 1009),
        (SELL, 1010),
    }
    assert [is_last for ts, *_, is_last in rows if ts == at(1)] == [False, False, False, True]


@given(seed=st.integers(0, 1 << 20), depth=st.integers(1, 30))
@settings(max_examples=20, deadline=None)
def test_rows_without_a_depth_never_hold_more_levels_than_the_record(seed: int, depth: int) -> None:
    columns = walk(seed, 3)
    tape = merge({"BTC/USD": columns})
    tape.depths[0] = depth
    sides: tuple[dict[int, int], dict[int, int]] = {}, {}
    for _, is_trade, side, ticks, lots, is_last in events.rows(tape):
        if is_trade:
            continue
        sides[side][ticks] = lots
        if not lots:
            del sides[side][ticks]
        if is_last:
            assert max(map(len, sides)) <= depth


def test_touches_are_after_messages_that_change_them() -> None:
    tape = quiet()
    tape.levels(at(1), (BUY, 990, 5))
    tape.levels(at(2), (BUY, 1000, 40))
    columns = events.touches(events.rows(merged(tape)))
    assert columns["touch_ts"] == [BEGIN_TS, at(2)]
    assert columns["touch_bid_lots"] == [50, 40]
    assert columns["touch_ask"] == [1010, 1010]


def test_a_file_has_rows_numbers_and_requests(tmp_path: Path) -> None:
    tape = quiet()
    file = tmp_path / "events.npz"
    schedule = planned(buy())
    rows = events.rows(merged(tape))
    events.save(file, rows, tape.columns().pair, {"qty": 0.1}, orders.requests(schedule))
    loaded = np.load(file)
    assert loaded["ticks"].tolist() == [1000, 999, 1010, 1011]
    assert json.loads(str(loaded["rule"]))["qty"] == 0.1
    assert loaded["request_ts"].tolist() == [at(1) - 10 * MS, at(2) - 10 * MS]
    assert loaded["request_ticks"].tolist() == [1000, 0]


def test_orders_are_at_the_distance_from_the_mid_of_when_they_are_sent() -> None:
    tape = quiet()
    tape.levels(at(1.5), (BUY, 1004, 5))
    tape.levels(at(4), (BUY, 1004, 6))
    first, second, third, fourth = orders.schedule(merged(tape), 20, PACE, 20).orders[:4]
    assert (first.side, first.ticks, first.begin_ts, first.end_ts) == (BUY, 1002, at(1.01), at(1.91))
    assert (second.side, second.ticks) == (SELL, 1008)
    assert (third.ticks, fourth.ticks) == (1004, 1010)
    assert third.begin_ts == at(2.01)
    assert [order.ticks for order in orders.schedule(merged(tape), 20, PACE, 0).orders[:2]] == [1005, 1006]


@given(seed=st.integers(0, 1 << 20), distance_bps=st.floats(0, 5))
@settings(max_examples=20, deadline=None)
def test_orders_never_cross_each_other_and_never_rest_at_one_time_with_the_next(seed: int, distance_bps: float) -> None:
    made = orders.schedule(merge({"BTC/USD": walk(seed, 6)}), 20, PACE, distance_bps)
    for bid, ask in zip(made.orders[::2], made.orders[1::2], strict=True):
        assert bid.ticks < ask.ticks
        assert bid.begin_ts == ask.begin_ts
    assert all(one.end_ts < other.begin_ts for one, other in zip(made.orders[::2], made.orders[2::2], strict=False))
    requests = orders.operations(made)
    assert [each.ts for each in requests] == sorted(each.ts for each in requests)
    assert sum(isinstance(each, Submitted) for each in requests) == len(made.orders) == len(requests) / 2


def test_our_market_fills_by_trades_and_refuses_what_crosses() -> None:
    tape = quiet()
    tape.trade(at(1.5), SELL, 1000, 60)
    tape.trade(at(1.6), SELL, 999, 30)
    outcome = orders.ours(merged(tape), planned(buy(), Order(2, BUY, 1010, at(1.1), at(1.2))))
    assert outcome == Outcome({1: Filled(at(1.5), at(1.6), 20)}, [2])


def test_trade_through_is_by_the_first_taker_of_the_other_side_past_the_price_while_it_rests() -> None:
    tape = quiet()
    for seconds, side, ticks in ((0.9, SELL, 990), (1, SELL, 990), (1.2, SELL, 1000), (1.3, BUY, 990), (2, SELL, 999)):
        tape.trade(at(seconds), side, ticks, 1)
    tape.trade(at(2.1), SELL, 990, 1)
    assert evidence.through(merged(tape), planned(buy())) == Outcome({1: filled(2)}, [])
    assert evidence.through(merged(tape), planned(buy(end=1.9))) == Outcome({}, [])
    sell = Order(1, SELL, 1010, at(1), at(2))
    tape = quiet()
    tape.trade(at(1.4), BUY, 1010, 1)
    tape.trade(at(1.5), BUY, 1011, 1)
    assert evidence.through(merged(tape), planned(sell)) == Outcome({1: filled(1.5)}, [])


def test_evidence_counts_what_was_before_an_order_and_what_traded() -> None:
    tape = quiet()
    tape.trade(at(1.2), SELL, 1000, 10)
    tape.levels(at(1.3), (BUY, 1000, 30))
    tape.trade(at(1.4), SELL, 1000, 30)
    tape.trade(at(1.5), SELL, 1000, 1)
    tape.trade(at(1.6), SELL, 999, 7)
    each = seen(tape, buy())
    assert (each.lots_before, each.best, each.next_ts) == (50, 1010, at(1.2))
    assert (each.touch_ts, each.queue_ts, each.through_ts) == (at(1.2), at(1.5), at(1.6))
    assert each.traded(at(1.5)) == (41, 0)
    assert each.traded(at(1.6)) == (41, 7)
    assert each.reach is Reach.TOUCHED


def test_an_order_rests_for_rows_after_it_came_up_to_its_cancel() -> None:
    tape = quiet()
    tape.trade(at(1), SELL, 999, 1)
    assert seen(tape, buy()).through_ts is None
    tape.trade(at(2), SELL, 999, 1)
    assert seen(tape, buy()).through_ts == at(2)


def test_evidence_says_what_came_first() -> None:
    tape = quiet()
    assert seen(tape, buy()).reach is Reach.NEVER
    tape.trade(at(1.2), SELL, 999, 1)
    tape.trade(at(1.2), SELL, 998, 1)
    tape.trade(at(1.3), SELL, 1000, 1)
    assert seen(tape, buy()).reach is Reach.THROUGH
    tape = quiet()
    tape.levels(at(1.1), (SELL, 1000, 5), (BUY, 1000, 0))
    tape.levels(at(1.2), (SELL, 1000, 6))
    tape.levels(at(1.3), (SELL, 1000, 0))
    tape.levels(at(1.4), (SELL, 998, 1), (BUY, 999, 0))
    each = seen(tape, buy())
    assert each.book_ts == [at(1.1), at(1.4)]
    assert each.reach is Reach.TOUCHED


def test_fills_differ_by_existence_time_and_quantity() -> None:
    assert orders.difference(None, None) is None
    assert orders.difference(filled(1), filled(1, last=2)) is None
    assert orders.difference(filled(1), None) is Difference.ONLY_OURS
    assert orders.difference(None, filled(1)) is Difference.ONLY_THEIRS
    assert orders.difference(filled(1), filled(2)) is Difference.OTHER_TIME
    assert orders.difference(filled(1), filled(1, 5)) is Difference.OTHER_LOTS
    assert orders.together([(1, filled(1, 5)), (2, filled(2, 1)), (1, filled(3, 4))]) == {
        1: filled(1, 9, last=3),
        2: filled(2, 1),
    }


def test_a_trade_that_takes_effect_with_the_book_is_a_late_book() -> None:
    tape = quiet()
    tape.trade(at(1.2), SELL, 999, 70)
    assert cause(tape, filled(1.2), None) is Cause.LATE_BOOK
    assert cause(tape, filled(1.2), filled(1.3)) is Cause.UNEXPLAINED
    tape.levels(at(1.3), (SELL, 1000, 5), (BUY, 1000, 0))
    assert cause(tape, filled(1.2), filled(1.3)) is Cause.LATE_BOOK


def test_a_trade_after_a_book_that_one_leaves_out_is_a_late_book_too() -> None:
    tape = quiet()
    tape.levels(at(1.2), (SELL, 1000, 5), (BUY, 1000, 0))
    tape.trade(at(1.3), SELL, 999, 70)
    assert cause(tape, filled(1.2, 20, last=1.3), filled(1.2, 5)) is Cause.LATE_BOOK
    assert cause(tape, filled(1.2, 20, last=1.4), filled(1.2, 5)) is Cause.UNEXPLAINED


def test_queues_are_causes_by_the_lots_before_the_order() -> None:
    tape = quiet()
    tape.trade(at(1.2), SELL, 1000, 50)
    tape.trade(at(1.3), SELL, 1000, 20)
    assert cause(tape, filled(1.3), None) is Cause.QUEUE
    assert cause(tape, filled(1.3), filled(1.2)) is Cause.NO_QUEUE
    assert cause(tape, None, filled(1.2)) is Cause.NO_QUEUE
    assert cause(tape, None, filled(1.3)) is Cause.UNEXPLAINED


def test_a_book_that_crosses_the_price_is_a_cause_either_way() -> None:
    tape = quiet()
    tape.levels(at(1.2), (SELL, 1000, 5), (BUY, 1000, 0))
    assert cause(tape, filled(1.2), None) is Cause.CROSSED_BOOK
    assert cause(tape, None, filled(1.2)) is Cause.CROSSED_BOOK


def test_the_same_moment_with_more_lots_is_whole_or_taken_again() -> None:
    tape = quiet()
    tape.levels(at(1.2), (SELL, 1000, 5), (BUY, 1000, 0))
    assert cause(tape, filled(1.2, 5), filled(1.2, 20)) is Cause.WHOLE_OR_NONE
    assert cause(tape, filled(1.2, 5), filled(1.2, 10, last=1.4)) is Cause.TAKEN_AGAIN
    assert cause(tape, filled(1.2, 5), filled(1.2, 10)) is Cause.UNEXPLAINED
    assert cause(quiet(), filled(1.2, 5), filled(1.2, 10, last=1.4)) is Cause.UNEXPLAINED


def test_a_refusal_by_one_alone_is_by_the_price_at_arrival_or_by_the_next_news() -> None:
    crossed = quiet()
    crossed.levels(at(0.9), (SELL, 1000, 5), (BUY, 1000, 0))
    crossed.trade(at(1.2), SELL, 999, 5)
    assert cause(crossed, filled(1.2), None, refused=True) is Cause.POST_ONLY
    late = quiet()
    late.levels(at(1.1), (BUY, 990, 1))
    late.trade(at(1.2), SELL, 1000, 60)
    assert cause(late, filled(1.2), None, refused=True) is Cause.LATE_ORDER
    late = quiet()
    late.levels(at(1.1), (BUY, 1000, 51))
    late.trade(at(1.2), SELL, 999, 60)
    assert cause(late, filled(1.2), None, refused=True) is Cause.UNEXPLAINED


@pytest.mark.parametrize(("seconds", "expected"), [(1.005, Cause.LATENCY_EDGE), (1.995, Cause.LATENCY_EDGE)])
def test_what_the_record_does_not_show_is_an_edge_only_within_the_delay(seconds: float, expected: Cause) -> None:
    assert cause(quiet(), filled(seconds), None) is expected
    assert cause(quiet(), None, filled(1.5)) is Cause.UNEXPLAINED


def test_the_page_counts_lists_and_names_what_has_no_cause(tmp_path: Path) -> None:
    tape = quiet()
    tape.trade(at(1.2), SELL, 999, 70)
    more = Order(2, SELL, 1010, at(1), at(2))
    schedule = planned(buy(), more)
    gathered = evidence.gather(events.rows(merged(tape)), schedule.orders)
    ours = orders.ours(merged(tape), schedule)
    others = {"same": ours, "none": Outcome({}, []), "odd": Outcome({**ours.fills, 2: filled(1.5)}, [])}
    run = table.Run(schedule, gathered, ours, others, BEGIN_TS)
    assert run.same(Reach.THROUGH, ["same", "odd"]) == len(run.numbers(Reach.THROUGH)) == 1
    assert run.same(Reach.THROUGH, others) == 0
    assert run.same(Reach.NEVER, ["same"]) == 1
    assert run.same(Reach.NEVER, others) == 0
    text = table.text([run], 8, ["same"])
    assert "| 0 bp, 20 lots | traded through | 1 | 0 | 1 |" in text
    assert "| none | 2 | 0 | 0 | 0 | 0 | 1 | 0 | 0 | late book 1 |" in text
    assert "| odd | 2 | 0 | 2 | 1 | 1 | 0 | 0 | 0 | unexplained 1 |" in text
    assert "All 2 differences; 1 without a cause" in text
    assert "| none | 0 bp, 20 lots | 1 | buy 1000 | 1.000000 | 1.200000, 20 |  | 50 | 0 | 70 | late book |" in text
    table.write_lines([run], tmp_path / "agree" / "differences.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "agree" / "differences.jsonl").read_text().splitlines()]
    assert [(line["engine"], line["cause"], line["theirs_lots"]) for line in lines] == [
        ("none", "late book", None),
        ("odd", "unexplained", 20),
    ]
