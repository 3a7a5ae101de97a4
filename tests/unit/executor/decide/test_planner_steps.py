"""The planner's steps to the last figure: what goes when, in which request, and how long nothing is owed."""

from __future__ import annotations

from typing import Any

import pytest

from executor.decide.planner import (
    NEVER,
    Add,
    Cancel,
    Change,
    Stay,
    Step,
    Turn,
    batches,
    can_cancel,
    is_as_wanted,
    may_move,
    plan,
    retreats,
    stands_until,
    why_kept,
)
from executor.orders.order import Active, Amend, Order
from shared import limits
from shared.clock import SECOND
from shared.messages import Quote, Side
from tests.kit.turns import PACE as TURN, paced

NOW = 1000 * SECOND


def order(slot: str = "b0", side: Side = "buy", life: Active = Active.OPEN, **changed: Any) -> Order:
    made = Order(f"T{slot}", "m", "BTC/USD", slot, side, 1000, 100, 1, 8, life, order_id=f"O{slot}")
    made.touched = NOW - 60 * SECOND
    for name, value in changed.items():
        setattr(made, name, value)
    return made


def quote(slot: str = "b0", side: Side = "buy", price: int = 1000, qty: int = 100) -> Quote:
    return Quote(slot=slot, side=side, price=price, qty=qty)


def suspect(made: Order) -> Order:
    made.doubt.suspect_since = NOW
    return made


def amending(made: Order) -> Order:
    made.amend = Amend(1, 1001, 100, 0)
    return made


def steps_to(wanted: list[Quote], there: list[Order], **more: Any) -> list[Step]:
    return plan(wanted, there, NOW, turns=paced(there), **more)


# --- what goes, and why ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("there", "wanted", "why"),
    [
        ([order()], [], "not wanted any more"),
        ([order()], [quote(side="sell", price=1100)], "the slot changed sides"),
        ([order(doomed="amend refused")], [quote()], "amend refused"),
        ([order(doomed="amend refused")], [], "amend refused"),
        ([order(), order()], [quote()], "a later order holds its slot"),
    ],
)
def test_a_cancel_says_why(there: list[Order], wanted: list[Quote], why: str) -> None:
    assert steps_to(wanted, there) == [Cancel(there[0], why)]


def test_the_reason_for_what_is_not_wanted_is_the_callers() -> None:
    made = order()
    assert steps_to([], [made], why_cancel="halted") == [Cancel(made, "halted")]


def test_what_cannot_be_cancelled_yet_holds_up_no_other_order() -> None:
    flying, resting = order("b0", life=Active.SENT), order("b1", price=990)
    assert steps_to([quote("b1", price=985)], [flying, resting]) == [Change(resting, 985, 100)]


def test_retreats_come_before_advances_whatever_their_order_and_adds_come_last() -> None:
    forward, back, gone = order("b0"), order("b1"), order("b2")
    wanted = [quote("b3", price=970), quote("b0", price=1001), quote("b1", price=999)]
    steps = steps_to(wanted, [forward, back, gone])
    assert steps == [
        Cancel(gone, "not wanted any more"),
        Change(back, 999, 100),
        Change(forward, 1001, 100),
        Add(wanted[0]),
    ]


def test_a_quantity_alone_to_change_is_no_advance() -> None:
    forward, smaller = order("b0"), order("b1")
    steps = steps_to([quote("b0", price=1001), quote("b1", qty=50)], [forward, smaller])
    assert steps == [Change(smaller, 1000, 50), Change(forward, 1001, 100)]


def test_a_sell_retreats_upwards() -> None:
    forward, back = order("a0", "sell"), order("a1", "sell")
    steps = steps_to([quote("a0", "sell", 999), quote("a1", "sell", 1001)], [forward, back])
    assert steps == [Change(back, 1001, 100), Change(forward, 999, 100)]
    assert [retreats("sell", 1000, new) for new in (999, 1000, 1001)] == [False, False, True]
    assert [retreats("buy", 1000, new) for new in (999, 1000, 1001)] == [True, False, False]


