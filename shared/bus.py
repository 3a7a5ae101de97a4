"""The bus: ZeroMQ XPUB to SUB, brokerless; a message is two frames, topic and msgpack map.

A :class:`Publisher` stamps each message's header, keeps the last of every state topic, and sends it again, the same
bytes, every second and to whoever subscribes. A :class:`Subscriber` drains its queue without blocking, keeps only the
newest of each state topic, hands events on in order, and counts what is missing, repeated, superseded or garbage.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import zmq

from shared import limits, topics
from shared.clock import wall_ns
from shared.config import Config, Curve
from shared.messages import VERSION, Message

_encoder = msgspec.msgpack.Encoder()
_decoders = {kind.name: msgspec.msgpack.Decoder(kind.message) for kind in topics.KINDS}


class BusAddressInUse(Exception):
    """Another socket is bound to this process's TCP endpoint; the text names the endpoint."""


def address(config: Config, endpoint: str) -> str:
    """A configured endpoint as ZeroMQ takes it: ``ipc://`` absolute, or in a short folder where that is too long."""
    if not endpoint.startswith("ipc://"):
        return endpoint
    path = config.root / endpoint.removeprefix("ipc://")
    if len(os.fsencode(path)) > limits.BUS_PATH_BYTES:
        tag = hashlib.sha256(os.fsencode(path.parent)).hexdigest()[:12]
        base = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
        path = base / f"tradebyte-{os.getuid()}-{tag}" / path.name
    return f"ipc://{path}"


def addresses(config: Config) -> list[str]:
    """Every process's endpoint: a subscriber connects to all, so that a topic may come from anywhere."""
    found = (address(config, endpoint) for endpoint in config.bus.values() if isinstance(endpoint, str))
    return sorted(set(found))


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
    """What a subscriber saw since it began."""

    messages: int = 0
    gaps: int = 0
    repeats: int = 0
    superseded: int = 0
    undecodable: int = 0
    untracked: int = 0


class Publisher:
    """One process's endpoint. Not thread-safe."""

    def __init__(
        self, context: zmq.Context[zmq.Socket[bytes]], where: str, src: str, boot: int, curve: Curve | None
    ) -> None:
        self.src, self.boot = src, boot
        self.sent = 0
        self._seq: dict[str, int] = {}
        self._state: dict[bytes, bytes] = {}
        self._asked_for: set[bytes] = set()
        self.socket = context.socket(zmq.XPUB)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.SNDHWM, limits.BUS_QUEUE_MESSAGES)
        self.socket.setsockopt(zmq.XPUB_VERBOSE, 1)
        if curve is not None and where.startswith("tcp://"):
            self.socket.curve_server = True
            self.socket.curve_secretkey = curve.secret_key.encode()
            self.socket.curve_publickey = curve.public_key.encode()
        if where.startswith("ipc://"):
            folder = Path(where.removeprefix("ipc://")).parent
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
        try:
            self.socket.bind(where)
        except zmq.ZMQError as error:
            self.socket.close()
            if error.errno == zmq.EADDRINUSE:
                raise BusAddressInUse(where) from error
            raise

    def publish(self, topic: str, message: Message) -> None:
        """Stamps the header and sends. The message must not be published twice."""
        force = msgspec.structs.force_setattr
        force(message, "src", self.src)
        force(message, "boot", self.boot)
        force(message, "seq", self.next_seq(topic))
        force(message, "ts", wall_ns())
        self.publish_encoded(topic, _encoder.encode(message))

    def next_seq(self, topic: str) -> int:
        """The next sequence number of a topic; whoever takes it must send it."""
        number = self._seq.get(topic, 0) + 1
        self._seq[topic] = number
        return number

    def publish_encoded(self, topic: str, payload: bytes) -> None:
        """Sends a message that carries its header already (Rust encodes books itself)."""
        raw = topics.encode(topic)
        kind = topics.kind_of(topic)
        if kind is not None and kind.is_state:
            self._state[raw] = payload
        self._send(raw, payload)

    def is_subscribed(self, prefix: str) -> bool:
        """Has anybody ever subscribed to topics that begin so."""
        wanted = prefix.encode()
        return any(wanted.startswith(asked) or asked.startswith(wanted) for asked in self._asked_for)

    def repeat(self) -> None:
        """Sends the last message of every state topic again, the same bytes."""
        for raw, payload in self._state.items():
            self._send(raw, payload)

    def serve_subscriptions(self) -> None:
        """Answers new subscribers with the state that they asked for; call whenever the socket is readable."""
        wanted: set[bytes] = set()
        for _ in range(limits.BUS_DRAIN_MESSAGES):
            try:
                word = self.socket.recv(zmq.NOBLOCK)
            except zmq.Again:
                break
            if word[:1] == b"\x01":
                wanted.add(word[1:])
        if wanted:
            if len(self._asked_for) < limits.BUS_TRACKED_TOPICS:
                self._asked_for |= wanted
            for raw, payload in self._state.items():
                if any(raw.startswith(prefix) for prefix in wanted):
                    self._send(raw, payload)

    def _send(self, raw: bytes, payload: bytes) -> None:
        self.socket.send_multipart((raw, payload), zmq.NOBLOCK)
        self.sent += 1


