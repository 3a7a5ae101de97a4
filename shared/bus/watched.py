"""A socket that tells when its connections come and go.

ZeroMQ tells by a pair of sockets, into which the context's one I/O thread writes and waits while nobody can take
it: then every socket of the context stands still, for ever if the pair's other end is gone. So the pair has no bound,
and is closed only after the telling has ended, also when a reader is dropped without having been closed.
"""

from __future__ import annotations

import contextlib
import weakref

import zmq
from zmq.utils.monitor import recv_monitor_message

from shared import limits

ANSWERED = zmq.EVENT_HANDSHAKE_SUCCEEDED
#: A connection that ended, or another attempt at one that failed.
LOST = zmq.EVENT_DISCONNECTED | zmq.EVENT_CONNECT_RETRIED


class WatchedSocket:
    """``socket``, not yet connected, and what becomes of its connections: ``wanted`` of :data:`ANSWERED` and LOST.

    What is told and not read stays in memory, about 100 bytes an event, so LOST is for a socket with one endpoint.
    """

    def __init__(self, socket: zmq.Socket[bytes], wanted: int) -> None:
        self.socket = socket
        self.events: zmq.Socket[bytes] = socket.context.socket(zmq.PAIR)
        self.events.setsockopt(zmq.RCVHWM, 0)
        where = f"inproc://connections-of-{socket.getsockopt(zmq.FD)!r}"
        socket.monitor(where, wanted)
        self.events.connect(where)
        self._end = weakref.finalize(self, _close, socket, self.events)

    def take(self) -> list[int]:
        """Return the events since the last call, oldest first."""
        happened: list[int] = []
        with contextlib.suppress(zmq.Again):
            while len(happened) < limits.BUS_DRAIN_MESSAGES:
                happened.append(recv_monitor_message(self.events, zmq.NOBLOCK)["event"])
        return happened

    def close(self) -> None:
        """Disconnect. Nothing else may close ``socket``."""
        self._end()


def _close(socket: zmq.Socket[bytes], events: zmq.Socket[bytes]) -> None:
    if not socket.closed:  # as it is once its context was destroyed
        socket.disable_monitor()
    events.close(linger=0)
    socket.close(linger=0)