def test_a_quote_of_nothing_is_not_placed() -> None:
    assert steps_to([quote(qty=0)], []) == []
    assert steps_to([quote(qty=1)], []) == [Add(quote(qty=1))]


def test_a_slot_whose_order_has_just_left_gets_no_second_one() -> None:
    assert steps_to([quote()], [order(life=Active.CANCELLING)]) == []


def test_a_frozen_side_freezes_the_other_not() -> None:
    both = [quote("b0"), quote("a0", "sell", 1100)]
    assert steps_to(both, [], frozen_sides=frozenset(["buy"])) == [Add(both[1])]


# --- how much is changed ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "wanted", "changed"),
    [
        (order(), quote(price=1001, qty=100), (1001, 100)),
        (order(), quote(price=1000, qty=95), (1000, 95)),  # 100 is more than 5 % above 95
        (order(qty=105), quote(qty=100), None),
        (order(qty=106), quote(qty=100), (1000, 100)),
        (order(), quote(qty=200), None),
        (order(), quote(qty=201), (1000, 201)),
        (order(), quote(price=1001, qty=201), (1001, 201)),
        (order(), quote(price=1001, qty=150), (1001, 100)),  # a partial fill keeps its size where it moves
        (order(filled=99), quote(price=1001, qty=2), (1001, 1)),
        (order(touched=NOW - TURN), quote(price=1001), (1001, 100)),
        (order(touched=NOW - TURN + 1), quote(price=1001), None),
        (order(touched=NOW - TURN + 1), quote(price=1001, qty=50), (1000, 50)),
        (order(touched=NOW - TURN + 1), quote(qty=500), None),
        (order(filled=100), quote(price=1001), None),
        (suspect(order()), quote(price=1001), None),
        (amending(order()), quote(price=999), None),
        (order(life=Active.UNKNOWN), quote(price=999), None),
    ],
)
def test_an_order_is_changed_to(made: Order, wanted: Quote, changed: tuple[int, int] | None) -> None:
    assert steps_to([wanted], [made]) == ([] if changed is None else [Change(made, *changed)])


def test_a_frozen_order_that_retreats_shrinks_with_it_and_does_not_grow() -> None:
    made, frozen = order(), frozenset[Side](["buy"])
    assert steps_to([quote(price=999, qty=50)], [made], frozen_sides=frozen) == [Change(made, 999, 50)]
    assert steps_to([quote(price=1001, qty=50)], [made], frozen_sides=frozen) == [Change(made, 1000, 50)]
    assert steps_to([quote(price=999, qty=500)], [made], frozen_sides=frozen) == [Change(made, 999, 100)]


# --- cancels by request ----------------------------------------------------------------------------------------------


def test_cancels_that_may_go_together_fill_one_request_after_the_other() -> None:
    cancels = [Cancel(order(f"b{n}"), "") for n in range(2 * limits.BATCH_CANCEL_IDS + 1)]
    most = limits.BATCH_CANCEL_IDS
    assert batches(cancels) == ([cancels[:most], cancels[most : 2 * most]], [cancels[-1]])
    assert batches(cancels[: most + 2]) == ([cancels[:most], cancels[most : most + 2]], [])
    assert batches(cancels[:1]) == ([], cancels[:1])


def test_a_cancel_that_a_batch_might_be_refused_for_leaves_alone() -> None:
    failed = order("b3")
    failed.cancel.failures = 1
    cancels = [Cancel(made, "") for made in (order("b0"), order("b1", order_id=""), suspect(order("b2")), failed)]
    assert batches(cancels) == ([], cancels)
    together = [Cancel(order("b4"), ""), Cancel(order("b5"), "")]
    assert batches([*cancels[1:], *together]) == ([together], cancels[1:])


