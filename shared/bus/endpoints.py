"""Addresses of the bus as ZeroMQ takes them."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from shared import limits
from shared.config import Config


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
    """Return every process's endpoint: a subscriber connects to all, so that a topic may come from anywhere."""
    endpoints = (address(config, endpoint) for endpoint in config.bus.values() if isinstance(endpoint, str))
    return sorted(set(endpoints))
