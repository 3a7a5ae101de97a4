"""Among single orders: Rust's queue market is the reference, true FIFO agrees with both, and no model matters."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from backtest.data.columns import Flag, Kind
from backtest.venue.fifo import FifoBook, FifoOrder
from backtest.venue.implementation import Market
from backtest.venue.queue_market import QueueMarket
from shared.kraken.level3 import Change, Event, Side
from tests.property.test_queue_market_twins import (
    MODELS,
    SYMBOLS,
    amends,
    around,
    cancels,
    changes,
    levels,
    marks,
    outcome,
    rows,
    snapshots,
    state,
    submits,
)
from tests.unit.backtest.venue.tape import load, market_class

NUMBERS = st.integers(1, 9)
TRADES = st.lists(changes(Kind.TRADE), min_size=1, max_size=2)


@st.composite
def orders(draw: st.DrawFn, kind: Kind) -> tuple[tuple[Kind, int, int, int], int]:
    """A single order's row and its number."""
    side = draw(st.integers(0, 1))
    return (kind, side, draw(around(side)), draw(st.integers(0, 9))), draw(NUMBERS)


def numbered(rows: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return rows.map(lambda each: [(row, 0) for row in each])


of_orders = st.lists(orders(Kind.ORDER), min_size=1, max_size=3)
order_snapshots = st.lists(orders(Kind.ORDER_SNAPSHOT), min_size=3, max_size=9)
messages = st.one_of(
    *[of_orders] * 8, *[numbered(TRADES)] * 5, order_snapshots, *map(numbered, (levels, snapshots, marks))
)
steps = st.tuples(
    order_snapshots.map(lambda message: ("play", message)),
    st.lists(
        st.one_of(*[messages.map(lambda message: ("play", message))] * 6, *[submits()] * 5, amends, cancels),
        min_size=10,
        max_size=60,
    ),
).map(lambda both: [both[0], *both[1]])


def play(market: Market, ts: int, message: list[tuple[tuple[Kind, int, int, int], int]]) -> None:
    """Play a message to its end."""
    made = rows(0, ts, [row for row, _ in message], True)
    if message[0][0][0] is Kind.ORDER_SNAPSHOT:
        made[0] = (*made[0][:7], made[0][7] | int(Flag.FIRST))
    load(market, made, [number for _, number in message])
    while market.advance(ts, 0)[0]:
        pass


@pytest.mark.rust
@settings(max_examples=300)
@given(steps, MODELS, st.integers(0, 4), st.integers(0, 4))
def test_both_markets_are_one_among_single_orders(
    sequence: list[tuple[Any, ...]], model: str, depth: int, order_depth: int
) -> None:
    both = [market_class(kind)(SYMBOLS, model) for kind in ("reference", "rust")]
    for market in both:
        market.set_depth(0, depth, order_depth)
    for ts, step in enumerate(sequence):
        if step[0] == "play":
            for market in both:
                play(market, ts, step[1])
        else:
            assert outcome(both[0], step) == outcome(both[1], step)
        assert both[0].fills_ahead(0) == both[1].fills_ahead(0)
        assert state(both[0]) == state(both[1])


class Record:
    """A sound record around 100 of single orders; ``fifo`` plays it too."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.fifo = FifoBook("BTC/USD", 1000)
        self.newest = 0

    def snapshot(self) -> list[Change]:
        return [self._add(side, price) for _ in range(3) for side, price in self._prices()]

    def _prices(self) -> list[tuple[Side, int]]:
        return [("buy", 100), ("buy", 99), ("sell", 101), ("sell", 102)]

    def _add(self, side: Side, price: int) -> Change:
        self.newest += 1
        return Change(Event.ADD, side, str(self.newest), price, self.rng.randint(1, 9), 0)

    def change(self) -> Change:
        """An order comes, grows, gets smaller, moves to another price or leaves."""
        side, price = self.rng.choice(self._prices())
        queue, drawn = self.fifo.book.queue(side, price), self.rng.random()
        if len(queue) < 3 or drawn < 0.3:
            return self._add(side, price)
        order = self.rng.choice(queue)
        if drawn < 0.6:
            return Change(Event.DELETE, side, order.order_id, price, 0, 0)
        moved = {99: 100, 100: 99, 101: 102, 102: 101}[price] if drawn > 0.9 else price
        return Change(Event.MODIFY, side, order.order_id, moved, self.rng.randint(1, 12), 0)

    def traded(self) -> tuple[Side, int, int, list[Change]]:
        """A trade at a touch, and the changes that it causes; some of the queue is left."""
        side, price = self.rng.choice(self._prices())
        queue = self.fifo.book.queue(side, price)
        lots = self.rng.randint(1, max(1, sum(order.lots for order in queue) - 1))
        left, caused = lots, []
        for order in queue:
            eaten = min(left, order.lots)
            left -= eaten
            if eaten:
                kind = Event.DELETE if eaten == order.lots else Event.MODIFY
                caused.append(Change(kind, side, order.order_id, price, order.lots - eaten, 0))
        return side, price, lots, caused


def row(change: Change, *, is_snapshot: bool = False) -> tuple[tuple[Kind, int, int, int], int]:
    kind = Kind.ORDER_SNAPSHOT if is_snapshot else Kind.ORDER
    lots = 0 if change.event is Event.DELETE else change.lots
    return (kind, int(change.side == "sell"), change.ticks, lots), int(change.order_id)


@pytest.mark.parametrize("seed", range(12))
def test_true_fifo_agrees_and_every_model_fills_the_same(seed: int) -> None:
    rng = Random(seed)
    record = Record(rng)
    markets = [QueueMarket(1, model) for model in ("front", "pro_rata", "back")]
    begin = record.snapshot()
    record.fifo.play(begin, 0, is_snapshot=True)
    for market in markets:
        play(market, 0, [row(change, is_snapshot=True) for change in begin])
    own: dict[int, FifoOrder] = {}
    filled = 0
    for ts in range(1, 400):
        drawn = rng.random()
        if drawn < 0.1:
            side, price = rng.choice(record._prices())
            own[ts] = record.fifo.place(side, price, rng.randint(1, 9))
            for market in markets:
                market.submit(0, ts, 1, side, price, own[ts].remaining, "gtc", True)
        elif drawn < 0.6:
            change = record.change()
            record.fifo.play([change], ts, is_snapshot=False)
            for market in markets:
                play(market, ts, [row(change)])
        else:
            side, price, lots, caused = record.traded()
            record.fifo.trade(side, price, lots, ts)
            record.fifo.play(caused, ts, is_snapshot=False)
            taker = int(side == "buy")
            for market in markets:
                play(market, ts, [((Kind.TRADE, taker, price, lots), 0)])
                if caused:
                    play(market, ts, [row(change) for change in caused])
        for number, order in own.items():
            for market in markets:
                left = market.order(0, number)
                assert (left[3] if left else 0) == order.remaining
                place = market.place(0, number)
                assert place is None or place == (order.ahead, True)
        filled = sum(not order.remaining for order in own.values())
    assert filled > 5
