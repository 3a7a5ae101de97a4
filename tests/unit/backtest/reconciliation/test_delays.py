"""The recorded delays: when fills were heard, and when passes were made that only a timer calls for."""

from __future__ import annotations

from backtest.exact.trader import TURN_NS
from backtest.reconciliation.bus import Said
from backtest.reconciliation.delays import NEXT_TURN_NS, RecordedTimers, reports
from shared.clock import MS, SECOND
from shared.messages import Fill, Order, Orders, OrderState

SYMBOL = "BTC/USD"
WALL = 1_000_000 * SECOND


def planned(*times: int) -> list[Said[Orders]]:
    orders = [
        Order(
            cl_ord_id=f"{at}", order_id="", strategy="s", slot="b0", side="buy", price=1, qty=1, filled=0,
            state=OrderState.OPEN, planned=at,
        )
        for at in times
    ]  # fmt: skip
    return [Said(times[-1], Orders(symbol=SYMBOL, valid=True, orders=orders))]


def fill(happened: int, published: int, heard: int) -> Fill:
    return Fill(
        exec_id="e", cl_ord_id="c", order_id="o", strategy="s", symbol=SYMBOL, side="buy", price="1", qty="1", fee="0",
        fill_ts=WALL + happened, ts=WALL + published, heard=heard,
    )  # fmt: skip


def test_a_fill_is_as_late_as_its_report_was_and_not_as_the_message_about_it() -> None:
    assert reports([fill(10 * MS, 25 * MS, 22 * MS)], [], WALL).late == {10_000: 12 * MS}


def test_of_an_executor_that_did_not_say_when_it_heard_the_message_counts() -> None:
    assert reports([fill(10 * MS, 25 * MS, 0)], [], WALL).late == {10_000: 15 * MS}


def test_a_timer_is_as_late_as_the_recorded_pass_that_came_next_and_after_the_target_of_that_pass() -> None:
    timers = RecordedTimers(planned(SECOND, SECOND + NEXT_TURN_NS), 7 * MS)
    assert timers.due(SECOND - NEXT_TURN_NS + 1) == SECOND + 1
    assert timers.due(SECOND) == SECOND + 1
    assert timers.due(SECOND + 2) == SECOND + NEXT_TURN_NS + 1
    assert timers.moved(SECOND - MS) == SECOND + 1


def test_a_timer_without_a_recorded_pass_is_as_late_as_usual() -> None:
    timers = RecordedTimers(planned(SECOND), 7 * MS)
    for at in (SECOND - 2 * TURN_NS, SECOND + 2):
        assert timers.due(at) == at + 7 * MS
        assert timers.moved(at) == at + TURN_NS
