"""Restart a process, through supervisord."""

from __future__ import annotations

from typing import Final

from monitor.errors import EndedAgain, RestartRefused, SupervisorRefused
from monitor.model.listener import Listener
from monitor.model.view import View
from monitor.watchdog import supervisor
from shared.config import Config

ALL = "all"
# A process in backoff after failed starts is not heard by then, and not dead either.
HEARD_S: Final = 5.0


def programs_of(config: Config, name: str, *, keep: bool = False) -> list[str]:
    """Return supervisord's programs that a name means, in order of starting. Raises :class:`RestartRefused`."""
    every = [supervisor.program_of(config, process) for process in config.process_names]
    if name == ALL:
        meant = every
    elif supervisor.program_of(config, name) in every:
        meant = [supervisor.program_of(config, name)]
    else:
        raise RestartRefused(f"{name!r} is no process here", f"there are: {', '.join([*every, ALL])}")
    if keep and name != "executor":
        raise RestartRefused("only the executor holds orders to keep: tradebyte restart executor --keep")
    return meant


def restart(config: Config, programs: list[str], *, keep: bool = False) -> dict[str, int]:
    """Stop and start these programs and return their pids; ``keep`` leaves an executor's orders to its next start.

    Raises :class:`SupervisorError`; :class:`EndedAgain` for a process that does not stay.
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
    except SupervisorRefused as error:
        if error.code == supervisor.BAD_NAME:
            why = f"supervisord has no program of that name ({error})"
            raise SupervisorRefused(error.code, why, "is there a section for it in supervisord.conf?") from None
        raise


def _stays(config: Config, supervisord: supervisor.Supervisor, pids: dict[str, int]) -> None:
    """Wait until each process is heard; raise :class:`EndedAgain` for one that has ended instead.

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
                why = f"{program} was started as pid {pid} and has ended (exit code {info.exitstatus})"
                raise EndedAgain(why, f"{logs} say why")
        return not left

    with Listener(config, ("heartbeat",)) as listener:
        listener.until(are_heard, HEARD_S)


def describe(pids: dict[str, int], *, keep: bool) -> list[str]:
    """Return what :func:`restart` did, in words."""
    return [f"{program}: restarted as pid {pid}{', its orders kept' if keep else ''}" for program, pid in pids.items()]
