"""A transcript of the private connection and REST, in order: the checks judge by it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any  # Any: what Kraken answered, kept as it came


@dataclass(frozen=True, slots=True)
class Call:
    """A request with its answer, over the WebSocket or by REST; ``error`` is empty if it was taken.

    ``sent`` and ``answered`` are ns of CLOCK_BOOTTIME; ``answered`` is 0 without an answer. ``answer`` is the whole
    answer of the WebSocket, or the result of REST.
    """

    step: str
    method: str
    params: dict[str, Any]
    sent: int
    answer: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    answered: int = 0
    order: int = 0  # the answer's number among all messages that came in


@dataclass(frozen=True, slots=True)
class Push:
    """A message of a private channel; ``order`` is its number among all that came in, ``step`` the current step."""

    step: str
    channel: str
    type: str
    sequence: int
    data: list[dict[str, Any]]
    order: int
    received: int


@dataclass(slots=True)
class Transcript:
    """Everything of one check."""

    calls: list[Call] = field(default_factory=list)
    pushes: list[Push] = field(default_factory=list)

    def call(self, step: str) -> Call | None:
        """Return the last call of a step."""
        return next((call for call in reversed(self.calls) if call.step == step), None)

    def reports(self, order_id: str = "", cl_ord_id: str = "") -> list[tuple[Push, dict[str, Any]]]:
        """Return reports of an order in the updates of ``executions``, by either id, in the order of arrival."""
        return [
            (push, row)
            for push in self.pushes
            if push.channel == "executions" and push.type == "update"
            for row in push.data
            if (order_id and row.get("order_id") == order_id) or (cl_ord_id and row.get("cl_ord_id") == cl_ord_id)
        ]

    def snapshot(self, channel: str, after: int = 0) -> Push | None:
        """Return the first snapshot of a channel after message number ``after``."""
        pushes = (push for push in self.pushes if push.channel == channel and push.type == "snapshot")
        return next((push for push in pushes if push.order > after), None)
