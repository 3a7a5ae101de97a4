"""A halt that the disk does not take is a halt all the same, until the disk takes it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from executor.shell import Shell
from shared.config import Config
from shared.halt import Cause, Halt


class Log:
    def warning(self, *_words: Any, **_named: Any) -> None:
        pass


def shell(folder: Path) -> tuple[Shell, list[str]]:
    """A shell of which only its switches are there."""
    made = object.__new__(Shell)
    alerts: list[str] = []
    config = Config(root=folder)
    made.process = SimpleNamespace(  # type: ignore[assignment]
        config=config, log=Log(), alert=lambda _level, _kind, text: alerts.append(text)
    )
    made.state = SimpleNamespace(halted=False, flattening=False, paused=frozenset())  # type: ignore[assignment]
    made._halt_unwritten, made._halt_problem = None, ""
    return made, alerts


def test_a_disk_that_takes_no_halt_does_not_let_trading_go_on(tmp_path: Path) -> None:
    made, alerts = shell(tmp_path)
    (tmp_path / "data").write_text("a file where the folder should be")
    made.halt(Halt(Cause.DAILY_LOSS, "the day's loss reached its limit"))
    assert made.state.halted
    assert made.is_halted()
    made._look_at_halt()
    assert made.state.halted
    assert len([text for text in alerts if "cannot be written" in text]) == 1
    (tmp_path / "data").unlink()
    made._look_at_halt()
    assert made.state.halted
    assert "day's loss" in (tmp_path / "data" / "HALT").read_text()
    (tmp_path / "data" / "HALT").unlink()
    made._look_at_halt()
    assert not made.state.halted
