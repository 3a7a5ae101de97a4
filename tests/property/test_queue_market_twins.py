"""Rust's queue market and the reference are one, and the models' bounds are bounds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

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

SYMBOL = st.sampled_from([0, 0, 0, 1])
# Most of the record is a sound book around 100, most own orders rest in it: few prices, so that queues form.
BIDS, ASKS = st.sampled_from([100, 99, 98]), st.sampled_from([101, 102, 103])


def around(side: int) -> st.SearchStrategy[int]:
    """Prices of a side of the record, now and then of the other."""
    own = BIDS if side == 0 else ASKS
    return st.one_of(own, own, own, own, own, PRICES)


@st.composite
def changes(draw: st.DrawFn, kind: Kind) -> tuple[Kind, int, int, int]:
    side = draw(st.integers(0, 1))
    # A taker sells to bids.
    return kind, side, draw(around(1 - side if kind is Kind.TRADE else side)), draw(LOTS)


levels = st.lists(changes(Kind.LEVEL), min_size=1, max_size=3)
snapshots = st.lists(changes(Kind.SNAPSHOT), min_size=3, max_size=8)
trades = st.lists(changes(Kind.TRADE), min_size=1, max_size=2)
marks = st.just([(Kind.MARK, 0, 0, 1)])
messages = st.one_of(*[levels] * 8, *[trades] * 5, snapshots, marks)


@st.composite
def plays(draw: st.DrawFn, what: st.SearchStrategy[Any] = messages, symbol: int | None = None) -> tuple[Any, ...]:
    """A message of a symbol, how much later it comes, and whether its last row says so."""
    number = draw(SYMBOL) if symbol is None else symbol
    return "play", number, draw(st.integers(0, 2)), draw(what), draw(st.booleans())


@st.composite
def submits(draw: st.DrawFn) -> tuple[Any, ...]:
    side = draw(SIDES)
    price = draw(st.one_of(*[around(0 if side == "buy" else 1)] * 6, st.none()))
    tif = draw(st.sampled_from(["gtc", "gtc", "gtc", "gtc", "ioc", "fok"]))
    post_only = draw(st.booleans()) and tif == "gtc" and price is not None
    stp = draw(st.sampled_from(["cancel_newest", "cancel_oldest", "cancel_both"]))
    symbol, owner, qty = draw(SYMBOL), draw(st.integers(0, 2)), draw(st.integers(1, 15))
    return "submit", symbol, draw(IDS), owner, side, price, qty, tif, post_only, stp


amends = st.tuples(
    *(st.just("amend"), SYMBOL, IDS, st.one_of(st.none(), PRICES)),
    *(st.one_of(st.none(), st.integers(1, 40)), st.booleans()),
)
cancels = st.tuples(st.just("cancel"), SYMBOL, IDS)
advances = st.tuples(st.just("advance"), st.integers(0, 5), st.integers(0, 31))
ODD = st.sampled_from([-1, 0, 1, 2, 2**32, 2**40 - 1, 2**40, 2**63 - 1, 2**63, 2**64])
odd_calls = st.one_of(
    st.tuples(st.just("submit"), ODD, ODD, ODD, st.sampled_from(["buy", "sell", "Buy"]), st.none() | ODD, ODD),
    st.tuples(st.just("amend"), ODD, ODD, st.none() | ODD, st.none() | ODD),
    st.tuples(st.sampled_from(["cancel", "order", "place"]), ODD, ODD),
    st.tuples(st.sampled_from(["stats", "is_live", "count", "take_events", "row"]), ODD),
    st.tuples(st.just("queue"), ODD, st.sampled_from(["buy", "sell", "Buy"]), ODD),
)
one_step = st.one_of(*[plays()] * 6, *[submits()] * 5, advances, advances, amends, cancels, odd_calls)
steps = st.tuples(plays(snapshots, 0), st.lists(one_step, min_size=10, max_size=60)).map(
    lambda both: [both[0], *both[1]]
)
rests = st.tuples(st.just("rest"), SIDES, st.integers(0, 2), st.integers(1, 15))
quiet_steps = st.tuples(
    plays(snapshots, 0),
    st.lists(
        st.one_of(*[plays(symbol=0)] * 5, *[rests] * 4, st.tuples(st.just("cancel"), IDS)), min_size=10, max_size=60
    ),
).map(lambda both: [both[0], *both[1]])


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
    """Return what a call returns, or the name of its error."""
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


@given(quiet_steps, st.sampled_from(["pro_rata", "power", "log"]), st.floats(0.5, 3.0), st.integers(0, 4))
@settings(max_examples=300)
def test_no_order_is_filled_more_behind_than_in_front(
    sequence: list[tuple[Any, ...]], model: str, power: float, depth: int
) -> None:
    """Same orders, same times: front >= middle >= back, for each order and at any time."""
    bounded = [Bounded(QueueMarket(1, name, power)) for name in ("front", model, "back")]
    for one in bounded:
        one.market.set_depth(0, depth)
    for number, step in enumerate(sequence, 1):
        for one in bounded:
            match step:
                case ("play", _, _, message, says_last):
                    load(one.market, rows(0, number, message, says_last))
                    while one.market.advance(number, 0)[0]:
                        pass
                case ("rest", side, away, qty):
                    price = 100 - away if side == "buy" else 101 + away
                    one.market.submit(0, number, 1, side, price, qty, "gtc", False, "cancel_newest")
                case ("cancel", order_id):
                    one.market.cancel(0, order_id)
            one.note()
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
