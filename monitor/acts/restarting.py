"""Restart a process, through supervisord."""

from __future__ import annotations

from monitor import supervisor
from shared.config import Config

ALL = "all"


class Refused(Exception):
    """There is nothing of that name to restart so; the text says what there is."""


def programs_of(config: Config, name: str, *, keep: bool = False) -> list[str]:
    """supervisord's programs that a name means, in the order of starting; raises :class:`Refused`."""
    every = [supervisor.program_of(config, process) for process in config.process_names]
    if name == ALL:
        meant = every
    elif supervisor.program_of(config, name) in every:
        meant = [supervisor.program_of(config, name)]
    else:
        raise Refused(f"{name!r} is no process here; there are: {', '.join([*every, ALL])}")
    if keep and name != "executor":
        raise Refused("only the executor holds orders to keep: tradebyte restart executor --keep")
    return meant


def restart(config: Config, programs: list[str], *, keep: bool = False) -> dict[str, int]:
    """Stops and starts these, and returns their pids; with ``keep`` an executor leaves its orders to its next start.

    Raises :class:`supervisor.Refused`, :class:`supervisor.Absent` or :class:`supervisor.TooSlow`.
    """
    supervisord = supervisor.of(config)
    try:
        if keep:
            return {program: supervisor.hand_over(supervisord, program) for program in programs}
        for program in reversed(programs):
            supervisor.stop(supervisord, program)
        return {program: supervisor.start(supervisord, program) for program in programs}
    except supervisor.Refused as error:
        if error.code == supervisor.BAD_NAME:
            text = f"supervisord has no program of that name ({error}); is there a section for it in supervisord.conf?"
            raise supervisor.Refused(error.code, text) from None
        raise


def told(pids: dict[str, int], *, keep: bool) -> list[str]:
    """What :func:`restart` did, in words."""
    return [f"{program}: restarted as pid {pid}{', its orders kept' if keep else ''}" for program, pid in pids.items()]
