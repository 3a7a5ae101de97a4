"""The reading end: drains its queue without blocking, and counts messages that are missed, repeated, old or garbage.

Of each state topic only the newest message is kept; events are handed on in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import msgspec
import zmq

from shared import limits
from shared.bus import endpoints as bus_endpoints
from shared.bus import topics
from shared.config import Curve
from shared.messages import VERSION, Message

_decoders = {kind.name: msgspec.msgpack.Decoder(kind.message) for kind in topics.KINDS}


@dataclass(slots=True)
class Received:
    """A decoded message; ``missed`` counts messages of this topic lost just before it."""

    topic: str
    kind: topics.Kind
    rest: str
    message: Message
    missed: int = 0


@dataclass(slots=True)
class Counters:
    """Counters of a subscriber since it began."""

    messages: int = 0
    gaps: int = 0
    repeats: int = 0
    superseded: int = 0
    undecodable: int = 0
    untracked: int = 0


@dataclass(slots=True)
class _Track:
    """A publisher's newest boot, and the last sequence number of each topic in that boot."""

    boot: int = 0
    seq: dict[str, int] = field(default_factory=dict)


class Tracker:
    """Admits new messages: drops those of superseded boots and repeats, and counts gaps. Uses no socket."""

    def __init__(self) -> None:
        self.counters = Counters()
        self._publishers: dict[str, _Track] = {}
        self._tracked = 0

    def admit(self, topic: str, message: Message) -> int | None:
        """Return how many messages were missed before this one, or None if this one is not new."""
        track = self._publishers.get(message.src)
        if track is None:
            if len(self._publishers) >= limits.BUS_TRACKED_TOPICS:
                self.counters.untracked += 1
                return None
            track = self._publishers[message.src] = _Track(message.boot)
        fresh = message.boot > track.boot
        if message.boot < track.boot:
            self.counters.superseded += 1
            return None
        if fresh:
            self._tracked -= len(track.seq)
            # A topic known from the boot before starts again at 1: what precedes this one was missed.
            track.boot, track.seq = message.boot, dict.fromkeys(track.seq, 0)
            self._tracked += len(track.seq)
        last = track.seq.get(topic)
        if last is None:
            if self._tracked >= limits.BUS_TRACKED_TOPICS:
                self.counters.untracked += 1
                return None
            self._tracked += 1
            missed = 0  # what was sent before a subscriber joined is not missed
        elif message.seq <= last:
            self.counters.repeats += 1
            return None
        else:
            missed = message.seq - last - 1
        track.seq[topic] = message.seq
        self.counters.gaps += missed
        self.counters.messages += 1
        return missed


def open_socket(context: zmq.Context[zmq.Socket[bytes]], wanted: Iterable[str]) -> zmq.Socket[bytes]:
    """Return a SUB socket that wants these topics, not yet connected."""
    socket = context.socket(zmq.SUB)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.RCVHWM, limits.BUS_QUEUE_MESSAGES)
    # A dead publisher is back within milliseconds; ZeroMQ's default of 100 ms costs up to that.
    socket.setsockopt(zmq.RECONNECT_IVL, 20)
    socket.setsockopt(zmq.RECONNECT_IVL_MAX, 500)
    for topic in wanted:
        for prefix in topics.subscription(topic):
            socket.setsockopt(zmq.SUBSCRIBE, prefix)
    return socket


class Subscriber:
    """A SUB socket to every endpoint. Usable alone, without a process: it binds nothing."""

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        endpoints: Iterable[str],
        wanted: Iterable[str],
        curve: Curve | None = None,
        on_bad: Callable[[str, str, bytes], None] | None = None,
    ) -> None:
        self.tracker = Tracker()
        self._on_bad = on_bad
        self.socket = open_socket(context, wanted)
        self.connect(endpoints, curve)

    def connect(self, endpoints: Iterable[str], curve: Curve | None) -> None:
        """Connect to more publishers, whether or not they run yet."""
        bus_endpoints.connect(self.socket, endpoints, curve)

    def wait(self, timeout_ms: int) -> None:
        """Wait for a message."""
        self.socket.poll(timeout_ms)

    def close(self) -> None:
        """Disconnect from everything."""
        self.socket.close()

    @property
    def counters(self) -> Counters:
        """Return the counters since the beginning."""
        return self.tracker.counters

    def drain(self, most: int = limits.BUS_DRAIN_MESSAGES) -> list[Received]:
        """Return everything queued, without blocking: events in order, of each state topic only the newest."""
        drained: list[Received] = []
        newest: dict[str, int] = {}
        for _ in range(most):
            try:
                frames = self._receive()
            except zmq.Again:
                break
            received = self._decode(frames)
            if received is None:
                continue
            if received.kind.is_state:
                index = newest.get(received.topic)
                if index is not None:
                    received.missed += drained[index].missed
                    drained[index] = received
                    continue
                newest[received.topic] = len(drained)
            drained.append(received)
        return drained

    def _receive(self) -> list[bytes]:
        """Return the frames of the next message. Raises :class:`zmq.Again` if there is none."""
        return self.socket.recv_multipart(zmq.NOBLOCK)

    def _decode(self, frames: list[bytes]) -> Received | None:
        if len(frames) != 2:
            self._bad("frames", f"{len(frames)} frames instead of 2", b"".join(frames))
            return None
        try:
            topic = topics.decode(frames[0])
        except ValueError as error:
            self._bad("topic", str(error), frames[0])
            return None
        kind = topics.kind_of(topic)
        if kind is None:
            self._bad("topic", f"unknown topic {topic[:64]!r}", frames[1])
            return None
        try:
            message: Message = _decoders[kind.name].decode(frames[1])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self._bad(kind.name, str(error), frames[1])
            return None
        if message.v != VERSION:
            self._bad(kind.name, f"version {message.v}, this process speaks {VERSION}", frames[1])
            return None
        missed = self.tracker.admit(topic, message)
        if missed is None:
            return None
        return Received(topic, kind, topics.rest_of(topic, kind), message, missed)

    def _bad(self, what: str, why: str, raw: bytes) -> None:
        self.counters.undecodable += 1
        if self._on_bad is not None:
            self._on_bad(what, why, raw[: limits.BAD_MESSAGE_SHOWN_BYTES])
