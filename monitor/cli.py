"""``tradebyte``, the command for people: ``tradebyte CMD`` is ``python -m monitor CMD``."""

from __future__ import annotations

import sys

import typer

from monitor.commands.alert_test import alert_test
from monitor.commands.components import fills, record, replay, verify, why
from monitor.commands.config import config
from monitor.commands.desktop import desktop
from monitor.commands.doctor import doctor
from monitor.commands.examples import SHORT, epilog
from monitor.commands.flatten import flatten
from monitor.commands.halt import halt, resume
from monitor.commands.latency import latency
from monitor.commands.orders import orders
from monitor.commands.position import position
from monitor.commands.restart import restart
from monitor.commands.status import status
from monitor.commands.tail import tail
from monitor.commands.top import top
from monitor.commands.web import web

app = typer.Typer(
    help="TradeByte: see what runs, what is open and what was filled; halt, resume, restart.",
    no_args_is_help=True,
    # Plain text: boxes do not read well aloud or in a log.
    rich_markup_mode=None,
    # A traceback with local variables could show a secret.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=epilog("tradebyte"),
)
for command in (
    status,
    tail,
    orders,
    fills,
    why,
    position,
    latency,
    halt,
    resume,
    flatten,
    restart,
    verify,
    record,
    replay,
    doctor,
    alert_test,
    top,
    web,
    desktop,
):
    name = command.__name__.replace("_", "-")
    app.command(name, short_help=SHORT.get(name), epilog=epilog(name))(command)
app.add_typer(config, name="config", epilog=epilog("config"))


def main() -> None:
    """Runs the command that the arguments name."""
    app(command_first(sys.argv[1:]), prog_name="tradebyte")


def command_first(words: list[str]) -> list[str]:
    """``--config PATH status`` as ``status --config PATH``: both are typed."""
    if words[:1] == ["--config"] and words[2:3] == ["config"]:
        return [*words[2:], *words[:2]]
    if words[:1] == ["--config"] and len(words) > 2:
        return [words[2], *words[:2], *words[3:]]
    if words[:1] and words[0].startswith("--config=") and len(words) > 1:
        return [words[1], words[0], *words[2:]]
    return words
