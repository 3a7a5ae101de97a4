"""A halt that the disk does not take is a halt all the same, until the disk takes it."""

from __future__ import annotations

from pathlib import Path

from executor.halt_switch import HaltSwitch
from shared.config import Config
from shared.halt import Cause, Halt


def test_a_disk_that_takes_no_halt_does_not_let_trading_go_on(tmp_path: Path) -> None:
    alerts: list[str] = []
    switch = HaltSwitch(Config(root=tmp_path).halt_file, alerts.append)
    (tmp_path / "data").write_text("a file where the folder should be")
    switch.turn_on(Halt(Cause.DAILY_LOSS, "the day's loss reached its limit"))
    assert switch.is_on()
    switch.retry()
    assert switch.is_on()
    assert len([text for text in alerts if "cannot be written" in text]) == 1
    (tmp_path / "data").unlink()
    switch.retry()
    assert switch.is_on()
    assert "day's loss" in (tmp_path / "data" / "HALT").read_text()
    (tmp_path / "data" / "HALT").unlink()
    switch.retry()
    assert not switch.is_on()
