"""Prices across pairs: which follow which, how fast a triangle's gap closes, and fills for a maker on every pair."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest

from simulator import errors
from simulator.errors import KrakenError
from simulator.exchange.engine import Side
from simulator.exchange.orders import OrderRequest
from simulator.market import crosses
from simulator.market.market import Market
from simulator.pairs.pairs import PAIRS
from tests.unit.simulator.worlds import TestWorld, tape_of

TRIANGLE = ["BTC/USD", "ETH/USD", "ETH/BTC"]


def middle(world: TestWorld, symbol: str) -> float:
    bid, ask = world.touch(symbol)
    return (bid + ask) / 2 / 10.0 ** PAIRS[symbol].price_precision


def gap_bp(world: TestWorld) -> float:
    return 1e4 * (middle(world, "ETH/BTC") * middle(world, "BTC/USD") / middle(world, "ETH/USD") - 1)


def market(world: TestWorld, symbol: str) -> Market:
    (one,) = [m for m in world.world.markets if m.venue.pair.symbol == symbol]
    assert isinstance(one, Market)
    return one


def test_pairs_that_close_a_circle_follow_the_others() -> None:
    assert crosses.ways(TRIANGLE) == {"ETH/BTC": (("ETH/USD", True), ("BTC/USD", False))}
    assert crosses.ways(["BTC/EUR", "ETH/BTC", "DOGE/USD", "SOL/EUR", "EUR/USD"]) == {}
    assert crosses.ways(["EUR/USD", "BTC/EUR", "BTC/USD"]) == {"BTC/EUR": (("BTC/USD", True), ("EUR/USD", False))}


def test_a_triangles_gap_stays_small_and_one_that_is_made_is_taken_within_seconds() -> None:
    world = TestWorld(pairs=TRIANGLE)
    gaps = []
    for _ in range(200):
        world.run(1)
        gaps.append(abs(gap_bp(world)))
    assert sorted(gaps)[190] < 5
    market(world, "ETH/BTC").makers.fair *= 1.01
    made = []
    for _ in range(20):
        world.run(0.1)
        made.append(gap_bp(world))
    assert max(made) > 15
    world.run(10)
    assert abs(gap_bp(world)) < 5


def test_the_pairs_that_lead_do_not_feel_those_that_follow() -> None:
    alone, beside = TestWorld(pairs=["BTC/USD", "ETH/USD"]), TestWorld(pairs=TRIANGLE)
    for world in (alone, beside):
        world.run(60)
    for symbol in ("BTC/USD", "ETH/USD"):
        assert tape_of(alone, symbol) == tape_of(beside, symbol)


def test_a_peg_comes_back() -> None:
    world = TestWorld(pairs=["USDC/USD"])
    market(world, "USDC/USD").makers.fair *= 1.01
    world.run(5)
    assert middle(world, "USDC/USD") > 1.005
    world.run(600)
    assert abs(middle(world, "USDC/USD") - 1) < 0.002


def test_the_same_seed_makes_the_same_cross() -> None:
    one, two = TestWorld(pairs=TRIANGLE, seed=3), TestWorld(pairs=TRIANGLE, seed=3)
    for world in (one, two):
        world.run(60)
    assert tape_of(one, "ETH/BTC") == tape_of(two, "ETH/BTC")


class Maker:
    """Quotes as the default settings do: two levels of 100 USD a side, 1.5 bp from the mid and between them."""

    def __init__(self, world: TestWorld, symbol: str) -> None:
        self.world, self.pair = world, PAIRS[symbol]
        self.account = world.account()
        self.live: dict[tuple[str, int], str] = {}
        for asset in (self.pair.base.name, self.pair.quote.name):
            self.account.balances[asset] = 10**17
        self.qty = (Decimal(100) / self.pair.base.usd).quantize(Decimal(1).scaleb(-self.pair.qty_precision))

    def quote(self) -> None:
        bid, ask = self.world.touch(self.pair.symbol)
        mid, tick = (bid + ask) / 2, self.pair.tick
        for level in range(2):
            far = mid * 1.5e-4 * (level + 1)
            self.place("buy", level, min(ask - tick, math.floor((mid - far) / tick) * tick), mid)
            self.place("sell", level, max(bid + tick, math.ceil((mid + far) / tick) * tick), mid)

    def place(self, side: Side, level: int, price: int, mid: float) -> None:
        exchange, now = self.world.exchange, self.world.now
        order = self.account.orders.get(self.live.get((side, level), ""))
        wanted = Decimal(price).scaleb(-self.pair.price_precision)
        try:
            if order is not None and order.price is not None:
                if abs(order.price - price) <= mid * 0.5e-4:
                    return
                exchange.cancel(self.account, order, now)
            request = OrderRequest(self.pair, side, "limit", self.qty, wanted, post_only=True)
            self.live[side, level] = exchange.add(self.account, request, now).order_id
        except KrakenError as error:
            if str(error) != errors.ORDER_RATE_LIMIT:
                raise


@pytest.mark.parametrize(
    "symbol",
    [
        "BTC/EUR",
        "ETH/BTC",
        "DOGE/USD",
        "SOL/EUR",
        "ETH/EUR",
        "DOGE/BTC",
        "EUR/USD",
        "USD/JPY",
        "USDT/USD",
        "BTC/JPY",
        "PEPE/EUR",
        "AAPLx/USD",
        "0G/EUR",
    ],
)
def test_a_maker_with_default_settings_is_filled_within_three_minutes(symbol: str) -> None:
    world = TestWorld(pairs=[symbol])
    maker = Maker(world, symbol)
    for _ in range(360):
        world.run(0.5)
        maker.quote()
    assert len(maker.account.fills) >= 2
