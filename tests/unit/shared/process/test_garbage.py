"""Garbage is collected by turns: the young once a second, everything now and then, nothing between."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from shared import limits
from shared.clock import SECOND
from shared.process.garbage import ALL, YOUNG, Garbage


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


def test_turns_collect_and_nothing_else_does(monkeypatch: pytest.MonkeyPatch) -> None:
    garbage = Garbage()
    collected: list[int] = []
    garbage.begin(0)
    assert not gc.isenabled()
    assert gc.get_freeze_count() > 0
    monkeypatch.setattr(gc, "collect", collected.append)
    young, everything = int(limits.GARBAGE_YOUNG_S * SECOND), int(limits.GARBAGE_ALL_S * SECOND)
    for now in range(0, everything + 1, young // 4):
        garbage.turn(now)
    assert collected.count(ALL) == 1
    assert collected.count(YOUNG) == limits.GARBAGE_ALL_S / limits.GARBAGE_YOUNG_S - 1
    assert collected[-1] == ALL


def test_a_cycle_is_gone_after_a_turn() -> None:
    garbage = Garbage()
    garbage.begin(0)
    cycle: list[object] = []
    cycle.append(cycle)
    number = id(cycle)
    del cycle
    assert any(id(known) == number for known in gc.get_objects())
    garbage.turn(int(limits.GARBAGE_YOUNG_S * SECOND))
    assert not any(id(known) == number for known in gc.get_objects())
