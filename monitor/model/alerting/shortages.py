"""Shortages of the machine, by the configuration's thresholds."""

from __future__ import annotations

from typing import NamedTuple

from monitor.model.status_object import MachineFigures
from shared.config.monitor import Monitor


class Shortage(NamedTuple):
    """A figure beyond its threshold, and what to do about it."""

    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.what}: {self.mend}"


def shortages(figures: MachineFigures, limits: Monitor) -> dict[str, Shortage]:
    """Return the figures beyond the configuration's thresholds: ``cpu``, ``memory``, ``disk``."""
    lacking = {}
    if figures.cpu_percent > limits.cpu_percent:
        lacking["cpu"] = Shortage(
            f"the machine's CPU is {figures.cpu_percent:.0f} % busy, above {limits.cpu_percent:g} %",
            "see with 'top' what takes it; quotes come late",
        )
    if figures.memory_percent > limits.memory_percent:
        lacking["memory"] = Shortage(
            f"the machine's memory is {figures.memory_percent:.0f} % full, above {limits.memory_percent:g} %",
            "end what is not needed, or the kernel ends something of its own choice",
        )
    if figures.disk_free_mb < limits.disk_free_mb:
        lacking["disk"] = Shortage(
            f"{figures.disk_free_mb:.0f} MB are free on the disk of data/, below {limits.disk_free_mb:g} MB",
            "make room; with a full disk the journal cannot be written, and quotes are pulled",
        )
    return lacking
