"""Asking over HTTP what runs on this machine: where the monitor's API is, and an opener that no proxy gets between."""

from __future__ import annotations

import urllib.request
from typing import Final

from shared.config import Config

# A proxy of the environment must not stand between a machine and itself.
OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def api(config: Config) -> str:
    """The address of the monitor's API, without a path."""
    host = f"[{config.monitor.host}]" if ":" in config.monitor.host else config.monitor.host
    return f"http://{host}:{config.monitor.port}"
