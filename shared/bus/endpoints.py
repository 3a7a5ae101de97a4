"""Addresses of the bus as ZeroMQ takes them."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

import zmq

from shared import limits
from shared.config import Config, Curve
from shared.config.schema import RELAY


def address(config: Config, endpoint: str) -> str:
    """Return an endpoint as ZeroMQ takes it: ``ipc://`` absolute, or in a short folder if that path is too long."""
    if not endpoint.startswith("ipc://"):
        return endpoint
    path = config.root / endpoint.removeprefix("ipc://")
    if len(os.fsencode(path)) > limits.BUS_PATH_BYTES:
        tag = hashlib.sha256(os.fsencode(path.parent)).hexdigest()[:12]
        base = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
        path = base / f"tradebyte-{os.getuid()}-{tag}" / path.name
    return f"ipc://{path}"


def addresses(config: Config) -> list[str]:
    """Return every publisher's endpoint: a subscriber connects to all, so that a topic may come from anywhere.

    The relay's is left out: it carries the same messages again.
    """
    named = ((name, endpoint) for name, endpoint in config.bus.items() if isinstance(endpoint, str))
    return sorted({address(config, endpoint) for name, endpoint in named if name != RELAY})


def connect(socket: zmq.Socket[bytes], endpoints: Iterable[str], curve: Curve | None) -> None:
    """Connect a SUB socket to endpoints, whether or not anything is bound to them yet."""
    for endpoint in endpoints:
        if curve is not None and endpoint.startswith("tcp://"):
            socket.curve_serverkey = curve.public_key.encode()
            socket.curve_secretkey = curve.secret_key.encode()
            socket.curve_publickey = curve.public_key.encode()
        socket.connect(endpoint)


def has_message(socket: zmq.Socket[bytes]) -> bool:
    """True if a message waits: asked before a read, it saves the exception that an empty queue raises."""
    events = socket.getsockopt(zmq.EVENTS)
    assert isinstance(events, int)
    return bool(events & zmq.POLLIN)
