"""The price of a move: what staying loses, what points cost, and who of several may spend them."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from executor.decide.planner import Stay, retreats
from executor.decide.worth_moving import (
    ADVANCE_SHARE,
    CHANCE_ERRORS,
    FULL,
    HORIZON_S,
    POINT_SIGMAS,
    TREND_SHARE,
    Terms,
    choose,
    loss_of_staying,
    price_of,
    reach_chance,
)
from executor.orders.order import Active, Order
from shared import limits
from shared.clock import MS, SECOND
from shared.kraken.counters import TIERS, amend_cost
from shared.messages import Quote, Side

NOW = 1000 * SECOND
MID = 100_000.0  # so that 10 ticks are a bp
CALM = Terms(mid=MID, sigma=0.5, trend=0.0, value=0.0, most=93.0, decay=2.34)
# The trend in which an advance counts as much as a retreat.
STRONG = CHANCE_ERRORS + math.sqrt((1 - ADVANCE_SHARE) / TREND_SHARE)
# In a trend of one standard error beyond chance.
LEFT, OVERRUN = ADVANCE_SHARE + TREND_SHARE, 1 + TREND_SHARE
FAR = reach_chance(2, 0.5)  # of a price 2 bp from the calm mid
PACE, ANYWAY = int(limits.AMEND_EVERY_S * SECOND), int(limits.MOVE_ANYWAY_S * SECOND)


def order(price: int = 99_985, side: Side = "buy", age_s: float = 12, slot: str = "b0") -> Order:
    made = Order(f"T{slot}", "m", "BTC/USD", slot, side, price, 100, 1, 8, Active.OPEN)
    made.touched = NOW - int(age_s * SECOND)
    return made


def quote(price: int, made: Order, qty: int = 100) -> Quote:
    return Quote(slot=made.slot, side=made.side, price=price, qty=qty)


def wait_s(made: Order, price: int, terms: Terms = CALM, qty: int = 100) -> float:
    """Return the seconds until an order's move is worth it."""
    return max(0, choose([(made, quote(price, made, qty))], terms, NOW)[made].due - NOW) / SECOND


# --- the loss --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "side", "price", "wanted", "trend", "loss_bps"),
    [
        ("a bid that the mid has reached is sure to be filled too high", "buy", 100_010, 99_990, 0.0, 2.0),
        ("an ask that the mid has reached is sure to be filled too low", "sell", 99_990, 100_010, 0.0, 2.0),
        ("a bid at the wanted price loses nothing", "buy", 99_985, 99_985, 0.0, 0.0),
        ("a retreat counts the chance of its own fill", "buy", 99_980, 99_970, 0.0, FAR),
        ("an advance counts a share of the missed fill", "buy", 99_970, 99_980, 0.0, ADVANCE_SHARE * FAR),
        ("a trend that chance explains changes nothing", "buy", 99_970, 99_980, CHANCE_ERRORS, ADVANCE_SHARE * FAR),
        ("a trend that comes back changes nothing", "buy", 99_970, 99_980, -3.0, ADVANCE_SHARE * FAR),
        ("a bid left behind by a rise counts more", "buy", 99_970, 99_980, CHANCE_ERRORS + 1, LEFT * FAR),
        ("an ask left behind by a fall counts more", "sell", 100_030, 100_020, -CHANCE_ERRORS - 1, LEFT * FAR),
        ("a bid that a fall runs over counts more", "buy", 99_980, 99_970, -CHANCE_ERRORS - 1, OVERRUN * FAR),
        ("an ask that a rise runs over counts more", "sell", 100_020, 100_030, CHANCE_ERRORS + 1, OVERRUN * FAR),
        ("a trend that leaves it adds nothing to a retreat", "buy", 99_980, 99_970, 9.0, FAR),
    ],
)  # fmt: skip
def test_staying_loses(case: str, side: Side, price: int, wanted: int, trend: float, loss_bps: float) -> None:
    lost = loss_of_staying(order(price, side), wanted, replace(CALM, trend=trend))
    assert lost == pytest.approx(loss_bps, abs=1e-12), case


def test_without_a_volatility_no_loss_is_known_and_none_needs_a_mid() -> None:
    assert loss_of_staying(order(), 99_000, replace(CALM, sigma=None, mid=0.0)) == 0


def test_the_mid_reaches_a_price_by_the_reflection_principle() -> None:
    spread = 0.5 * math.sqrt(HORIZON_S)
    assert reach_chance(spread, 0.5) == pytest.approx(2 * 0.15865525393145707)  # one standard deviation away
    assert reach_chance(0, 0.5) == reach_chance(-1, 0.0) == 1
    assert reach_chance(1, 0.0) == 0


