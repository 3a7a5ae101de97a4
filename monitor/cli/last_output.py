"""Last output of a process that is not heard, such as why it refuses to start."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from monitor.model.status_object import Status
from monitor.model.view import DEAD
from monitor.watchdog import supervisor
from shared.config import Config

READ_BYTES: Final = 8192
SHOWN_CHARACTERS: Final = 400


def added(status: Status, config: Config) -> Status:
    """Return the status object with what each dead process printed last."""
    processes = dict(status.processes)
    for name, process in status.processes.items():
        said = last_line(config, name) if process.state == DEAD else ""
        if said:
            processes[name] = replace(process, why=f"{process.why}; it said last: {said}")
    return replace(status, processes=processes)


def last_line(config: Config, name: str) -> str:
    """Return the last line that a process printed under supervisord; empty where there is none."""
    path = config.logs / f"{supervisor.program_of(config, name)}.out.log"
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - READ_BYTES))
            lines = file.read().decode("utf-8", "replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")[:SHOWN_CHARACTERS]
