"""Last output of a process that is not heard, such as why it refuses to start."""

from __future__ import annotations

from typing import Any, Final

from monitor.model.view import DEAD
from monitor.watchdog import supervisor
from shared.config import Config

READ_BYTES: Final = 8192
SHOWN_CHARACTERS: Final = 400


def add(status: dict[str, Any], config: Config) -> None:
    """Add to each dead process of a status object what it printed last."""
    for name, process in status["processes"].items():
        said = last_line(config, name) if process["state"] == DEAD else ""
        if said:
            process["why"] += f"; it said last: {said}"


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
