"""Commands that find out what a strategy earns. They run in ``backtest``, which has their options, as a process."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import NoReturn

import typer

from monitor import children


def _forward(name: str) -> Callable[[typer.Context], None]:
    def command(context: typer.Context) -> None:
        run(name, context.args)

    return command


def run(name: str, arguments: list[str]) -> NoReturn:
    """Become the room's command: Ctrl-C, exit code and output are its own."""
    sys.stdout.flush()
    line = [sys.executable, "-m", "backtest", name, *arguments]
    os.execve(sys.executable, line, children.environment())


extract, backtest, screen = _forward("extract"), _forward("backtest"), _forward("screen")
calibrate, sweep, reconcile = _forward("calibrate"), _forward("sweep"), _forward("reconcile")
