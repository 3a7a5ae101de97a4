"""One life of the executor, from start to end: its epoch, its clocks, and whether its journal can be written."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Life:
    """Written by the shell (clock) and the dispatcher (epoch, journal).

    ``started`` is ns of CLOCK_BOOTTIME; ``boot_to_wall`` added to CLOCK_BOOTTIME gives ns since the epoch.
    """

    epoch: int
    started: int
    boot_to_wall: int = 0
    journal_ok: bool = True

    def wall_ts(self, now: int) -> int:
        """Return ns since the epoch for a time of CLOCK_BOOTTIME."""
        return now + self.boot_to_wall

    def set_clock(self, boot_to_wall: int) -> None:
        """Set the difference between the wall clock and CLOCK_BOOTTIME."""
        self.boot_to_wall = boot_to_wall

    def outbid(self, epoch: int) -> None:
        """Set a higher epoch, once the journal holds it."""
        self.epoch = epoch

    def set_journal(self, *, is_writable: bool) -> None:
        """Note whether the journal can be written."""
        self.journal_ok = is_writable
