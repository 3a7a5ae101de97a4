"""``tradebyte restart NAME [--keep]``, through supervisord."""

from __future__ import annotations

from typing import Annotated

import typer

from monitor.cli.common import ConfigOption, JsonOption, fail, load, print_json
from monitor.control import restarting
from monitor.errors import RestartRefused, SupervisorError
from shared import config as configuration
from shared.config import Config
from shared.errors import ConfigError


def names() -> list[str]:
    """Return what a shell completes NAME with: the processes of the configuration that would be found here."""
    try:
        settings = configuration.load(None)
    except ConfigError:
        settings = Config()
    return [*settings.process_names, "strategy", "all"]


def restart(
    name: Annotated[
        str,
        typer.Argument(
            help="collector, book, strategy, strategy.NAME, executor, monitor, simulator or all.",
            autocompletion=names,
        ),
    ],
    config: ConfigOption = None,
    json: JsonOption = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="executor only: leave the orders to its next start instead of pulling them.")
    ] = False,
) -> None:
    """Stop and start a process. A strategy is back in time to keep its quotes; an executor pulls its orders first."""
    settings = load(config, required=True)
    try:
        pids = restarting.restart(settings, restarting.programs_of(settings, name, keep=keep), keep=keep)
    except RestartRefused as error:
        raise typer.BadParameter(str(error), param_hint="NAME") from None
    except SupervisorError as error:
        fail(str(error))
    if json:
        print_json({"restarted": pids, "kept_orders": keep})
    else:
        for line in restarting.describe(pids, keep=keep):
            print(line)
