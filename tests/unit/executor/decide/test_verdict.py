"""The verdict's own part: which markets, rates and positions it judges by, and whose limits count."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from executor.account.fill_counts import Tally
from executor.decide.risk import UP, Proposal
from executor.decide.verdict import Verdict
from executor.orders.denial import Denial, Rule
from executor.orders.order import Active, Order
from executor.orders.registry import FOREIGN
from shared.config import Strategy
from shared.messages import Side
from tests.kit.executor.assets import world
from tests.kit.executor_world import World

# 84,000.05 USD a BTC by its mid; 84,004.0525025 by BTC/EUR; an ETH of 0.030005 BTC.
EUR_RATE = Decimal("1.05005")
BTC_BY_EUR = Decimal("80000.05") * EUR_RATE


def proposal(lots: int = 119_047, side: Side = "buy", symbol: str = "BTC/USD") -> Proposal:
    return Proposal(symbol, side, 839_990, lots)


def foreign(made: World, symbol: str, price: int, qty: int = 100_000) -> Order:
    order = Order(f"F{symbol}", FOREIGN, symbol, "", "buy", price, qty, 1, 8, Active.OPEN)
    made.state.registry.add(order)
    return order


def moves_to(made: World, symbol: str, bid: int) -> None:
    """A pair's mid moves; nothing else does."""
    made.touches = {**made.touches, symbol: (bid, bid + 1)}
    made.hear_book(symbol)


# --- markets and rates -----------------------------------------------------------------------------------------------


def test_before_the_first_mid_nothing_can_be_judged() -> None:
    made = world("BTC/USD")
    verdict = Verdict(made.state)
    assert verdict.on("market_maker", proposal(), any_size=True) == Denial(Rule.NO_MID, "no mid to judge by")
    assert verdict.market("BTC/USD") is None
    made.ready()
    assert verdict.on("market_maker", proposal(), any_size=False) is None
    assert verdict.on("market_maker", proposal(symbol="SOL/USD"), any_size=True) == Denial(
        Rule.NO_MID, "no mid to judge by"
    )


def test_a_base_is_worth_what_the_dearest_of_its_pairs_says() -> None:
    verdict = Verdict(world("BTC/USD", "BTC/EUR").ready().state)
    assert verdict.portfolio().rates["BTC"] == BTC_BY_EUR


def test_a_mid_that_moves_changes_its_market_and_the_rate_of_its_base_and_no_other() -> None:
    made = world("BTC/USD", "BTC/EUR", "ETH/USD").ready()
    verdict = Verdict(made.state)
    before = dict(verdict.portfolio().rates)
    moves_to(made, "BTC/USD", 900_000)
    after = verdict.portfolio()
    assert after.markets["BTC/USD"].mid_price == Decimal("90000.05")
    assert after.rates == {**before, "BTC": Decimal("90000.05")}
    moves_to(made, "BTC/USD", 700_000)
    assert verdict.portfolio().rates["BTC"] == BTC_BY_EUR
    moves_to(made, "ETH/USD", 300_000)
    assert verdict.portfolio().rates["ETH"] == Decimal("3000.005")


def test_a_base_that_others_are_quoted_in_goes_by_the_rate_that_strategies_hear() -> None:
    made = world("BTC/USD", "BTC/EUR", "ETH/BTC").ready()
    verdict = Verdict(made.state)
    assert verdict.portfolio().rates["BTC"] == Decimal("84000.05")
    moves_to(made, "BTC/USD", 900_000)
    assert verdict.portfolio().rates["BTC"] == Decimal("84000.05")
    assert verdict.portfolio().markets["BTC/USD"].mid_price == Decimal("90000.05")
    moves_to(made, "ETH/BTC", 4_000)  # and what is quoted in it by its own mid
    assert verdict.portfolio().rates["ETH"] == Decimal("84000.05") * Decimal("0.040005")


