"""The spin is off unless asked for, bounded when it is on, and one chain of calls however often it is begun."""

from __future__ import annotations

import asyncio

import pytest

from shared import limits
from shared.clock import MS
from shared.process import spin as module
from shared.process.spin import Spin


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    now = [10**9]
    monkeypatch.setattr(module, "boot_ns", lambda: now[0])
    return now


def test_it_is_off_unless_asked_for(clock: list[int]) -> None:
    spin = Spin(is_on=False)
    spin.stir(clock[0])
    assert not spin.is_awake()


def test_it_lasts_for_its_bound_after_the_last_message(clock: list[int]) -> None:
    spin = Spin(is_on=True)
    assert not spin.is_awake()
    spin.stir(clock[0])
    clock[0] += limits.SPIN_MS * MS - 1
    assert spin.is_awake()
    spin.stir(clock[0])
    clock[0] += 1
    assert spin.is_awake()
    clock[0] += limits.SPIN_MS * MS
    assert not spin.is_awake()


def test_a_loop_has_one_chain_of_calls_and_it_ends(clock: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    spin, calls = Spin(is_on=True), 0
    again = Spin._again

    def counted(self: Spin, loop: asyncio.AbstractEventLoop) -> None:
        nonlocal calls
        calls += 1
        clock[0] += MS
        again(self, loop)

    monkeypatch.setattr(Spin, "_again", counted)

    async def play() -> None:
        loop = asyncio.get_running_loop()
        spin.stir(clock[0])
        for _ in range(5):
            spin.keep(loop)
        while spin.is_awake():
            await asyncio.sleep(0)
        for _ in range(3):
            await asyncio.sleep(0)

    asyncio.run(play())
    assert calls == limits.SPIN_MS
