"""Orders that are placed whatever happens, and what an engine made of each."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from backtest.data.columns import BUY, SELL
from backtest.exact.replayed import Tape
from backtest.screen.played import operation
from backtest.venue.implementation import Market, load_market
from backtest.venue.recorded import Operation, Submitted, repeat
from shared.messages import Side

SIDES: tuple[Side, Side] = ("buy", "sell")


@dataclass(frozen=True, slots=True)
class Order:
    """A post-only order; it rests from when the request arrives (``begin_ts``) until its cancel does."""

    number: int
    side: int
    ticks: int
    begin_ts: int
    end_ts: int

    def is_beyond(self, ticks: int) -> bool:
        """True if a price of the record is past the order's: lower than a bid, higher than an ask."""
        return ticks < self.ticks if self.side == BUY else ticks > self.ticks


@dataclass(frozen=True, slots=True)
class Pace:
    """Two orders every so often, each resting for ``rest_ns``: shorter, so that the next never meets the last."""

    every_ns: int
    rest_ns: int
    delay_ns: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """Orders of ``lots``; every request takes ``delay_ns`` to the exchange."""

    orders: list[Order]
    lots: int
    delay_ns: int
    distance_bps: float


class Filled(msgspec.Struct, frozen=True):
    """One order's fills: when the first and the last were, and the lots of all."""

    ts: int
    last_ts: int
    lots: int


class Outcome(msgspec.Struct, frozen=True):
    """An engine's fills by order, and the orders that it refused as they came."""

    fills: dict[int, Filled]
    refused: list[int]


class Difference(StrEnum):
    """The way in which an order ended otherwise than in our market."""

    ONLY_THEIRS = "only theirs"
    ONLY_OURS = "only ours"
    OTHER_TIME = "other time"
    OTHER_LOTS = "other quantity"


def schedule(tape: Tape, lots: int, pace: Pace, distance_bps: float) -> Schedule:
    """Return orders at a distance from the recorded mid of the moment at which each is sent."""
    market = _market(tape)
    orders: list[Order] = []
    begin_ts, end_ts = int(tape.exchange_ts[0]) + pace.every_ns, int(tape.exchange_ts[-1]) - pace.every_ns
    for sent_ts in range(begin_ts, end_ts, pace.every_ns):
        _advance(market, sent_ts)
        bid, ask = market.best(0, "buy"), market.best(0, "sell")
        if bid is None or ask is None:
            continue
        middle = (bid[0] + ask[0]) / 2
        away = middle * distance_bps * 1e-4
        buy = min(math.floor(middle - away), ask[0] - 1)
        sell = max(math.ceil(middle + away), bid[0] + 1, buy + 1)
        rests_ts = sent_ts + pace.delay_ns
        for side, ticks in ((BUY, buy), (SELL, sell)):
            orders.append(Order(len(orders) + 1, side, ticks, rests_ts, rests_ts + pace.rest_ns))
    return Schedule(orders, lots, pace.delay_ns, distance_bps)


def operations(planned: Schedule) -> list[Operation]:
    """Return the requests as they come to the exchange."""
    cancels = [operation(order.end_ts, order.number, None, None, None) for order in planned.orders]
    submits = [
        operation(order.begin_ts, order.number, SIDES[order.side], order.ticks, planned.lots)
        for order in planned.orders
    ]
    return sorted([*submits, *cancels], key=lambda each: each.ts)


def requests(planned: Schedule) -> dict[str, list[int]]:
    """Return the requests as they are sent, in columns: without a price a cancel."""
    columns: dict[str, list[int]] = {f"request_{name}": [] for name in ("ts", "number", "side", "ticks")}
    for each in operations(planned):
        order = planned.orders[each.order_id - 1]
        ticks = order.ticks if isinstance(each, Submitted) else 0
        for column, value in zip(
            columns.values(), (each.ts - planned.delay_ns, order.number, order.side, ticks), strict=True
        ):
            column.append(value)
    return columns


def ours(tape: Tape, planned: Schedule) -> Outcome:
    """Return what our market makes of the orders, cancels being behind them."""
    market = _market(tape)
    fills: list[tuple[int, Filled]] = []
    refused = []
    for request in operations(planned):
        fills += _advance(market, request.ts)
        events = repeat(market, request)
        if isinstance(request, Submitted) and events[0][0] == "cancel":
            refused.append(request.order_id)
    fills += _advance(market, int(tape.exchange_ts[-1]))
    return Outcome(together(fills), refused)


def together(fills: Iterable[tuple[int, Filled]]) -> dict[int, Filled]:
    """Return each order's fills, in the order of time, as one."""
    joined: dict[int, Filled] = {}
    for number, fill in fills:
        first = joined.get(number)
        joined[number] = fill if first is None else Filled(first.ts, fill.last_ts, first.lots + fill.lots)
    return joined


def difference(ours: Filled | None, theirs: Filled | None) -> Difference | None:
    """Return how the fills of one order differ, None if they do not."""
    if ours is None or theirs is None:
        return None if ours is theirs else Difference.ONLY_THEIRS if ours is None else Difference.ONLY_OURS
    if ours.ts != theirs.ts:
        return Difference.OTHER_TIME
    return Difference.OTHER_LOTS if ours.lots != theirs.lots else None


def _market(tape: Tape) -> Market:
    market = load_market(1, "back")
    tape.play_on(market)
    return market


def _advance(market: Market, until_ts: int) -> list[tuple[int, Filled]]:
    """Play up to a time; return the fills of orders."""
    fills = []
    while market.advance(until_ts, 0)[0]:
        for event in market.take_events(0):
            if event[0] == "trade":
                fills.append((event[2], Filled(market.now(), market.now(), event[4])))
    return fills
