"""The heartbeat of a process: when one is due, and what it says besides the process's own details."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

from shared import limits
from shared.bus import Counters
from shared.clock import MS, SECOND
from shared.messages import Heartbeat, ProcessState
from shared.process.monitors import Memory
from shared.version import tradebyte_version


class Beats:
    """Times are ns of CLOCK_BOOTTIME; ``lag_ns`` is the longest time for which the loop was busy since the last one."""

    def __init__(self, name: str, started: int) -> None:
        self._name, self._started = name, started
        self._due = 0
        self._shown: tuple[ProcessState, str] | None = None
        self.lag_ns = 0

    def soon(self) -> None:
        """Have the next turn send one."""
        self._due = 0

    def is_due(self, now: int, state: ProcessState, why: str) -> bool:
        """True once a second, and when the state changed."""
        return now >= self._due or self._shown != (state, why)

    def next(
        self,
        now: int,
        state: ProcessState,
        why: str,
        *,
        memory: Memory,
        counters: Counters,
        sent: int,
        drops: int,
        details: Mapping[str, object],
    ) -> Heartbeat:
        """Return the heartbeat that leaves now."""
        self._due = now + int(limits.HEARTBEAT_S * SECOND)
        self._shown = (state, why)
        lag_ns, self.lag_ns = self.lag_ns, 0
        return Heartbeat(
            process=self._name,
            pid=os.getpid(),
            host=socket.gethostname(),
            version=tradebyte_version(),
            state=state,
            why=why,
            uptime_s=round((now - self._started) / SECOND, 3),
            loop_lag_ms=round(lag_ns / MS, 3),
            rss_mb=round(memory.rss_mb, 1),
            messages_in=counters.messages,
            messages_out=sent,
            gaps=counters.gaps,
            drops=drops + counters.untracked,
            details={
                **details,
                "undecodable": counters.undecodable,
                "superseded": counters.superseded,
                "memory_percent": memory.share_percent,
            },
        )
