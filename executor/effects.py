"""Effects of the executor's cores: requests, REST calls, journal rows, messages, lines for the log.

A pass returns them; :mod:`executor.dispatch` carries them out, in an order that survives a crash at any point.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from executor.record.order_event import Event
from executor.record.rows import Row
from shared import limits
from shared.halt import Halt
from shared.process import effects

DRY_RUN = "dry run, not sent"


@dataclass(slots=True)
class Request:
    """A WebSocket request without its token; ``orders`` are client order ids.

    An ``urgent`` one cancels, arms or disarms the switch, or subscribes: it waits for nothing (T9).
    """

    req_id: int
    method: str
    params: dict[str, object]
    symbol: str = ""
    orders: list[str] = field(default_factory=list)
    urgent: bool = False
    sent: int = 0


@dataclass(frozen=True, slots=True)
class RestCall:
    """A REST call; its answer comes back with the same ``tag``.

    A public one needs no key and costs no points; an ``urgent`` one is a cancel.
    """

    tag: str
    method: str
    params: dict[str, str]
    is_public: bool = False
    urgent: bool = False


@dataclass(slots=True)
class Effects(effects.Effects):
    """The effects of what came in and of one pass."""

    rows: list[Row] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)  # written together with the next other row
    requests: list[Request] = field(default_factory=list)
    calls: list[RestCall] = field(default_factory=list)
    reconnect: str = ""  # why the private connection is to be dropped; a new one is made
    halt: Halt | None = None
    flattened: bool = False  # every position is closed
    newer_writer: str = ""  # who else trades the account: this process ends
    epoch: int = 0  # one above a newer writer's, seen at the start


class Outbox(effects.Outbox[Effects]):
    """Gathers the effects; the one place that numbers requests."""

    def __init__(self) -> None:
        super().__init__(Effects)
        self._last_id = 0

    def new_id(self) -> int:
        """Return the next request id."""
        self._last_id += 1
        return self._last_id

    def send(self, request: Request) -> None:
        """Send a request on the private connection."""
        self.pending.requests.append(request)

    def ask(self, method: str, params: dict[str, object]) -> None:
        """Send a request that concerns no order: a subscription or the switch."""
        self.send(Request(self.new_id(), method, params, urgent=True))

    def call(self, call: RestCall) -> None:
        """Make a REST call."""
        self.pending.calls.append(call)

    def write(self, *rows: Row) -> None:
        """Write rows to the journal."""
        self.pending.rows += rows

    def write_event(self, event: Event) -> None:
        """Write an order's event to the journal, together with the next other row."""
        self.pending.events.append(event)

    def reconnect(self, why: str) -> None:
        """Drop the private connection; a new one is made."""
        self.pending.reconnect = why

    def halt(self, halt: Halt) -> None:
        """Turn the halt switch on."""
        self.pending.halt = halt

    def end_flatten(self) -> None:
        """End the flatten: every position is closed."""
        self.pending.flattened = True

    def give_way(self, newer_writer: str) -> None:
        """End this process: another executor trades the account."""
        self.pending.newer_writer = newer_writer

    def outbid(self, epoch: int) -> None:
        """Raise our epoch to at least this, in the journal too."""
        self.pending.epoch = max(self.pending.epoch, epoch)

    def unread(self, text: str) -> None:
        """Count and log an element that cannot be read; the rest of its message is taken."""
        self.count("unreadable")
        self.tell("warning", "unreadable", text[: limits.TEXT_SHOWN], alert=True)
