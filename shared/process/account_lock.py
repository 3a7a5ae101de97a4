"""The lock that keeps a second executor off an account, wherever on this machine it runs."""

from __future__ import annotations

import hashlib
import socket
from pathlib import Path
from urllib.parse import urlsplit

from shared.errors import Held
from shared.process import holders


class MachineLock:
    """A lock across folders and users of this machine; ``key`` contains no secret.

    It is an abstract Unix socket: the kernel frees it however the holder ends, there is no file to delete, and it
    reveals the holder's pid.
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
        """Release the lock."""
        self._socket.close()


def account_key(rest_url: str, api_key: str) -> str:
    """Return the lock's key for an account: a hash of the exchange's address, in any spelling, and the API key."""
    return hashlib.sha256(f"{_address(rest_url)} {api_key}".encode()).hexdigest()[:32]


def _address(url: str) -> str:
    """Return a URL in one spelling: host in lower case, 127.0.0.1 for localhost, its port, no slash at the end."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:  # no URL: nothing answers there either
        return url
    host = (parts.hostname or "").rstrip(".")
    host = "127.0.0.1" if host in ("localhost", "::1") else host
    return f"{parts.scheme}://{host}:{port}{parts.path.rstrip('/')}"


def is_account_held(key: str) -> bool:
    """True if anybody holds the :class:`MachineLock` of a key. Does not connect: no holder accepts connections."""
    try:
        return any(line.endswith(f" @tradebyte-{key}") for line in Path("/proc/net/unix").read_text().splitlines())
    except OSError:
        return True  # assume that it is held if that cannot be read


def _peer(name: str) -> str:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(name)
            raw = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        except OSError:
            return "another process"
    return holders.describe(int.from_bytes(raw[:4], "little"))
