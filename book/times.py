"""The times of book frames, as v2 and v1 write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

_RFC3339 = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}):([0-5][0-9])(?:\.([0-9]{1,9}))?Z")
_UNIX = re.compile(r"([0-9]{1,10})(?:\.([0-9]{1,9}))?")


def rfc3339_ns(text: str) -> int:
    """Return ns since the epoch of ``2023-07-30T15:29:58.343415Z``, 0 if it is no such time."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        return 0
    minute, second, fraction = match.groups("0")
    began = minute_s(minute)
    return 0 if began is None else (began + int(second)) * 10**9 + int(fraction.ljust(9, "0"))


@lru_cache(maxsize=16)
def minute_s(text: str) -> int | None:
    """Return seconds since the epoch of ``2023-07-30T15:29``, None if there is no such minute.

    It is kept, since a minute has many frames.
    """
    try:
        moment = datetime.strptime(text, "%Y-%m-%dT%H:%M").replace(tzinfo=UTC)
    except ValueError:
        return None
    passed = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return passed.days * 86_400 + passed.seconds if 1970 <= moment.year <= 2500 else None


def unix_ns(text: str) -> int:
    """Return ns since the epoch of ``1693415327.935623``, 0 if it is no such time."""
    match = _UNIX.fullmatch(text)
    if match is None:
        return 0
    seconds, fraction = match.groups("0")
    return int(seconds) * 10**9 + int(fraction.ljust(9, "0"))
