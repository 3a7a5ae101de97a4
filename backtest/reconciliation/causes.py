"""Why a fill is only on one side: decided from what both executors reported of their orders, never from text."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from backtest.reconciliation.bus import Bus, Said
from backtest.reconciliation.market.own_orders import Stand, stands
from backtest.reconciliation.matching import Beside, OwnFill, Piece
from shared.clock import MS, SECOND
from shared.kraken.counters import ADD, CANCEL_WORST
from shared.messages import Control, OrderState, Side

# Requests and reports of one moment are this near to each other on both sides.
RACE_NS = 250 * MS
# After a change an order is left alone for less than this.
PACE_NS = 20 * SECOND
# An earlier event is looked for this long around the moment at which the orders came apart.
AROUND_NS = SECOND


class Cause(StrEnum):
    """Why a fill is only on one side."""

    COMMAND = "command"
    """Trading was halted: a person's or a limit's command, which is not played."""
    GAP = "gap"
    """The record cannot be trusted around that time: lost messages, a reconnect, an executor that restarted."""
    START = "start"
    """The order rested before the recording began: its place, or since when it stood, is not known."""
    LATENCY = "latency"
    """A request came just in time on one side and just too late on the other."""
    REFUSAL = "refusal"
    """The exchange refused a request on one side."""
    RISK = "risk"
    """An own limit denied a request on one side."""
    RATE = "rate"
    """The pair's rate counter had no room for a request."""
    QUEUE = "queue"
    """An order rested at that price on both sides; the record does not say where in the queue others cancelled."""
    PACE = "pace"
    """One side moved the order and the other kept it: the move was worth its points on one side only."""
    EARLIER = "earlier"
    """The orders had come apart by an earlier fill that only one side had."""
    SIZE = "size"
    """The rest of a matched fill: the other side's is smaller."""
    UNEXPLAINED = "unexplained"
    """None of these: a bug."""


@dataclass(slots=True)
class OrderReports:
    """One side's orders: by symbol and slot what stood when, and when requests were refused or denied."""

    stands: dict[tuple[str, str], list[Stand]] = field(default_factory=lambda: defaultdict(list))
    refused: dict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    denied: dict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    # When a pair's rate counter had no room for another order.
    tight: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    # When the orders were not known.
    unknown: list[int] = field(default_factory=list)

    def spans(self, symbol: str, side: Side, price: int) -> list[tuple[int, int, str]]:
        """Return from when to when orders rested at a price, each with its client order id."""
        spans = []
        for (other, _), changes in self.stands.items():
            if other != symbol:
                continue
            since: dict[str, int] = {}
            for stand in changes:
                is_there = stand.side == side and stand.price == price and stand.remaining > 0
                if is_there:
                    since.setdefault(stand.cl_ord_id, stand.at_ts)
                elif stand.cl_ord_id in since:
                    spans.append((since.pop(stand.cl_ord_id), stand.at_ts, stand.cl_ord_id))
            spans += [(begin, 2**62, cl_ord_id) for cl_ord_id, begin in since.items()]
        return spans

    def price(self, symbol: str, slot: str, ts: int) -> int | None:
        """Return where a slot's order stood at a time; None without one."""
        prices: dict[str, int] = {}
        for stand in self.stands[symbol, slot]:
            if stand.at_ts > ts:
                break
            prices.pop(stand.cl_ord_id, None)
            if stand.remaining:
                prices[stand.cl_ord_id] = stand.price
        return next(reversed(prices.values())) if prices else None


def order_reports(bus: Bus, strategy: str, symbols: Iterable[str], boot_to_wall: int) -> OrderReports:
    """Return what an executor reported of a strategy's orders."""
    reports = OrderReports()
    for symbol in symbols:
        messages = bus.orders[symbol]
        for stand in stands(messages, strategy, boot_to_wall):
            reports.stands[symbol, stand.slot].append(stand)
        ended: set[str] = set()
        for said in messages:
            ts = said.at + boot_to_wall
            if not said.message.valid:
                reports.unknown.append(ts)
            for order in said.message.orders:
                if order.strategy == strategy and order.cl_ord_id not in ended:
                    if order.state is OrderState.REFUSED:
                        reports.refused[symbol, order.slot].append(ts)
                        ended.add(order.cl_ord_id)
                    elif order.state is OrderState.DENIED:
                        reports.denied[symbol, order.slot].append(ts)
                        ended.add(order.cl_ord_id)
    _note_counters(bus, reports, symbols, boot_to_wall)
    return reports


