"""Attribution: running sums say what the fills say one by one, and the parts are the profit."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, strategies as st

from shared.attribution import ADVERSE_S, HORIZONS_S, ZERO, MarkedFill, MarkoutSums, Totals, attribute, markouts

PRICES = st.decimals("0.1", "90000", places=1)
RATES = st.decimals("0.001", "100", places=4)


@st.composite
def fills(draw: st.DrawFn) -> MarkedFill:
    return MarkedFill(
        symbol="BTC/EUR",
        ts=draw(st.integers(0, 10**18)),
        side=draw(st.sampled_from(["buy", "sell"])),
        price=draw(PRICES),
        qty=draw(st.decimals("0.00000001", "100", places=8)),
        fee=draw(st.decimals("0", "10", places=5)),
        mid=draw(PRICES),
        after={horizon: draw(PRICES) for horizon in HORIZONS_S},
        rate=draw(RATES),
    )


@given(st.lists(fills(), max_size=8), PRICES, RATES)
def test_sums_say_what_the_fills_say(made: list[MarkedFill], mid: Decimal, rate: Decimal) -> None:
    totals = Totals()
    for fill in made:
        totals.add(fill)
    assert totals.parts(mid, rate) == attribute(made, {"BTC/EUR": mid}, {"BTC/EUR": rate})


@given(st.lists(fills(), max_size=8), PRICES, RATES)
def test_the_parts_are_the_profit(made: list[MarkedFill], mid: Decimal, rate: Decimal) -> None:
    profit = sum(((fill.sign * fill.qty * (mid - fill.price) - fill.fee) * rate for fill in made), ZERO)
    assert attribute(made, {"BTC/EUR": mid}, {"BTC/EUR": rate}).unexplained(profit) == 0


@given(st.lists(fills(), max_size=8), PRICES, RATES)
def test_unmarked_fills_are_a_part_of_their_own(made: list[MarkedFill], mid: Decimal, rate: Decimal) -> None:
    totals = Totals()
    for fill in made:
        totals.add_unmarked(fill.sign * fill.qty, fill.sign * fill.qty * fill.price, fill.fee)
    parts = totals.parts(mid, rate)
    profit = sum(((fill.sign * fill.qty * (mid - fill.price) - fill.fee) * rate for fill in made), ZERO)
    assert parts.unmarked == parts.total == profit


@given(st.lists(fills(), min_size=2, max_size=8))
def test_sums_of_markouts_have_the_same_mean_and_error(made: list[MarkedFill]) -> None:
    at_ten = next(each for each in markouts(made) if each.horizon_s == ADVERSE_S)
    sums = MarkoutSums()
    for fill in made:
        value = fill.markout_bps(ADVERSE_S)
        assert value is not None
        sums.add(value)
    mean = sums.markout(ADVERSE_S)
    scale = 1e-6 * max(1.0, max(abs(fill.markout_bps(ADVERSE_S) or 0.0) for fill in made))
    assert mean.fills == at_ten.fills
    assert abs(mean.mean_bps - at_ten.mean_bps) <= scale
    assert abs(mean.error_bps - at_ten.error_bps) <= max(scale, 1e-3 * at_ten.error_bps)
