"""The crowd is honest: seeded, uncrossed, one tick wide, and it takes what is mispriced (MARKET.md)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from statistics import mean

import pytest

from simulator.market.makers import Makers
from simulator.wire import NS
from tests.unit.simulator.worlds import TestWorld, crowd_market, limit, tape_of


def test_the_same_seed_makes_the_same_market() -> None:
    one, two, other = TestWorld(seed=3), TestWorld(seed=3), TestWorld(seed=4)
    for world in (one, two, other):
        world.run(60)
    assert tape_of(one, "BTC/USD") == tape_of(two, "BTC/USD")
    assert tape_of(one, "BTC/USD") != tape_of(other, "BTC/USD")


def test_the_book_is_never_crossed_and_mostly_one_tick_wide() -> None:
    world = TestWorld()
    narrow = 0
    for _ in range(2000):
        world.run(0.05)
        bid, ask = world.touch()
        assert bid < ask
        narrow += ask - bid == 1
    assert narrow > 1700


def test_trades_come_in_the_rate_size_and_runs_that_were_asked_for() -> None:
    world = TestWorld(seed=11)
    world.run(400)
    trades = tape_of(world, "BTC/USD")
    assert 400 < len(trades) < 1000 or len(trades) == 1000
    assert 0.010 < mean(qty for *_, qty in trades) / 1e8 < 0.030
    same = mean(a[1] == b[1] for a, b in pairwise(trades))
    assert 0.55 < same < 0.75


def test_a_quote_one_and_a_half_bp_away_is_reached_within_a_minute_in_most_runs() -> None:
    reached = 0
    for seed in range(8):
        world = TestWorld(seed=seed)
        world.run(2)
        bid, ask = world.touch()
        quotes = [
            world.exchange.add(world.account(), limit(side, "0.0012", f"{price / 10:.1f}", post_only=True), world.now)
            for side, price in (("buy", round(bid * 0.99985)), ("sell", round(ask * 1.00015)))
        ]
        world.run(60)
        reached += sum(quote.filled > 0 for quote in quotes)
    assert reached >= 8


def test_a_stale_quote_is_taken_whole_by_a_counterparty_at_its_own_price() -> None:
    world = TestWorld()
    maker = world.account()
    bid, _ = world.touch()
    price = bid - 200
    quote = world.exchange.add(maker, limit("buy", "0.5", f"{price / 10:.1f}", post_only=True), world.now)
    crowd_market(world).makers.fair -= 5000
    world.run(30)
    assert (quote.status, quote.filled) == ("filled", 50_000_000)
    assert {fill.price for fill in maker.fills} == {price}
    assert all(fill.maker for fill in maker.fills)


def test_a_long_sleep_is_skipped_and_not_caught_up_with() -> None:
    world = TestWorld()
    world.run(5)
    before = world.exchange.venues["BTC/USD"].trade_id
    world.now += 3600 * NS
    world.run(2)
    assert world.exchange.venues["BTC/USD"].trade_id - before < 100


@pytest.mark.parametrize(("regime", "least", "most"), [("calm", 0.2, 1.2), ("volatile", 1.5, 5.0)])
def test_volatility_is_that_of_the_regime(regime: str, least: float, most: float) -> None:
    moves = []
    for seed in range(2):
        world = TestWorld(seed=seed, regime=regime)
        last = sum(world.touch()) / 2
        for _ in range(30):
            world.run(10)
            middle = sum(world.touch()) / 2
            moves.append(1e4 * (middle / last - 1))
            last = middle
    assert least < (mean(move * move for move in moves) / 10) ** 0.5 < most


def test_the_crowd_keeps_its_own_account_of_the_book() -> None:
    world = TestWorld(regime="volatile")
    world.run(120)
    for market in (crowd_market(world, symbol) for symbol in world.exchange.venues):
        for side in ("buy", "sell"):
            book = market.venue.book.side(side)
            assert {order.price for order in market.crowd.by_price[side].values()} == set(book.qty)
            for order in market.crowd.by_price[side].values():
                assert book.qty[order.price] == order.remaining
            assert len(book.keys) > 30


@pytest.mark.parametrize("regime", ["calm", "volatile", "thin"])
def test_makers_move_no_more_often_for_an_order_that_stands_inside_the_touch(
    regime: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    moves = {False: 0, True: 0}
    for is_inside in moves:
        world = TestWorld(seed=3, regime=regime)
        world.run(2)
        makers = crowd_market(world).makers
        align = makers.align_soon

        def counted(
            t: int, *, makers: Makers = makers, align: Callable[[int], None] = align, to: bool = is_inside
        ) -> None:
            before = makers._aligning
            align(t)
            moves[to] += makers._aligning and not before

        monkeypatch.setattr(makers, "align_soon", counted)
        order = None
        for _ in range(60):
            if is_inside:
                bid, ask = world.touch()
                price = bid + (ask - bid) // 3
                if order is not None and order.order_id in world.account().orders:
                    world.exchange.lifecycle.pull(order, "canceled", "test", world.now)
                order = world.exchange.add(
                    world.account(), limit("buy", "0.0001", f"{price / 10:.1f}", post_only=True), world.now
                )
            world.run(5)
    assert moves[True] < 2 * moves[False] + 60, moves
