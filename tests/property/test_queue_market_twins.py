"""Rust's queue market and the reference are one, and the models' bounds are bounds."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.data.columns import Flag, Kind
from backtest.venue.implementation import Market
from backtest.venue.queue_market import QueueMarket
from tests.unit.backtest.venue.tape import RowValues, load, market_class

PRICES = st.integers(95, 105)
LOTS = st.integers(0, 30)
SIDES = st.sampled_from(["buy", "sell"])
MODELS = st.sampled_from(["front", "pro_rata", "power", "log", "back"])
IDS = st.integers(0, 12)
SYMBOLS = 2

levels = st.lists(st.tuples(st.just(Kind.LEVEL), st.integers(0, 1), PRICES, LOTS), min_size=1, max_size=3)
snapshots = st.lists(st.tuples(st.just(Kind.SNAPSHOT), st.integers(0, 1), PRICES, LOTS), min_size=1, max_size=8)
trades = st.lists(st.tuples(st.just(Kind.TRADE), st.integers(0, 1), PRICES, LOTS), min_size=1, max_size=2)
marks = st.just([(Kind.MARK, 0, 0, 1)])
messages = st.one_of(levels, levels, levels, trades, trades, snapshots, marks)


@st.composite
def plays(draw: st.DrawFn) -> tuple[Any, ...]:
    """A message of a symbol, how much later it comes, and whether its last row says so."""
    symbol, later = draw(st.integers(0, SYMBOLS - 1)), draw(st.integers(0, 2))
    return "play", symbol, later, draw(messages), draw(st.booleans())


@st.composite
def submits(draw: st.DrawFn) -> tuple[Any, ...]:
    price = draw(st.one_of(PRICES, PRICES, PRICES, PRICES, st.none()))
    tif = draw(st.sampled_from(["gtc", "gtc", "gtc", "ioc", "fok"]))
    post_only = draw(st.booleans()) and tif == "gtc" and price is not None
    stp = draw(st.sampled_from(["cancel_newest", "cancel_oldest", "cancel_both"]))
    symbol, owner, qty = draw(st.integers(0, SYMBOLS - 1)), draw(st.integers(0, 2)), draw(st.integers(1, 30))
    return "submit", symbol, draw(IDS), owner, draw(SIDES), price, qty, tif, post_only, stp


amends = st.tuples(
    *(st.just("amend"), st.integers(0, SYMBOLS - 1), IDS, st.one_of(st.none(), PRICES)),
    *(st.one_of(st.none(), st.integers(1, 40)), st.booleans()),
)
cancels = st.tuples(st.just("cancel"), st.integers(0, SYMBOLS - 1), IDS)
advances = st.tuples(st.just("advance"), st.integers(0, 5), st.integers(0, 31))
ODD = st.sampled_from([-1, 0, 1, 2, 2**32, 2**40 - 1, 2**40, 2**63 - 1, 2**63, 2**64])
odd_calls = st.one_of(
    st.tuples(st.just("submit"), ODD, ODD, ODD, st.sampled_from(["buy", "sell", "Buy"]), st.none() | ODD, ODD),
    st.tuples(st.just("amend"), ODD, ODD, st.none() | ODD, st.none() | ODD),
    st.tuples(st.sampled_from(["cancel", "order", "place"]), ODD, ODD),
    st.tuples(st.sampled_from(["stats", "is_live", "count", "take_events", "row"]), ODD),
    st.tuples(st.just("queue"), ODD, st.sampled_from(["buy", "sell", "Buy"]), ODD),
)
steps = st.lists(
    st.one_of(plays(), plays(), plays(), advances, advances, submits(), submits(), amends, cancels, odd_calls),
    min_size=5,
    max_size=60,
)


def rows(symbol: int, ts: int, message: list[tuple[Kind, int, int, int]], says_last: bool) -> list[RowValues]:
    """The rows of a message; the first of a snapshot says so."""
    made = []
    for at, (kind, side, ticks, lots) in enumerate(message):
        flags = Flag.FIRST if kind is Kind.SNAPSHOT and at == 0 else Flag(0)
        if says_last and at == len(message) - 1:
            flags |= Flag.LAST
        made.append((ts, ts + 1, symbol, int(kind), side, ticks, lots, int(flags)))
    return made


def outcome(market: Market, call: tuple[Any, ...]) -> Any:
    """What a call returns, or the name of its error."""
    try:
        return getattr(market, call[0])(*call[1:])
    except ValueError as error:
        return type(error).__name__


def state(market: Market) -> Any:
    """All that can be seen of a market."""
    seen: list[Any] = [market.now(), market.next_ts()]
    for symbol in range(SYMBOLS):
        seen += [market.is_live(symbol), market.count(symbol), market.stats(symbol), market.take_events(symbol)]
        for side in ("buy", "sell"):
            seen += [market.levels(symbol, side, 50), market.levels(symbol, side, 2), market.best(symbol, side)]
            seen += [market.queue(symbol, side, price) for price in range(95, 106)]
        seen += [(market.order(symbol, order_id), market.place(symbol, order_id)) for order_id in range(13)]
    return seen


@pytest.mark.rust
@settings(max_examples=300)
@given(steps, MODELS, st.floats(0.5, 3.0), st.integers(0, 4))
def test_both_markets_are_one(sequence: list[tuple[Any, ...]], model: str, power: float, depth: int) -> None:
    both = [market_class(kind)(SYMBOLS, model, power) for kind in ("reference", "rust")]
    newest = 0
    for market in both:
        market.set_depth(0, depth)
    for step in sequence:
        match step:
            case ("play", symbol, later, message, says_last):
                newest = max(newest, *(market.now() for market in both)) + later
                for market in both:
                    load(market, rows(symbol, newest, message, says_last))
                call: tuple[Any, ...] = ("advance", newest - 1, 0)
            case ("advance", later, stop):
                call = ("advance", newest - 3 + later, stop)
            case _:
                call = step
        assert outcome(both[0], call) == outcome(both[1], call)
        assert state(both[0]) == state(both[1])


@dataclass
class Bounded:
    """A market of one model, and what its orders were filled in all."""

    market: Market
    filled: dict[int, int] = field(default_factory=dict)

    def note(self) -> None:
        for event in self.market.take_events(0):
            self.filled[event[2]] = self.filled.get(event[2], 0) + event[4]


@given(
    st.lists(
        st.one_of(
            plays(),
            plays(),
            st.tuples(st.just("rest"), SIDES, st.integers(1, 4), st.integers(1, 30)),
            st.tuples(st.just("cancel"), IDS),
        ),
        min_size=5,
        max_size=60,
    ),
    st.sampled_from(["pro_rata", "power", "log"]),
    st.floats(0.5, 3.0),
    st.integers(0, 4),
)
@settings(max_examples=300)
def test_no_order_is_filled_more_behind_than_in_front(
    sequence: list[tuple[Any, ...]], model: str, power: float, depth: int
) -> None:
    """Same orders, same times: front >= middle >= back, for each order and at any time."""
    bounded = [Bounded(QueueMarket(1, name, power)) for name in ("front", model, "back")]
    for one in bounded:
        one.market.set_depth(0, depth)
    ids = count(1)
    ts = 0
    for step in sequence:
        number = next(ids)
        for one in bounded:
            match step:
                case ("play", _, _, message, says_last):
                    load(one.market, rows(0, ts + 1, message, says_last))
                    while one.market.advance(ts + 1, 0)[0]:
                        pass
                case ("rest", side, away, qty):
                    # Short of what any of the three knows on the other side, so that all take it alike.
                    price = 100 - away if side == "buy" else 100 + away
                    one.market.submit(0, number, 1, side, price, qty, "gtc", False, "cancel_newest")
                case ("cancel", order_id):
                    one.market.cancel(0, order_id)
            one.note()
        ts += 1
        front, middle, back = (one.filled for one in bounded)
        for order_id in {*front, *middle, *back}:
            assert front.get(order_id, 0) >= middle.get(order_id, 0) >= back.get(order_id, 0)


@given(steps, MODELS, st.integers(0, 4))
def test_places_and_fills_are_always_possible(sequence: list[tuple[Any, ...]], model: str, depth: int) -> None:
    """Nothing is filled beyond its quantity, and no place is behind more than the record has at a price it shows."""
    market = QueueMarket(SYMBOLS, model)
    market.set_depth(0, depth)
    newest = 0
    for step in sequence:
        if step[0] == "play":
            _, symbol, later, message, says_last = step
            newest += later
            load(market, rows(symbol, newest, message, says_last))
            while market.advance(newest, 0)[0]:
                pass
        elif step[0] != "advance":
            outcome(market, step)
        for order_id in range(13):
            order, place = market.order(0, order_id), market.place(0, order_id)
            if order is not None and place is not None:
                assert order[3] > 0
                assert place[0] >= 0
                queue = market.queue(0, order[1], order[2])
                known = [at for other in queue if (at := market.place(0, other)) is not None and at[1]]
                assert known == sorted(known), "who came later is never before"
