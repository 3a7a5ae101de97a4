"""The halt switch: a file (T10). While it is there nothing is placed, whatever restarts."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def is_halted(file: Path) -> bool:
    """Is the switch on."""
    return file.exists()


def reason(file: Path) -> str:
    """Why it is on: the file's text; empty when it is off."""
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def halt(file: Path, why: str) -> None:
    """Turns it on, on the disk before this returns. A halt already there keeps its reason.

    An OSError means that it is off; on a full disk it is on without its reason, since an empty file is enough.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        return
    with contextlib.suppress(OSError):
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(why + "\n")
            opened.flush()
            os.fsync(opened.fileno())
        _sync_folder(file.parent)


def resume(file: Path) -> bool:
    """Turns it off; False when it was off already."""
    try:
        file.unlink()
    except FileNotFoundError:
        return False
    _sync_folder(file.parent)
    return True


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
