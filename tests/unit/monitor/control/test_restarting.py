"""A restart is done once the process is heard: one that ends at once is a failure, whatever supervisord says."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.control import restarting
from monitor.errors import EndedAgain
from monitor.watchdog import supervisor
from shared import config
from shared.config import Config

PID = 4_000_001


class Supervisord:
    """Answers as supervisord does about one program, which it says to have started as :data:`PID`."""

    def __init__(self, **now: int) -> None:
        self.now = now

    def info(self, program: str) -> supervisor.ProgramInfo:
        return supervisor.ProgramInfo(name=program, statename="", **self.now)


@pytest.fixture
def settings(tmp_path: Path) -> Config:
    file = tmp_path / "config" / "config.yaml"
    file.parent.mkdir()
    file.write_text("trading: {pairs: [BTC/USD]}\n")
    return config.load(file, environ={})


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "stop", lambda *_: None)
    monkeypatch.setattr(supervisor, "start", lambda *_: PID)
    monkeypatch.setattr(supervisor, "hand_over", lambda *_: PID)


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("now", [{"pid": 0, "exitstatus": 78}, {"pid": PID + 1, "exitstatus": 78}])
@pytest.mark.usefixtures("started")
def test_a_process_that_ends_right_after_its_start_fails_the_restart(
    monkeypatch: pytest.MonkeyPatch, settings: Config, now: dict[str, int], keep: bool
) -> None:
    monkeypatch.setattr(supervisor, "supervisord_of", lambda _config: Supervisord(**now))
    with pytest.raises(EndedAgain, match=rf"pid {PID} and has ended \(exit code 78\); logs/executor"):
        restarting.restart(settings, ["executor"], keep=keep)


@pytest.mark.usefixtures("started")
def test_a_process_that_runs_and_is_not_heard_yet_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, settings: Config
) -> None:
    monkeypatch.setattr(restarting, "HEARD_S", 0.05)
    monkeypatch.setattr(supervisor, "supervisord_of", lambda _config: Supervisord(pid=PID))
    assert restarting.restart(settings, ["executor"]) == {"executor": PID}
