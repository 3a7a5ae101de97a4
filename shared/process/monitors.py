"""Monitors of a process's own operations (how long they take) and memory (how much it holds)."""

from __future__ import annotations

import faulthandler
import functools
import gc
import inspect
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar, cast

import psutil

from shared import limits
from shared.clock import SECOND
from shared.measures.histogram import Histogram
from shared.process.logs import Logs

Function = TypeVar("Function", bound=Callable[..., object])


class Performance:
    """Durations by operation; ``on_slow(operation, seconds)`` is called for each over ``slow_s``.

    Use :meth:`measured` to decorate a function or a coroutine function, :meth:`timed` around a block.
    """

    def __init__(self, slow_s: float, on_slow: Callable[[str, float], None]) -> None:
        self._slow_ns = int(slow_s * 1e9)
        self._on_slow = on_slow
        self.operations: dict[str, Histogram] = {}

    def measured(self, operation: str) -> Callable[[Function], Function]:
        """Return a decorator for functions and coroutine functions; a call that raises counts as well."""

        def decorate(function: Function) -> Function:
            if inspect.iscoroutinefunction(function):

                @functools.wraps(function)
                async def measured_async(*args: object, **kwargs: object) -> object:
                    with self.timed(operation):
                        return await function(*args, **kwargs)

                return cast("Function", measured_async)

            @functools.wraps(function)
            def measured_sync(*args: object, **kwargs: object) -> object:
                with self.timed(operation):
                    return function(*args, **kwargs)

            return cast("Function", measured_sync)

        return decorate

    @contextmanager
    def timed(self, operation: str) -> Iterator[None]:
        """Measure a block."""
        began = time.perf_counter_ns()
        try:
            yield
        finally:
            self.record(operation, time.perf_counter_ns() - began)

    def record(self, operation: str, duration_ns: int) -> None:
        """Count one duration."""
        histogram = self.operations.get(operation)
        if histogram is None:
            if len(self.operations) >= limits.OPERATIONS_MEASURED:
                return
            histogram = self.operations[operation] = Histogram()
        histogram.add(duration_ns)
        if duration_ns > self._slow_ns:
            self._on_slow(operation, duration_ns / 1e9)

    def summary(self) -> dict[str, object]:
        """Return every operation's count, average, minimum, maximum and percentiles, in ms."""
        return {name: dict(histogram.summary_ms()) for name, histogram in self.operations.items()}


class Memory:
    """Resident memory against a threshold (a collection and a warning) and a limit (an orderly restart)."""

    def __init__(self, threshold_mb: float, limit_mb: float, rss: Callable[[], int] | None = None) -> None:
        self.threshold_mb, self.limit_mb = threshold_mb, limit_mb
        self._rss = rss or (lambda: int(psutil.Process().memory_info().rss))
        self._machine = psutil.virtual_memory().total
        self._warned_at = float("-inf")
        self.rss_mb = 0.0

    @property
    def share_percent(self) -> float:
        """Return this process's share of the machine's memory."""
        return round(100 * self.rss_mb * 2**20 / self._machine, 2)

    def check(self, now_s: float) -> tuple[str, bool]:
        """Return a warning (or an empty text), and whether the process should restart."""
        try:
            self.rss_mb = self._rss() / 2**20
        except (OSError, psutil.Error):  # no file descriptor is left to read it with: that must not end the process
            return "", False
        if self.rss_mb <= self.threshold_mb or now_s - self._warned_at < limits.MEMORY_WARN_EVERY_S:
            return "", self.rss_mb > self.limit_mb
        self._warned_at = now_s
        before = self.rss_mb
        gc.collect()
        self.rss_mb = self._rss() / 2**20
        text = f"memory {before:.0f} MB is above {self.threshold_mb:.0f} MB; {self.rss_mb:.0f} MB after a collection"
        return text, self.rss_mb > self.limit_mb


class Watchdog:
    """Ends the process, with its stack in its log, if turns stay away for 10 s; times are ns of CLOCK_BOOTTIME."""

    def __init__(self, log: Logs) -> None:
        self._log = log
        self._due = 0

    def turn(self, now: int) -> None:
        """Arm again, from time to time."""
        if now >= self._due:
            stream = self._log.stream or sys.stderr
            faulthandler.dump_traceback_later(limits.WATCHDOG_S, exit=True, file=stream.fileno())
            self._due = now + int(limits.WATCHDOG_REARM_S * SECOND)

    def end(self) -> None:
        """Disarm."""
        faulthandler.cancel_dump_traceback_later()


def raise_descriptor_limit() -> None:
    """Raise the limit of file descriptors as far as allowed: ZeroMQ aborts when there are none left."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = limits.DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, limits.DESCRIPTORS)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
