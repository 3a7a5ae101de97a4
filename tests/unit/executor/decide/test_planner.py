"""The planner: a pure function; each of its rules, and what must hold for any target and orders."""

from __future__ import annotations

from hypothesis import given, strategies as st

from executor.decide.planner import Add, Cancel, Change, plan
from executor.orders.order import Active, Amend, Order
from shared.clock import SECOND
from shared.messages import Quote, Side
from tests.kit.turns import paced

NOW = 1000 * SECOND
LATER = NOW + 100 * SECOND


def order(
    slot: str = "b0",
    side: Side = "buy",
    price: int = 1000,
    qty: int = 100,
    filled: int = 0,
    age_s: float = 60,
    life: Active = Active.OPEN,
) -> Order:
    return Order(
        cl_ord_id=f"T{slot}",
        strategy="m",
        symbol="BTC/USD",
        slot=slot,
        side=side,
        price=price,
        qty=qty,
        price_precision=1,
        qty_precision=8,
        life=life,
        filled=filled,
        touched=NOW - int(age_s * SECOND),
    )


def quote(slot: str = "b0", side: Side = "buy", price: int = 1000, qty: int = 100) -> Quote:
    return Quote(slot=slot, side=side, price=price, qty=qty)


def steps(quotes: list[Quote], *orders: Order, **more: object) -> list[object]:
    return list(plan(quotes, orders, NOW, turns=paced(orders), **more))  # type: ignore[arg-type]


def test_what_is_as_wanted_is_kept() -> None:
    assert steps([quote()], order()) == []


def test_a_new_slot_is_added_and_one_not_wanted_is_cancelled() -> None:
    planned = steps([quote("b1", price=990)], order())
    assert [type(step) for step in planned] == [Cancel, Add]


def test_a_drifted_price_is_amended_when_its_turn_has_come() -> None:
    assert steps([quote(price=1001)], order(age_s=9.9)) == []
    change = steps([quote(price=1001)], order(age_s=10))[0]
    assert isinstance(change, Change)
    assert (change.price, change.remaining) == (1001, 100)


def test_a_quantity_to_take_away_is_owed_at_once_at_the_old_price() -> None:
    change = steps([quote(price=1001, qty=50)], order(age_s=1))[0]
    assert isinstance(change, Change)
    assert (change.price, change.remaining) == (1000, 50)


def test_a_few_percent_too_much_are_not_worth_an_amend() -> None:
    assert steps([quote(qty=96)], order()) == []


def test_a_few_percent_too_much_go_with_a_price_that_moves_and_a_partial_fill_stays_one() -> None:
    change = steps([quote(price=1001, qty=96)], order())[0]
    assert isinstance(change, Change)
    assert (change.price, change.remaining) == (1001, 96)
    assert steps([quote(price=1001, qty=96)], order(age_s=9)) == []  # not before its turn
    change = steps([quote(price=1001, qty=96)], order(filled=40))[0]
    assert isinstance(change, Change)
    assert change.remaining == 60


def test_a_partial_fill_is_topped_up_only_when_less_than_half_stands() -> None:
    assert steps([quote()], order(filled=50)) == []
    change = steps([quote()], order(filled=51))[0]
    assert isinstance(change, Change)
    assert change.remaining == 100


def test_a_slot_that_changed_sides_is_cancelled_first() -> None:
    planned = steps([quote("b0", "sell", 1100)], order())
    assert [type(step) for step in planned] == [Cancel]


def test_nothing_is_asked_of_an_order_in_flight_or_unknown() -> None:
    for life in (Active.SENT, Active.UNKNOWN):
        assert steps([], order(life=life)) == []
        assert steps([quote(price=900)], order(life=life)) == []


def test_an_order_whose_amend_is_in_flight_is_left_until_it_settles_but_may_be_cancelled() -> None:
    amending = order()
    amending.amend = Amend(1, 1001, 100, 0)
    assert steps([quote(price=900)], amending) == []
    assert [type(step) for step in steps([], amending)] == [Cancel]


