"""A process's starts: the boot number, and how many in a row failed.

Both are in one file, ``run/<name>.start``, written whole. A start failed when it ended before ``ready`` without being
asked to; five in a row are a crash loop.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from shared import limits
from shared.clock import wall_ns
from shared.messages import ProcessState
from shared.process.counts import number, read, write


@dataclass(slots=True)
class Start:
    """This start: its boot number, and how many before it failed in a row."""

    path: Path
    boot: int
    failed: int
    is_settled: bool = False

    @property
    def delay_s(self) -> float:
        """Return how long to wait before trying again."""
        if not self.failed:
            return 0.0
        return float(min(limits.BACKOFF_FIRST_S * 2 ** (self.failed - 1), limits.BACKOFF_MAX_S))

    @property
    def is_crash_loop(self) -> bool:
        """True once five starts failed in a row."""
        return self.failed >= limits.CRASH_LOOP_STARTS

    def back_off(self, warn: Callable[..., object], is_stopping: Callable[[], bool]) -> None:
        """Wait before another try, with a warning, or until the process is to stop."""
        if self.failed:
            warn("starts failed in a row", failed=self.failed, waiting_s=self.delay_s)
        until = time.monotonic() + self.delay_s
        while time.monotonic() < until and not is_stopping():
            time.sleep(0.05)

    def says(self, state: ProcessState) -> None:
        """Take in the process's state: only ``ready`` makes the start a success, however long it was degraded."""
        if state is ProcessState.READY:
            self.settle(ready=True)

    def settle(self, *, ready: bool) -> None:
        """Settle that this start is no failure: it reached ``ready``, or was asked to stop before. Counts once.

        If the disk is full the next start counts it as failed all the same.
        """
        if self.is_settled:
            return
        self.is_settled = True
        # The file's count may be lower: forget_failures() may have reset it since.
        failed = 0 if ready else min(self.failed, number(read(self.path), "failed"))
        with contextlib.suppress(OSError):
            write(self.path, {"boot": self.boot, "failed": failed, "pending": False})


def begin(folder: Path, name: str) -> Start:
    """Count this start. Call with the process's lock held."""
    path = folder / f"{name}.start"
    last = read(path)
    failed = number(last, "failed") + 1 if last.get("pending") else number(last, "failed")
    start = Start(path, max(wall_ns(), number(last, "boot") + 1), failed)
    write(path, {"boot": start.boot, "failed": failed, "pending": True})
    return start


def forget_failures(folder: Path, name: str) -> None:
    """Reset the count of failed starts, as a person lets the process run again. Raises OSError."""
    path = folder / f"{name}.start"
    last = read(path)
    if number(last, "failed"):
        write(path, {**last, "failed": 0})


def refused_delay_s(folder: Path, name: str) -> float:
    """Return how long a process whose lock was refused should wait before its next try, longer each time in a row."""
    path = folder / f"{name}.refused"
    counts = read(path)
    recent = wall_ns() - number(counts, "ts") < 2 * limits.BACKOFF_MAX_S * 1e9
    times = number(counts, "times") + 1 if recent else 0
    write(path, {"ts": wall_ns(), "times": times})
    return float(min(limits.BACKOFF_FIRST_S * 2**times, limits.BACKOFF_MAX_S)) if times else 0.0