@dataclass(slots=True)
class _Track:
    """Per publisher: its newest boot, and the last sequence number of each topic in it."""

    boot: int = 0
    seq: dict[str, int] = field(default_factory=dict)


class Tracker:
    """Which messages are news: boots superseded, repeats seen, gaps counted. A core: no socket."""

    def __init__(self) -> None:
        self.counters = Counters()
        self._publishers: dict[str, _Track] = {}
        self._tracked = 0

    def admit(self, topic: str, message: Message) -> int | None:
        """Return how many were missed before this one, or None when it is no news."""
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
            missed = 0  # a late joiner has missed nothing that it was promised
        elif message.seq <= last:
            self.counters.repeats += 1
            return None
        else:
            missed = message.seq - last - 1
        track.seq[topic] = message.seq
        self.counters.gaps += missed
        self.counters.messages += 1
        return missed


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
        self.socket = context.socket(zmq.SUB)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.RCVHWM, limits.BUS_QUEUE_MESSAGES)
        # A dead publisher is back within milliseconds; ZeroMQ's default of 100 ms costs up to that.
        self.socket.setsockopt(zmq.RECONNECT_IVL, 20)
        self.socket.setsockopt(zmq.RECONNECT_IVL_MAX, 500)
        for topic in wanted:
            for prefix in topics.subscription(topic):
                self.socket.setsockopt(zmq.SUBSCRIBE, prefix)
        self.connect(endpoints, curve)

    def connect(self, endpoints: Iterable[str], curve: Curve | None) -> None:
        """Connects to more publishers, be they there yet or not."""
        for endpoint in endpoints:
            if curve is not None and endpoint.startswith("tcp://"):
                self.socket.curve_serverkey = curve.public_key.encode()
                self.socket.curve_secretkey = curve.secret_key.encode()
                self.socket.curve_publickey = curve.public_key.encode()
            self.socket.connect(endpoint)

    @property
    def counters(self) -> Counters:
        """Return what was seen since the beginning."""
        return self.tracker.counters

    def drain(self, most: int = limits.BUS_DRAIN_MESSAGES) -> list[Received]:
        """Everything queued, without blocking: events in order, of each state topic only the newest."""
        found: list[Received] = []
        newest: dict[str, int] = {}
        for _ in range(most):
            try:
                frames = self.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                break
            received = self._decode(frames)
            if received is None:
                continue
            if received.kind.is_state:
                index = newest.get(received.topic)
                if index is not None:
                    received.missed += found[index].missed
                    found[index] = received
                    continue
                newest[received.topic] = len(found)
            found.append(received)
        return found

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


def attach(config: Config, wanted: Iterable[str]) -> Subscriber:
    """A subscriber from outside, as a command uses it."""
    return Subscriber(zmq.Context.instance(), addresses(config), wanted, config.curve)
