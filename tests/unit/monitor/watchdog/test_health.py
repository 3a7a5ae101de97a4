"""Who is dead, who hangs, who is restarted, and how often; all with the time passed in."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.model.alerting.alerts import Begin, End, Say
from monitor.watchdog.health import Action, Health, Restart
from shared.clock import SECOND
from shared.messages import Heartbeat, ProcessState

HOST = "here"
BOOK, STRATEGY = "book", "strategy.mm"


def beat(process: str = BOOK, **changed: Any) -> Heartbeat:
    fields: dict[str, Any] = {
        "process": process,
        "pid": 100,
        "boot": 1,
        "host": HOST,
        "version": "0",
        "state": ProcessState.READY,
        "why": "",
        "uptime_s": 1.0,
        "loop_lag_ms": 0.0,
        "rss_mb": 1.0,
        "messages_in": 0,
        "messages_out": 0,
        "gaps": 0,
        "drops": 0,
    }
    return Heartbeat(**{**fields, **changed})


def kinds(actions: list[Action]) -> list[str]:
    return [_kind(action) for action in actions]


def _kind(action: Action) -> str:
    match action:
        case Say():
            return action.kind
        case Begin():
            return action.condition.alert_kind
        case End():
            return "resumed" if action.name == "halt" else "process-back"
        case Restart():
            return "restart"


@pytest.fixture(params=[BOOK])
def health(request: pytest.FixtureRequest) -> Health:
    """Return the health of the one process that the test is about: others would be missed."""
    return Health([request.param], HOST)


of_strategy = pytest.mark.parametrize("health", [STRATEGY], indirect=True)


def at(seconds: float) -> int:
    return int(seconds * SECOND)


def test_a_process_heard_every_second_is_left_alone(health: Health) -> None:
    for second in range(100):
        assert health.heard(beat(messages_in=second), at(second)) == []
        assert health.turn(at(second + 0.5), None) == []


def test_an_end_that_the_pidfd_tells_is_said_once(health: Health) -> None:
    health.heard(beat(), at(0))
    assert kinds(health.ended(BOOK, 100, at(0.1))) == ["process-dead"]
    assert health.ended(BOOK, 100, at(0.2)) == []
    assert health.turn(at(4), None) == []
    assert health.turn(at(400), None) == []  # supervisord's to restart, not ours


def test_a_process_back_after_its_death_is_said(health: Health) -> None:
    health.heard(beat(), at(0))
    health.ended(BOOK, 100, at(0.1))
    assert kinds(health.heard(beat(pid=101, boot=2), at(0.3))) == ["process-back"]


def test_a_process_that_came_back_between_two_heartbeats_did_die(health: Health) -> None:
    health.heard(beat(), at(0))
    assert kinds(health.heard(beat(pid=101, boot=2), at(0.9))) == ["process-dead", "process-back"]


def test_a_process_that_said_it_was_stopping_did_not_die(health: Health) -> None:
    health.heard(beat(), at(0))
    health.heard(beat(state=ProcessState.STOPPING), at(1))
    assert health.ended(BOOK, 100, at(1.1)) == []
    assert health.turn(at(5), None) == []
    assert kinds(health.heard(beat(pid=101, boot=2), at(6))) == ["process-back"]


def test_the_end_of_an_older_pid_is_no_news(health: Health) -> None:
    health.heard(beat(), at(0))
    health.heard(beat(pid=101, boot=2), at(1))
    assert health.ended(BOOK, 100, at(1.1)) == []


def test_a_pid_without_a_heartbeat_is_told_at_3_s_and_restarted_at_15_s(health: Health) -> None:
    health.heard(beat(), at(0))
    assert health.turn(at(2.9), None) == []
    assert kinds(health.turn(at(3.1), None)) == ["process-silent"]
    assert health.turn(at(14.9), None) == []
    said, restart = health.turn(at(15.1), None)
    assert kinds([said]) == ["hung"]
    assert restart == Restart(BOOK, 100, "no heartbeat for 15 s")


def test_a_hung_process_is_restarted_once_a_minute_at_most(health: Health) -> None:
    health.heard(beat(), at(0))
    restarts = [second for second in range(200) if "restart" in kinds(health.turn(at(second), None))]
    assert restarts == [16, 76, 136, 196]


def test_a_process_of_another_machine_is_never_restarted(health: Health) -> None:
    health.heard(beat(host="elsewhere"), at(0))
    assert kinds(health.turn(at(20), None)) == ["process-silent"]
    assert health.turn(at(200), None) == []


@of_strategy
def test_a_strategy_that_processes_nothing_for_30_s_is_restarted(health: Health) -> None:
    actions = []
    for second in range(40):
        health.path_news(at(second))
        health.heard(beat(STRATEGY, messages_in=7), at(second))
        actions += [(second, kind) for kind in kinds(health.turn(at(second), None))]
    assert actions == [(31, "unresponsive"), (31, "restart")]


@of_strategy
def test_a_strategy_that_processes_is_left_alone(health: Health) -> None:
    for second in range(100):
        health.path_news(at(second))
        health.heard(beat(STRATEGY, messages_in=second // 20), at(second))
        assert health.turn(at(second), None) == []


@of_strategy
def test_a_strategy_with_nothing_to_process_is_left_alone(health: Health) -> None:
    health.path_news(at(0))
    for second in range(100):
        health.heard(beat(STRATEGY, messages_in=7), at(second))
        assert health.turn(at(second), None) == []


@pytest.mark.parametrize("health", ["executor"], indirect=True)
def test_only_strategies_are_judged_by_what_they_process(health: Health) -> None:
    for second in range(100):
        health.path_news(at(second))
        health.heard(beat("executor", messages_in=7), at(second))
        assert health.turn(at(second), None) == []


def test_five_deaths_in_two_minutes_are_a_crash_loop(health: Health) -> None:
    said = []
    for number in range(5):
        health.heard(beat(pid=100 + number, boot=1 + number), at(number * 10))
        said += kinds(health.ended(BOOK, 100 + number, at(number * 10 + 1)))
    assert said == ["process-dead"] * 5 + ["crash-loop"]


def test_five_deaths_in_an_hour_are_none(health: Health) -> None:
    said = []
    for number in range(5):
        health.heard(beat(pid=100 + number, boot=1 + number), at(number * 600))
        said += kinds(health.ended(BOOK, 100 + number, at(number * 600 + 1)))
    assert said == ["process-dead"] * 5


def test_halting_and_resuming_are_said_once_each(health: Health) -> None:
    assert kinds(health.turn(at(0), "by hand")) == ["halted"]
    assert health.turn(at(1), "by hand") == []
    assert kinds(health.turn(at(2), None)) == ["resumed"]
    assert health.turn(at(3), None) == []


def test_processes_that_are_not_configured_are_passed_over(health: Health) -> None:
    assert health.heard(beat("stranger"), at(0)) == []
    assert health.turn(at(100), None) == []
    assert health.ended("stranger", 100, at(101)) == []


def test_a_process_that_was_never_heard_is_told_once_and_its_coming_ends_it() -> None:
    health = Health([BOOK, "executor"], HOST)
    health.turn(at(0), None)
    health.heard(beat(), at(1))
    assert health.turn(at(1.5), None) == []
    health.heard(beat(), at(29))
    assert health.turn(at(30), None) == []
    health.heard(beat(), at(31))
    (action,) = health.turn(at(31), None)
    assert isinstance(action, Begin)
    assert (action.name, action.condition.alert_kind) == ("executor", "process-silent")
    assert "executor.log" in action.condition.text
    assert health.turn(at(31.5), None) == []
    assert kinds(health.heard(beat("executor"), at(32))) == ["process-back"]
    assert health.turn(at(33), None) == []
