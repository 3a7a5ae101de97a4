"""What the core wants done: rows for the journal, requests, REST calls, messages, words for the log.

The shell carries it out in this order: cancels (which wait for nothing, T9), rows in one transaction, and only when
those are on the disk the other requests.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from executor.record.rows import EventRow, Row
from shared.halt import Halt
from shared.messages import Message

DRY_RUN = "dry run, not sent"


@dataclass(slots=True)
class Request:
    """A WebSocket request; ``orders`` are client order ids, ``urgent`` ones only take quotes away or arm the switch."""

    req_id: int
    method: str
    params: dict[str, Any]
    symbol: str = ""
    orders: list[str] = field(default_factory=list)
    urgent: bool = False
    sent: int = 0
    connection: int = 0


@dataclass(frozen=True, slots=True)
class RestCall:
    """A REST call; its answer comes back with the same ``tag``.

    A public one takes no key and no points; ``urgent`` ones only take quotes away.
    """

    tag: str
    method: str
    params: dict[str, str]
    is_public: bool = False
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """A line for the log; an ``alert`` goes on the bus as well."""

    level: str
    kind: str
    text: str
    alert: bool = False


@dataclass(slots=True)
class Outbox:
    """Gathers what one event or turn wants done."""

    rows: list[Row] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)  # these wait for other rows to be written with
    requests: list[Request] = field(default_factory=list)
    rest: list[RestCall] = field(default_factory=list)
    messages: list[tuple[str, Message]] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    reconnect: str = ""
    halt: Halt | None = None
    flattened: bool = False
    stop_held: str = ""
    epoch: int = 0
