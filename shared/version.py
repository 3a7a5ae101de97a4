"""The installed version of TradeByte."""

from __future__ import annotations

import functools
from importlib.metadata import PackageNotFoundError, version


@functools.cache
def tradebyte_version() -> str:
    """Return the installed version of TradeByte."""
    try:
        return version("tradebyte")
    except PackageNotFoundError:
        return "0"
