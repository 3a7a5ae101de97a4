"""Topics that wake nobody: they are read by turns, and before any other message, so that these find them read."""

from __future__ import annotations

from shared import limits
from shared.bus import Received, Subscriber


class Lazily:
    """Reads a subscriber; says when to read it between two turns, while much comes: what waits is in others' way.

    It is read every ``busy_ms`` then; 0 for never.
    """

    def __init__(self, subscriber: Subscriber, *, is_used: bool) -> None:
        self.subscriber = subscriber
        self._is_used = is_used
        self._counted = 0
        self.busy_ms = 0

    def read(self) -> list[Received]:
        """Return what waits."""
        return self.subscriber.drain() if self._is_used and self.subscriber.has_waiting else []

    def more(self, turn_ms: int) -> list[float]:
        """Return in how many seconds to read again before the next turn, if many came since the last one."""
        counted, self._counted = self._counted, self.subscriber.counters.messages
        if not self.busy_ms or self._counted - counted <= limits.LAZY_FEW:
            return []
        return [wait_ms / 1000 for wait_ms in range(self.busy_ms, turn_ms, self.busy_ms)]
