"""The outcome of a run of the fast engine, whichever strategy it played."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from backtest.exact.history import Mids
from backtest.screen.moves import Moves
from backtest.venue.recorded import Amended, Cancelled, Operation, Submitted
from shared.clock import MS
from shared.messages import Side
from simulator.websocket import TURNAROUND_MS

# The owner of all orders.
OWNER = 1


class ScreenFill(NamedTuple):
    """A fill of an own order, by the exchange's time, in ticks and lots.

    ``ahead`` is what was before the order when it came to rest (``opened_ts``), ``ahead_at_fill`` what still was at
    this fill: 0 unless a trade at a worse price or the other side reached the order. None where it was not known.
    """

    ts: int
    order_id: int
    side: Side
    price: int
    qty: int
    ahead: int | None
    opened_ts: int
    ahead_at_fill: int | None


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
    """One pair's run; ``position`` is in lots, ``operations`` are what arrived at the exchange."""

    fills: list[ScreenFill] = field(default_factory=list)
    mids: Mids = field(default_factory=Mids)
    counts: Counts = field(default_factory=Counts)
    position: int = 0
    operations: list[Operation] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Pace:
    """When decisions are made (``every_ns`` None: at each touch), how long things take, and when orders may move.

    ``one_way_ns`` is how long news and requests travel; the others are a request's time inside the exchange.
    """

    every_ns: int | None
    one_way_ns: int
    submit_ns: int = int(TURNAROUND_MS["add_order"] * MS)
    amend_ns: int = int(TURNAROUND_MS["amend_order"] * MS)
    cancel_ns: int = int(TURNAROUND_MS["cancel_order"] * MS)
    moves: Moves = Moves.FREE


def operation(ts: int, order_id: int, side: Side | None, price: int | None, qty: int | None) -> Operation:
    """Return a request of the keeper: without a price a cancel, with a side a new order, else an amend."""
    if price is None or qty is None:
        return Cancelled(ts, 0, order_id)
    if side is None:
        return Amended(ts, 0, order_id, price, qty, post_only=True)
    return Submitted(ts, 0, order_id, OWNER, side, price, qty, "gtc", post_only=True, stp="cancel_newest")
