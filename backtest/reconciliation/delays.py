"""The delays of a recording: how long requests took, and when the market was heard."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median_low

from backtest.exact.trader import TURN_NS, Timers
from backtest.reconciliation.bus import Said
from backtest.venue.latency import Latency, LatencyKind
from backtest.venue.loop import Loop
from shared.clock import MS, SECOND
from shared.messages import Fill, Orders, OrderState
from simulator.websocket import TURNAROUND_MS

# An order that is planned later than this after its target was decided waited for something else.
REACTION_NS = 50 * MS
ADD, AMEND = "add_order", "amend_order"
US = 1000
# The live loop's next turn comes within this: it begins to wait for it only when the one before is done.
NEXT_TURN_NS = TURN_NS * 5 // 4
# Messages of one pass are published within this.
SAME_NS = 10 * MS
LIMIT_NS = 5 * SECOND


# A fill comes in so many frames: the trade, the balances of both assets, the order's state.
FRAMES_A_FILL = 4


@dataclass(frozen=True, slots=True)
class Reports:
    """Delays of the reports of fills, and of the frames after the first of each, in ns.

    Both are by when it happened: us of CLOCK_BOOTTIME, since the exchange states no finer time. ``usual_apart`` is the
    median.
    """

    late: dict[int, int]
    apart: dict[int, int]
    usual_apart: int


@dataclass(frozen=True, slots=True)
class Trip:
    """A request: when a pass made it (ns of CLOCK_BOOTTIME), how long it then took to leave, and to be acked, in ns."""

    planned: int
    held: int
    taken: int
    method: str


class RecordedLatency(Latency):
    """Market data arrive when the recording heard them; a request's way takes what the newest order's took then.

    ``trips`` are those of recorded orders, in order; ``loop`` has the same clock.
    A fill's report is as late as it was (``reports``). Frames of one moment come one after the other: the live executor
    makes a pass for each.
    """

    def __init__(self, loop: Loop, trips: list[Trip], reports: Reports, one_way_ms: float) -> None:
        super().__init__(LatencyKind.REPLAYED, one_way_ms, 0)
        self._loop, self._trips, self._reports = loop, trips, reports
        self._default = int(one_way_ms * MS)
        # When the last frame left the exchange, and how many did at that moment.
        self._left, self._frames = 0, 0
        self._planned = [trip.planned for trip in trips]

    def one_way(self) -> int:
        """Return the delay of a message on the private connection, either way."""
        trip = self._newest()
        return self._default if trip is None else max(0, trip.taken - self.turnaround(trip.method)) // 2

    def up(self) -> int:
        """Return the delay of a request: until its order was in the journal, and the way."""
        trip = self._newest()
        return self.one_way() + (trip.held if trip is not None else 0)

    def _newest(self) -> Trip | None:
        place = bisect_right(self._planned, self._loop.now) - 1
        return self._trips[max(0, place)] if self._trips else None

    def down(self) -> int:
        """Return the delay of a message that leaves the exchange now."""
        now = self._loop.now
        self._left, self._frames = now, self._frames + 1 if self._left == now else 0
        reports, moment = self._reports, now // US
        apart = reports.apart.get(moment, reports.usual_apart)
        return (reports.late.get(moment) or self.one_way()) + self._frames * apart

    def turnaround(self, method: str) -> int:
        """Return how long a request takes inside the exchange: the median."""
        return int(TURNAROUND_MS.get(method, 0.0) * MS)

    def heard(self, exchange_ts: int, heard_ts: int) -> int:
        """Return when a public message was heard."""
        return max(exchange_ts, heard_ts)


class RecordedTimers(Timers):
    """Passes that only a timer calls for are made when the recorded executor made one at its next turn.

    Only passes with a request are in the recording. Where there was none such a pass is late by ``usual_ns``.
    """

    def __init__(self, messages: Iterable[Said[Orders]], usual_ns: int) -> None:
        planned = {order.planned for said in messages for order in said.message.orders if order.planned}
        # The target that a pass was made for comes first.
        self._passes = sorted(at + 1 for at in planned)
        self._usual_ns = usual_ns

    def due(self, at: int) -> int:
        """Return when a pass is made that is due at a time."""
        return self._recorded(at) or at + self._usual_ns

    def moved(self, at: int) -> int:
        """Return when the pass is made after a book that moved at a time."""
        return self._recorded(at) or super().moved(at)

    def _recorded(self, at: int) -> int:
        place = bisect_left(self._passes, at)
        is_near = place < len(self._passes) and self._passes[place] - at <= NEXT_TURN_NS
        return self._passes[place] if is_near else 0


def round_trips(messages: Iterable[Said[Orders]]) -> list[Trip]:
    """Return the trips of adds and amends, by when they were made."""
    trips: dict[tuple[str, int], Trip] = {}
    added: set[str] = set()
    for said in messages:
        for order in said.message.orders:
            key = order.cl_ord_id, order.sent
            if key in trips or not order.sent or not 0 < order.acked - order.sent < LIMIT_NS:
                continue
            # A recorded order of an executor that stated no pass was sent in it.
            planned = order.planned or order.sent
            method = AMEND if order.cl_ord_id in added else ADD
            trips[key] = Trip(planned, order.sent - planned, order.acked - order.sent, method)
            added.add(order.cl_ord_id)
    return sorted(trips.values(), key=lambda trip: trip.planned)


def reports(fills: Iterable[Fill], orders: Sequence[Said[Orders]], boot_to_wall: int) -> Reports:
    """Return the delays of the reports of recorded fills, and of the frames after the first of each."""
    moments: dict[int, list[Fill]] = defaultdict(list)
    for fill in sorted(fills, key=lambda fill: fill.ts):
        if 0 < _heard_ts(fill, boot_to_wall) - fill.fill_ts < LIMIT_NS:
            moments[(fill.fill_ts - boot_to_wall) // US].append(fill)
    ends = _ends(orders)
    apart = {}
    for at, theirs in moments.items():
        first, last = theirs[0], theirs[-1]
        known, ended = ends.get(first.cl_ord_id, (0, 0))
        if last is not first:
            apart[at] = (last.ts - first.ts) // (FRAMES_A_FILL * (len(theirs) - 1))
        elif abs(known - (first.ts - boot_to_wall)) < SAME_NS:
            apart[at] = (ended - known) // (FRAMES_A_FILL - 1)
    late = {at: _heard_ts(theirs[0], boot_to_wall) - theirs[0].fill_ts for at, theirs in moments.items()}
    return Reports(late, apart, usual(apart.values()))


def _heard_ts(fill: Fill, boot_to_wall: int) -> int:
    """Return when a report was heard; of an executor that did not say so, when it told of the fill."""
    return fill.heard + boot_to_wall if fill.heard else fill.ts


def _ends(messages: Iterable[Said[Orders]]) -> dict[str, tuple[int, int]]:
    """Return when orders were first known to be filled whole, and when the exchange had reported their end."""
    known: dict[str, int] = {}
    ended: dict[str, int] = {}
    for said in messages:
        for order in said.message.orders:
            if order.filled >= order.qty:
                known.setdefault(order.cl_ord_id, said.at)
            if order.state is OrderState.FILLED:
                ended.setdefault(order.cl_ord_id, said.at)
    return {cl_ord_id: (known[cl_ord_id], at) for cl_ord_id, at in ended.items() if at - known[cl_ord_id] < LIMIT_NS}


def reactions(messages: Iterable[Said[Orders]]) -> dict[int, int]:
    """Return, by a target's ``decided``, how long after it the executor's pass acted on it at once."""
    times: dict[int, int] = {}
    for said in messages:
        for order in said.message.orders:
            after = (order.planned or order.sent) - order.decided
            if order.decided and order.sent and 0 <= after < REACTION_NS:
                times[order.decided] = min(after, times.get(order.decided, after))
    return times


def usual(times: Iterable[int]) -> int:
    """Return the median, 0 without any."""
    known = list(times)
    return median_low(known) if known else 0
