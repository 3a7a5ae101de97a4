"""Own orders among the single orders of a record (level 3): golden scenarios whose right answer a person can check."""

from __future__ import annotations

import pytest

from tests.unit.backtest.venue.tape import IMPLEMENTATIONS, Tape

A, B, C, D = 1, 2, 3, 4

pytestmark = pytest.mark.parametrize("implementation", IMPLEMENTATIONS)


def market(implementation: str, model: str = "back", depth: int = 0) -> Tape:
    """Return a record with the bids A 4 and B 6 at 100, C 20 at 99, and an ask at 102; models would be pessimistic."""
    tape = Tape(implementation, model)
    tape.market.set_depth(0, 0, depth)
    tape.orders(
        (A, "buy", 100, 4), (B, "buy", 100, 6), (C, "buy", 99, 20), (9, "sell", 102, 10), is_snapshot=True
    )  # fmt: skip
    return tape


def test_the_book_by_price_is_made_of_the_orders(implementation: str) -> None:
    t = market(implementation)
    assert t.market.levels(0, "buy", 9) == [(100, 10), (99, 20)]
    t.orders((A, "buy", 100, 3), (D, "buy", 99, 5), (B, "buy", 100, 0))
    assert t.market.levels(0, "buy", 9) == [(100, 3), (99, 25)]


def test_a_cancel_ahead_moves_us_up_and_one_behind_does_not(implementation: str) -> None:
    t = market(implementation)
    t.rest(1, "buy", 100, 5)
    t.orders((D, "buy", 100, 8))
    assert t.ahead(1) == 10
    t.orders((D, "buy", 100, 0))
    assert t.ahead(1) == 10
    t.orders((A, "buy", 100, 0))
    assert t.ahead(1) == 6


def test_an_order_ahead_that_is_reduced_keeps_its_place(implementation: str) -> None:
    t = market(implementation)
    t.rest(1, "buy", 100, 5)
    t.orders((A, "buy", 100, 1))
    assert t.ahead(1) == 7
    t.trade("sell", 100, 7)
    assert t.fills() == []
    t.trade("sell", 100, 2)
    assert t.fills() == [(1, 100, 2)]


def test_an_order_ahead_that_grows_or_comes_back_goes_behind_us(implementation: str) -> None:
    t = market(implementation)
    t.rest(1, "buy", 100, 5)
    t.orders((A, "buy", 100, 9))
    assert t.ahead(1) == 6
    t.orders((B, "buy", 99, 6))
    assert t.ahead(1) == 0
    t.orders((B, "buy", 100, 6))
    assert t.ahead(1) == 0


def test_a_later_order_never_goes_before_us(implementation: str) -> None:
    t = market(implementation)
    t.rest(1, "buy", 100, 5)
    t.orders((D, "buy", 100, 50))
    t.trade("sell", 100, 10)
    t.orders((A, "buy", 100, 0), (B, "buy", 100, 0))
    assert t.ahead(1) == 0
    t.rest(2, "buy", 100, 5)
    assert t.ahead(2) == 50
    t.trade("sell", 100, 5)
    assert t.fills() == [(1, 100, 5)]


def test_we_are_filled_when_the_last_order_ahead_is_eaten(implementation: str) -> None:
    t = market(implementation)
    t.rest(1, "buy", 100, 5)
    t.trade("sell", 100, 7)
    assert t.ahead(1) == 3
    # The change that the trade caused: nothing more of A, and 3 of B.
    t.orders((A, "buy", 100, 0), (B, "buy", 100, 3))
    assert t.ahead(1) == 3
    t.trade("sell", 100, 6)
    assert t.market.fills_ahead(0) == [0]
    assert t.fills() == [(1, 100, 3)]
    assert t.market.fills_ahead(0) == []


def test_what_was_still_ahead_is_known_of_a_fill_by_a_trade_at_a_worse_price(implementation: str) -> None:
    t = market(implementation)
    t.rest(1, "buy", 100, 5)
    t.orders((A, "buy", 100, 0))
    t.trade("sell", 99, 4)
    assert t.market.fills_ahead(0) == [6]
    assert t.fills() == [(1, 100, 4)]


def test_what_we_took_of_an_order_goes_with_it(implementation: str) -> None:
    t = market(implementation)
    assert t.market.submit(0, 7, 1, "sell", 100, 3, "ioc")[0][4] == 3
    assert t.market.levels(0, "buy", 1) == [(100, 7)]
    t.rest(1, "buy", 100, 5)
    assert t.ahead(1) == 7
    t.orders((A, "buy", 100, 0))
    assert t.ahead(1) == 6
    assert t.market.levels(0, "buy", 1) == [(100, 11)]


def test_orders_that_come_back_with_their_level_stand_where_they_stood(implementation: str) -> None:
    t = market(implementation, depth=2)
    t.rest(1, "buy", 99, 5)
    # Another level comes before, and 99 leaves the window of two.
    t.orders((D, "buy", 101, 1))
    assert t.market.levels(0, "buy", 9) == [(101, 1), (100, 10), (99, 5)]
    # Meanwhile 5 came to 99; the level comes back with all its orders.
    t.orders((D, "buy", 101, 0), (C, "buy", 99, 15), (5, "buy", 99, 30))
    assert t.ahead(1) == 15


def test_after_a_gap_those_that_are_still_there_are_ahead(implementation: str) -> None:
    t = market(implementation)
    t.rest(1, "buy", 100, 5)
    t.mark()
    t.rest(2, "buy", 100, 5)
    t.orders((B, "buy", 100, 6), (D, "buy", 100, 40), (9, "sell", 102, 10), is_snapshot=True)
    assert t.ahead(1) == 6
    # One that came in the gap cannot know who was before it.
    assert t.ahead(2) == 46


def test_at_the_first_single_orders_all_that_stands_at_our_price_is_ahead(implementation: str) -> None:
    t = Tape(implementation)
    t.snapshot({100: 10}, {102: 10})
    t.rest(1, "buy", 100, 5)
    t.level("buy", 100, 14)
    assert t.ahead(1) == 10
    t.orders((A, "buy", 100, 14), (9, "sell", 102, 10), is_snapshot=True)
    assert t.ahead(1) == 14
    # Without single orders again, the model is asked.
    t.snapshot({100: 14}, {102: 10})
    t.level("buy", 100, 7)
    assert t.ahead(1) == 7


def test_changes_of_levels_are_nothing_among_single_orders(implementation: str) -> None:
    t = market(implementation)
    t.level("buy", 100, 1)
    assert t.market.levels(0, "buy", 1) == [(100, 10)]
