"""Reads book messages off the bus as bytes: when each came, whether any is missing, how many frames are in them."""

from __future__ import annotations

import struct
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import zmq

from shared.messages import Book, Heartbeat

_BIG = {0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q"}
_decoder = msgspec.msgpack.Decoder(Book)
_beats = msgspec.msgpack.Decoder(Heartbeat)


@dataclass(slots=True)
class Reader:
    """New messages, and of some topics when each came and its last frame's time, in ns since the epoch."""

    socket: zmq.Socket[bytes]
    timed: frozenset[bytes]
    missed: int = 0
    # How many frames the book process has taken since it began, by its last heartbeat.
    frames: int = 0
    _came: dict[bytes, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    _last: dict[bytes, tuple[int, bytes]] = field(default_factory=dict)

    def drain(self) -> None:
        """Take everything that is queued."""
        while True:
            try:
                topic, payload = self.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            self._take(topic, payload)

    def forget(self) -> None:
        """Count from here on."""
        self.missed = 0
        self._came.clear()

    def books(self) -> dict[str, Book]:
        """Return the newest message of each symbol."""
        books = (_decoder.decode(payload) for _, payload in self._last.values())
        return {book.symbol: book for book in books}

    def late_ns(self, symbol: str, stamps: Sequence[int]) -> list[int]:
        """Return how long after its time each frame's book came: with its own message, or with a later frame's."""
        came = self._came[f"book.{symbol}\0".encode()]
        lasts = [last for last, _ in came]
        places = (bisect_left(lasts, stamp) for stamp in stamps)
        return [came[place][1] - stamp for place, stamp in zip(places, stamps, strict=True) if place < len(came)]

    def _take(self, topic: bytes, payload: bytes) -> None:
        if topic == b"book.status\0":
            return
        if topic.startswith(b"heartbeat."):
            counts = _beats.decode(payload).details.get("counts")
            self.frames = counts.get("frames", 0) if isinstance(counts, dict) else 0
            return
        number = value_of(payload, b"\xa3seq")
        last = self._last.get(topic)
        if last is not None and number <= last[0]:
            return  # a repeat
        self._last[topic] = (number, payload)
        if topic in self.timed:
            self._came[topic].append((value_of(payload, b"\xabexchange_ts"), time.time_ns()))
        self.missed += number - last[0] - 1 if last is not None else 0


def value_of(payload: bytes, key: bytes) -> int:
    """Return a message's whole number under an encoded key, without decoding the message."""
    at = payload.index(key) + len(key)
    kind = payload[at]
    if kind < 0x80:
        return kind
    form = _BIG[kind]
    number: int = struct.unpack_from(form, payload, at + 1)[0]
    return number
