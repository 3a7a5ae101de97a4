"""The delays of a run, and of the live system where the data are its recording; in ms."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from backtest.exact.run import Outcome
from shared.clock import MS, SECOND
from shared.messages import Orders

# An order that was acknowledged later than this waited for something else.
LIMIT_NS: Final = 5 * SECOND
NAMES: Final = ("to_exchange", "inside", "back", "decision_to_sent", "sent_to_ack", "decision_to_ack")


@dataclass(frozen=True, slots=True)
class Delays:
    """Delays in ms, one a request or order.

    Of the run: a request's way to the exchange, its time inside, and the way of its answers back. Of the recorded live
    system: from a target's decision to the bytes of an order's request, from those to its ack, and both together.
    """

    to_exchange: list[float] = field(default_factory=list)
    inside: list[float] = field(default_factory=list)
    back: list[float] = field(default_factory=list)
    decision_to_sent: list[float] = field(default_factory=list)
    sent_to_ack: list[float] = field(default_factory=list)
    decision_to_ack: list[float] = field(default_factory=list)

    def by_name(self) -> dict[str, list[float]]:
        """Return those of which there are any."""
        return {name: values for name in NAMES if (values := getattr(self, name))}


def measure(outcome: Outcome, recorded: Iterable[Orders]) -> Delays:
    """Return the delays of a run, and those of recorded orders within its time."""
    used = outcome.delays
    delays = Delays(_ms(used.to_exchange), _ms(used.inside), _ms(used.back))
    seen: set[str] = set()
    for message in recorded:
        if not outcome.begin_ts <= message.ts <= outcome.end_ts:
            continue
        for order in message.orders:
            is_whole = 0 < order.decided <= order.sent <= order.acked < order.decided + LIMIT_NS
            if is_whole and order.cl_ord_id not in seen:
                seen.add(order.cl_ord_id)
                delays.decision_to_sent.append((order.sent - order.decided) / MS)
                delays.sent_to_ack.append((order.acked - order.sent) / MS)
                delays.decision_to_ack.append((order.acked - order.decided) / MS)
    return delays


def _ms(values: Iterable[int]) -> list[float]:
    return [value / MS for value in values]
