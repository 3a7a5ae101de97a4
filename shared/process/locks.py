"""The lock that keeps a second copy of a process away."""

from __future__ import annotations

import fcntl
import os
import sys
import time
from pathlib import Path

from shared.errors import Held
from shared.process.command_line import EXIT_HELD
from shared.process.starts import refused_delay_s


class Lock:
    """An OS lock on ``run/<name>.lock``, released by the kernel however the process ends."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{name}.lock"
        self._file = open(self._path, "a+", encoding="utf-8")  # noqa: SIM115 - held for life
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.seek(0)
            holder = self._file.read().strip() or "an unknown process"
            self._file.close()
            raise Held(f"{name} runs already: {holder} holds {self._path}; stop that one first") from None
        self._file.truncate(0)
        self._file.write(f"pid {os.getpid()} in {Path.cwd()}")
        self._file.flush()

    def release(self) -> None:
        """Release the lock."""
        self._file.close()


def take(folder: Path, name: str, *, waits: bool) -> Lock:
    """Take a process's lock, or exit 75 with the reason; ``waits`` waits before that, longer each time in a row."""
    try:
        return Lock(folder, name)
    except Held as error:
        print(f"{name}: {error}", file=sys.stderr, flush=True)
        if waits:
            time.sleep(refused_delay_s(folder, name))
        raise SystemExit(EXIT_HELD) from None
