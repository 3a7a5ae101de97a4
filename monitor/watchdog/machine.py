"""The machine: CPU, memory, and the disk that holds the journal; and what of it is too little."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NamedTuple

import psutil

from monitor.model.status_object import MachineFigures
from shared.config.monitor import Monitor

MB = 2**20


class Machine:
    """Looks at the machine; the first CPU figure counts from the making of this object."""

    def __init__(self, data: Path) -> None:
        self._data = data
        psutil.cpu_percent()

    def figures(self) -> MachineFigures:
        """Return CPU percent since the last look, load, and percent and free MB of memory and disk."""
        memory = psutil.virtual_memory()
        folder = next(folder for folder in (self._data, *self._data.parents) if folder.exists())
        disk = shutil.disk_usage(folder)
        return MachineFigures(
            cpu_percent=psutil.cpu_percent(),
            cpus=os.cpu_count() or 1,
            load_1_min=round(os.getloadavg()[0], 2),
            memory_percent=memory.percent,
            memory_free_mb=memory.available // MB,
            disk_percent=round(100 * disk.used / disk.total, 1) if disk.total else 0.0,
            disk_free_mb=disk.free // MB,
        )


class Shortage(NamedTuple):
    """A figure beyond its threshold, and what to do about it."""

    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.what}: {self.mend}"


def troubles(figures: MachineFigures, limits: Monitor) -> dict[str, Shortage]:
    """Return the figures beyond the configuration's thresholds: ``cpu``, ``memory``, ``disk``."""
    shortages = {}
    if figures.cpu_percent > limits.cpu_percent:
        shortages["cpu"] = Shortage(
            f"the machine's CPU is {figures.cpu_percent:.0f} % busy, above {limits.cpu_percent:g} %",
            "see with 'top' what takes it; quotes come late",
        )
    if figures.memory_percent > limits.memory_percent:
        shortages["memory"] = Shortage(
            f"the machine's memory is {figures.memory_percent:.0f} % full, above {limits.memory_percent:g} %",
            "end what is not needed, or the kernel ends something of its own choice",
        )
    if figures.disk_free_mb < limits.disk_free_mb:
        shortages["disk"] = Shortage(
            f"{figures.disk_free_mb:.0f} MB are free on the disk of data/, below {limits.disk_free_mb:g} MB",
            "make room; with a full disk the journal cannot be written, and quotes are pulled",
        )
    return shortages
