"""Topics that wake nobody: they are read by a timer, and before any other message, so that these find them read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from shared import limits
from shared.bus import Received, Subscriber


class Lazily:
    """Reads a subscriber by a timer, more often while much comes: what waits is in the next message's way."""

    def __init__(self, subscriber: Subscriber, *, is_used: bool) -> None:
        self.subscriber = subscriber
        self._is_used = is_used
        self._read = 0

    def read(self) -> list[Received]:
        """Return what waits."""
        return self.subscriber.drain() if self._is_used else []

    def begin(self, loop: asyncio.AbstractEventLoop, on_messages: Callable[[list[Received]], None]) -> None:
        """Hand on what waits, now and by the timer from then on."""
        if not self._is_used:
            return
        received = self.read()
        if received:
            on_messages(received)
        count, self._read = self.subscriber.counters.messages - self._read, self.subscriber.counters.messages
        wait_ms = limits.LAZY_BUSY_MS if count > limits.LAZY_FEW else limits.LAZY_MS
        loop.call_later(wait_ms / 1000, self.begin, loop, on_messages)
