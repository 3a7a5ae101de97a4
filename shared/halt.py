"""The halt switch: a file (T10). While it exists nothing is placed, through every restart.

It holds a :class:`Halt` as JSON; a file with any other content halts as well.
"""

from __future__ import annotations

import contextlib
import os
from enum import StrEnum
from pathlib import Path

import msgspec


class Cause(StrEnum):
    """The cause of a halt, for programs; people read the text."""

    PERSON = "person"
    DAILY_LOSS = "daily_loss"
    FLATTENED = "flattened"
    CRASH_LOOP = "crash_loop"
    OTHER = "other"  # a file that is not TradeByte's, whatever it contains


class Halt(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why trading is halted; ``who`` and ``at`` (RFC 3339) if a person did it."""

    cause: Cause
    words: str
    who: str = ""
    at: str = ""

    @property
    def sentence(self) -> str:
        """Return the reason in words, with who and when."""
        return f"{self.at} by {self.who}: {self.words}" if self.who else self.words


def is_halted(file: Path) -> bool:
    """True if the switch is on: anything has that name, or the path cannot be examined."""
    try:
        os.lstat(file)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def halt_trading(file: Path, why: Halt) -> None:
    """Turn the switch on with a reason that programs can read; see :func:`halt`."""
    halt(file, msgspec.json.encode(why).decode())


def read(file: Path) -> Halt:
    """Return why trading is halted; if the file holds no :class:`Halt`, its text with :attr:`Cause.OTHER`."""
    text = _text(file)
    try:
        return msgspec.json.decode(text, type=Halt)
    except msgspec.MsgspecError:
        return Halt(Cause.OTHER, text)


def reason(file: Path) -> str:
    """Return why the switch is on, as text; empty if it is off, or its file is empty."""
    return read(file).sentence


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except (FileNotFoundError, NotADirectoryError):
        return f"{file} leads nowhere" if is_halted(file) else ""
    except OSError as error:
        return f"{file} is there and cannot be read ({error.strerror})"


def halt(file: Path, why: str) -> None:
    """Turn the switch on; the file is on the disk before this returns. A halt that is on already keeps its reason.

    An OSError means that it is off. On a full disk it is on without its reason, since an empty file is enough.
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
    """Turn the switch off; return False if it was off already. An OSError means that it is still on."""
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
