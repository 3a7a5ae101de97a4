"""The Rust engine and the naive one, 100,000 random operations a seed; and money and coins to the last digit."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

import pytest

from shared.messages import Side
from simulator.errors import KrakenError
from simulator.exchange import engine as naive
from simulator.exchange.orders import OrderRequest
from simulator.pairs.pairs import PAIRS
from tests.frames import rust
from tests.unit.simulator.worlds import TestWorld

OPERATIONS = 100_000
CHECK_EVERY = 1_000


def operation(rng: Random, number: int) -> tuple[Any, ...]:
    """A call of an engine around one price; books stay small, since the naive one looks at every order."""
    drawn = rng.random()
    known = max(0, number - rng.randint(1, 60))
    if drawn < 0.45:
        tif = rng.choice(["gtc", "gtc", "gtc", "ioc", "fok"])
        price = None if rng.random() < 0.1 else rng.randint(90, 110)
        post_only = tif == "gtc" and price is not None and rng.random() < 0.2
        stp = rng.choice(["cancel_newest", "cancel_oldest", "cancel_both"])
        side = rng.choice(["buy", "sell"])
        return "submit", number, rng.randint(0, 3), side, price, rng.randint(1, 50), tif, post_only, stp
    if drawn < 0.6:
        price = rng.randint(90, 110) if rng.random() < 0.5 else None
        return "amend", known, price, rng.randint(1, 60) if rng.random() < 0.7 else None, rng.random() < 0.3
    return "cancel", known


@pytest.mark.rust
@pytest.mark.parametrize("seed", range(3))
def test_both_engines_agree_on_a_hundred_thousand_operations(seed: int) -> None:
    rng = Random(seed)
    reference, fast = naive.MatchingEngine(), rust().MatchingEngine()
    for number in range(OPERATIONS):
        name, *arguments = operation(rng, number)
        said = getattr(fast, name)(*arguments)
        assert said == getattr(reference, name)(*arguments)
        for event in said:
            if event[0] == "trade":
                assert event[4] > 0
                assert min(event[5], event[6]) >= 0
        if number % CHECK_EVERY == 0:
            assert reference.changes() == fast.changes()
            assert reference.count() == fast.count()
            for side in ("buy", "sell"):
                assert reference.levels(side, 100) == fast.levels(side, 100)
                for price, _ in fast.levels(side, 100):
                    assert reference.queue(side, price) == fast.queue(side, price)
        bid, ask = fast.best("buy"), fast.best("sell")
        assert bid is None or ask is None or bid[0] < ask[0]


def act(world: TestWorld, rng: Random) -> None:
    """An account does something, wise or not."""
    account = world.account(rng.choice(["maker", "visitor"]))
    symbol = rng.choice(list(world.exchange.venues))
    pair = PAIRS[symbol]
    bid, ask = world.touch(symbol)
    drawn = rng.random()
    open_orders = [order for order in account.orders.values() if order.pair is pair]
    price = Decimal(rng.randint(bid - 60, ask + 60)).scaleb(-pair.price_precision)
    qty = Decimal(pair.qty_min * rng.randint(1, 40) + rng.randint(0, 999)).scaleb(-pair.qty_precision)
    side: Side = rng.choice(["buy", "sell"])
    stp = rng.choice(["cancel_newest", "cancel_oldest", "cancel_both"])
    try:
        if drawn < 0.5:
            kind = rng.choice(["limit", "limit", "market", "stop-loss", "take-profit-limit"])
            world.exchange.add(
                account,
                OrderRequest(
                    pair,
                    side,
                    kind,
                    qty,
                    price if kind.startswith("limit") or kind.endswith("limit") else None,
                    tif=rng.choice(["gtc", "ioc", "fok"]) if kind == "limit" else "gtc",
                    stp=stp,
                    trigger=price if kind[0] in "st" else None,
                ),
                world.now,
            )
        elif open_orders and drawn < 0.75:
            world.exchange.amend(account, rng.choice(open_orders), qty, None, False, world.now)
        elif open_orders:
            world.exchange.cancel(account, rng.choice(open_orders), world.now)
    except KrakenError:
        pass


@pytest.mark.parametrize("seed", range(4))
def test_money_and_coins_are_conserved_and_no_account_trades_with_itself(seed: int) -> None:
    world = TestWorld(seed=seed)
    rng = Random(seed)
    exchange = world.exchange

    def total(asset: str) -> int:
        held = sum(account.balances.get(asset, 0) for account in exchange.accounts.values())
        return held + exchange.state.outside.get(asset, 0) + exchange.state.fees.get(asset, 0)

    before = {asset: total(asset) for asset in ("USD", "BTC", "ETH", "SOL")}
    fills: dict[str, tuple[str, int, int]] = {}
    for _ in range(400):
        world.run(0.3)
        act(world, rng)
        for account in exchange.accounts.values():
            for fill in account.fills:
                fills[fill.exec_id] = (fill.pair.symbol, fill.trade_id, account.index)
            for order in account.orders.values():
                assert 0 <= order.filled < order.qty
            assert all(amount >= 0 for amount in account.balances.values())
    assert {asset: total(asset) for asset in before} == before
    assert len(set(fills.values())) == len(fills) > 20, "an account is on one side of a trade at most"
