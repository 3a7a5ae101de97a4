"""The bus: ZeroMQ XPUB to SUB, brokerless; a message is two frames, topic and msgpack map.

A :class:`Publisher` stamps and repeats messages, a :class:`Subscriber` drains and counts them; ``topics`` is the table
of topics and their messages.
"""

from __future__ import annotations

from shared.bus.endpoints import address, addresses
from shared.bus.publisher import Publisher
from shared.bus.relayed import Connections, attach
from shared.bus.subscriber import Counters, Received, Subscriber, Tracker, Undecoded, open_socket
from shared.errors import BusAddressInUse

__all__ = [
    "BusAddressInUse",
    "Connections",
    "Counters",
    "Publisher",
    "Received",
    "Subscriber",
    "Tracker",
    "Undecoded",
    "address",
    "addresses",
    "attach",
    "open_socket",
]
