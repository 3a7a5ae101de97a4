"""The risk gate's rules one by one, each at its very limit and in its own words, on figures that fit in a head."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from executor.decide.risk import (
    DOWN,
    UP,
    Funds,
    Listed,
    Market,
    Portfolio,
    Proposal,
    exposures,
    moves,
    open_worth,
    order_worth,
    refusal,
    spends,
    strategy_refusal,
)
from executor.orders.denial import Denial, Rule
from executor.orders.order import Active, Amend, Order
from shared.config import Strategy, Trading
from shared.messages import Pair, Side

# A tick is 0.1 USD, a lot 0.01 BTC, the mid 100 USD: a lot is worth one dollar.
PAIR = Pair(
    symbol="BTC/USD",
    base="BTC",
    quote="USD",
    status="online",
    price_precision=1,
    qty_precision=2,
    price_increment=5,
    qty_increment=2,
    qty_min=4,
    cost_min="6",
    cost_precision=5,
)
MARKET = Market(PAIR, Decimal(1000))
# A tick is 0.001 BTC: with a BTC of 100 USD and a mid of 0.5 BTC an ETH is worth 50 USD.
CROSS = Market(
    msgspec.structs.replace(
        PAIR, symbol="ETH/BTC", base="ETH", quote="BTC", price_precision=3, price_increment=1, cost_min="0.06"
    ),
    Decimal(500),
)
RULES = Trading(
    max_position_size=Decimal(1000),
    max_order_size=Decimal(250),
    min_order_size=Decimal(10),
    max_gross_position=Decimal(1500),
    max_open_orders=3,
    price_band_percent=Decimal(5),
)
RICH = Funds({"USD": Decimal(10_000), "BTC": Decimal(100), "ETH": Decimal(100)}, Decimal(0))
RATES = {"USD": Decimal(1), "BTC": Decimal(100), "ETH": Decimal(50)}


def portfolio(btc: str = "0", eth: str = "0", **changed: Any) -> Portfolio:
    values: dict[str, Any] = {
        "markets": {"BTC/USD": MARKET, "ETH/BTC": CROSS},
        "rates": RATES,
        "positions": {"BTC": Decimal(btc), "ETH": Decimal(eth)},
    }
    return Portfolio(**{**values, **changed})


def order(side: Side = "buy", price: int = 1000, qty: int = 100, symbol: str = "BTC/USD", **changed: Any) -> Order:
    precision = 3 if symbol == "ETH/BTC" else 1
    made = Order("T1", "m", symbol, "b0", side, price, qty, precision, 2, Active.OPEN)
    for name, value in changed.items():
        setattr(made, name, value)
    return made


def request(side: Side = "buy", price: int = 1000, lots: int = 100, made: Order | None = None) -> Proposal:
    return Proposal("BTC/USD", side, price, lots, made)


def judge(
    desired: Proposal,
    *orders: Order,
    held: Portfolio | None = None,
    funds: Funds = RICH,
    exposed: list[Order] | None = None,
    **rules: Any,
) -> Denial | None:
    known = portfolio() if held is None else held
    return refusal(
        desired,
        known,
        Listed(known, orders),
        funds,
        msgspec.structs.replace(RULES, **rules),
        None if exposed is None else Listed(known, exposed),
    )


def with_pair(**changed: Any) -> Portfolio:
    market = Market(msgspec.structs.replace(PAIR, **changed), MARKET.mid)
    return portfolio(markets={"BTC/USD": market})


# --- worth and exposure ----------------------------------------------------------------------------------------------


def test_a_mid_is_a_price_of_its_pair() -> None:
    assert MARKET.mid_price == Decimal("100.0")
    assert CROSS.mid_price == Decimal("0.500")


@pytest.mark.parametrize(
    ("symbol", "price", "worth"),
    [
        ("BTC/USD", "90", 200),  # the mid is the worse
        ("BTC/USD", "110", 220),
        ("ETH/BTC", "0.4", 100),
        ("ETH/BTC", "0.6", 120),
        ("BTC/EUR", "90", 200),  # a pair that is not traded here, of an unvalued quote: by its base
        ("ETH/USD", "40", 100),  # not traded here, of a valued quote: the worse of price and base
        ("ETH/USD", "60", 120),
        ("SOL/USD", "7", 14),
        ("SOL/BTC", "0.07", 14),
        ("SOL/EUR", "7", 0),  # nothing values either
    ],
)
def test_a_quantity_is_worth_the_worse_of_its_price_and_what_is_known(symbol: str, price: str, worth: int) -> None:
    assert portfolio().worth(symbol, Decimal(price), Decimal(2)) == worth


def test_a_traded_pair_goes_by_its_own_mid_and_not_by_the_rate_of_its_base() -> None:
    known = portfolio(rates={**RATES, "BTC": Decimal(90)})
    assert known.worth("BTC/USD", Decimal(80), Decimal(2)) == 200
    dear = portfolio(rates={**RATES, "BTC": Decimal(120)})
    assert dear.worth("BTC/USD", Decimal(80), Decimal(2)) == 200


def test_a_traded_pair_whose_quote_nothing_values_goes_by_its_base() -> None:
    known = portfolio(rates={"BTC": Decimal(100)})
    assert known.worth("BTC/USD", Decimal(110), Decimal(2)) == 200


def test_a_position_is_worth_its_rate_and_nothing_without_one() -> None:
    assert portfolio("-2").position_worth("BTC") == -200
    assert portfolio("-2", rates={}).position_worth("BTC") == 0


def test_a_fill_moves_the_traded_bases_of_its_pair_each_its_way() -> None:
    both, one = {"BTC": Decimal(0), "ETH": Decimal(0)}, {"BTC": Decimal(0)}
    assert list(moves("ETH/BTC", "buy", both)) == [("ETH", UP), ("BTC", DOWN)]
    assert list(moves("ETH/BTC", "sell", both)) == [("ETH", DOWN), ("BTC", UP)]
    assert list(moves("ETH/BTC", "sell", one)) == [("BTC", UP)]
    assert list(moves("BTC/USD", "buy", one)) == [("BTC", UP)]


def test_the_worst_case_of_a_direction_is_the_position_and_all_that_moves_it_that_way() -> None:
    orders = [order("buy", qty=20), order("sell", qty=30), order("buy", 500, 40, "ETH/BTC")]
    worst = exposures(portfolio("1", "-1"), orders)
    assert worst.by_leg == {("BTC", UP): 120, ("BTC", DOWN): -50, ("ETH", UP): -30, ("ETH", DOWN): 50}
    assert worst.gross() == 120 + 50
    assert exposures(portfolio("1"), [order("sell", qty=300)]).gross() == 200
    assert exposures(portfolio(rates={}), []).gross() == 0


def test_an_order_is_worth_what_may_still_fill_of_it_by_its_own_precision() -> None:
    assert open_worth(portfolio(), order(qty=100, filled=40)) == 60
    amended = order(qty=100, filled=40, amend=Amend(1, 1100, 140, 0))
    assert open_worth(portfolio(), amended) == 110
    assert open_worth(portfolio(), order(price=10_500, qty=1000, price_precision=2, qty_precision=3)) == 105


def test_a_buy_spends_quote_at_its_dearer_price_and_a_sell_spends_base() -> None:
    amended = Amend(1, 1100, 140, 0)
    assert spends(order("buy", filled=40, amend=amended)) == ("USD", Decimal(110))
    assert spends(order("sell", filled=40, amend=amended)) == ("BTC", Decimal(1))
    assert spends(order("buy", 500, 100, "ETH/BTC")) == ("BTC", Decimal("0.5"))


def test_a_list_of_orders_is_asked_without_the_one_that_would_be_amended() -> None:
    one, two, other = order(qty=20), order("sell", qty=30), order("sell", 500, 40, "ETH/BTC")
    listed = Listed(portfolio("1"), [one, two, other])
    assert (listed.count(None), listed.count(one)) == (3, 2)
    assert (listed.on("BTC/USD"), listed.on("ETH/BTC")) == ([one, two], [other])
    assert (listed.worst(("BTC", UP), None), listed.worst(("BTC", UP), one)) == (Decimal(140), Decimal(120))
    assert (listed.gross(None, {}), listed.gross(two, {})) == (Decimal(160), Decimal(160))
    assert listed.gross(other, {("BTC", UP): Decimal(5), ("ETH", UP): Decimal(7)}) == 120 + 5 + 7
    assert (listed.spent("BTC", None), listed.spent("BTC", two)) == (Decimal("0.3"), Decimal(0))
    assert (listed.spent("USD", None), listed.spent("ETH", None)) == (Decimal(20), Decimal("0.4"))


# --- what the pair and the size of an order allow --------------------------------------------------------------------


def test_a_wish_within_every_limit_is_not_denied() -> None:
    assert judge(request()) is None
    assert judge(request("sell")) is None


@pytest.mark.parametrize(
    ("desired", "known", "denial"),
    [
        (request(), with_pair(status="post_only"), Denial(Rule.PAIR, "the pair is post_only")),
        (request(), portfolio(rates={"BTC": Decimal(100)}), Denial(Rule.RATE, "no rate values USD in USD")),
        (request(price=1001), portfolio(), Denial(Rule.PAIR, "the price is not a multiple of 5 ticks")),
        (request(price=0), portfolio(), Denial(Rule.PAIR, "the price is not a multiple of 5 ticks")),
        (request(price=-5), portfolio(), Denial(Rule.PAIR, "the price is not a multiple of 5 ticks")),
        (request(lots=101), portfolio(), Denial(Rule.PAIR, "the quantity is not a multiple of 2 lots")),
        (request(lots=0), portfolio(), Denial(Rule.PAIR, "the quantity is not a multiple of 2 lots")),
        (request(lots=-2), portfolio(), Denial(Rule.PAIR, "the quantity is not a multiple of 2 lots")),
        (request(lots=2), portfolio(), Denial(Rule.PAIR, "below the pair's minimum quantity 0.04")),
        (request(lots=4), portfolio(), Denial(Rule.PAIR, "below the pair's minimum cost 6")),
        (request(lots=8), portfolio(), Denial(Rule.ORDER_SIZE, "8.00 is below min_order_size 10")),
        (request(price=995, lots=10), portfolio(), Denial(Rule.ORDER_SIZE, "9.95 is below min_order_size 10")),
        (request(lots=252), portfolio(), Denial(Rule.ORDER_SIZE, "252.00 is above max_order_size 250")),
        (request(price=1005, lots=250), portfolio(), Denial(Rule.ORDER_SIZE, "251.25 is above max_order_size 250")),
    ],
)
def test_what_the_pair_or_a_size_denies(desired: Proposal, known: Portfolio, denial: Denial) -> None:
    assert judge(desired, held=known) == denial


@pytest.mark.parametrize("lots", [10, 250])
def test_an_order_may_be_as_small_and_as_large_as_the_limits(lots: int) -> None:
    assert judge(request(lots=lots)) is None


def test_the_pairs_own_minimums_may_be_met_exactly() -> None:
    assert judge(request(lots=4), held=with_pair(cost_min="4"), min_order_size=Decimal(0)) is None
    assert judge(request(lots=6), min_order_size=Decimal(0)) is None
    one = Market(msgspec.structs.replace(PAIR, price_increment=1, qty_increment=1, qty_min=0, cost_min="0"), Decimal(1))
    known = portfolio(markets={"BTC/USD": one})
    assert judge(request(price=1, lots=1), held=known, min_order_size=Decimal(0)) is None


def test_a_size_counts_in_the_trading_currency() -> None:
    known = portfolio(rates={**RATES, "USD": Decimal("0.5")})
    assert judge(request(lots=18), held=known) == Denial(Rule.ORDER_SIZE, "9.00 is below min_order_size 10")
    assert judge(request(lots=20), held=known) is None


def test_an_amend_may_leave_less_than_the_least_that_is_placed() -> None:
    assert judge(request(lots=8, made=order())) is None


def test_an_amend_that_only_takes_away_counts_by_what_it_leaves() -> None:
    large = order(qty=400)
    assert order_worth(request(lots=250, made=large), portfolio()) == 250
    assert order_worth(request(lots=400, made=large), portfolio()) == 400
    assert order_worth(request(price=1005, lots=250, made=large), portfolio()) == 402
    assert order_worth(request(lots=410, made=large), portfolio()) == 410
    assert judge(request(lots=250, made=large)) is None
    # What is in flight counts only where the wish asks for more, or for another price.
    growing = order(qty=400, amend=Amend(1, 1000, 500, 0))
    assert order_worth(request(lots=400, made=growing), portfolio()) == 400
    assert order_worth(request(lots=402, made=growing), portfolio()) == 500
    # A mid above the price is the worse.
    assert order_worth(request(price=900, lots=250, made=order(price=900, qty=400)), portfolio()) == 250


# --- price, own orders, count ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("price", "is_denied"), [(945, True), (950, False), (1050, False), (1055, True)])
def test_a_price_may_be_as_far_from_the_mid_as_its_band(price: int, is_denied: bool) -> None:
    band = Denial(Rule.PRICE_BAND, "outside the price band of 5 % around the mid")
    assert judge(request(price=price)) == (band if is_denied else None)


@pytest.mark.parametrize(
    ("side", "price", "is_denied"),
    [
        ("buy", 1000, True),
        ("buy", 1005, True),
        ("buy", 995, False),
        ("sell", 1000, True),
        ("sell", 995, True),
        ("sell", 1005, False),
    ],
)
def test_a_wish_may_not_cross_an_order_of_our_own(side: Side, price: int, is_denied: bool) -> None:
    other = order("sell" if side == "buy" else "buy", 1000)
    crosses = Denial(Rule.CROSSES_OWN, "would cross our own T1")
    assert judge(request(side, price), other) == (crosses if is_denied else None)
    assert judge(request(side, price), order(side, 1000)) is None


def test_an_order_that_is_being_amended_may_be_crossed_at_either_of_its_prices() -> None:
    other = order("sell", 1010, amend=Amend(1, 1000, 100, 0))
    assert judge(request("buy", 1005), other) == Denial(Rule.CROSSES_OWN, "would cross our own T1")
    assert judge(request("buy", 995), other) is None


def test_the_order_that_a_wish_amends_is_not_crossed_and_hides_no_later_one() -> None:
    mine, other = order("buy"), order("sell", 1010, cl_ord_id="T2")
    assert judge(request("buy", 1010, made=mine), mine, other) == Denial(Rule.CROSSES_OWN, "would cross our own T2")


def test_no_more_orders_are_added_than_may_be_open_and_amends_are_let_through() -> None:
    three = [order(qty=10, cl_ord_id=f"T{n}") for n in range(3)]
    assert judge(request(), *three[:2]) is None
    assert judge(request(), *three) == Denial(Rule.OPEN_ORDERS, "3 orders are open, max_open_orders is 3")
    four = [*three, order(qty=10)]
    assert judge(request(made=four[0]), *four) is None
    assert judge(request(), *four) == Denial(Rule.OPEN_ORDERS, "4 orders are open, max_open_orders is 3")


# --- positions -------------------------------------------------------------------------------------------------------


def test_the_worst_case_of_an_asset_may_reach_its_limit() -> None:
    assert judge(request(), held=portfolio("9")) is None
    assert judge(request(), held=portfolio("9.02")) == Denial(
        Rule.POSITION, "worst case BTC 1002.00 is above max_position_size 1000"
    )
    assert judge(request("sell"), held=portfolio("-9.02")) == Denial(
        Rule.POSITION, "worst case BTC 1002.00 is above max_position_size 1000"
    )
    assert judge(request("sell"), held=portfolio("9.02")) is None


def test_what_is_open_counts_and_an_amended_order_counts_once_at_its_worst() -> None:
    known, resting = portfolio("8"), order(qty=102)
    assert judge(request(), resting, held=known) is not None
    assert judge(request(lots=150, made=resting), resting, held=known) is None
    amended = order(qty=60, amend=Amend(1, 1000, 202, 0))
    assert judge(request(lots=150, made=amended), amended, held=known) == Denial(
        Rule.POSITION, "worst case BTC 1002.00 is above max_position_size 1000"
    )
    dear = order(qty=200, amend=Amend(1, 1050, 200, 0))
    assert judge(request(lots=150, made=dear), dear, held=known) == Denial(
        Rule.POSITION, "worst case BTC 1010.00 is above max_position_size 1000"
    )


def test_exposure_may_be_judged_by_other_orders_than_the_rest() -> None:
    foreign = order(qty=200)
    assert judge(request(), foreign, held=portfolio("8")) is not None
    assert judge(request(), foreign, held=portfolio("8"), exposed=[]) is None


def test_all_assets_together_may_reach_their_limit() -> None:
    assert judge(request(), held=portfolio("4", "20")) is None
    assert judge(request(), held=portfolio("4.02", "20")) == Denial(
        Rule.GROSS, "gross worst case 1502.00 is above max_gross_position 1500"
    )


def test_the_order_that_is_amended_counts_once_in_all_assets_together() -> None:
    resting = order(qty=100)
    assert judge(request(made=resting), resting, held=portfolio("4", "20")) is None


def test_what_only_reduces_a_position_is_let_through_above_the_gross_limit() -> None:
    known = portfolio("8", "20")
    assert judge(request("sell"), held=known) is None
    # To the other side of flat no further than the position is; a lot more grows it.
    few = portfolio("1", "32")
    assert judge(request("sell", lots=200), held=few) is None
    assert judge(request("sell", lots=202), held=few) == Denial(
        Rule.GROSS, "gross worst case 1702.00 is above max_gross_position 1500"
    )


def test_a_cross_pair_that_grows_one_of_its_assets_is_held_to_the_gross_limit() -> None:
    known = portfolio("-2", "30")  # selling ETH/BTC reduces both
    assert judge(Proposal("ETH/BTC", "sell", 500, 40), held=known) is None
    grown = portfolio("2", "30")
    assert judge(Proposal("ETH/BTC", "sell", 500, 40), held=grown) == Denial(
        Rule.GROSS, "gross worst case 1720.00 is above max_gross_position 1500"
    )
    other = portfolio("8", "15")  # a buy reduces BTC, and grows ETH
    assert judge(Proposal("ETH/BTC", "buy", 500, 40), held=other) == Denial(
        Rule.GROSS, "gross worst case 1570.00 is above max_gross_position 1500"
    )


def test_nothing_grows_while_a_position_is_not_valued() -> None:
    known = portfolio("1", unvalued=("SOL", "XRP"))
    assert judge(request(), held=known) == Denial(
        Rule.GROSS, "gross worst case not known: nothing values the position in SOL, XRP yet"
    )
    assert judge(request("sell"), held=known) is None


# --- funds -----------------------------------------------------------------------------------------------------------


def paid_from(usd: str = "0", btc: str = "0", fee: str = "0") -> Funds:
    return Funds({"USD": Decimal(usd), "BTC": Decimal(btc)}, Decimal(fee))


def test_a_buy_needs_its_cost_and_the_taker_fee() -> None:
    assert judge(request(), funds=paid_from("101", fee="0.01")) is None
    assert judge(request(), funds=paid_from("100.99", fee="0.01")) == Denial(
        Rule.FUNDS, "101.00 USD needed, 100.99 there"
    )


def test_a_sell_needs_its_quantity_and_no_fee() -> None:
    assert judge(request("sell"), funds=paid_from(btc="1", fee="0.01")) is None
    assert judge(request("sell"), funds=paid_from(btc="0.99")) == Denial(Rule.FUNDS, "1.00 BTC needed, 0.99 there")


def test_an_asset_that_the_account_never_had_is_not_there() -> None:
    assert judge(request(), funds=Funds({}, Decimal(0))) == Denial(Rule.FUNDS, "100.00 USD needed, 0.00 there")


def test_what_other_orders_spend_is_not_there_twice() -> None:
    mine, other = order(qty=50), order(qty=50, price=950, cl_ord_id="T2")
    assert judge(request(), other, funds=paid_from("147.5")) is None
    assert judge(request(), other, funds=paid_from("147.49")) == Denial(Rule.FUNDS, "147.50 USD needed, 147.49 there")
    assert judge(request(made=mine), mine, other, funds=paid_from("147.5")) is None


def test_an_amend_needs_the_larger_quantity_at_the_dearer_price_until_it_settles() -> None:
    larger, dearer = order(qty=150), order(price=1050, qty=100)
    assert judge(request(made=larger), larger, funds=paid_from("150")) is None
    assert judge(request(made=larger), larger, funds=paid_from("149")) is not None
    assert judge(request(made=dearer), dearer, funds=paid_from("105")) is None
    assert judge(request(made=dearer), dearer, funds=paid_from("104")) is not None
    sold = order("sell", qty=150)
    assert judge(request("sell", made=sold), sold, funds=paid_from(btc="1.5")) is None
    assert judge(request("sell", made=sold), sold, funds=paid_from(btc="1.49")) is not None


@pytest.mark.parametrize(
    ("cost_precision", "said"), [(5, "100.00 USD needed, 0.12"), (8, "100.00000 USD needed, 0.12345")]
)
def test_money_is_said_with_three_digits_less_than_its_pair_counts_and_two_at_least(
    cost_precision: int, said: str
) -> None:
    denial = judge(request(), held=with_pair(cost_precision=cost_precision), funds=paid_from("0.12345"))
    assert denial == Denial(Rule.FUNDS, f"{said} there")


def test_a_quantity_is_said_with_its_pairs_own_digits() -> None:
    denial = judge(request("sell"), held=with_pair(cost_precision=8), funds=paid_from(btc="0.5"))
    assert denial == Denial(Rule.FUNDS, "1.00 BTC needed, 0.50 there")


# --- a strategy's own limits -----------------------------------------------------------------------------------------


def limited(**values: Any) -> Strategy:
    return Strategy(**values)


def test_a_strategy_without_limits_of_its_own_is_denied_nothing() -> None:
    assert strategy_refusal(request(), portfolio("100"), [order()] * 5, limited()) is None


def test_a_strategys_orders_may_be_as_many_as_its_limit_and_an_amend_adds_none() -> None:
    mine = [order(), order()]
    section = limited(max_open_orders=2)
    assert strategy_refusal(request(), portfolio(), mine[:1], section) is None
    assert strategy_refusal(request(), portfolio(), mine, section) == Denial(
        Rule.OPEN_ORDERS, "the strategy has 2 orders open, its max_open_orders is 2"
    )
    three = [*mine, order()]
    assert strategy_refusal(request(made=mine[0]), portfolio(), three, section) is None
    assert strategy_refusal(request(made=order()), portfolio(), mine, section) is None


def test_a_strategys_worst_case_may_reach_its_limit_without_the_order_that_is_amended() -> None:
    section = limited(max_position_size=Decimal(300))
    resting = order(qty=100)
    assert strategy_refusal(request(), portfolio("1"), [resting], section) is None
    assert strategy_refusal(request(), portfolio("1.02"), [resting], section) == Denial(
        Rule.POSITION, "the strategy's worst case 302.00 is above its max_position_size 300"
    )
    assert strategy_refusal(request(lots=200, made=resting), portfolio("1"), [resting], section) is None
    assert strategy_refusal(request("sell"), portfolio("1"), [resting], section) is None
