"""The wait after the lock was refused, longer each time."""

from __future__ import annotations

from pathlib import Path

from shared import limits
from shared.clock import wall_ns
from shared.process.counts import number, read, write


def refused_delay_s(folder: Path, name: str) -> float:
    """Return how long a process whose lock was refused should wait before its next try, longer each time in a row."""
    path = folder / f"{name}.refused"
    counts = read(path)
    recent = wall_ns() - number(counts, "ts") < 2 * limits.BACKOFF_MAX_S * 1e9
    times = number(counts, "times") + 1 if recent else 0
    write(path, {"ts": wall_ns(), "times": times})
    return float(min(limits.BACKOFF_FIRST_S * 2**times, limits.BACKOFF_MAX_S)) if times else 0.0
