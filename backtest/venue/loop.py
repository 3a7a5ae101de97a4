"""Virtual time: one queue of actions by time. Nothing sleeps, and the same actions always run in the same order."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import TypeVarTuple

from shared.clock import SECOND

Arguments = TypeVarTuple("Arguments")
FAR = 2**62  # ns: later than any moment


class Loop:
    """``now`` is ns of the machines' CLOCK_BOOTTIME; events of one moment happen in the order they were asked for."""

    def __init__(self, now: int) -> None:
        self.now = now
        self.events = 0
        self._queue: list[tuple[int, int, Callable[..., None], tuple[object, ...]]] = []
        self._asked = 0

    def at(self, when: int, action: Callable[[*Arguments], None], *arguments: *Arguments) -> None:
        """Have ``action`` happen at ``when``, at the earliest now."""
        self._asked += 1
        heapq.heappush(self._queue, (max(when, self.now), self._asked, action, arguments))

    def after(self, seconds: float, action: Callable[[*Arguments], None], *arguments: *Arguments) -> None:
        """Have ``action`` happen in so many seconds."""
        self.at(self.now + int(seconds * SECOND), action, *arguments)

    def every(self, seconds: float, action: Callable[[], None]) -> None:
        """Have ``action`` happen now and then, for good."""

        def again() -> None:
            self.after(seconds, again)
            action()

        self.after(0, again)

    def due(self) -> int:
        """Return when the next action is due; far away if there is none."""
        return self._queue[0][0] if self._queue else FAR

    def run_next(self) -> None:
        """Let the next action happen."""
        when, _, action, arguments = heapq.heappop(self._queue)
        self.now = when
        self.events += 1
        action(*arguments)

    def run(self, until: int) -> None:
        """Let everything happen up to ``until``."""
        while self.due() <= until:
            self.run_next()
        self.now = until
