"""Causes from made-up reports of both executors."""

from __future__ import annotations

import pytest

from backtest.reconciliation.bus import Bus, Said
from backtest.reconciliation.causes import Cause, Explainer, order_reports
from backtest.reconciliation.market.own_orders import stands, steps
from backtest.reconciliation.matching import OwnFill, match
from executor.orders.ids import OrderId
from shared.clock import MS, SECOND
from shared.messages import Account, Control, Order, Orders, OrderState
from tests.unit.backtest.reconciliation.test_matching import fill

SYMBOL, BEGIN = "BTC/USD", 1000 * SECOND
LATE = BEGIN + 40 * SECOND


def order(price: int, qty: int = 10, filled: int = 0, state: OrderState = OrderState.OPEN, number: int = 1) -> Order:
    return Order(
        cl_ord_id=str(OrderId(1, "ABC", "b0", number)),
        order_id="O",
        strategy="s",
        slot="b0",
        side="buy",
        price=price,
        qty=qty,
        filled=filled,
        state=state,
    )


def bus(*said: tuple[int, list[Order]]) -> Bus:
    made = Bus()
    for at, orders in said:
        made.orders[SYMBOL].append(Said(at, Orders(symbol=SYMBOL, valid=True, orders=orders)))
    return made


def causes(
    live: Bus,
    played: Bus,
    ours: list[OwnFill],
    theirs: list[OwnFill],
    gaps: list[int] | None = None,
    controls: list[Said[Control]] | None = None,
) -> list[Cause]:
    left, right = order_reports(live, "s", [SYMBOL], 0), order_reports(played, "s", [SYMBOL], 0)
    beside = match(ours, theirs)
    explainer = Explainer(left, right, beside, {SYMBOL: gaps or []}, controls or [], 0, BEGIN)
    return [each.cause for each in explainer.explain()]


def live_fill(price: int = 1000, ts: int = LATE, lots: int = 10) -> OwnFill:
    return fill(0, ts, lots, is_live=True, price=price)


def played_fill(price: int, ts: int = LATE, lots: int = 10) -> OwnFill:
    return fill(0, ts, lots, is_live=False, price=price)


RESTED = (BEGIN + SECOND, [order(1000)])


def test_an_order_that_stood_at_the_price_was_in_the_queue() -> None:
    assert causes(bus(RESTED), bus(RESTED), [live_fill()], []) == [Cause.QUEUE]


def test_one_from_before_the_start_has_an_unknown_place() -> None:
    played = bus((BEGIN - SECOND, [order(1000)]))
    assert causes(bus(RESTED), played, [live_fill()], []) == [Cause.START]


def test_one_that_came_at_that_moment_was_late() -> None:
    played = bus((BEGIN + SECOND, [order(990)]), (LATE + 20 * MS, [order(1000)]))
    assert causes(bus(RESTED), played, [live_fill()], []) == [Cause.LATENCY]


def test_two_that_took_different_targets_raced() -> None:
    live = bus((BEGIN + SECOND, [order(990)]), (BEGIN + 30 * SECOND, [order(1000)]))
    played = bus((BEGIN + SECOND, [order(990)]), (BEGIN + 30 * SECOND + 10 * MS, [order(1001)]))
    assert causes(live, played, [live_fill()], []) == [Cause.LATENCY]


def test_a_refused_order_is_a_refusal() -> None:
    refused = order(1000, state=OrderState.REFUSED)
    played = bus((BEGIN + 30 * SECOND, [refused]), (LATE + 9 * SECOND, [refused]))
    live = bus((BEGIN + 30 * SECOND, [order(1000)]))
    assert causes(live, played, [live_fill()], []) == [Cause.REFUSAL]


def test_an_order_denied_by_a_limit_is_risk() -> None:
    played = bus((BEGIN + 30 * SECOND, [order(1000, state=OrderState.DENIED)]))
    assert causes(bus((BEGIN + 30 * SECOND, [order(1000)])), played, [live_fill()], []) == [Cause.RISK]


def test_a_move_that_only_one_side_made_is_the_pace_and_with_a_full_counter_the_rate() -> None:
    live = bus((BEGIN + SECOND, [order(990)]), (BEGIN + 30 * SECOND, [order(1000)]))
    played = bus((BEGIN + SECOND, [order(990)]))
    assert causes(live, played, [live_fill()], []) == [Cause.PACE]
    assert causes(live, bus((BEGIN + SECOND, [])), [live_fill()], []) == [Cause.UNEXPLAINED]
    played.accounts.append(Said(BEGIN + 30 * SECOND, Account(valid=True, counters={SYMBOL: 120.0}, threshold=125.0)))
    assert causes(live, played, [live_fill()], []) == [Cause.RATE]


def test_an_earlier_fill_on_one_side_moves_what_follows() -> None:
    first = BEGIN + 30 * SECOND
    live = bus((BEGIN + SECOND, [order(1000)]), (first, [order(1000, filled=10)]), (first, [order(990, number=2)]))
    played = bus((BEGIN + SECOND, [order(1000)]))
    found_causes = causes(live, played, [live_fill(ts=first), live_fill(990, LATE)], [])
    assert found_causes == [Cause.QUEUE, Cause.EARLIER]


def test_orders_that_came_apart_long_before_still_move_at_other_times() -> None:
    """A fill on one side 30 s before: since then each moves its order at its own pace, now and then to one price."""
    at = [BEGIN + n * SECOND for n in (1, 10, 15, 20, 30)]
    first = (at[0], [order(1000)])
    again = [order(990, number=2)]
    live = bus(first, (at[1], [order(1000, filled=10)]), (at[1], again), (at[4], [order(995, number=2)]))
    played = bus(first, (at[2], [order(990)]), (at[3], [order(980)]))
    ours = [live_fill(ts=at[1]), fill(1, LATE, 10, is_live=True, price=995)]
    assert causes(live, played, ours, []) == [Cause.QUEUE, Cause.EARLIER]


def test_a_mark_in_the_record_is_a_gap() -> None:
    assert causes(bus(RESTED), bus(RESTED), [live_fill()], [], gaps=[LATE - 500 * MS]) == [Cause.GAP]


def test_a_halt_is_a_command() -> None:
    controls = [Said(LATE - SECOND, Control(halted=True)), Said(LATE + SECOND, Control(halted=False))]
    assert causes(bus(RESTED), bus(RESTED), [], [played_fill(1000)], controls=controls) == [Cause.COMMAND]


def test_what_is_left_of_a_matched_fill_is_its_size() -> None:
    assert causes(bus(RESTED), bus(RESTED), [live_fill(lots=100)], [played_fill(1000, lots=95)]) == [Cause.SIZE]


@pytest.mark.parametrize("state", [OrderState.SENT, OrderState.FILLED, OrderState.CANCELLED, OrderState.DENIED])
def test_only_an_order_that_rests_is_in_the_book(state: OrderState) -> None:
    assert not stands(bus((BEGIN, [order(1000, state=state)])).orders[SYMBOL], "s", 0)


def test_a_move_leaves_one_price_and_comes_to_another() -> None:
    said = bus((0, [order(1000)]), (1, [order(1000, filled=4)]), (2, [order(990, filled=4)]), (3, []))
    made = steps(stands(said.orders[SYMBOL], "s", 0))
    assert [(step.at_ts, step.price, step.lots) for step in made] == [
        (0, 1000, 10),
        (1, 1000, -4),
        (2, 1000, -6),
        (2, 990, 6),
        (3, 990, -6),
    ]
    assert not stands(said.orders[SYMBOL], "another", 0)
