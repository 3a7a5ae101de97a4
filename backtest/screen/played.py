"""What a run of the fast engine leaves behind, whichever strategy it played."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from backtest.exact.history import Mids
from shared.messages import Side


class ScreenFill(NamedTuple):
    """A fill of an own order, by the exchange's time, in ticks and lots.

    ``ahead`` is what was before the order when it came to rest (``opened_ts``), None where the record did not show it.
    """

    ts: int
    order_id: int
    side: Side
    price: int
    qty: int
    ahead: int | None
    opened_ts: int


@dataclass(slots=True)
class Counts:
    """Decisions, and requests by kind; ``refused`` are submits and amends that post-only refused."""

    decisions: int = 0
    submits: int = 0
    amends: int = 0
    cancels: int = 0
    refused: int = 0


@dataclass(slots=True)
class Played:
    """One pair's run; ``position`` is in lots."""

    fills: list[ScreenFill] = field(default_factory=list)
    mids: Mids = field(default_factory=Mids)
    counts: Counts = field(default_factory=Counts)
    position: int = 0


@dataclass(frozen=True, slots=True)
class Pace:
    """When decisions are made, and how long news and requests travel each way; ``every_ns`` None: at each touch."""

    every_ns: int | None
    one_way_ns: int