# --- the price -------------------------------------------------------------------------------------------------------


def test_a_point_is_dearer_the_fuller_the_counter_and_the_livelier_the_market() -> None:
    assert price_of(2, replace(CALM, most=10**9)) == pytest.approx(2 * POINT_SIGMAS * 0.5)
    assert price_of(3, replace(CALM, value=43.5)) == pytest.approx(3 * POINT_SIGMAS * 0.5 * 2)
    assert price_of(1, replace(CALM, sigma=2.0)) == pytest.approx(4 * price_of(1, CALM))
    assert price_of(1, replace(CALM, value=93.0)) == pytest.approx(POINT_SIGMAS * 0.5 / (1 - FULL))
    assert price_of(1, replace(CALM, most=0.0)) == price_of(1, replace(CALM, value=10**6))


# --- when a move is worth it -----------------------------------------------------------------------------------------


def test_an_old_bid_that_is_overrun_moves_at_once() -> None:
    assert wait_s(order(100_010), 99_940) == 0


def test_a_young_one_with_less_to_lose_waits_until_its_amend_is_cheaper() -> None:
    # 2.9 bp are worth 3 points and not 4, so it waits for the age of 5 s; 2 bp 2 points, and less a single one.
    for drift, age_s in ((29, 5), (20, 10), (12, 15)):
        assert wait_s(order(100_010, age_s=1), 100_010 - drift) == pytest.approx(age_s - 1)


def test_on_a_full_counter_it_waits_for_the_decay() -> None:
    # 6.4 bp for four points, which are worth 3.2: it may fill the counter to a half.
    made, terms = order(100_010, age_s=1), replace(CALM, value=93 / 2 - 4 + 2 * 2.34)
    waited = wait_s(made, 99_946, terms)
    assert waited == pytest.approx(2, abs=1e-6)
    later = replace(terms, value=terms.value - 2.34 * waited)
    assert choose([(made, quote(99_946, made))], later, NOW)[made].due == NOW


def test_a_wait_of_less_than_a_millisecond_is_none() -> None:
    made, level = order(100_010), 93 / 2
    assert wait_s(made, 99_978, replace(CALM, value=level - 2 + 2.34 * 0.9 * MS / SECOND)) == 0
    assert wait_s(made, 99_978, replace(CALM, value=level - 2 + 2.34 * 1.1 * MS / SECOND)) > 0


def test_what_hardly_loses_moves_in_the_end_all_the_same() -> None:
    assert wait_s(order(99_900), 99_905) == limits.MOVE_ANYWAY_S - 12
    assert wait_s(order(99_900, age_s=limits.MOVE_ANYWAY_S), 99_905) == 0


def test_what_fits_no_counter_waits_for_its_age() -> None:
    assert wait_s(order(100_010), 99_998, replace(CALM, most=1.5)) == limits.MOVE_ANYWAY_S - 12


def test_a_retreat_that_is_worth_the_dearest_point_is_proposed_although_the_counter_is_full() -> None:
    least_bps = 2 * POINT_SIGMAS * 0.5 / (1 - FULL)
    full = replace(CALM, value=93.0)
    assert wait_s(order(100_000 + int(least_bps * 10) + 2), 100_000, full) == 0
    assert wait_s(order(100_000 + int(least_bps * 10) - 2), 100_000, full) > 0


def test_without_a_volatility_and_for_a_quantity_alone_it_is_todays_pace() -> None:
    made = order(100_010, age_s=1)
    for terms, price, qty in ((replace(CALM, sigma=None), 99_000, 100), (CALM, 100_010, 300)):
        turn = choose([(made, quote(price, made, qty))], terms, NOW)[made]
        assert (turn.due, turn.why, turn.loss_bps) == (made.touched + PACE, Stay.PACED, None)


def test_a_turn_says_what_decides() -> None:
    made = order(100_010)
    turn = choose([(made, quote(99_990, made))], CALM, NOW)[made]
    assert turn.why is Stay.NOT_WORTH_IT
    assert turn.loss_bps == pytest.approx(2.0)
    assert turn.price_bps == pytest.approx(price_of(2, CALM))


# --- who spends ------------------------------------------------------------------------------------------------------


