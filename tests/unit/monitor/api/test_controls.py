"""A halt by POST waits behind no other action."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from monitor.api.controls import Controls
from monitor.api.queries import AcceptBody, HaltBody, PauseBody, RestartBody, ResumeBody
from monitor.control import accepting, halting, restarting
from monitor.errors import Problem
from shared import config, halt, pausing
from shared.config import Config

# More than asyncio has threads for, on any machine.
MANY = 40


def test_a_halt_waits_behind_no_restart_that_takes_long(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    free = threading.Event()

    def slow(*_: Any, **__: Any) -> dict[str, int]:
        assert free.wait(30)
        return {}

    done = halting.HaltResult(open_orders=0, halted=True, how=halting.Way.EXECUTOR, why="a test")
    monkeypatch.setattr(restarting, "programs_of", lambda *_, **__: ["book"])
    monkeypatch.setattr(restarting, "restart", slow)
    monkeypatch.setattr(halting, "halt", lambda *_: done)
    settings = Config()
    settings.source = tmp_path / "config.yaml"
    controls = Controls(settings, lambda *_: None)

    async def acted() -> bool:
        restarts = [asyncio.ensure_future(controls.restart(RestartBody(process="book"))) for _ in range(MANY)]
        await asyncio.sleep(0)
        try:
            return (await asyncio.wait_for(controls.halt(HaltBody(why="a test")), 20)).ok
        finally:
            free.set()
            await asyncio.gather(*restarts)

    assert asyncio.run(acted())


@pytest.fixture
def controls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Controls:
    monkeypatch.setattr(halting, "ANSWER_AGAIN_S", 0.01)  # no executor runs that could answer
    monkeypatch.setattr(accepting, "HEARD_S", 0.01)
    file = tmp_path / "config" / "config.yaml"
    file.parent.mkdir()
    file.write_text("trading: {pairs: [BTC/USD]}\n")
    return Controls(config.load(file, environ={}), lambda *_: None)


def test_one_pair_is_paused_and_goes_on_by_post(controls: Controls) -> None:
    paused = asyncio.run(controls.pause(PauseBody(name="BTC/USD", why="a test")))
    assert (paused.ok, paused.paused, paused.executor_answered) == (True, "BTC/USD", False)
    assert list(pausing.paused(controls.config)) == ["BTC/USD"]
    resumed = asyncio.run(controls.resume(ResumeBody(name="BTC/USD")))
    assert (resumed.was_paused, resumed.halted, pausing.paused(controls.config)) == (True, False, {})
    assert asyncio.run(controls.resume(ResumeBody(name="BTC/USD"))).was_paused is False


@pytest.mark.parametrize("act", ["pause", "resume"])
def test_what_is_no_pair_and_no_strategy_is_404_with_what_was_meant(controls: Controls, act: str) -> None:
    body = PauseBody(name="BTC") if act == "pause" else ResumeBody(name="BTC")
    with pytest.raises(Problem) as problem:
        asyncio.run(getattr(controls, act)(body))
    assert (problem.value.code, "did you mean BTC/USD?" in str(problem.value)) == (404, True)


def test_a_resume_of_a_pair_says_that_all_is_still_halted(controls: Controls) -> None:
    halt.halt(controls.config.halt_file, "a test")
    resumed = asyncio.run(controls.resume(ResumeBody(name="BTC/USD")))
    assert (resumed.halted, "still halted" in resumed.text) == (True, True)
    assert halt.is_halted(controls.config.halt_file)


def test_nothing_is_accepted_while_the_executor_is_not_heard(controls: Controls) -> None:
    with pytest.raises(Problem) as problem:
        asyncio.run(controls.accept(AcceptBody(assets=["BTC"])))
    assert (problem.value.code, "the executor is not heard" in str(problem.value)) == (409, True)
    assert not halt.is_halted(controls.config.accept_file)
