"""The two clocks that shells read; cores get the time passed in.

``boot_ns`` is CLOCK_BOOTTIME: one clock for all processes of a machine. Nobody can set it, and it runs on through a
suspend. ``wall_ns`` is the wall clock, for times that leave the machine or that people see.
"""

from __future__ import annotations

import functools
import socket
import time
from datetime import UTC, datetime
from pathlib import Path

MS = 1_000_000
SECOND = 1_000_000_000


def boot_ns() -> int:
    """Return ns of CLOCK_BOOTTIME."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def wall_ns() -> int:
    """Return ns since the epoch."""
    return time.time_ns()


def clock_id() -> str:
    """Return an id of this machine's boot and so of its CLOCK_BOOTTIME: stamps compare only under equal ids."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return socket.gethostname()


def rfc3339(ns: int) -> str:
    """Return ns since the epoch as RFC 3339 text with microseconds and ``Z``, as Kraken writes times."""
    whole, rest = divmod(ns, SECOND)
    return f"{_second_text(whole)}.{rest // 1000:06d}Z"


@functools.lru_cache(maxsize=16)
def _second_text(whole: int) -> str:
    """Return a second since the epoch as text; most times that are written in a row share one."""
    return datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def parse_rfc3339(text: str) -> int:
    """Return ns since the epoch of RFC 3339 text, in UTC or with an offset. Raises ValueError for anything else."""
    stem, dot, rest = text.removesuffix("Z").partition(".")
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))] if dot else ""
    whole = datetime.fromisoformat(stem + rest[len(digits) :])
    if len(stem) < len("2006-01-02T15:04:05") or stem[10] != "T" or (dot and not digits):
        raise ValueError(f"{text!r} is no time of RFC 3339")
    whole = whole if whole.tzinfo is not None else whole.replace(tzinfo=UTC)
    return int(whole.timestamp()) * SECOND + (int(digits[:9].ljust(9, "0")) if digits else 0)
