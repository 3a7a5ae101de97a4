"""Runs of frames taken by Rust come to the same bytes as frames taken one by one, whatever comes between them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from shared.clock import MS, SECOND
from tests.kit.market.book_changes import PRICE_DECIMALS, changes, mutated
from tests.kit.market.run_worlds import SYMBOLS, World

kinds = st.sampled_from(
    [
        *["change"] * 25,
        *("snapshot", "snapshot", "lost on the way", "lost on the bus", "again", "broken"),
        *("old connection", "other shape", "crossing"),
    ]
)
frames = st.lists(st.tuples(st.sampled_from(SYMBOLS), kinds, changes), max_size=8)
events = st.sampled_from(
    [
        *[("nothing",)] * 5,
        *[("recovery",)] * 4,
        *[("status", True)] * 4,
        *(("time", step) for step in (10 * MS, 150 * MS, 600 * MS, 900 * MS, 1200 * MS, 3500 * MS)),
        *(("lag", lag) for lag in (0, 0, 500 * MS, 1500 * MS, 3 * SECOND)),
        *[("trade", price) for price in (900, 950, 1000, 1050, 1050, 1100, 1250)],
        *(("instruments", precision) for precision in (PRICE_DECIMALS, 2, 99)),
        *(("status", False), ("connect",), ("collector restarts",)),
    ]
)
# What happens, the frames after it, and whether a turn follows.
steps = st.lists(st.tuples(events, frames, st.booleans()), min_size=3, max_size=15)


@pytest.mark.rust
@settings(max_examples=400)
@given(steps, st.booleans(), st.data())
def test_runs_and_single_messages_come_to_the_same_bytes(
    sequence: list[tuple[Any, Any, bool]], replay: bool, data: st.DataObject
) -> None:
    world = World(replay=replay)
    world.act("recovery")
    for event, sent, has_turn in sequence:
        world.act(*event)
        for symbol, kind, change in sent:
            raw = world.frame(symbol, kind, change)
            if kind == "broken":
                world.put_frame(symbol, data.draw(mutated(raw)))
        if has_turn:
            world.turn()
    world.turn()
    world.close()


@pytest.mark.rust
@given(st.lists(st.tuples(st.sampled_from(SYMBOLS), st.just("change"), changes), max_size=30))
def test_sound_frames_of_live_books_are_all_taken_by_rust(sent: list[Any]) -> None:
    world = World()
    world.act("recovery")
    world.turn()
    for frame in sent:
        world.frame(*frame)
    world.turn()
    world.close()
    assert world.readers[1].by_rust == len(sent)
