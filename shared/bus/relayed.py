"""Reading the bus from off the trading path: through the relay where one is configured and answers, else directly."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable

import msgspec
import zmq

from shared import limits
from shared.bus import topics
from shared.bus.endpoints import address, addresses, connect
from shared.bus.route import Move, Route
from shared.bus.subscriber import Received, Subscriber, open_socket
from shared.bus.watched import ANSWERED, LOST, WatchedSocket
from shared.clock import SECOND, boot_ns
from shared.config import Config
from shared.config.schema import RELAY
from shared.messages import Heartbeat

_RELAY_BEAT_RAW = topics.encode(f"heartbeat.{RELAY}")
_beat_decoder = msgspec.msgpack.Decoder(Heartbeat)
WAIT_HELD_MS = 10
Context = zmq.Context[zmq.Socket[bytes]]


class Connections:
    """A reader's sockets: one to the relay, and one to every publisher while that is away. Drain, then :meth:`turn`.

    Without a relay in the configuration there is only the one to the publishers. While there are two, each message
    comes twice. The one that is ahead is read until it is empty before the other, so that no message is overtaken:
    then admitting rising numbers only, as :class:`shared.bus.Tracker` does, loses nothing.
    """

    def __init__(self, socket: zmq.Socket[bytes], config: Config, wanted: Iterable[str]) -> None:
        self._config, self._wanted = config, list(wanted)
        prefixes = [prefix for name in self._wanted for prefix in topics.subscription(name)]
        self._is_beat_wanted = any(_RELAY_BEAT_RAW.startswith(prefix) for prefix in prefixes)
        #: True once anything has answered.
        self.is_connected = False
        self._poller = zmq.Poller()
        self._relay: WatchedSocket | None = None
        self._publishers: WatchedSocket | None = None
        # While a relay that stops still forwards, it is read first, and the publishers not before this time.
        self._is_relay_ahead, self._read_at = True, 0
        self._route = Route(boot_ns())
        if config.relay is None:
            self._publishers = self._watched(socket, ANSWERED, addresses(config))
        else:
            socket.setsockopt(zmq.SUBSCRIBE, _RELAY_BEAT_RAW)
            self._relay = self._watched(socket, ANSWERED | LOST, [address(config, config.relay)])

    def _watched(self, socket: zmq.Socket[bytes], wanted: int, endpoints: list[str]) -> WatchedSocket:
        made = WatchedSocket(socket, wanted)
        for readable in (made.socket, made.events):
            self._poller.register(readable, zmq.POLLIN)
        connect(socket, endpoints, self._config.curve)
        return made

    def _close(self, watched: WatchedSocket) -> None:
        for readable in (watched.socket, watched.events):
            self._poller.unregister(readable)
        watched.close()

    def close(self) -> None:
        """Disconnect from everything."""
        for watched in (self._relay, self._publishers):
            if watched is not None:
                self._close(watched)
        self._relay = self._publishers = None

    def wait(self, timeout_ms: int) -> None:
        """Wait for a message, or for a change of the connections."""
        if self._publishers is not None and boot_ns() < self._read_at:
            time.sleep(min(timeout_ms, WAIT_HELD_MS) / 1000)
        else:
            self._poller.poll(timeout_ms)

    def receive(self) -> list[bytes]:
        """Return the frames of the next message. Raises :class:`zmq.Again` if there is none."""
        if self._relay is not None and self._is_relay_ahead:
            try:
                return self._relay.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                if self._publishers is None or boot_ns() < self._read_at:
                    raise
                self._is_relay_ahead = False
        for watched in (self._publishers, self._relay):
            if watched is not None:
                with contextlib.suppress(zmq.Again):
                    return watched.socket.recv_multipart(zmq.NOBLOCK)
        raise zmq.Again

    def heard(self, topic: bytes, payload: bytes) -> bool:
        """Take in a message's two frames; return whether the reader wants it."""
        if topic != _RELAY_BEAT_RAW:
            return True
        with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
            self._route.heard(_beat_decoder.decode(payload).state, boot_ns())
        return self._is_beat_wanted

    def turn(self) -> None:
        """Take in what became of the connections, and change them if that is due."""
        for watched in (self._relay, self._publishers):
            if watched is None:
                continue
            for event in watched.take():
                if event == ANSWERED:
                    self.is_connected = True
                elif watched is self._relay:
                    self._route.lost()
        if self._relay is None:
            return
        is_stopping = self._route.is_stopping
        move = self._route.turn(boot_ns())
        if move is Move.TO_PUBLISHERS:
            self._read_at = boot_ns() + int(limits.RELAY_HOLD_S * SECOND) if is_stopping else 0
            socket = open_socket(self._relay.socket.context, self._wanted)
            self._publishers = self._watched(socket, ANSWERED, addresses(self._config))
        elif move is Move.TO_RELAY and self._publishers is not None:
            self._close(self._publishers)
            self._publishers, self._is_relay_ahead = None, True


class RelayedSubscriber(Subscriber):
    """A subscriber that hears the relay, and the publishers themselves while that is away."""

    def __init__(self, context: Context, config: Config, wanted: Iterable[str]) -> None:
        names = list(wanted)
        super().__init__(context, (), names)
        self._connections = Connections(self.socket, config, names)

    def wait(self, timeout_ms: int) -> None:
        """Wait for a message, or for a change of the connections."""
        self._connections.wait(timeout_ms)

    def close(self) -> None:
        """Disconnect from everything."""
        self._connections.close()

    def drain(self, most: int = limits.BUS_DRAIN_MESSAGES) -> list[Received]:
        """Return everything queued, as :meth:`Subscriber.drain` does; then see to the connections."""
        drained = super().drain(most)
        self._connections.turn()
        return drained

    def _receive(self) -> list[bytes]:
        while True:
            frames = self._connections.receive()
            if len(frames) != 2 or self._connections.heard(frames[0], frames[1]):
                return frames


def attach(config: Config, wanted: Iterable[str]) -> Subscriber:
    """Return a subscriber for a command or a view, which is not a process of the bus."""
    context: Context = zmq.Context.instance()
    if config.relay is None:
        return Subscriber(context, addresses(config), wanted, config.curve)
    return RelayedSubscriber(context, config, wanted)
