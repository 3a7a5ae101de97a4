"""Restart a process, through supervisord."""

from __future__ import annotations

from typing import Final

from monitor.model.listener import Listener
from monitor.model.view import View
from monitor.watchdog import supervisor
from shared.config import Config

ALL = "all"
# A process that waits before its start, after others that failed, is not heard by then, and not dead either.
HEARD_S: Final = 5.0


class Ended(supervisor.TooSlow):
    """A process ended again right after its start; the text says which, and where it says why."""


class Refused(Exception):
    """There is nothing of that name to restart so; the text says what there is."""


def programs_of(config: Config, name: str, *, keep: bool = False) -> list[str]:
    """Return supervisord's programs that a name means, in order of starting. Raises :class:`RestartRefused`."""
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
    """Stop and start these programs and return their pids; ``keep`` leaves an executor's orders to its next start.

    Raises :class:`supervisor.Refused`, :class:`supervisor.Absent` or :class:`supervisor.TooSlow`,
    of which :class:`Ended` is one.
    """
    supervisord = supervisor.supervisord_of(config)
    try:
        if keep:
            pids = {program: supervisor.hand_over(supervisord, program) for program in programs}
        else:
            for program in reversed(programs):
                supervisor.stop(supervisord, program)
            pids = {program: supervisor.start(supervisord, program) for program in programs}
        _stays(config, supervisord, pids)
        return pids
    except supervisor.Refused as error:
        if error.code == supervisor.BAD_NAME:
            text = f"supervisord has no program of that name ({error}); is there a section for it in supervisord.conf?"
            raise supervisor.Refused(error.code, text) from None
        raise


def _stays(config: Config, supervisord: supervisor.Supervisor, pids: dict[str, int]) -> None:
    """Wait until each process is heard; raise :class:`Ended` for one that has ended instead.

    supervisord says of a process that it runs before that has read its configuration.
    """
    processes = {supervisor.program_of(config, process): process for process in config.process_names}
    left = dict(pids)

    def are_heard(view: View) -> bool:
        for program, pid in list(left.items()):
            heard = view.heartbeats.get(processes[program])
            if heard is not None and heard.beat.pid == pid:
                del left[program]
        for program, pid in left.items():
            info = supervisord.info(program)
            if info.pid != pid:
                logs = f"logs/{program}.out.log and logs/{processes[program]}.log"
                raise Ended(
                    f"{program} was started as pid {pid} and has ended (exit code {info.exitstatus}); {logs} say why"
                )
        return not left

    with Listener(config, ("heartbeat",)) as listener:
        listener.until(are_heard, HEARD_S)


def describe(pids: dict[str, int], *, keep: bool) -> list[str]:
    """Return what :func:`restart` did, in words."""
    return [f"{program}: restarted as pid {pid}{', its orders kept' if keep else ''}" for program, pid in pids.items()]
