"""The Rust matching engine and the naive one are one, and the naive one keeps what any exchange must."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from simulator.exchange import engine as naive
from tests.frames import rust

PRICES = st.integers(95, 105)
SIDES = st.sampled_from(["buy", "sell"])
IDS = st.integers(0, 40)


@st.composite
def submits(draw: st.DrawFn) -> tuple[Any, ...]:
    price = draw(st.one_of(PRICES, PRICES, PRICES, PRICES, st.none()))
    tif = draw(st.sampled_from(["gtc", "gtc", "gtc", "ioc", "fok"]))
    post_only = draw(st.booleans()) and tif == "gtc" and price is not None
    stp = draw(st.sampled_from(["cancel_newest", "cancel_oldest", "cancel_both"]))
    return (
        "submit",
        draw(IDS),
        draw(st.integers(0, 2)),
        draw(SIDES),
        price,
        draw(st.integers(1, 12)),
        tif,
        post_only,
        stp,
    )


amends = st.tuples(
    st.just("amend"), IDS, st.one_of(st.none(), PRICES), st.one_of(st.none(), st.integers(1, 20)), st.booleans()
)
cancels = st.tuples(st.just("cancel"), IDS)
ODD = st.sampled_from([-1, 0, 1, 2**31, 2**32, 2**63 - 1, 2**63, 2**64 - 1, 2**64])
odd_calls = st.one_of(
    st.tuples(st.just("submit"), ODD, ODD, st.sampled_from(["buy", "sell", "Buy"]), st.one_of(ODD, st.none()), ODD),
    st.tuples(
        *(st.just("submit"), IDS, st.just(0), SIDES, PRICES, st.just(3), st.sampled_from(["gtc", "fok", "GTC"])),
        *(st.booleans(), st.sampled_from(["cancel_newest", "none"])),
    ),
    st.tuples(st.just("amend"), ODD, st.one_of(ODD, st.none()), st.one_of(ODD, st.none())),
    st.tuples(st.just("cancel"), ODD),
)
calls = st.lists(st.one_of(submits(), submits(), submits(), amends, cancels), min_size=10, max_size=60)
many_odd_calls = st.lists(st.one_of(odd_calls, odd_calls, submits()), max_size=20)


def outcome(engine: Any, call: tuple[Any, ...]) -> Any:
    """The events of a call, or the name of its error."""
    try:
        return getattr(engine, call[0])(*call[1:])
    except ValueError as error:
        return type(error).__name__


def state(engine: Any) -> Any:
    """All that can be seen of an engine."""
    levels = [(side, *level) for side in ("buy", "sell") for level in engine.levels(side, 1000)]
    queues = {(side, price): engine.queue(side, price) for side, price, _ in levels}
    orders = {order_id: engine.order(order_id) for queue in queues.values() for order_id in queue}
    return levels, queues, orders, engine.count(), engine.best("buy"), engine.best("sell"), engine.levels("buy", 2)


@pytest.mark.rust
@settings(max_examples=150)
@given(st.one_of(calls, many_odd_calls), st.integers(1, 7))
def test_both_engines_are_one(sequence: list[tuple[Any, ...]], changes_every: int) -> None:
    reference, fast = naive.MatchingEngine(), rust().MatchingEngine()
    for at, call in enumerate(sequence):
        assert outcome(reference, call) == outcome(fast, call)
        assert state(reference) == state(fast)
        if at % changes_every == 0:
            assert reference.changes() == fast.changes()
    assert reference.changes() == fast.changes()


@given(calls)
def test_nothing_is_made_or_lost(sequence: list[tuple[Any, ...]]) -> None:
    """By the events alone one can tell what rests, and by ``changes`` alone what the levels hold."""
    engine = naive.MatchingEngine()
    wanted: dict[int, int] = {}
    levels: dict[tuple[str, int], int] = {}
    for call in sequence:
        if call[0] == "submit" and engine.order(call[1]) is None:
            wanted[call[1]] = call[5]
        events = outcome(engine, call)
        for event in events if isinstance(events, list) else []:
            kind, order_id, *rest = event
            if kind == "trade":
                maker, _, qty, *left = rest
                for traded, remaining in zip((order_id, maker), left, strict=True):
                    assert wanted[traded] - qty == remaining
                    wanted[traded] = remaining
            elif kind == "amend":
                wanted[order_id] = rest[1]
            elif kind == "cancel":
                assert wanted.pop(order_id) == rest[0]
        resting = {order_id: order[3] for order_id in wanted if (order := engine.order(order_id))}
        assert resting == {order_id: qty for order_id, qty in wanted.items() if qty}
        levels.update({(side, price): total for side, price, total in engine.changes()})
        resting_levels = {
            (side, price): total for side in ("buy", "sell") for price, total in engine.levels(side, 1000)
        }
        assert {key: total for key, total in levels.items() if total} == resting_levels


@given(calls)
def test_the_book_never_crosses_and_the_first_in_the_queue_trades_first(sequence: list[tuple[Any, ...]]) -> None:
    engine = naive.MatchingEngine()
    for call in sequence:
        front = {side: engine.queue(side, best[0])[0] for side in ("buy", "sell") if (best := engine.best(side))}
        events = outcome(engine, call)
        traded = [event for event in events if event[0] == "trade"] if isinstance(events, list) else []
        if traded and events[0][0] == "trade":
            assert traded[0][2] in front.values()
        bid, ask = engine.best("buy"), engine.best("sell")
        assert not bid or not ask or bid[0] < ask[0]
