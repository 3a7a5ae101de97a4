"""One run of the exact engine, from market and settings to what it leaves behind."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from backtest.data.columns import Columns
from backtest.exact.engine import Decider, Engine
from backtest.exact.history import Mids
from backtest.exact.replayed import Replayed, Tape, merge
from backtest.exact.source import Source
from backtest.exact.synthetic import Synthetic
from backtest.exact.trader import CLOCK, Timers
from backtest.venue.implementation import Market, load_market
from backtest.venue.kraken import Kraken, OrderChange
from backtest.venue.latency import Latency, LatencyKind, UsedDelays
from backtest.venue.loop import Loop
from backtest.venue.queue_market import Stop
from backtest.venue.recorded import Operation
from executor.publish import account_message
from executor.record.journal import Journal
from shared.clock import SECOND
from shared.config import Config
from shared.messages import Account, Book, Pair
from shared.process.effects import LogEntry
from simulator.exchange.orders import Fill
from simulator.pairs.pairs import ASSETS
from strategy.host import Host
from strategy.interface import Trigger

# The executor is up before the market begins, by so much; its clock then stands at the second figure.
EARLY_NS, BOOT_NS = 2 * SECOND, 1000 * SECOND
# The synthetic market begins at this time.
EPOCH_NS = 1_800_000_000 * SECOND


@dataclass(frozen=True, slots=True)
class Options:
    """The choices of a run, besides configuration and market."""

    strategy: str
    seed: int = 1
    queue: str = "pro_rata"
    power: float = 2.0
    latency: LatencyKind = LatencyKind.CONSTANT
    one_way_ms: float = 10.0


@dataclass(slots=True)
class Outcome:
    """The result of a run. Balances are by asset; ``account`` is the executor's own last word.

    ``begin_ts`` is when the market begins; the executor is up :data:`EARLY_NS` before, from which ``sent`` counts.
    """

    options: Options
    pairs: dict[str, Pair]
    begin_ts: int
    end_ts: int
    wall_s: float
    rows: int
    fills: list[Fill]
    order_changes: list[OrderChange]
    opened: dict[int, int]
    mids: dict[str, Mids]
    last_mids: dict[str, Decimal]
    rates: dict[str, Decimal]
    balances_before: dict[str, Decimal]
    balances_after: dict[str, Decimal]
    rounding: dict[str, Decimal]
    account: Account
    digest: str
    sent: list[tuple[int, str]]
    points: float
    passes: int
    decisions: int
    halted: str
    log: list[LogEntry]
    maker_rate: int
    taker_rate: int
    rejects: Counter[str]
    delays: UsedDelays
    operations: list[Operation] = field(default_factory=list)
    tape: Tape | None = None
    # The market that the tape was played on; its rows serve again.
    market: Market | None = None
    places: dict[int, tuple[int, bool]] = field(default_factory=dict)
    # The lots that were still ahead of each order at its first fill in the queue; None where that is not known.
    ahead_at_fill: dict[int, int | None] = field(default_factory=dict)
    # Lots that traded in the record, by pair.
    traded_lots: dict[str, int] = field(default_factory=dict)


def on_columns(config: Config, columns: dict[str, Columns], options: Options) -> Outcome:
    """Run on recorded data; ``config`` is prepared for its pairs."""
    return on_tape(config, merge(columns), {symbol: part.pair for symbol, part in columns.items()}, options)


def on_tape(config: Config, tape: Tape, pairs: dict[str, Pair], options: Options) -> Outcome:
    """Run on merged rows of these pairs."""
    begin_ts = int(tape.exchange_ts[0]) - EARLY_NS
    kraken = _exchange(config, options, begin_ts, crowded=False)
    market = load_market(len(tape.symbols), options.queue, options.power)
    host = Host(config, options.strategy, CLOCK)
    source = Replayed(kraken, market, tape, pairs, begin_ts, _wanted(host))
    outcome = play(config, options, kraken, source, host)
    outcome.operations, outcome.tape, outcome.rows = source.operations, tape, source.rows
    outcome.market = market
    outcome.ahead_at_fill = source.ahead_at_fill
    outcome.traded_lots = {name: market.stats(number)["traded_lots"] for number, name in enumerate(tape.symbols)}
    return outcome


def on_synthetic(config: Config, seconds: float, options: Options) -> Outcome:
    """Run on the simulator's own market for so many seconds."""
    kraken = _exchange(config, options, EPOCH_NS, crowded=True)
    source = Synthetic(kraken, EPOCH_NS, EPOCH_NS + EARLY_NS + int(seconds * SECOND))
    outcome = play(config, options, kraken, source, Host(config, options.strategy, CLOCK))
    outcome.rows = source.rows
    # The crowd's book is one queue: who is filled was its first.
    outcome.ahead_at_fill = {fill.number: 0 for fill in outcome.fills if fill.maker}
    return outcome


