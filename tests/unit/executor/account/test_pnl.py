"""Weighted-average cost, fill by fill: long, short, through zero, and as it is shown."""

from __future__ import annotations

from decimal import Decimal

import pytest

from executor.account.pnl import Pnl
from shared.messages import Side

Fill = tuple[Side, str, str]


def after(*fills: Fill, fee: str = "0.25") -> Pnl:
    pnl = Pnl()
    for side, qty, price in fills:
        pnl.fill(side, Decimal(qty), Decimal(price), Decimal(fee))
    return pnl


# What the fills come to: quantity, its cost, and what was realised.
CASES: dict[str, tuple[list[Fill], tuple[str, str, str]]] = {
    "a buy opens a long at its cost": ([("buy", "2", "10")], ("2", "20", "0")),
    "a second buy adds its cost": ([("buy", "2", "10"), ("buy", "1", "13")], ("3", "33", "0")),
    "a sell of a part realises its part of the average cost": (
        [("buy", "2", "10"), ("buy", "2", "14"), ("sell", "1", "15")],
        ("3", "36", "3"),
    ),
    "what is sold in two parts realises both": (
        [("buy", "3", "10"), ("sell", "1", "12"), ("sell", "1", "9")],
        ("1", "10", "1"),
    ),
    "a sell of all leaves nothing": ([("buy", "2", "10"), ("sell", "2", "9")], ("0", "0", "-2")),
    "a sell opens a short at what it brought": ([("sell", "2", "10")], ("-2", "-20", "0")),
    "a second sell adds to the short": ([("sell", "2", "10"), ("sell", "1", "13")], ("-3", "-33", "0")),
    "a short that is bought back lower gains": (
        [("sell", "4", "10"), ("buy", "1", "7"), ("buy", "1", "8")],
        ("-2", "-20", "5"),
    ),
    "a short that is bought back higher loses": ([("sell", "2", "10"), ("buy", "2", "11")], ("0", "0", "-2")),
    "a part of less than one realises its share too": (
        [("buy", "0.5", "10"), ("sell", "0.25", "12")],
        ("0.25", "2.5", "0.5"),
    ),
    "a sell through zero closes the long and opens a short at its own price": (
        [("buy", "2", "10"), ("sell", "3", "12")],
        ("-1", "-12", "4"),
    ),
    "a buy through zero closes the short and opens a long at its own price": (
        [("sell", "2", "10"), ("buy", "5", "8")],
        ("3", "24", "4"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_fills_come_to(case: str) -> None:
    fills, (qty, cost, realised) = CASES[case]
    pnl = after(*fills)
    assert (pnl.qty, pnl.cost, pnl.realised) == (Decimal(qty), Decimal(cost), Decimal(realised))
    assert pnl.fees == len(fills) * Decimal("0.25")


def test_nothing_of_a_cost_that_no_decimal_holds_is_left_when_all_is_sold() -> None:
    pnl = after(("buy", "3", "10"), ("buy", "4", "11"), ("sell", "1", "10"), ("sell", "6", "10"))
    assert (pnl.qty, pnl.cost) == (Decimal(0), Decimal(0))


def test_closing_at_a_mid_realises_its_worth_less_the_cost() -> None:
    assert after(("buy", "2", "10")).unrealised(Decimal(13)) == 6
    assert after(("sell", "2", "10")).unrealised(Decimal(13)) == -6


def test_money_is_shown_to_eight_decimals_and_fees_and_quantity_in_full() -> None:
    pnl = after(("buy", "3", "10"), ("buy", "4", "11"), ("sell", "1", "10"), fee="0.0000000012")
    profit = pnl.row(Decimal("10.0000000001"), is_stale=True)
    # The average cost is 74 / 7 = 10.571428571428...
    assert (profit.average_price, profit.realised) == ("10.57142857", "-0.57142857")
    assert (profit.qty, profit.fees, profit.mid) == ("6", "0.0000000036", "10.0000000001")
    assert (profit.unrealised, profit.is_stale) == ("-3.42857143", True)


def test_before_any_fill_and_any_mid_nothing_is_guessed() -> None:
    profit = Pnl().row(None, is_stale=False)
    assert (profit.realised, profit.unrealised, profit.fees, profit.qty) == ("0", "0", "0", "0")
    assert (profit.average_price, profit.mid, profit.is_stale) == ("", "", False)
