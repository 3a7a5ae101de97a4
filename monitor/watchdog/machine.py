"""The machine: CPU, memory, and the disk that holds the journal."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import psutil

from monitor.model.status_object import MachineFigures

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
