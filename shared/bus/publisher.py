"""The sending end: stamps each message's header, keeps the last message of every state topic, and repeats it.

A state message is repeated as the same bytes, every second and to each new subscriber. The repeats of many topics are
spread over the second, so that none of them, and no new message, waits for all the others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import msgspec
import zmq

from shared import limits
from shared.bus import topics
from shared.bus.endpoints import has_message
from shared.clock import SECOND, wall_ns
from shared.config import Curve
from shared.errors import BusAddressInUse
from shared.messages import Message

SEND_MORE = zmq.NOBLOCK | zmq.SNDMORE
REPEAT_NS = int(limits.STATE_REPEAT_S * SECOND)
# So many repeats leave in a turn, or such a part of all if that is more.
REPEATED_AT_ONCE = 64
REPEAT_PARTS = 10
_encoder = msgspec.msgpack.Encoder()
_SNAPSHOT_REQUEST = topics.encode(topics.SNAPSHOT_REQUEST)


class Publisher:
    """One process's endpoint. Not thread-safe."""

    def __init__(
        self, context: zmq.Context[zmq.Socket[bytes]], where: str, src: str, boot: int, curve: Curve | None
    ) -> None:
        self.src, self.boot = src, boot
        self.sent = 0
        #: How often somebody subscribed to what asks for snapshots.
        self.snapshot_requests = 0
        #: Takes what subscribers said: each a 1 or 0 and a prefix. The relay passes it on to the publishers.
        self.on_subscriptions: Callable[[list[bytes]], None] | None = None
        self._seq: dict[str, int] = {}
        self._state: dict[bytes, bytes] = {}
        # When each state topic is repeated next, the first due first.
        self._repeats: deque[tuple[int, bytes]] = deque()
        # Prefixes that somebody subscribes to now.
        self._wanted: set[bytes] = set()
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
        """Send a copy of a message with its header filled in."""
        seq, ts = self.next_seq(topic), wall_ns()
        stamped = msgspec.structs.replace(message, src=self.src, boot=self.boot, seq=seq, ts=ts)
        self.publish_encoded(topic, _encoder.encode(stamped))

    def next_seq(self, topic: str) -> int:
        """Return the next sequence number of a topic; the caller must send a message with it."""
        number = self._seq.get(topic, 0) + 1
        self._seq[topic] = number
        return number

    @property
    def seqs(self) -> dict[str, int]:
        """Return the last sequence number of each topic, which whoever numbers messages itself counts up."""
        return self._seq

    def publish_finished(self, messages: list[tuple[bytes, bytes]], *, is_state: bool) -> None:
        """Send topics and messages as they are on the wire, numbered by :attr:`seqs`."""
        if is_state:
            self._state.update(messages)
        for raw, payload in messages:
            self._send(raw, payload)

    def publish_encoded(self, topic: str, payload: bytes) -> None:
        """Send a message that carries its header already (Rust encodes books itself)."""
        raw = topics.encode(topic)
        kind = topics.kind_of(topic)
        if kind is not None and kind.is_state:
            self._state[raw] = payload
        self._send(raw, payload)

    def is_subscribed(self, prefix: str) -> bool:
        """True if anybody subscribes to topics with this prefix, to all topics too."""
        wanted = prefix.encode()
        return self.is_named(prefix) or any(wanted.startswith(subscribed) for subscribed in self._wanted)

    def is_named(self, prefix: str) -> bool:
        """True if anybody subscribes to this prefix or a longer one: who subscribes to everything does not count."""
        wanted = prefix.encode()
        return any(subscribed.startswith(wanted) for subscribed in self._wanted)

    def repeat(self, now: int) -> None:
        """Send the last message of the state topics that are due again, as the same bytes; ``now`` in ns.

        Each is due a second after its last repeat, or after it was first seen here. Few leave together, so that readers
        wake up once for all of them; of many only a part leaves at once.
        """
        if len(self._state) > len(self._repeats):
            new = islice(self._state, len(self._repeats), None)  # no topic ever goes
            self._repeats.extend([(now + REPEAT_NS, raw) for raw in new])
        most = max(REPEATED_AT_ONCE, len(self._repeats) // REPEAT_PARTS)
        if self._repeats and self._repeats[0][0] <= now and len(self._repeats) <= REPEATED_AT_ONCE:
            self._repeats = deque((now, raw) for _, raw in self._repeats)
        while most and self._repeats and self._repeats[0][0] <= now:
            _, raw = self._repeats.popleft()
            self._send(raw, self._state[raw])
            self._repeats.append((now + REPEAT_NS, raw))
            most -= 1

    def serve_subscriptions(self) -> None:
        """Answer new subscribers with the state that they asked for; call whenever the socket is readable."""
        if not has_message(self.socket):
            return
        changes: list[bytes] = []
        for _ in range(limits.BUS_DRAIN_MESSAGES):
            try:
                changes.append(self.socket.recv(zmq.NOBLOCK))
            except zmq.Again:
                break
        if changes and self.on_subscriptions is not None:
            self.on_subscriptions(changes)
        for change in changes:
            if change[:1] == b"\x00":
                self._wanted.discard(change[1:])
            elif len(self._wanted) < limits.BUS_TRACKED_TOPICS:
                self._wanted.add(change[1:])
        wanted = {change[1:] for change in changes if change[:1] == b"\x01"}
        if wanted:
            self.snapshot_requests += _SNAPSHOT_REQUEST in wanted
            for raw, payload in self._state.items():
                if any(raw.startswith(prefix) for prefix in wanted):
                    self._send(raw, payload)

    def forward(self, frames: Sequence[bytes]) -> None:
        """Send another publisher's message as it came."""
        self.socket.send_multipart(frames, zmq.NOBLOCK)
        self.sent += 1

    def _send(self, raw: bytes, payload: bytes) -> None:
        # The two calls of send_multipart, without its checks of each part.
        self.socket.send(raw, SEND_MORE)
        self.socket.send(payload, zmq.NOBLOCK)
        self.sent += 1
