"""``tradebyte halt`` and ``resume``."""

from __future__ import annotations

from typing import Annotated

import typer

from monitor import halted
from monitor.acts import halting
from monitor.commands.common import EXIT_FAILED, ConfigOption, JsonOption, load, print_json, say, switching

ReasonOption = Annotated[str, typer.Option("--reason", help="Why, for whoever finds it halted.")]


def halt(config: ConfigOption = None, json: JsonOption = False, reason: ReasonOption = "no reason given") -> None:
    """Pulls every order and places nothing more, through restarts of anything, until 'resume'."""
    found = load(config, acts=True)
    was = halted.text(found)
    with switching("the halt"):
        result = halting.halt(found, reason)
    if json:
        print_json(result)
    else:
        if was is not None:
            print(f"was halted already: {was}")
        if result["how"] == "switch":
            say(f"tradebyte: {halting.told(result)}")
        else:
            print(halting.told(result))
        print("'tradebyte resume' ends the halt")
    if result["open_orders"] != 0:
        raise typer.Exit(EXIT_FAILED)


def resume(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Ends a halt: trading goes on."""
    found = load(config, acts=True)
    with switching("resuming"):
        was = halting.resume(found)
    if json:
        print_json({"halted": False, "was_halted": was is not None, "was": was or ""})
    elif was is None:
        print("was not halted")
    else:
        print(f"resumed; it was halted: {was}")