def _wanted(host: Host) -> Stop:
    """Return what a strategy must hear of the market: the touch always, for the executor and the report."""
    wanted = Stop.TOUCH
    for symbol in host.symbols:
        if host.trigger(symbol) is Trigger.BOOK:
            wanted |= Stop.BOOK
        if host.wants_trades(symbol):
            wanted |= Stop.TRADE
    return wanted


def _exchange(config: Config, options: Options, begin_ts: int, *, crowded: bool) -> Kraken:
    loop = Loop(BOOT_NS)
    latency = Latency(options.latency, options.one_way_ms, options.seed)
    return Kraken(loop, config.simulator, latency, begin_ts - BOOT_NS, crowded=crowded, seed=options.seed)


def play(
    config: Config,
    options: Options,
    kraken: Kraken,
    source: Source,
    host: Decider,
    prepare: Callable[[Path], None] = lambda _: None,
    timers: Timers | None = None,
    heard: Iterable[tuple[int, Book]] = (),
) -> Outcome:
    """Run the engine on a market; ``prepare`` may write what the executor's journal (a path) begins with.

    ``timers`` say when passes are made that nothing calls for. ``heard`` are books that the executor heard before
    the run, with when (ns of CLOCK_BOOTTIME): its volatility and trend begin with them.
    """
    account = kraken.account
    before = _balances(kraken)
    rates = (account.maker_rate, account.taker_rate)
    folder = Path(tempfile.mkdtemp(prefix="backtest", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    try:
        prepare(folder / "journal.sqlite")
        engine = Engine(config, host, kraken.loop, kraken, source, folder / "journal.sqlite")
        if timers is not None:
            engine.trader.timers = timers
        for at, book in heard:
            engine.trader.executor.message(book, at)
        began = time.perf_counter()
        engine.run()
        wall_s = time.perf_counter() - began
        state, journal = engine.trader.state, engine.trader.journal
        outcome = Outcome(
            options=options,
            pairs=source.pairs,
            begin_ts=source.begin_ts + EARLY_NS,
            end_ts=source.end_ts,
            wall_s=wall_s,
            rows=0,
            fills=kraken.world.fills,
            order_changes=kraken.world.order_changes,
            opened=kraken.world.opened,
            mids=engine.mids,
            last_mids=state.market.mid_prices(),
            rates=dict(state.market.rates.values),
            balances_before=before,
            balances_after=_balances(kraken),
            rounding={asset: holding.rounding for asset, holding in state.account.ledger.holdings.items()},
            account=account_message(state, kraken.loop.now),
            digest=engine.trader.digest,
            sent=engine.trader.sent,
            points=sum(row.points for row in journal.sends(0)),
            passes=engine.trader.passes,
            decisions=engine.decisions,
            halted=engine.trader.halted,
            log=engine.log,
            maker_rate=rates[0],
            taker_rate=rates[1],
            rejects=_rejects(journal),
            delays=kraken.delays,
            places=engine.places,
        )
        journal.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return outcome


def _balances(kraken: Kraken) -> dict[str, Decimal]:
    return {asset: Decimal(units).scaleb(-ASSETS[asset].decimals) for asset, units in kraken.account.balances.items()}


def _rejects(journal: Journal) -> Counter[str]:
    """Count the orders that the exchange refused and our own rules denied, by the reason."""
    query = "SELECT state || ': ' || error, count(*) FROM orders WHERE state IN ('refused', 'denied') GROUP BY 1"
    return Counter(dict(journal.connection.execute(query)))