def test_a_cancel_may_be_sent_when_it_is_due_and_again_when_no_answer_came() -> None:
    waiting = order()
    waiting.cancel.due = NOW
    assert can_cancel(waiting, NOW)
    assert not can_cancel(waiting, NOW - 1)
    sent = order(life=Active.CANCELLING)
    sent.cancel.sent = NOW
    again = NOW + int(limits.REQUEST_TIMEOUT_S * SECOND)
    assert can_cancel(sent, again)
    assert not can_cancel(sent, again - 1)
    assert not can_cancel(order(life=Active.SENT), again)


# --- what is said of an order that stays -----------------------------------------------------------------------------


@pytest.mark.parametrize("made", [order(life=Active.SENT), amending(order()), suspect(order())])
def test_nothing_is_said_and_nothing_is_as_wanted_before_its_last_request_has_settled(made: Order) -> None:
    assert why_kept(made, quote(), None, frozen=False) is None
    assert not is_as_wanted(made, quote())
    assert not may_move(made, quote(price=999), frozen=False)
    assert stands_until(made, quote(), None, NOW) == 0


@pytest.mark.parametrize(
    ("wanted", "is_wanted"),
    [
        (quote(), True),
        (quote(qty=200), True),
        (quote(qty=201), False),
        (quote(price=1001), False),
        (quote(side="sell"), False),
    ],
)
def test_an_order_is_as_wanted_on_its_side_at_its_price_with_enough_of_its_quantity(
    wanted: Quote, is_wanted: bool
) -> None:
    assert is_as_wanted(order(), wanted) is is_wanted
    turn = Turn(NOW, Stay.NOT_WORTH_IT)
    assert why_kept(order(), wanted, turn, frozen=True) is (Stay.AS_WANTED if is_wanted else Stay.FROZEN)
    assert why_kept(order(), wanted, turn, frozen=False) is (Stay.AS_WANTED if is_wanted else Stay.NOT_WORTH_IT)


@pytest.mark.parametrize(
    ("made", "wanted", "frozen", "moves"),
    [
        (order(), quote(), False, False),
        (order(), quote(price=1001), False, True),
        (order(), quote(price=999), False, True),
        (order(), quote(qty=201), False, True),
        (order(), quote(price=1001), True, False),
        (order(), quote(qty=201), True, False),
        (order(), quote(price=999), True, True),
        (order(), quote(side="sell"), False, False),
        (order(doomed="amend refused"), quote(price=999), False, False),
    ],
)
def test_an_order_needs_a_turn_to_move_or_grow_and_on_a_frozen_side_only_to_retreat(
    made: Order, wanted: Quote, frozen: bool, moves: bool
) -> None:
    assert may_move(made, wanted, frozen=frozen) is moves


def test_an_order_without_a_turn_stays_but_shrinks_at_once() -> None:
    made = order()
    assert plan([quote(price=999)], [made], NOW, turns={}) == []
    assert plan([quote(price=999, qty=50)], [made], NOW, turns={}) == [Change(made, 1000, 50)]


def test_what_is_doomed_or_filled_is_not_as_wanted() -> None:
    assert not is_as_wanted(order(doomed="amend refused"), quote())
    assert not is_as_wanted(order(filled=100), quote(qty=0))
    assert is_as_wanted(order(filled=99), quote(qty=1))


def test_what_is_as_wanted_needs_nothing_by_time_alone_and_what_drifted_waits_its_turn() -> None:
    made, turn = order(), Turn(NOW, Stay.NOT_WORTH_IT)
    assert stands_until(made, quote(), None, NOW) == NEVER
    assert stands_until(made, quote(price=1001), turn, NOW - 1) == NOW
    assert stands_until(made, quote(price=1001), turn, NOW) == 0


def test_what_must_go_stands_until_no_known_moment() -> None:
    assert stands_until(order(doomed="amend refused"), quote(), None, NOW) == 0
    assert stands_until(order(), quote(side="sell"), None, NOW) == 0
