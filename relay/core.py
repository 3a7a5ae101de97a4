"""Subscriptions at the publishers, one for each prefix that a reader wants, and the last message of each state topic.

A core: it uses no socket. A subscription is a prefix of topics, as ZeroMQ has it. Times are ns of CLOCK_BOOTTIME.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shared import limits
from shared.bus import topics
from shared.clock import SECOND

_SNAPSHOT_REQUEST = topics.encode(topics.SNAPSHOT_REQUEST)


@dataclass(frozen=True, slots=True)
class Change:
    """A subscription to begin at every publisher, or to end there."""

    prefix: bytes
    begins: bool


@dataclass(slots=True)
class _Kept:
    """A state topic's last message, and when it came."""

    payload: bytes
    at: int


class Relay:
    """Keeps one subscription for each prefix, whatever the number of readers, and the state for readers to come."""

    def __init__(self) -> None:
        self.wanted: set[bytes] = set()
        self._kept: dict[bytes, _Kept] = {}
        self.forwarded = 0

    @property
    def kept(self) -> int:
        """Return of how many state topics there is a last message."""
        return len(self._kept)

    def subscriptions(self, changes: Iterable[bytes]) -> tuple[list[Change], list[tuple[bytes, bytes]]]:
        """Take in what XPUB says of the readers: each a 1 or 0, and a prefix; a 0 once nobody is left who wants it.

        Return what to change at the publishers, and the state to send to the new readers. That of a prefix that nobody
        wanted before comes from its publishers.
        """
        upstream: list[Change] = []
        joined: set[bytes] = set()
        for change in changes:
            prefix = change[1:]
            if change[:1] == b"\x01":
                # To ask for snapshots is to subscribe: each reader's request has to arrive.
                if prefix == _SNAPSHOT_REQUEST and prefix in self.wanted:
                    upstream.append(Change(prefix, begins=False))
                    upstream.append(Change(prefix, begins=True))
                elif prefix not in self.wanted:
                    self.wanted.add(prefix)
                    upstream.append(Change(prefix, begins=True))
                joined.add(prefix)
            elif change[:1] == b"\x00" and prefix in self.wanted:
                self.wanted.remove(prefix)
                upstream.append(Change(prefix, begins=False))
                self._drop_unwanted(prefix)
        return upstream, [
            (topic, kept.payload)
            for topic, kept in self._kept.items()
            if any(topic.startswith(prefix) for prefix in joined)
        ]

    def message(self, frames: Sequence[bytes], now: int) -> None:
        """Take in a message that is forwarded: a state is kept for readers to come."""
        self.forwarded += 1
        if len(frames) != 2 or not _is_state(frames[0]):
            return
        kept = self._kept.get(frames[0])
        if kept is not None:
            kept.payload, kept.at = frames[1], now
        elif len(self._kept) < limits.BUS_TRACKED_TOPICS:
            self._kept[frames[0]] = _Kept(frames[1], now)

    def turn(self, now: int) -> None:
        """Drop the state of publishers that repeat it no more: from them themselves no reader would get it."""
        oldest = now - int(limits.RELAY_KEPT_S * SECOND)
        for topic in [topic for topic, kept in self._kept.items() if kept.at < oldest]:
            del self._kept[topic]

    def _drop_unwanted(self, prefix: bytes) -> None:
        """Drop the state that came by a subscription only: it is no longer kept up to date."""
        for topic in [topic for topic in self._kept if topic.startswith(prefix)]:
            if not any(topic.startswith(other) for other in self.wanted):
                del self._kept[topic]


def _is_state(raw: bytes) -> bool:
    try:
        kind = topics.kind_of(topics.decode(raw))
    except ValueError:
        return False
    return kind is not None and kind.is_state
