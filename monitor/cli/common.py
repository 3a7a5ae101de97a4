"""Shared by the commands: options, the configuration, printing, running another component's command."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from monitor import children
from shared import config as configuration
from shared.config import Config
from shared.errors import ConfigError

EXIT_FAILED, EXIT_CONFIG = 1, 78

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="PATH", help="Configuration file (else TRADEBYTE_CONFIG, else config/config.yaml)."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="For machines: JSON on stdout, no prompt.")]


def nearest() -> Path | None:
    """Return the configuration file of the nearest parent folder; None without one, or if one is set or here."""
    if os.environ.get("TRADEBYTE_CONFIG") or configuration.DEFAULT_PATH.is_file():
        return None
    folders = (folder / configuration.DEFAULT_PATH for folder in Path.cwd().parents)
    return next((file for file in folders if file.is_file()), None)


def load(path: Path | None, *, required: bool = False, above: bool = False) -> Config:
    """Return the configuration; ``required`` refuses the defaults. Refusals go to stderr, with exit 78.

    ``above``: also that of a folder above this one, for what is typed in a hurry.
    """
    try:
        config = configuration.load(path or (nearest() if above else None), required=required)
    except ConfigError as error:
        say(f"tradebyte: {error}")
        raise typer.Exit(EXIT_CONFIG) from None
    if config.source is None:
        say("tradebyte: no configuration file here; looking with the built-in sandbox defaults")
    return config


def looked_in(config: Config) -> str:
    """Return where the processes of a configuration are looked for."""
    named = str(config.source) if config.source else "the built-in defaults"
    return f"{config.run} by {named} (another folder's or user's system is not seen from here: name it by --config)"


def say(text: str) -> None:
    """Print a line to stderr, plain."""
    print(text, file=sys.stderr, flush=True)


def fail(text: str, code: int = EXIT_FAILED) -> NoReturn:
    """End the command with what happened and what to do, on stderr."""
    say(f"tradebyte: {text}")
    raise typer.Exit(code)


def print_json(value: object) -> None:
    """Print one JSON value on one line."""
    print(msgspec.json.encode(value).decode(), flush=True)


def console() -> Console:
    """Return the console for tables: colours and the terminal's width on a terminal, plain text elsewhere."""
    return Console(width=None if sys.stdout.isatty() else 160, highlight=False)


def table(*columns: str, right: Sequence[str] = ()) -> Table:
    """Return an unruled table; columns named in ``right`` are aligned to the right."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return made


@contextlib.contextmanager
def switching(what: str) -> Iterator[None]:
    """End the command with a mend when a switch under data/ cannot be written or removed; ``what`` was to be done."""
    try:
        yield
    except OSError as error:
        fail(
            f"{what} did NOT happen: {error}. See that the disk has room and data/ may be written. To pull every order "
            "without it: 'supervisorctl -c supervisord.conf stop executor', or cancel on Kraken's own site"
        )


def run_component(config: Config, module: str, *arguments: str) -> NoReturn:
    """Run another component's command as a process and end with its exit code."""
    raise typer.Exit(run_process(children.command(config, module, *arguments)))


def run_process(command: list[str]) -> int:
    """Run a process of the project's to its end; return its exit code."""
    child = subprocess.Popen(command, env=children.environment())
    # The child ends itself and reports: Ctrl-C reaches it from the terminal, other signals are passed on.
    signal.signal(signal.SIGINT, lambda _number, _frame: None)
    signal.signal(signal.SIGTERM, lambda number, _frame: child.send_signal(number))
    code = child.wait()
    return code if code >= 0 else 128 - code
