"""The next actions of one venue's crowd, and their times."""

from __future__ import annotations

import heapq
from collections.abc import Callable


class Schedule:
    """Actions in the order of their times (ns); those of one time in the order in which they were added."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Callable[..., None], tuple[object, ...]]] = []
        self._count = 0

    def later(self, when: int, action: Callable[..., None], *arguments: object) -> None:
        """Call ``action(when, *arguments)`` at ``when``."""
        self._count += 1
        heapq.heappush(self._heap, (when, self._count, action, arguments))

    @property
    def due_ns(self) -> int:
        """Return the time when the next action is due."""
        return self._heap[0][0]

    def run_next(self) -> None:
        """Do the next action."""
        when, _, action, arguments = heapq.heappop(self._heap)
        action(when, *arguments)