def test_a_doomed_order_goes_whatever_is_wanted() -> None:
    doomed = order()
    doomed.doomed = "amend refused"
    assert [type(step) for step in steps([quote()], doomed)] == [Cancel]


def test_a_doomed_order_goes_although_a_later_one_holds_its_slot() -> None:
    revived, later = order(), order()
    revived.doomed = "open at the exchange, though believed ended"
    for there in ([revived, later], [later, revived]):
        (step,) = steps([quote()], *there)
        assert isinstance(step, Cancel)
        assert step.order is revived


def test_of_two_orders_in_a_slot_the_later_one_stays() -> None:
    first, later = order(), order()
    (step,) = steps([quote()], first, later)
    assert isinstance(step, Cancel)
    assert step.order is first


def test_a_frozen_side_may_retreat_and_shrink_but_not_add_advance_or_grow() -> None:
    frozen = frozenset[Side](["buy"])
    assert steps([quote("b1")], frozen_sides=frozen) == []
    assert steps([quote(price=1001)], order(), frozen_sides=frozen) == []
    assert steps([quote(qty=500)], order(), frozen_sides=frozen) == []
    change = steps([quote(price=999, qty=500)], order(), frozen_sides=frozen)[0]
    assert isinstance(change, Change)
    assert (change.price, change.remaining) == (999, 100)


sides = st.sampled_from(["buy", "sell"])
slots = st.sampled_from(["b0", "b1", "a0", "a1"])
quotes = st.builds(Quote, slot=slots, side=sides, price=st.integers(900, 1100), qty=st.integers(1, 300))
orders = st.builds(
    order,
    slot=slots,
    side=sides,
    price=st.integers(900, 1100),
    qty=st.integers(1, 300),
    filled=st.integers(0, 300),
    age_s=st.floats(0, 100),
    life=st.sampled_from(list(Active)),
)


@given(
    st.lists(quotes, unique_by=lambda q: q.slot),
    st.lists(orders, unique_by=lambda o: o.slot),
    st.frozensets(sides),
)
def test_a_plan_never_asks_twice_of_a_slot_and_never_grows_what_is_frozen(
    wanted: list[Quote], there: list[Order], frozen: frozenset[Side]
) -> None:
    planned = plan(wanted, there, NOW, turns=paced(there), frozen_sides=frozen)
    touched = [step.quote.slot if isinstance(step, Add) else step.order.slot for step in planned]
    assert len(touched) == len(set(touched))
    assert [type(step) for step in planned] == sorted((type(s) for s in planned), key=[Cancel, Change, Add].index)
    for step in planned:
        if isinstance(step, Add):
            assert step.quote.side not in frozen
        elif isinstance(step, Change):
            assert step.order.life is Active.OPEN
            assert step.remaining > 0
            if step.order.side in frozen:
                assert step.remaining <= step.order.remaining
                away = step.order.price - step.price
                assert (away if step.order.side == "buy" else -away) >= 0


@given(st.lists(quotes, unique_by=lambda q: q.slot), st.lists(orders, unique_by=lambda o: o.slot))
def test_carrying_a_plan_out_leaves_nothing_more_to_do(wanted: list[Quote], there: list[Order]) -> None:
    there = [o for o in there if o.life is Active.OPEN and o.remaining]
    now = {o.slot: o for o in there}
    for _ in range(2):  # a slot that changes sides takes two
        for step in plan(wanted, list(now.values()), LATER, turns=paced(now.values())):
            if isinstance(step, Cancel):
                del now[step.order.slot]
            elif isinstance(step, Change):
                step.order.price, step.order.qty = step.price, step.order.filled + step.remaining
            else:
                q = step.quote
                now[q.slot] = order(q.slot, q.side, q.price, q.qty)
    assert plan(wanted, list(now.values()), LATER, turns=paced(now.values())) == []
