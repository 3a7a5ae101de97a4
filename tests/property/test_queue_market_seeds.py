"""Rust's queue market and the reference, and the order of the models, over long random days."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from backtest.data.columns import Flag, Kind
from backtest.venue.implementation import Market
from tests.unit.backtest.venue.tape import RowValues, load, market_class

STEPS = 3_000
MODELS = ("front", "pro_rata", "power", "log", "back")
PRICES = ((100, 100, 100, 99, 98, 97), (101, 101, 101, 102, 103, 104))


class Record:
    """A record around 100 whose levels wander, so that a queue is shared by many small changes."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.lots: dict[tuple[int, int], int] = {}

    def message(self, ts: int) -> list[RowValues]:
        """The next message; the first is a snapshot."""
        rng, drawn = self.rng, self.rng.random()
        if drawn < 0.01:
            return [(ts, ts, 0, Kind.MARK, 0, 0, 1, Flag.LAST)]
        if drawn < 0.03 or not self.lots:
            self.lots = {(side, price): rng.randint(10, 60) for side in (0, 1) for price in PRICES[side]}
            rows: list[RowValues] = [(ts, ts, 0, Kind.SNAPSHOT, *key, lots, 0) for key, lots in self.lots.items()]
            return [(*rows[0][:7], int(Flag.FIRST)), *rows[1:]]
        if drawn < 0.3:
            side = rng.randint(0, 1)
            price, qty = rng.choice(PRICES[1 - side]), rng.randint(1, 15)
            left = self.lots.get((1 - side, price), 0) - qty
            self.lots[1 - side, price] = max(0, left)
            return [(ts, ts, 0, Kind.TRADE, side, price, qty, 0)]
        return [self._change(ts) for _ in range(rng.choice((1, 1, 2)))]

    def _change(self, ts: int) -> RowValues:
        rng, side = self.rng, self.rng.randint(0, 1)
        price = rng.choice(PRICES[side]) if rng.random() < 0.995 else rng.randint(96, 105)
        lots = 0 if rng.random() < 0.02 else max(0, self.lots.get((side, price), 0) + rng.randint(-9, 10))
        self.lots[side, price] = lots
        return (ts, ts, 0, Kind.LEVEL, side, price, lots, 0)


def play(market: Market, rows: list[RowValues]) -> None:
    """Play rows to their end."""
    load(market, rows)
    while market.advance(rows[0][0], 0)[0]:
        pass


def call(rng: Random, number: int) -> tuple[Any, ...]:
    """A call about one of the last orders, or a new one."""
    known = max(0, number - rng.randint(1, 40))
    drawn = rng.random()
    if drawn < 0.6:
        side = rng.randint(0, 1)
        price = rng.choice(PRICES[side]) if rng.random() < 0.9 else rng.randint(96, 105)
        tif = rng.choice(("gtc", "gtc", "gtc", "gtc", "ioc", "fok"))
        stp = rng.choice(("cancel_newest", "cancel_oldest", "cancel_both"))
        return "submit", 0, number, rng.randint(0, 2), ("buy", "sell")[side], price, rng.randint(1, 15), tif, False, stp
    if drawn < 0.75:
        new_price = rng.choice((None, rng.randint(97, 104)))
        return "amend", 0, known, new_price, rng.choice((None, rng.randint(1, 20))), rng.random() < 0.5
    return "cancel", 0, known


def state(market: Market, newest: int) -> list[Any]:
    """Everything visible of the market and of its last orders."""
    orders = [(market.order(0, number), market.place(0, number)) for number in range(max(0, newest - 45), newest + 1)]
    return [orders, market.stats(0), market.take_events(0), market.levels(0, "buy", 9), market.levels(0, "sell", 9)]


@pytest.mark.rust
@pytest.mark.parametrize(("seed", "model"), list(enumerate(MODELS)))
def test_both_markets_are_one_for_a_long_day(seed: int, model: str) -> None:
    rng = Random(seed)
    record = Record(rng)
    both = [market_class(kind)(1, model) for kind in ("reference", "rust")]
    for market in both:
        market.set_depth(0, 4 if seed % 2 else 0)
    for number in range(STEPS):
        if rng.random() < 0.7:
            rows = record.message(number)
            for market in both:
                play(market, rows)
        else:
            name, *arguments = call(rng, number)
            outcomes = [getattr(market, name)(*arguments) for market in both]
            assert outcomes[0] == outcomes[1]
        assert state(both[0], number) == state(both[1], number)
    stats = both[0].stats(0)
    assert min(stats["fills"], stats["crossed_fills"], stats["through_fills"], stats["own_taken_lots"]) > 0


@pytest.mark.parametrize(("seed", "middle"), list(enumerate(("pro_rata", "power", "log"))))
def test_no_order_is_filled_more_behind_than_in_front_on_a_long_day(seed: int, middle: str) -> None:
    rng = Random(seed)
    record = Record(rng)
    bounded = [market_class("reference")(1, model) for model in ("front", middle, "back")]
    filled: list[dict[int, int]] = [{}, {}, {}]
    for market in bounded:
        market.set_depth(0, 4 if seed % 2 else 0)
    for number in range(STEPS):
        if rng.random() < 0.75:
            rows = record.message(number)
            for market in bounded:
                play(market, rows)
        elif rng.random() < 0.6:
            side, price = rng.choice((("buy", 100), ("buy", 99), ("sell", 101), ("sell", 102)))
            qty = rng.randint(1, 9)
            for market, fills in zip(bounded, filled, strict=True):
                # What it takes when it comes counts: it meets more where the record reached fewer orders before.
                events = market.submit(0, number, 1, side, price, qty)
                fills[number] = sum(event[4] for event in events if event[0] == "trade")
        else:
            known = max(0, number - rng.randint(1, 200))
            for market in bounded:
                market.cancel(0, known)
        for market, fills in zip(bounded, filled, strict=True):
            for event in market.take_events(0):
                fills[event[2]] = fills.get(event[2], 0) + event[4]
        for order_id in {order_id for fills in filled for order_id in fills if order_id > number - 300}:
            front, between, back = (fills.get(order_id, 0) for fills in filled)
            assert front >= between >= back, order_id
    assert sum(filled[0].values()) > sum(filled[2].values()) > 0
