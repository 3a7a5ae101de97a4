"""A bounded spin: a process that has just worked stays awake for a while instead of sleeping in the kernel.

The next message then finds it running, with warm caches. It takes a whole core while it lasts, and gives way to any
other process that wants to run.
"""

from __future__ import annotations

import asyncio
import os

from shared import limits
from shared.clock import MS, boot_ns


class Spin:
    """Off unless ``is_on``; times are ns of CLOCK_BOOTTIME."""

    def __init__(self, *, is_on: bool) -> None:
        self._lasts_ns = limits.SPIN_MS * MS if is_on else 0
        self._until = 0
        self._is_kept = False

    def stir(self, now: int) -> None:
        """Note that there was work: stay awake from now on."""
        self._until = now + self._lasts_ns

    def keep(self, loop: asyncio.AbstractEventLoop) -> None:
        """Keep an event loop from sleeping while it should be awake; once for each loop, however often called."""
        if not self._is_kept and self.is_awake():
            self._is_kept = True
            loop.call_soon(self._again, loop)

    def _again(self, loop: asyncio.AbstractEventLoop) -> None:
        self._is_kept = False
        self.keep(loop)

    def is_awake(self) -> bool:
        """True while the process should not sleep; lets others run first."""
        if not self._lasts_ns or boot_ns() >= self._until:
            return False
        os.sched_yield()
        return True
