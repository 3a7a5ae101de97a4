"""``tradebyte``, the command for people: ``tradebyte CMD`` is ``python -m monitor CMD``."""

from __future__ import annotations

import functools
import importlib
import io
import sys
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final  # Any: typer's own

import typer
from typer.core import TyperGroup

from monitor.cli.examples import SHORT, epilog

# Modules of the commands that are not in one of their own name beside this one.
MODULES: Final = {
    **dict.fromkeys(("fills", "why", "verify", "record", "replay"), "components"),
    **{name: f"control.{name}" for name in ("accept", "alert_test", "flatten", "halt", "restart")},
    **dict.fromkeys(("pause", "resume"), "control.halt"),
    **{name: f"views.{name}" for name in ("top", "web", "desktop")},
    **dict.fromkeys(("extract", "backtest", "screen", "calibrate", "sweep", "reconcile"), "research"),
    "doctor": "doctor.command",
}
# The commands of a research module take every argument as it is.
RESEARCH_SETTINGS: Final[dict[str, Any]] = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "help_option_names": [],
}
# click's class, of which newer typers have a copy of their own.
Command = Any
# Keywords of typer's, for the whole and for each command.
TYPER_SETTINGS: Final[dict[str, Any]] = {
    # Plain text: boxes do not read well aloud or in a log.
    "rich_markup_mode": None,
    # A traceback with local variables could show a secret.
    "pretty_exceptions_enable": False,
    "context_settings": {"help_option_names": ["-h", "--help"]},
}


@functools.cache
def command(name: str) -> Command:
    """Return a command, with the module that it is in."""
    word = name.replace("-", "_")
    function = getattr(importlib.import_module(f"monitor.cli.{MODULES.get(word, word)}"), word)
    alone = typer.Typer(add_completion=False, **TYPER_SETTINGS)
    if isinstance(function, typer.Typer):
        alone.add_typer(function, name=name, epilog=epilog(name))
        return typer.main.get_group(alone).commands[name]
    # Options of a research command are the room's own, --help too.
    settings = RESEARCH_SETTINGS if MODULES.get(word) == "research" else None
    alone.command(name, short_help=SHORT[name], epilog=epilog(name), context_settings=settings)(function)
    return typer.main.get_command(alone)


class Commands(Mapping[str, Command]):
    """Every command by its name, loaded on demand: 'halt' must not wait for what 'doctor' takes."""

    def __getitem__(self, name: str) -> Command:
        if name not in SHORT:
            raise KeyError(name)
        return command(name)

    def __iter__(self) -> Iterator[str]:
        return iter(SHORT)

    def __len__(self) -> int:
        return len(SHORT)


class Tradebyte(TyperGroup):
    """``tradebyte`` itself."""

    def __init__(self, **attributes: Any) -> None:  # typer's own keywords
        super().__init__(**attributes)
        self.commands = Commands()  # type: ignore[assignment]  # nothing is ever added to them

    def list_commands(self, _ctx: object) -> list[str]:
        """Return their names, without loading them."""
        return list(self.commands)


app = typer.Typer(
    cls=Tradebyte,
    help="TradeByte: see what runs, what is open and what was filled; halt, resume, restart.",
    no_args_is_help=True,
    epilog=epilog("tradebyte"),
    **TYPER_SETTINGS,
)


def _version(wanted: bool) -> None:
    if wanted:
        # Loaded for this alone: no other command waits for it.
        from shared.version import tradebyte_version

        print(f"tradebyte {tradebyte_version()}")
        raise typer.Exit


@app.callback()
def root_options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    """Do nothing: typer takes the callback as the sign that commands follow."""


def main() -> None:
    """Run the command that the arguments name."""
    for stream in (sys.stdout, sys.stderr):
        # On an ASCII terminal a replacement character is better than a traceback.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    app(command_first(sys.argv[1:]), prog_name="tradebyte")


def command_first(arguments: list[str]) -> list[str]:
    """Return ``--config PATH status`` as ``status --config PATH``: both are typed."""
    if arguments[:1] == ["--config"] and arguments[2:3] in (["config"], ["journal"]):
        return [*arguments[2:], *arguments[:2]]
    if arguments[:1] == ["--config"] and len(arguments) > 2:
        return [arguments[2], *arguments[:2], *arguments[3:]]
    if arguments[:1] and arguments[0].startswith("--config=") and len(arguments) > 1:
        return [arguments[1], arguments[0], *arguments[2:]]
    return arguments
