"""Versions of each section for the stream's clients, and the patches between them.

However many clients there are, and however slow, a section is encoded once a change, and only its last few
versions are kept: a client that missed more than those gets the whole.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from monitor.api import merge
from monitor.errors import Inexpressible
from shared import limits


@dataclass(slots=True)
class Version:
    """A section as it was at one time; numbers rise by one."""

    number: int
    raw: bytes
    _data: object = None

    @property
    def data(self) -> object:
        """Return the JSON value, decoded when first asked for."""
        if self._data is None:
            self._data = msgspec.json.decode(self.raw)
        return self._data


class Hub:
    """Every section's last versions; ``encoded`` makes a section as of now."""

    def __init__(self, encoded: Callable[[str], bytes]) -> None:
        self._encoded = encoded
        self._versions: dict[str, deque[Version]] = {}
        self._patches: dict[tuple[str, int], bytes | None] = {}

    def lacks(self, name: str) -> bool:
        """True if nothing is known of this section yet."""
        return name not in self._versions

    def look(self, name: str) -> None:
        """Take in a section as it is now."""
        raw = self._encoded(name)
        kept = self._versions.setdefault(name, deque(maxlen=limits.STREAM_VERSIONS))
        if kept and kept[-1].raw == raw:
            return
        kept.append(Version(kept[-1].number + 1 if kept else 1, raw))
        self._patches = {key: patch for key, patch in self._patches.items() if key[0] != name}

    def news(self, name: str, known: int) -> tuple[int, str, bytes] | None:
        """Return what a client with the version ``known`` (0: none) lacks: number, ``data`` or ``merge``, and JSON."""
        kept = self._versions.get(name)
        if not kept or kept[-1].number == known:
            return None
        newest = kept[-1]
        key = (name, known)
        if key not in self._patches:
            self._patches[key] = self._patch(next((each for each in kept if each.number == known), None), newest)
        patch = self._patches[key]
        return (newest.number, "data", newest.raw) if patch is None else (newest.number, "merge", patch)

    @staticmethod
    def _patch(old: Version | None, new: Version) -> bytes | None:
        """Return the patch, or None where the whole must be sent or is shorter."""
        if old is None:
            return None
        try:
            encoded = msgspec.json.encode(merge.patch(old.data, new.data))
        except Inexpressible:
            return None
        return encoded if len(encoded) < len(new.raw) else None


def framed(name: str, seq: int, kind: str, raw: bytes) -> bytes:
    """Return a message of the stream as JSON."""
    return b'{"section":"%s","seq":%d,"%s":%s}' % (name.encode(), seq, kind.encode(), raw)