def _note_counters(bus: Bus, reports: OrderReports, symbols: Iterable[str], boot_to_wall: int) -> None:
    for account in bus.accounts:
        ts = account.at + boot_to_wall
        for symbol in symbols:
            slots = [slot for other, slot in reports.stands if other == symbol]
            resting = sum(reports.price(symbol, slot, ts) is not None for slot in slots) if slots else 0
            needs = ADD + CANCEL_WORST * (resting + 1)
            if account.message.threshold and account.message.counters.get(symbol, 0.0) + needs > (
                account.message.threshold
            ):
                reports.tight[symbol].append(ts)


@dataclass(frozen=True, slots=True)
class Explained:
    """A piece with its cause."""

    piece: Piece
    cause: Cause


class Explainer:
    """Decides causes. ``gaps`` are the times of marks by symbol, ``begin_ts`` when the played time begins.

    Up to ``cold_until_ts`` the played executor has not heard the market for as long as the live one.
    """

    def __init__(
        self,
        live: OrderReports,
        played: OrderReports,
        beside: Beside,
        gaps: dict[str, list[int]],
        controls: Sequence[Said[Control]],
        boot_to_wall: int,
        begin_ts: int,
        cold_until_ts: int = 0,
    ) -> None:
        self._live, self._played, self._beside = live, played, beside
        self._gaps, self._begin_ts, self._cold_until_ts = gaps, begin_ts, cold_until_ts
        self._halts = _halts(controls, boot_to_wall)

    def explain(self) -> list[Explained]:
        """Return every piece that does not match, with its cause."""
        made = [Explained(piece, Cause.SIZE) for piece in self._beside.sizes]
        made += [Explained(piece, self._cause(piece)) for piece in [*self._beside.missed, *self._beside.extra]]
        return sorted(made, key=lambda each: each.piece.fill.ts)

    def _cause(self, piece: Piece) -> Cause:
        fill = piece.fill
        ours, other = (self._live, self._played) if piece.live is not None else (self._played, self._live)
        if any(begin <= fill.ts < end for begin, end in self._halts):
            return Cause.COMMAND
        gaps = [*self._gaps.get(fill.symbol, ()), *self._live.unknown]
        if _is_any(gaps, fill.ts - AROUND_NS, fill.ts + AROUND_NS):
            return Cause.GAP
        spans = [
            span
            for span in other.spans(fill.symbol, fill.side, fill.price)
            if span[0] <= fill.ts + RACE_NS and span[1] >= fill.ts - RACE_NS
        ]
        if spans:
            return self._cause_at_price(fill, spans)
        return self._cause_apart(fill, ours, other)

    def _cause_at_price(self, fill: OwnFill, spans: list[tuple[int, int, str]]) -> Cause:
        """Return why an order at the price was not filled: it came or left at that time, or stood in its queue."""
        if all(begin > fill.ts - RACE_NS or end < fill.ts + RACE_NS for begin, end, _ in spans):
            is_old = all(begin <= self._begin_ts + RACE_NS for begin, _, _ in spans)
            return Cause.START if is_old else Cause.LATENCY
        return Cause.START if any(begin <= self._begin_ts + RACE_NS for begin, _, _ in spans) else Cause.QUEUE

    def _cause_apart(self, fill: OwnFill, ours: OrderReports, other: OrderReports) -> Cause:
        """Return why the slot's orders stood at different prices.

        An order is left alone for some time after each change, so that what made them come apart may lie further back:
        the times at which they were apart before are asked in turn.
        """
        until, is_pace = fill.ts, False
        for since, end in reversed(self._apart(fill, ours, other)):
            if until - end > PACE_NS:
                break
            if since <= self._begin_ts + RACE_NS:
                return Cause.START
            cause = self._cause_since(fill, since, until, ours, other)
            if cause is not None:
                return cause
            is_pace = is_pace or self._is_kept(fill, since, ours, other)
            until = since
        if is_pace:
            return Cause.PACE
        return Cause.START if fill.ts < self._cold_until_ts else Cause.UNEXPLAINED

    def _cause_since(
        self, fill: OwnFill, since: int, until: int, ours: OrderReports, other: OrderReports
    ) -> Cause | None:
        """Return what made the slot's orders come apart at a time; None if nothing is known of it."""
        key = fill.symbol, fill.slot
        for reports in (ours, other):
            if _is_any(reports.refused[key], since - RACE_NS, until + RACE_NS):
                return Cause.REFUSAL
            if _is_any(reports.denied[key], since - RACE_NS, until + RACE_NS):
                return Cause.RISK
        if fill.ts - since <= RACE_NS:
            return Cause.LATENCY
        if self._is_fill_apart(fill, since):
            return Cause.EARLIER
        if self._is_race(fill, since, ours, other):
            return Cause.LATENCY
        for reports in (ours, other):
            if _is_any(reports.tight[fill.symbol], since - AROUND_NS, until + AROUND_NS):
                return Cause.RATE
        return None

    def _apart(self, fill: OwnFill, ours: OrderReports, other: OrderReports) -> list[tuple[int, int]]:
        """Return from when to when the slot's orders stood apart before a fill; moments of a race only at its end."""
        key = fill.symbol, fill.slot
        times = sorted({stand.at_ts for reports in (ours, other) for stand in reports.stands[key]})
        apart: list[tuple[int, int]] = []
        since: int | None = None
        for ts in times[: bisect_left(times, fill.ts)]:
            is_same = ours.price(*key, ts) == other.price(*key, ts)
            if is_same and since is not None:
                apart += [(since, ts)] if ts - since > RACE_NS else []
                since = None
            elif not is_same and since is None:
                since = ts
        return [*apart, (fill.ts if since is None else since, fill.ts)]

    def _is_fill_apart(self, fill: OwnFill, since: int) -> bool:
        """True if only one side had a fill in this slot about when the orders came apart."""
        pieces = [*self._beside.missed, *self._beside.extra, *self._beside.sizes]
        return any(
            (each.fill.symbol, each.fill.slot) == (fill.symbol, fill.slot)
            and abs(each.fill.ts - since) <= AROUND_NS
            and each.fill.ts < fill.ts - RACE_NS
            for each in pieces
        )

    def _is_kept(self, fill: OwnFill, since: int, ours: OrderReports, other: OrderReports) -> bool:
        """True if one side moved the slot's order at that time, and the other left its own where it was.

        Both had the same targets: a move that nothing refused was worth its points on one side only.
        """
        key = fill.symbol, fill.slot
        moved = [any(abs(stand.at_ts - since) <= RACE_NS for stand in each.stands[key]) for each in (ours, other)]
        return moved[0] != moved[1] and all(each.price(*key, since) is not None for each in (ours, other))

    def _is_race(self, fill: OwnFill, since: int, ours: OrderReports, other: OrderReports) -> bool:
        """True if both sides changed the slot's order at about that time: one of them a target later."""
        key = fill.symbol, fill.slot
        return all(
            any(abs(stand.at_ts - since) <= RACE_NS for stand in reports.stands[key]) for reports in (ours, other)
        )


def _is_any(times: list[int], begin: int, end: int) -> bool:
    ordered = sorted(times)
    return bisect_right(ordered, end) > bisect_left(ordered, begin)


def _halts(controls: Sequence[Said[Control]], boot_to_wall: int) -> list[tuple[int, int]]:
    halts: list[tuple[int, int]] = []
    since: int | None = None
    for said in controls:
        if said.message.halted:
            since = said.at if since is None else since
        elif since is not None:
            halts.append((since + boot_to_wall, said.at + boot_to_wall))
            since = None
    return [*halts, *([(since + boot_to_wall, 2**62)] if since is not None else [])]
