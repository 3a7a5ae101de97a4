"""Rates: taken once a second, the missing ones sooner, and changed only when one is."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, strategies as st

from executor.account.rates import Rates
from shared import limits
from shared.clock import SECOND

TRADED = ["BTC/USD", "ETH/EUR", "SOL/JPY"]
AGAIN_NS = int(limits.RATES_AGAIN_S * SECOND)
mids = st.dictionaries(st.sampled_from([*TRADED, "EUR/USD", "USD/JPY"]), st.integers(1, 10**6).map(Decimal), min_size=0)


def test_a_missing_rate_is_tried_again_soon_while_the_others_stay_as_taken() -> None:
    rates = Rates("USD", TRADED)
    pairs = [*TRADED, "EUR/USD"]
    now = SECOND
    assert rates.turn(pairs, {"BTC/USD": Decimal(100)}, pairs, now)
    moved = {"BTC/USD": Decimal(101), "EUR/USD": Decimal("1.1")}
    assert not rates.turn(pairs, moved, pairs, now + AGAIN_NS - 1)
    assert rates.turn(pairs, moved, pairs, now + AGAIN_NS)
    assert rates.rate("EUR") == Decimal("1.1")
    assert rates.rate("BTC") == Decimal(100)
    assert rates.turn(pairs, moved, pairs, now + SECOND)
    assert rates.rate("BTC") == Decimal(101)


def test_rates_that_did_not_change_are_no_news() -> None:
    rates = Rates("USD", ["BTC/USD"])
    same = {"BTC/USD": Decimal(100)}
    assert rates.turn(["BTC/USD"], same, ["BTC/USD"], SECOND)
    assert not rates.turn(["BTC/USD"], same, ["BTC/USD"], 2 * SECOND)
    assert rates.is_valid("BTC", 2 * SECOND)


def test_a_pair_that_is_listed_later_is_used_from_then_on() -> None:
    rates = Rates("USD", TRADED)
    quoted = {"ETH/EUR": Decimal(2000), "EUR/USD": Decimal("1.1")}
    rates.turn(TRADED, quoted, TRADED, SECOND)
    assert rates.rate("ETH") is None
    rates.turn([*TRADED, "EUR/USD"], quoted, TRADED, 2 * SECOND)
    assert rates.rate("ETH") == Decimal(2200)


@given(st.lists(st.tuples(mids, st.booleans()), min_size=1, max_size=6))
def test_after_a_second_they_are_those_that_fresh_rates_would_be(steps: list[tuple[dict[str, Decimal], bool]]) -> None:
    rates = Rates("USD", TRADED)
    now, known = 0, dict[str, Decimal]()
    for number, (given_mids, with_euro) in enumerate(steps):
        now += SECOND if number % 2 else AGAIN_NS
        known |= given_mids
        pairs = [*TRADED, "USD/JPY", *(["EUR/USD"] if with_euro else [])]
        rates.turn(pairs, known, pairs, now)
    now += SECOND
    rates.turn(pairs, known, pairs, now)
    fresh = Rates("USD", TRADED)
    fresh.turn(pairs, known, pairs, now)
    for asset, rate in fresh.values.items():
        assert rates.rate(asset) == rate
