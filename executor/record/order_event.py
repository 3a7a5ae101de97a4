"""An order's event as it happens; its text is made when it is written, so that none of that is in an order's way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from executor.orders.order import Kept, OrderLife
from executor.record.rows import EventRow
from shared import limits
from shared.messages import OrderState

#: A part of what an event says, or a function that makes it from what does not change any more.
Part = dict[str, object] | Callable[[], dict[str, object]]
_encoder = msgspec.json.Encoder(decimal_format="string")


@dataclass(frozen=True, slots=True)
class Event:
    """The ``n``th event of an order; ``life`` is the state that it left it in, ``kept`` what it had left as it was."""

    cl_ord_id: str
    n: int
    event_ts: int
    kind: str
    life: OrderLife
    parts: tuple[Part, ...]
    kept: Kept | None

    def row(self) -> EventRow:
        """Return the journal's row."""
        data: dict[str, object] = {}
        for part in self.parts:
            data |= part if isinstance(part, dict) else part()
        kept = self.kept
        if kept is not None:
            data["kept"] = {"since_ts": kept.since_ts, "until_ts": kept.until_ts, "targets": kept.whys}
        text = _encoder.encode(data).decode()
        state = OrderState(self.life.value)
        return EventRow(self.cl_ord_id, place(self.n), self.n, self.event_ts, self.kind, state.value, text)


def place(n: int) -> int:
    """Return the place that an order's ``n``th event takes: the first few keep theirs, later ones share a ring."""
    if n < limits.EVENTS_FIRST:
        return n
    return limits.EVENTS_FIRST + (n - limits.EVENTS_FIRST) % limits.EVENTS_LAST
