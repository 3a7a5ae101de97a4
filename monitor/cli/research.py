"""Commands that find out what a strategy earns. They run in ``backtest``, which has their options, as a process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn

import typer

from monitor.cli.common import run_process
from monitor.cli.examples import epilog


def _forward(name: str) -> Callable[[typer.Context], None]:
    def command(context: typer.Context) -> None:
        run(name, context.args)

    return command


def run(name: str, arguments: list[str]) -> NoReturn:
    """Run the room's command as a process and end with its exit code; examples follow its help."""
    code = run_process([sys.executable, "-m", "backtest", name, *arguments])
    examples = epilog(name)
    if examples and not code and {"-h", "--help"} & set(arguments):
        typer.echo("\n" + examples.removeprefix("\b\n"))
    raise typer.Exit(code)


extract, backtest, screen = _forward("extract"), _forward("backtest"), _forward("screen")
calibrate, sweep, reconcile = _forward("calibrate"), _forward("sweep"), _forward("reconcile")
