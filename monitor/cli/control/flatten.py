"""``tradebyte flatten``."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from monitor.cli.common import EXIT_FAILED, ConfigOption, JsonOption, load, print_json, say, switching
from monitor.control import flattening
from monitor.entry import EXIT_INTERRUPTED
from monitor.errors import FlattenRefused
from monitor.model.listener import Listener
from shared.config import Config
from shared.halt import is_halted

YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def flatten(config: ConfigOption = None, json: JsonOption = False, yes: YesOption = False) -> None:
    """Pull every order, close every position down to inventory_base, then halt."""
    settings = load(config, required=True)
    try:
        with switching("flattening"):
            result = _flatten(settings, json, asks=not json and not yes)
    except KeyboardInterrupt:
        if not is_halted(settings.flatten_file):
            raise  # nothing was asked for yet, or all is done
        if json:
            print_json({"flat": False, "error": "not waited for: the executor goes on"})
        say(
            "tradebyte: not waited for: the flatten goes on in the executor; 'tradebyte position' and "
            "'tradebyte orders' show how far it is, 'tradebyte halt' stops it"
        )
        raise typer.Exit(EXIT_INTERRUPTED) from None
    if json:
        print_json(result)
    elif result.halted:
        print(f"{result.why}; 'tradebyte resume' ends the halt")
    else:
        say(
            f"tradebyte: not flat after {flattening.WAIT_S:.0f} s, and still at it: {result.left}; 'tradebyte "
            "position' and 'tradebyte orders' show how far it is, 'tradebyte halt' stops it"
        )
    if not result.flat:
        raise typer.Exit(EXIT_FAILED)


def _flatten(config: Config, json: bool, *, asks: bool) -> flattening.FlattenResult:
    with Listener(config, flattening.WANTED) as listener:
        try:
            flattening.begin(config, listener, _agreed if asks else lambda _positions: True)
        except FlattenRefused as refused:
            if json:
                print_json({"flat": False, "error": str(refused)})
            say(f"tradebyte: {refused}")
            raise typer.Exit(EXIT_FAILED) from None
        out = Console(stderr=True)
        columns = (TextColumn("flattening: {task.description}", markup=False), TimeElapsedColumn())
        with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as progress:
            task = progress.add_task("")
            return flattening.finish(config, listener, lambda left: progress.update(task, description=left))


def _agreed(positions: dict[str, Decimal]) -> bool:
    for line in flattening.describe(positions):
        print(line)
    return typer.confirm("Pull every order, close these at the market within the price band, and halt?", abort=True)
