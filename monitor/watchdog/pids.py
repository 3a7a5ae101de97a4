"""The processes of this machine by pidfd, which shows an end at once and never means another's pid."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from typing import Final

from shared.messages import Heartbeat

NONE: Final = -1


class Pids:
    """The pidfd of each process that was heard; ``on_end(process, pid)`` is called when one ends."""

    def __init__(self, names: list[str], host: str, on_end: Callable[[str, int], None]) -> None:
        self._names, self._host, self._on_end = frozenset(names), host, on_end
        # process: its pid and pidfd, which is NONE for one that has ended, so that a late heartbeat is no second end
        self._held: dict[str, tuple[int, int]] = {}

    def hold(self, beat: Heartbeat) -> None:
        """Hold the process that sent this heartbeat; report one that has ended meanwhile at once."""
        held = self._held.get(beat.process)
        is_ours = beat.process in self._names and beat.host == self._host and beat.pid > 0
        if not is_ours or (held is not None and held[0] == beat.pid):
            return
        self.release(beat.process)
        try:
            pidfd = os.pidfd_open(beat.pid)
        except OSError:
            self._ended(beat.process, beat.pid)
            return
        self._held[beat.process] = (beat.pid, pidfd)
        asyncio.get_running_loop().add_reader(pidfd, self._ended, beat.process, beat.pid)

    def kill(self, process: str, pid: int) -> None:
        """Send SIGKILL, if that very process still lives."""
        held = self._held.get(process)
        if held is not None and held[0] == pid and held[1] != NONE:
            signal.pidfd_send_signal(held[1], signal.SIGKILL)

    def release(self, process: str) -> None:
        """Let go of a process."""
        held = self._held.pop(process, None)
        if held is not None and held[1] != NONE:
            asyncio.get_running_loop().remove_reader(held[1])
            os.close(held[1])

    def release_all(self) -> None:
        """Let go of every process."""
        for process in list(self._held):
            self.release(process)

    def _ended(self, process: str, pid: int) -> None:
        self.release(process)
        self._held[process] = (pid, NONE)
        self._on_end(process, pid)
