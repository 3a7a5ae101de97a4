"""``tradebyte restart NAME [--keep]``, through supervisord."""

from __future__ import annotations

from typing import Annotated

import typer

from monitor import supervisor
from monitor.commands.common import ConfigOption, JsonOption, fail, load, print_json
from shared.config import Config

ALL = "all"


def restart(
    name: Annotated[
        str, typer.Argument(help="collector, book, strategy, strategy.NAME, executor, monitor, simulator or all.")
    ],
    config: ConfigOption = None,
    json: JsonOption = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="executor only: leave the orders to its next start instead of pulling them.")
    ] = False,
) -> None:
    """Stops and starts a process. A strategy is back in time to keep its quotes; an executor pulls its orders first."""
    found = load(config, acts=True)
    if keep and name != "executor":
        raise typer.BadParameter("only the executor holds orders to keep: tradebyte restart executor --keep")
    programs = programs_of(found, name)
    supervisord = supervisor.of(found)
    try:
        if keep:
            pids = {"executor": supervisor.hand_over(supervisord, "executor")}
        else:
            for program in reversed(programs):
                supervisor.stop(supervisord, program)
            pids = {program: supervisor.start(supervisord, program) for program in programs}
    except supervisor.Refused as error:
        if error.code == supervisor.BAD_NAME:
            fail(f"supervisord has no program of that name ({error}); is there a section for it in supervisord.conf?")
        fail(str(error))
    except (supervisor.Absent, supervisor.TooSlow) as error:
        fail(str(error))
    if json:
        print_json({"restarted": pids, "kept_orders": keep})
    else:
        for program, pid in pids.items():
            print(f"{program}: restarted as pid {pid}{', its orders kept' if keep else ''}")


def programs_of(config: Config, name: str) -> list[str]:
    """supervisord's programs that a name means, in the order of starting."""
    every = [supervisor.program_of(config, process) for process in config.process_names]
    if name == ALL:
        return every
    meant = supervisor.program_of(config, name)
    if meant not in every:
        raise typer.BadParameter(
            f"{name!r} is no process here; there are: {', '.join([*every, ALL])}", param_hint="NAME"
        )
    return [meant]