def test_a_retreat_spends_before_an_advance_that_would_lose_more() -> None:
    back, forward = order(100_013, slot="b0"), order(99_973, slot="b1")
    wanted = [(forward, quote(100_000, forward)), (back, quote(99_988, back))]
    tight = replace(CALM, most=9.0, trend=STRONG)  # there is room for both, but the first makes the second dear
    assert [loss_of_staying(made, q.price, tight) for made, q in wanted] == pytest.approx([2.7, 2.5])
    alone = [choose([each], tight, NOW)[each[0]].due for each in wanted]
    assert alone == [NOW, NOW]
    turns = choose(wanted, tight, NOW)
    assert [turns[made].due <= NOW for made in (back, forward)] == [True, False]


sigmas = st.floats(0.05, 20)
prices = st.integers(99_900, 100_100)
ages = st.floats(0, 70)
counters = st.builds(
    Terms,
    mid=st.floats(99_950, 100_050),
    sigma=sigmas,
    trend=st.floats(-5, 5),
    value=st.floats(0, 130),
    most=st.floats(10, 125),
    decay=st.sampled_from([tier.decay for tier in TIERS.values()]),
)
sides = st.sampled_from(["buy", "sell"])


@given(counters, prices, prices, sides, sigmas)
def test_the_loss_grows_with_the_volatility_and_the_drift(
    terms: Terms, price: int, wanted: int, side: Side, sigma: float
) -> None:
    low, high = sorted((terms.sigma or 0.0, sigma))
    made = order(price, side)
    lost = [loss_of_staying(made, wanted, replace(terms, sigma=each)) for each in (low, high)]
    assert lost[0] <= lost[1]
    further = wanted + (1 if wanted > price else -1)
    assert loss_of_staying(made, wanted, terms) <= loss_of_staying(made, further, terms)


@given(counters, prices, prices, sides, ages, st.floats(0, 70))
def test_what_is_worth_moving_is_worth_it_when_it_is_older(
    terms: Terms, price: int, wanted: int, side: Side, age_s: float, more_s: float
) -> None:
    young, old = order(price, side, age_s), order(price, side, age_s + more_s)
    if wait_s(young, wanted, terms) == 0:
        assert wait_s(old, wanted, terms) == 0


@given(counters, st.integers(-50, 50), st.integers(1, 50), sides, ages)
def test_a_retreat_is_never_refused_where_an_advance_of_equal_cost_is_allowed(
    terms: Terms, near: int, drift: int, side: Side, age_s: float
) -> None:
    # In a trend the side that it leaves behind may count more than the other.
    terms = replace(terms, trend=max(-STRONG, min(STRONG, terms.trend)))
    sign = 1 if side == "buy" else -1
    inner, outer = 100_000 - sign * near, 100_000 - sign * (near + drift)
    back, forward = order(inner, side, age_s, "b0"), order(outer, side, age_s, "b1")
    assert retreats(side, inner, outer)
    if wait_s(forward, inner, terms) == 0:
        assert wait_s(back, outer, terms) == 0
    turns = choose([(forward, quote(inner, forward)), (back, quote(outer, back))], terms, NOW)
    assert turns[back].due <= NOW or turns[forward].due > NOW


moves = st.lists(st.tuples(prices, prices, sides, st.floats(0, limits.MOVE_ANYWAY_S - 1)), max_size=6)


@given(counters, moves)
def test_the_moves_that_are_worth_it_fit_the_counter_unless_they_are_worth_the_dearest_point(
    terms: Terms, wanted: list[tuple[int, int, Side, float]]
) -> None:
    orders = [order(price, side, age_s, f"b{n}") for n, (price, _, side, age_s) in enumerate(wanted)]
    turns = choose([(o, quote(each[1], o)) for o, each in zip(orders, wanted, strict=True)], terms, NOW)
    least_bps = POINT_SIGMAS * (terms.sigma or 0.0) / (1 - FULL)
    spent = terms.value
    for made in turns:  # in the order in which they spend
        turn, points = turns[made], amend_cost((NOW - made.touched) / SECOND)
        if turn.why is Stay.PACED or turn.due > NOW:
            continue
        spent += points
        assert turn.loss_bps is not None
        assert spent <= terms.most + 0.01 or turn.loss_bps > points * least_bps


@given(counters, prices, prices, sides, ages)
def test_a_move_is_worth_it_when_its_turn_comes(
    terms: Terms, price: int, wanted: int, side: Side, age_s: float
) -> None:
    made = order(price, side, age_s)
    due = choose([(made, quote(wanted, made))], terms, NOW)[made].due
    assert due <= max(NOW, made.touched + max(ANYWAY, PACE))
    then = replace(terms, value=max(0.0, terms.value - terms.decay * max(0, due - NOW) / SECOND))
    assert choose([(made, quote(wanted, made))], then, max(due, NOW))[made].due <= max(due, NOW)
