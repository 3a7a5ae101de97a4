"""Asking over HTTP what runs on this machine: where the monitor's API is, and an opener that no proxy gets between."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from typing import Final

from shared.config import Config
from shared.network.hosts import bracketed

# A proxy of the environment must not stand between a machine and itself.
OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def reason_of(error: Exception) -> BaseException | str:
    """Return the error itself where urllib has wrapped it."""
    return error.reason if isinstance(error, urllib.error.URLError) else error


def why_unanswered(error: Exception) -> str:
    """Return why an opened address had no answer, in words."""
    reason = reason_of(error)
    if isinstance(reason, TimeoutError):
        return "no answer in time"
    return os.strerror(reason.errno) if isinstance(reason, OSError) and reason.errno else "no connection"


def api(config: Config) -> str:
    """Return the address of the monitor's API, without a path."""
    return f"http://{bracketed(config.monitor.host)}:{config.monitor.port}"
