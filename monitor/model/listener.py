"""Attaching to the bus from outside, as a command does: no process of its own, nothing bound."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from monitor.model.view import View
from shared import bus
from shared.clock import boot_ns
from shared.config import Config

# Longer than two heartbeats: a process not heard by then does not run.
GATHER_S = 2.5
SHOWN = ("heartbeat", "book", "feed.status", "feed.instrument", "order", "position", "account", "control")


class Listener:
    """A subscriber that fills a view."""

    def __init__(self, config: Config, wanted: Iterable[str] = SHOWN) -> None:
        self.view = View(config)
        self._subscriber = bus.attach(config, wanted)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._subscriber.close()

    def until(self, done: Callable[[View], bool], seconds: float) -> bool:
        """Listen until the view satisfies ``done`` or the time is over; true if it did."""
        end = boot_ns() + int(seconds * 1e9)
        while not done(self.view):
            left_ms = (end - boot_ns()) // 1_000_000
            if left_ms <= 0:
                return False
            self._subscriber.wait(min(left_ms, 50))
            now = boot_ns()
            for received in self._subscriber.drain():
                self.view.take(received, now)
        return True


def gather(config: Config, done: Callable[[View], bool], wanted: Iterable[str] = SHOWN) -> View:
    """Return what the bus says, as soon as it is enough or after :data:`GATHER_S`."""
    with Listener(config, wanted) as listener:
        listener.until(done, GATHER_S)
        return listener.view
