"""Reads book messages off the bus as bytes: how late they are, and whether any is missing."""

from __future__ import annotations

import struct
import time
from dataclasses import dataclass, field

import msgspec
import zmq

from shared.messages import Book

SAMPLED = 20
_BIG = {0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q"}
_decoder = msgspec.msgpack.Decoder(Book)


@dataclass(slots=True)
class Reader:
    """New messages by topic, and the latency of one in ``SAMPLED``; times are ns."""

    socket: zmq.Socket[bytes]
    messages: int = 0
    missed: int = 0
    late_ns: list[int] = field(default_factory=list)
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
        self.messages = self.missed = 0
        self.late_ns = []

    def books(self) -> dict[str, Book]:
        """Return the newest message of each symbol."""
        books = (_decoder.decode(payload) for _, payload in self._last.values())
        return {book.symbol: book for book in books}

    def _take(self, topic: bytes, payload: bytes) -> None:
        if topic == b"book.status\0":
            return
        number = seq_of(payload)
        last = self._last.get(topic)
        if last is not None and number <= last[0]:
            return  # a repeat
        self._last[topic] = (number, payload)
        self.messages += 1
        self.missed += number - last[0] - 1 if last is not None else 0
        if self.messages % SAMPLED == 0:
            self.late_ns.append(time.time_ns() - _decoder.decode(payload).exchange_ts)


def seq_of(payload: bytes) -> int:
    """Return a message's sequence number without decoding the message."""
    at = payload.index(b"\xa3seq") + 4
    kind = payload[at]
    if kind < 0x80:
        return kind
    form = _BIG[kind]
    number: int = struct.unpack_from(form, payload, at + 1)[0]
    return number
