"""``tradebyte halt`` and ``resume``."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from monitor.cli.common import EXIT_FAILED, ConfigOption, JsonOption, load, print_json, say, switching
from monitor.control import halting
from monitor.model import halted
from shared import config as configuration, pausing
from shared.config import Config
from shared.errors import ConfigError, UnknownName

NONE: Final = "no reason given"


def _pausable() -> list[str]:
    """Return what a shell completes NAME with: pairs and strategies of the configuration that would be taken."""
    try:
        return pausing.names(configuration.load(None))
    except ConfigError:
        return []


def _paused() -> list[str]:
    try:
        return list(pausing.paused(configuration.load(None)))
    except ConfigError:
        return []


NameArgument = Annotated[str, typer.Argument(help="A pair or a strategy.", autocompletion=_pausable)]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why, for whoever finds it halted.")]


def halt(config: ConfigOption = None, json: JsonOption = False, reason: ReasonOption = NONE) -> None:
    """Pull every order and place nothing more, through restarts of anything, until 'resume'."""
    settings = load(config, required=True, above=True)
    was = halted.text(settings)
    with switching("the halt"):
        result = halting.halt(settings, reason)
    if json:
        print_json(result)
    else:
        if was is not None:
            print(f"was halted already: {was}")
        if result.how is halting.Way.SWITCH:
            say(f"tradebyte: {halting.describe(result)}")
        else:
            print(halting.describe(result))
        print("'tradebyte resume' ends the halt")
    if result.open_orders != 0:
        raise typer.Exit(EXIT_FAILED)


def pause(
    name: NameArgument, config: ConfigOption = None, json: JsonOption = False, reason: ReasonOption = NONE
) -> None:
    """Pull the quotes of one pair or one strategy, and place none for it, through restarts, until 'resume' of it."""
    settings = load(config, required=True)
    try:
        with switching("pausing"):
            pulled = halting.pause(settings, name, reason)
    except UnknownName as unknown:
        raise typer.BadParameter(str(unknown), param_hint="NAME") from None
    if json:
        print_json({"paused": name, "executor_answered": pulled})
    elif pulled:
        print(f"{name} is paused; 'tradebyte resume {name}' lets it go on")
    else:
        print(f"{name} is paused, but the executor did not say so yet; it obeys as soon as it runs")


def resume(
    name: Annotated[
        str | None, typer.Argument(help="A paused pair or strategy; none: the halt.", autocompletion=_paused)
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """End a halt, or the pause of one pair or strategy: it goes on."""
    settings = load(config, required=True)
    if name is not None:
        _resume_one(settings, name, json=json)
        return
    with switching("resuming"):
        was = halting.resume(settings)
    if json:
        print_json({"halted": False, "was_halted": was is not None, "was": was or ""})
    elif was is None:
        print("was not halted")
    else:
        print(f"resumed; it was halted: {was}")


def _resume_one(config: Config, name: str, *, json: bool) -> None:
    try:
        with switching("resuming"):
            was = pausing.resume(config, name)
    except UnknownName as unknown:
        raise typer.BadParameter(str(unknown), param_hint="NAME") from None
    if json:
        print_json({"resumed": name, "was_paused": was})
    else:
        print(f"{name} goes on" if was else f"{name} was not paused")
    if halted.text(config) is not None:
        say("tradebyte: all trading is still halted; 'tradebyte resume' without a name ends that")
