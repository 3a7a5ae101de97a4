"""The same time again: the recorded targets through the exact engine, in the recorded market without our orders.

Account, positions, counters and resting orders are as at the start; requests and market data take as long as they
did. Targets are the recorded ones, not decided again, so that one missed fill does not change all later quotes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from backtest.data.columns import Columns
from backtest.exact import run, setting
from backtest.exact.replayed import Replayed, merge
from backtest.exact.run import Options, Outcome
from backtest.reconciliation import delays, start
from backtest.reconciliation.bus import Bus
from backtest.reconciliation.decisions import Decisions
from backtest.venue.implementation import load_market
from backtest.venue.kraken import Kraken
from backtest.venue.latency import LatencyKind
from backtest.venue.loop import Loop
from backtest.venue.queue_market import Stop
from shared.config import Config
from shared.messages import Target


@dataclass(frozen=True, slots=True)
class Played:
    """The outcome, and what the played executor said on the bus."""

    outcome: Outcome
    bus: Bus


def play(
    config: Config,
    strategy: str,
    columns: dict[str, Columns],
    references: list[str],
    bus: Bus,
    queue: str,
    timer_late_ns: int,
) -> Played:
    """Play the recorded targets on columns whose first rows are the snapshots at the start."""
    traded = [symbol for symbol in columns if symbol not in references]
    begin_ts = max(int(part.table["exchange_ts"][0].as_py()) for part in columns.values())
    begin = begin_ts - bus.boot_to_wall
    account = start.account_at(bus, begin)
    prepared = start.with_account(setting.prepare(config, strategy, traded, [*columns], 1), account, traded)
    loop = Loop(begin)
    orders = [said for symbol in traded for said in bus.orders[symbol]]
    latency = delays.RecordedLatency(
        loop,
        delays.round_trips(orders),
        delays.reports(bus.fills, orders, bus.boot_to_wall),
        config.simulator.one_way_delay_ms,
    )
    kraken = Kraken(loop, prepared.simulator, latency, bus.boot_to_wall, crowded=False, seed=1)
    tape = merge(columns)
    market = load_market(len(tape.symbols), queue)
    pairs = {symbol: part.pair for symbol, part in columns.items()}
    source = Replayed(kraken, market, tape, pairs, begin_ts, Stop.TOUCH)
    beginning = start.Start(kraken, account, start.resting_at(bus, strategy, traded, begin))
    reactions = delays.reactions(orders)
    mine = [said.message for said in bus.targets if said.message.strategy == strategy]

    def fill_times(symbol: str) -> list[int]:
        return [fill.ns for fill in kraken.world.fills if fill.pair.symbol == symbol]

    decisions = Decisions(_due(mine, reactions, begin), bus, strategy, fill_times)
    options = Options(strategy, queue=queue, latency=LatencyKind.REPLAYED)
    heard = [(said.at, said.message) for symbol in traded for said in bus.books[symbol] if said.at < begin]
    timers = delays.RecordedTimers(orders, timer_late_ns)
    outcome = run.play(prepared, options, kraken, source, decisions, beginning.write, timers, heard)
    outcome.operations, outcome.tape, outcome.rows = source.operations, tape, source.rows
    return Played(outcome, decisions.heard)


def _due(targets: Iterable[Target], reactions: dict[int, int], begin: int) -> list[tuple[int, Target]]:
    """Return the targets from a time on, and each symbol's last before it, with when the executor acted on them.

    It takes the newest of a symbol: one that was followed by another before it could act on it is left out, unless an
    order names it as its cause.
    """
    usual = delays.usual(reactions.values())
    ordered = sorted(targets, key=lambda target: target.decided)
    last = {target.symbol: (begin, target) for target in ordered if target.decided < begin}
    due: list[tuple[int, Target]] = []
    following: dict[str, int] = {}
    for target in reversed(ordered):
        at = target.decided + reactions.get(target.decided, usual)
        is_superseded = target.decided not in reactions and following.get(target.symbol, at) < at
        following[target.symbol] = target.decided
        if target.decided >= begin and not is_superseded:
            due.append((at, target))
    due.reverse()
    return [*last.values(), *sorted(due, key=lambda each: each[0])]