def test_a_base_that_others_are_quoted_in_goes_by_its_mids_until_there_is_a_rate() -> None:
    made = world("BTC/USD", "ETH/BTC")
    made.hear_bus()  # no pass yet that takes rates
    verdict = Verdict(made.state)
    assert verdict.portfolio().rates["BTC"] == Decimal("84000.05")
    moves_to(made, "BTC/USD", 900_000)
    assert verdict.portfolio().rates["BTC"] == Decimal("90000.05")


def test_pairs_that_are_not_traded_have_a_market_and_say_nothing_of_a_base() -> None:
    made = world("BTC/USD").ready()
    verdict = Verdict(made.state)
    assert sorted(verdict.portfolio().markets) == ["BTC/USD", "EUR/USD"]
    before = dict(verdict.portfolio().rates)
    moves_to(made, "EUR/USD", 20_000)
    assert verdict.portfolio().markets["EUR/USD"].mid_price == Decimal("2.00005")
    assert verdict.portfolio().rates == before


def test_a_mid_of_a_pair_that_instrument_data_lack_changes_nothing() -> None:
    made = world("BTC/USD").ready()
    verdict = Verdict(made.state)
    made.pairs = {**made.pairs, "SOL/USD": msgspec.structs.replace(made.pairs["BTC/USD"], symbol="SOL/USD")}
    made.hear_book("SOL/USD")
    before = verdict.portfolio()
    moves_to(made, "SOL/USD", 7_000)
    assert verdict.portfolio() is before
    assert sorted(verdict.portfolio().markets) == ["BTC/USD", "EUR/USD"]


def test_the_portfolio_is_made_anew_when_the_account_changed_and_kept_otherwise() -> None:
    made = world("BTC/USD").ready()
    verdict = Verdict(made.state)
    before = verdict.portfolio()
    assert verdict.portfolio() is before
    made.state.account.wallet_entry("BTC", "earn/flex", Decimal("0.5"))
    after = verdict.portfolio()
    assert after.positions["BTC"] - before.positions["BTC"] == Decimal("0.5")
    assert verdict.portfolio() is after


# --- exposure as mids move -------------------------------------------------------------------------------------------


def test_orders_are_weighed_anew_where_a_mid_moved() -> None:
    made = world("BTC/USD", "ETH/USD").ready()
    verdict = Verdict(made.state)
    foreign(made, "BTC/USD", 840_000)
    assert verdict.exposure().worst(("BTC", UP), None) == Decimal("84.00005")
    moves_to(made, "BTC/USD", 900_000)
    assert verdict.exposure().worst(("BTC", UP), None) == Decimal("90.00005")


def test_orders_on_a_pair_without_a_mid_go_by_their_base_as_its_mids_move() -> None:
    made = world("BTC/USD", "ETH/USD").ready()
    verdict = Verdict(made.state)
    foreign(made, "BTC/CHF", 800_000)
    foreign(made, "BTC/USD", 800_000)
    assert verdict.exposure().worst(("BTC", UP), None) == 2 * Decimal("84.00005")
    assert verdict.exposure().unpriced == {"BTC/CHF"}
    moves_to(made, "BTC/USD", 900_000)
    assert verdict.exposure().worst(("BTC", UP), None) == 2 * Decimal("90.00005")


def test_orders_on_another_base_are_not_weighed_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    made = world("BTC/USD", "ETH/USD").ready()
    verdict = Verdict(made.state)
    foreign(made, "BTC/CHF", 800_000)
    exposure = verdict.exposure()
    weighed: list[list[str]] = []
    monkeypatch.setattr(exposure, "update", weighed.append)
    moves_to(made, "ETH/USD", 260_000)
    verdict.exposure()
    moves_to(made, "BTC/USD", 900_000)
    verdict.exposure()
    verdict.exposure()
    assert weighed == [["ETH/USD"], ["BTC/CHF", "BTC/USD"]], "nothing is weighed while nothing changes"


# --- positions that nothing values -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("held", "unvalued"), [("1.00005", ()), ("1.00006", ("BTC",)), ("0.99994", ("BTC",))])
def test_a_position_of_more_than_dust_that_nothing_values_is_named(held: str, unvalued: tuple[str, ...]) -> None:
    made = world("BTC/USD")
    made.state.market.pairs = {"BTC/USD": made.pairs["BTC/USD"]}  # 0.00005 BTC is the least that it trades
    made.state.account.ledger.open({"BTC": Decimal(held)}, ts=1)
    assert Verdict(made.state).portfolio().unvalued == unvalued


