"""Virtual time: one queue of actions by time. Nothing sleeps, and a seed always runs the same way."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

from shared.clock import SECOND


class Loop:
    """``now`` is ns of the machines' CLOCK_BOOTTIME; events of the same moment happen in the order they were asked."""

    def __init__(self, now: int) -> None:
        self.now = now
        self.events = 0
        self._queue: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._asked = 0

    def at(self, when: int, action: Callable[..., None], *arguments: Any) -> None:
        """``action`` happens at ``when``, at the earliest now."""
        self._asked += 1
        heapq.heappush(self._queue, (max(when, self.now), self._asked, action, arguments))

    def after(self, seconds: float, action: Callable[..., None], *arguments: Any) -> None:
        """``action`` happens in so many seconds."""
        self.at(self.now + int(seconds * SECOND), action, *arguments)

    def every(self, seconds: float, action: Callable[[], None]) -> None:
        """``action`` happens now and then, for good."""

        def again() -> None:
            self.after(seconds, again)
            action()

        self.after(0, again)

    def run(self, until: int) -> None:
        """Everything up to ``until``."""
        while self._queue and self._queue[0][0] <= until:
            when, _, action, arguments = heapq.heappop(self._queue)
            self.now = when
            self.events += 1
            action(*arguments)
        self.now = until
