"""One reconciliation, from a recording to its report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from backtest.data.columns import Columns, Kind
from backtest.data.sources import Dataset, read
from backtest.exact import setting
from backtest.exact.trader import TURN_NS
from backtest.reconciliation import bus as buses, matching, played, profit, report, start, targets
from backtest.reconciliation.bus import Bus
from backtest.reconciliation.causes import Explainer, order_reports
from backtest.reconciliation.market import places, without_us
from backtest.reconciliation.market.without_us import WithoutUs
from shared import limits
from shared.clock import SECOND
from shared.config import Config

# The live executor's loop turns every 20 ms: on average a timer is seen half of that too late.
TIMER_LATE_NS = TURN_NS // 2
# The volatility that moves are priced by has a half-life of a minute.
WARM_NS = 2 * int(limits.VOLATILITY_HALF_LIFE_S * SECOND)


def reconcile(config: Config, path: str, strategy: str | None, queues: Sequence[str]) -> report.Report:
    """Return what a recording's live run did beside what the exact engine does. Raises DataError.

    Of several queue rules the one by which most fills match is this market's; the first of those that are alike. None
    is asked where every pair's single orders are recorded.
    """
    name = setting.choose_strategy(config, strategy)
    recorded = prepare(config, name, buses.read([path]), read([path]), path)
    if all(each.others.orders is not None for each in recorded.market.values()):
        queues = queues[:1]
    tried = [by_rule(recorded, queue) for queue in queues]
    best = max(tried, key=lambda each: each.matched)
    return msgspec.structs.replace(best, queues={each.queue: each.matched_share for each in tried})


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording, and what does not depend on the queue rule: its targets decided again, its market without us.

    ``market`` has the pairs and those that value them, from the recording's start; ``begin_ts`` is when the compared
    time begins.
    """

    config: Config
    strategy: str
    bus: Bus
    path: str
    traded: list[str]
    references: list[str]
    decided: targets.Decided
    market: dict[str, WithoutUs]
    begin_ts: int


def prepare(config: Config, strategy: str, bus: Bus, data: Dataset, path: str) -> Recorded:
    """Return a recording that was read, prepared to be played."""
    traded = setting.traded_pairs(config, strategy, data.columns)
    references = setting.references(config, traded, data.columns)
    listed = {symbol: data.columns[symbol] for symbol in [*traded, *references]}
    return Recorded(
        config=config,
        strategy=strategy,
        bus=bus,
        path=path,
        traded=traded,
        references=references,
        decided=targets.decide_again(config, strategy, bus),
        market={
            symbol: without_us.take_out(part, bus.orders[symbol], strategy, bus.boot_to_wall)
            for symbol, part in listed.items()
        },
        begin_ts=_begin_ts(listed.values()),
    )


def by_rule(recorded: Recorded, queue: str, timer_late_ns: int = TIMER_LATE_NS) -> report.Report:
    """Return the report by one queue rule.

    The executor's timers were late by ``timer_late_ns``, where the recording does not show by how much.
    """
    config, strategy, bus, begin_ts = recorded.config, recorded.strategy, recorded.bus, recorded.begin_ts
    columns = {}
    for symbol, market in recorded.market.items():
        resting = start.resting_at(bus, strategy, [symbol], begin_ts - bus.boot_to_wall)
        columns[symbol] = places.begun(market, resting, begin_ts, queue, bus.boot_to_wall)
    again = played.play(config, strategy, columns, recorded.references, bus, queue, timer_late_ns)
    outcome = again.outcome
    live = matching.live_fills(bus.fills, strategy, outcome.pairs, begin_ts, outcome.end_ts)
    theirs = matching.played_fills(outcome.fills)
    beside = matching.match(live, theirs)
    offset = bus.boot_to_wall
    explained = Explainer(
        order_reports(bus, strategy, recorded.traded, offset),
        order_reports(again.bus, strategy, recorded.traded, offset),
        beside,
        {symbol: _gaps(part) for symbol, part in columns.items()},
        bus.controls,
        offset,
        begin_ts,
        min(int(each.others.table["exchange_ts"][0].as_py()) for each in recorded.market.values()) + WARM_NS,
    ).explain()
    values = profit.Values(outcome.pairs, outcome.last_mids, outcome.rates)
    return report.make(
        path=recorded.path,
        decided=recorded.decided,
        taken={symbol: each.taken for symbol, each in recorded.market.items()},
        outcome=outcome,
        live=live,
        beside=beside,
        explained=explained,
        difference=profit.difference(live, theirs, beside, explained, values),
        currency=config.trading.currency,
        begin_ts=begin_ts,
        unreadable=bus.unreadable,
    )


def _begin_ts(parts: Iterable[Columns]) -> int:
    """Return when the compared time begins: what the live executor knew of the market takes a while to be heard again.

    A short recording is compared whole.
    """
    first = max(int(part.table["exchange_ts"][0].as_py()) for part in parts)
    last = max(int(part.table["exchange_ts"][-1].as_py()) for part in parts)
    return first + WARM_NS if last - first >= 2 * WARM_NS else first


def _gaps(part: Columns) -> list[int]:
    """Return when the record begins to be of no use, by its marks."""
    rows = zip(part.table["exchange_ts"].to_pylist(), part.table["kind"].to_pylist(), strict=True)
    return [ts for ts, kind in rows if kind == Kind.MARK]
