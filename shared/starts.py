"""What outlives a process's start: its lock, its boot number, and the count of starts that failed.

All in ``run/``. A start failed when it ended before ``ready`` without being asked to; five in a row are a crash loop.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from shared import limits
from shared.clock import wall_ns
from shared.messages import ProcessState


class Held(Exception):
    """Another process holds what this one needs; the text says which and by whom."""


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
        """Gives the lock up."""
        self._file.close()


class MachineLock:
    """A lock across folders and users of this machine, keyed by a secret-free text.

    An abstract Unix socket: the kernel frees it however the holder ends, no file can be deleted under it, and it
    tells the holder's pid.
    """

    def __init__(self, key: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        name = f"\0tradebyte-{key}"
        try:
            self._socket.bind(name)
            self._socket.listen(1)
        except OSError:
            self._socket.close()
            raise Held(f"this account is traded already by {_peer(name)}; stop that one first") from None

    def release(self) -> None:
        """Gives the lock up."""
        self._socket.close()


def account_key(rest_url: str, api_key: str) -> str:
    """Return the name of an account on this machine: the exchange's address, however spelled, and the key, hashed."""
    return hashlib.sha256(f"{_address(rest_url)} {api_key}".encode()).hexdigest()[:32]


def _address(url: str) -> str:
    """A URL without what may be written in more than one way: case, the default port, a slash at the end, localhost."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:  # no URL: nothing answers there either
        return url
    host = (parts.hostname or "").rstrip(".")
    host = "127.0.0.1" if host in ("localhost", "::1") else host
    return f"{parts.scheme}://{host}:{port}{parts.path.rstrip('/')}"


def is_account_held(key: str) -> bool:
    """Does anybody hold the :class:`MachineLock` of a key. Looks without connecting: nobody accepts there."""
    try:
        return any(line.endswith(f" @tradebyte-{key}") for line in Path("/proc/net/unix").read_text().splitlines())
    except OSError:
        return True  # what cannot be seen is not disturbed


def _peer(name: str) -> str:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(name)
            raw = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        except OSError:
            return "another process"
    return describe(int.from_bytes(raw[:4], "little"))


def describe(pid: int) -> str:
    """A process in words: its pid, command and folder, as far as they can be seen."""
    try:
        process = psutil.Process(pid)
        return f"pid {pid} ({' '.join(process.cmdline()[1:5]) or process.name()}) in {process.cwd()}"
    except psutil.Error:
        return f"pid {pid}"


def listener(port: int) -> tuple[bool, int | None]:
    """Does anybody listen on a TCP port of this machine, and the pid where it can be seen."""
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port:
                return True, connection.pid
    except psutil.Error:
        pass
    return False, None


def port_holder(port: int) -> str:
    """Who listens on a TCP port of this machine, in words."""
    is_taken, pid = listener(port)
    if not is_taken:
        return "another process"
    return describe(pid) if pid else "a process of another user"


def port_taken(port: int, key: str) -> Held:
    """The refusal for a taken port; ``key`` is the configuration's key of it."""
    return Held(f"port {port} is taken by {port_holder(port)}; stop that one, or change {key}")


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _number(found: dict[str, Any], key: str) -> int:
    value = found.get(key, 0)
    return value if isinstance(value, int) and value >= 0 else 0


def _write(path: Path, content: dict[str, Any]) -> None:
    part = path.with_suffix(path.suffix + ".part")
    part.write_text(json.dumps(content), encoding="utf-8")
    part.replace(path)


@dataclass(slots=True)
class Start:
    """This start: its boot number, and how many before it failed in a row."""

    path: Path
    boot: int
    failed: int
    is_settled: bool = False

    @property
    def delay_s(self) -> float:
        """Return how long to wait before trying again."""
        if not self.failed:
            return 0.0
        return float(min(limits.BACKOFF_FIRST_S * 2 ** (self.failed - 1), limits.BACKOFF_MAX_S))

    @property
    def is_crash_loop(self) -> bool:
        """Five failed in a row."""
        return self.failed >= limits.CRASH_LOOP_STARTS

    def says(self, state: ProcessState) -> None:
        """The process's word on itself: only ``ready`` makes the start a success, however long it was degraded."""
        if state is ProcessState.READY:
            self.settle(ready=True)

    def settle(self, *, ready: bool) -> None:
        """This start reached ``ready``, or was asked to stop before: either way it has not failed. Settled once.

        On a full disk it counts as failed for the next one: nothing ends for that.
        """
        if self.is_settled:
            return
        self.is_settled = True
        # From the file: what is there may have been forgotten since.
        failed = 0 if ready else min(self.failed, _number(_read(self.path), "failed"))
        with contextlib.suppress(OSError):
            _write(self.path, {"boot": self.boot, "failed": failed, "pending": False})


def begin(folder: Path, name: str) -> Start:
    """Counts this start. Call with the process's lock held."""
    path = folder / f"{name}.start"
    last = _read(path)
    failed = _number(last, "failed") + 1 if last.get("pending") else _number(last, "failed")
    start = Start(path, max(wall_ns(), _number(last, "boot") + 1), failed)
    _write(path, {"boot": start.boot, "failed": failed, "pending": True})
    return start


def forget_failures(folder: Path, name: str) -> None:
    """Begin the row of failed starts anew: a person has looked, and lets it run again. Raises OSError."""
    path = folder / f"{name}.start"
    last = _read(path)
    if _number(last, "failed"):
        _write(path, {**last, "failed": 0})


def refused_delay_s(folder: Path, name: str) -> float:
    """Return how long a process that was refused lately should wait before its next try: slower each time."""
    path = folder / f"{name}.refused"
    found = _read(path)
    recent = wall_ns() - _number(found, "ts") < 2 * limits.BACKOFF_MAX_S * 1e9
    times = _number(found, "times") + 1 if recent else 0
    _write(path, {"ts": wall_ns(), "times": times})
    return float(min(limits.BACKOFF_FIRST_S * 2**times, limits.BACKOFF_MAX_S)) if times else 0.0
