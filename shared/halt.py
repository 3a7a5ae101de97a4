"""The halt switch: a file (T10). While it is there nothing is placed, whatever restarts."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def is_halted(file: Path) -> bool:
    """True if the switch is on: whatever is there by that name, and also where nobody can look."""
    try:
        os.lstat(file)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def reason(file: Path) -> str:
    """Return why it is on: the file's text; empty when it is off, or where nothing is written in it."""
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except (FileNotFoundError, NotADirectoryError):
        return f"{file} leads nowhere" if is_halted(file) else ""
    except OSError as error:
        return f"{file} is there and cannot be read ({error.strerror})"


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
    """Turn it off; False when it was off already. An OSError means that it is still on."""
    try:
        if file.is_dir() and not file.is_symlink():
            file.rmdir()
        else:
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
