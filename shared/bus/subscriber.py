"""The reading end: drains its queue without blocking, and counts messages that are missed, repeated, old or garbage.

Of each state topic only the newest message is kept; events are handed on in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields

import msgspec
import zmq

from shared import limits
from shared.bus import endpoints as bus_endpoints, topics
from shared.bus.endpoints import has_message
from shared.config import Curve
from shared.messages import VERSION, Message

_decoders: dict[str, msgspec.msgpack.Decoder[Message]] = {
    kind.name: msgspec.msgpack.Decoder(kind.message) for kind in topics.KINDS
}
_header = msgspec.msgpack.Decoder(Message)


@dataclass(slots=True)
class Received:
    """A decoded message; ``missed`` counts messages of this topic lost just before it."""

    topic: str
    kind: topics.Kind
    rest: str
    message: Message
    missed: int = 0


@dataclass(slots=True)
class Undecoded(Received):
    """A run of messages of one kind as they came, topic and payload each; ``message`` is empty.

    Each is admitted when it is decoded. One of a boot that a message drained with it superseded is then dropped.
    """

    parts: list[list[bytes]] = field(default_factory=list)


@dataclass(slots=True)
class Counters:
    """Counters of a subscriber since it began."""

    messages: int = 0
    gaps: int = 0
    repeats: int = 0
    superseded: int = 0
    undecodable: int = 0
    untracked: int = 0

    def plus(self, other: Counters) -> Counters:
        """Return the sum with another subscriber's."""
        return Counters(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


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

    def seqs(self, src: str, boot: int) -> dict[str, int] | None:
        """Return the last number of each topic in this boot of a publisher, None if it is not the publisher's newest.

        Whoever admits the next message of a topic itself counts it there, and in :attr:`counters`.
        """
        track = self._publishers.get(src)
        return track.seq if track is not None and track.boot == boot else None

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


@dataclass(slots=True)
class _Newest:
    """A state topic's new messages of one drain, oldest first, and how many were missed before them."""

    topic: str
    kind: topics.Kind
    payloads: list[bytes]
    missed: int


def open_socket(context: zmq.Context[zmq.Socket[bytes]], wanted: Iterable[str]) -> zmq.Socket[bytes]:
    """Return a SUB socket that wants these topics, not yet connected."""
    socket = context.socket(zmq.SUB)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.RCVHWM, limits.BUS_QUEUE_MESSAGES)
    # A dead publisher is back within half a second, and is to be heard then: ZeroMQ doubles the wait between two tries,
    # up to the maximum.
    socket.setsockopt(zmq.RECONNECT_IVL, 20)
    socket.setsockopt(zmq.RECONNECT_IVL_MAX, 80)
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
        # The kind of events that are handed over as they came, and the beginning of its topics.
        self._undecoded: tuple[topics.Kind, bytes] | None = None
        self.socket = open_socket(context, wanted)
        self.connect(endpoints, curve)

    def connect(self, endpoints: Iterable[str], curve: Curve | None) -> None:
        """Connect to more publishers, whether or not they run yet."""
        bus_endpoints.connect(self.socket, endpoints, curve)

    def wait(self, timeout_ms: int) -> None:
        """Wait for a message."""
        self.socket.poll(timeout_ms)

    @property
    def has_waiting(self) -> bool:
        """True if a message waits."""
        return has_message(self.socket)

    def close(self) -> None:
        """Disconnect from everything."""
        self.socket.close()

    @property
    def counters(self) -> Counters:
        """Return the counters since the beginning."""
        return self.tracker.counters

    def hand_over(self, kind: str) -> None:
        """Drain messages of a kind of events as they came, in runs (:class:`Undecoded`)."""
        self._undecoded = topics.BY_NAME[kind], f"{kind}.".encode()

    def drain(self, most: int = limits.BUS_DRAIN_MESSAGES) -> list[Received]:
        """Return everything queued, without blocking: events in order, of each state topic only the newest.

        Of a state message that a newer one replaces only the header is decoded.
        """
        drained: list[Received | _Newest] = []
        newest: dict[str, _Newest] = {}
        for _ in range(most):
            try:
                frames = self._receive()
            except zmq.Again:
                break
            if self._undecoded is not None and frames[0].startswith(self._undecoded[1]):
                self._append(drained, self._undecoded[0], frames)
                continue
            named = self._name(frames)
            if named is None:
                continue
            topic, kind = named
            message = self._open(kind, frames[1], _header if kind.is_state else _decoders[kind.name])
            missed = None if message is None else self.tracker.admit(topic, message)
            if message is None or missed is None:
                continue
            if not kind.is_state:
                drained.append(Received(topic, kind, topics.rest_of(topic, kind), message, missed))
            elif topic in newest:
                newest[topic].missed += missed
                newest[topic].payloads.append(frames[1])
            else:
                newest[topic] = _Newest(topic, kind, [frames[1]], missed)
                drained.append(newest[topic])
        opened = (self._newest(each) if isinstance(each, _Newest) else each for each in drained)
        return [received for received in opened if received is not None]

    def _receive(self) -> list[bytes]:
        """Return the frames of the next message. Raises :class:`zmq.Again` if there is none."""
        return self.socket.recv_multipart(zmq.NOBLOCK)

    def _newest(self, admitted: _Newest) -> Received | None:
        """Return the newest of a state topic's messages that can be read."""
        topic, kind = admitted.topic, admitted.kind
        for payload in reversed(admitted.payloads):
            message = self._open(kind, payload, _decoders[kind.name])
            if message is not None:
                return Received(topic, kind, topics.rest_of(topic, kind), message, admitted.missed)
        return None

    @staticmethod
    def _append(drained: list[Received | _Newest], kind: topics.Kind, frames: list[bytes]) -> None:
        """Append a message to the run that is the last, or to a new one."""
        last = drained[-1] if drained else None
        if not isinstance(last, Undecoded):
            last = Undecoded("", kind, "", Message())
            drained.append(last)
        last.parts.append(frames)

    def decode(self, frames: list[bytes]) -> Received | None:
        """Return a message of its topic and payload; None if it is bad or not new, which is counted."""
        named = self._name(frames)
        if named is None:
            return None
        topic, kind = named
        message = self._open(kind, frames[1], _decoders[kind.name])
        missed = None if message is None else self.tracker.admit(topic, message)
        if message is None or missed is None:
            return None
        return Received(topic, kind, topics.rest_of(topic, kind), message, missed)

    def _name(self, frames: list[bytes]) -> tuple[str, topics.Kind] | None:
        """Return a message's topic and kind; None for one that is bad, which is counted."""
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
        return topic, kind

    def _open(self, kind: topics.Kind, payload: bytes, decoder: msgspec.msgpack.Decoder[Message]) -> Message | None:
        """Return a payload's message, or its header; None for one that is bad, which is counted."""
        try:
            message = decoder.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self._bad(kind.name, str(error), payload)
            return None
        if message.v != VERSION:
            self._bad(kind.name, f"version {message.v}, this process speaks {VERSION}", payload)
            return None
        return message

    def _bad(self, what: str, why: str, raw: bytes) -> None:
        self.counters.undecodable += 1
        if self._on_bad is not None:
            self._on_bad(what, why, raw[: limits.BAD_MESSAGE_SHOWN_BYTES])