# --- whose limits count ----------------------------------------------------------------------------------------------


def test_an_order_of_any_size_may_be_smaller_than_the_least_that_is_configured() -> None:
    made = world("BTC/USD")
    made.pairs = {**made.pairs, "BTC/USD": msgspec.structs.replace(made.pairs["BTC/USD"], qty_min=1)}
    made.ready()
    verdict = Verdict(made.state)
    denial = verdict.on("market_maker", proposal(lots=1_000), any_size=False)
    assert denial == Denial(Rule.ORDER_SIZE, "0.84 is below min_order_size 10")
    assert verdict.on("market_maker", proposal(lots=1_000), any_size=True) is None


def limited(**limits: Any) -> tuple[World, Verdict]:
    """A world whose market maker has limits of its own, holds 100 USD and has one order of 100 USD open."""
    made = world("BTC/USD").ready()
    made.state.config.strategies["market_maker"] = Strategy(pairs=["BTC/USD"], **limits)
    made.state.account.tallies["market_maker", "BTC/USD"] = Tally(position=Decimal("0.00119047"))
    made.state.account.tallies["other", "BTC/USD"] = Tally(position=Decimal("0.01"))
    for name, strategy in (("T1", "market_maker"), ("T2", "other"), ("T3", "other")):
        made.state.registry.add(Order(name, strategy, "BTC/USD", "b0", "buy", 839_000, 119_047, 1, 8, Active.OPEN))
    return made, Verdict(made.state)


@pytest.mark.parametrize(
    ("limits", "rule"),
    [
        ({}, None),
        ({"max_open_orders": 2}, None),
        ({"max_open_orders": 1}, Rule.OPEN_ORDERS),
        ({"max_position_size": Decimal(301)}, None),
        ({"max_position_size": Decimal(299)}, Rule.POSITION),
        ({"max_open_orders": 2, "max_position_size": Decimal(299)}, Rule.POSITION),
    ],
)
def test_a_strategys_own_limits_count_its_own_orders_and_fills(limits: dict[str, Any], rule: Rule | None) -> None:
    _, verdict = limited(**limits)
    denial = verdict.on("market_maker", proposal(), any_size=False)
    assert (denial.rule if denial is not None else None) is rule


def test_a_strategy_that_is_not_configured_has_no_limits_of_its_own() -> None:
    _, verdict = limited(max_open_orders=0)
    assert verdict.on("unheard", proposal(), any_size=False) is None


def test_the_accounts_limits_come_before_a_strategys_own() -> None:
    _, verdict = limited(max_open_orders=0)
    denial = verdict.on("market_maker", proposal(lots=1), any_size=False)
    assert denial is not None
    assert denial.rule is Rule.PAIR


@pytest.mark.parametrize(("strategy", "rule"), [("market_maker", Rule.GROSS), ("flatten", None)])
def test_a_flatten_is_not_held_up_by_the_gross_limit(strategy: str, rule: Rule | None) -> None:
    made = world("BTC/USD", "ETH/USD", max_gross_position=Decimal(1000)).ready()
    for asset, more in (("BTC", "0.0075"), ("ETH", "0.2")):  # 630 and 504 USD above the inventory
        made.state.account.wallet_entry(asset, "earn/flex", Decimal(more))
    denial = Verdict(made.state).on(strategy, proposal(lots=50_000), any_size=False)
    assert (denial.rule if denial is not None else None) is rule


@pytest.mark.parametrize(("strategy", "rule"), [("market_maker", Rule.POSITION), ("flatten", None)])
def test_a_flatten_is_not_held_up_by_what_others_may_come_to(strategy: str, rule: Rule | None) -> None:
    made = world("BTC/USD").ready()
    foreign(made, "BTC/USD", 830_000, 1_180_000)
    denial = Verdict(made.state).on(strategy, proposal(), any_size=False)
    assert (denial.rule if denial is not None else None) is rule
