"""The simulated world: the real executor against the simulator's core, in one thread and in virtual time.

A seed decides everything: delays, crowd, strategy and faults. :meth:`World.run` plays a storm of so many seconds and
then a calm in which all that must hold at rest is compared with the exchange's own books.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random

import msgspec

from executor.outbox import Told
from shared.clock import SECOND
from shared.config import Config, SimAccount, check
from shared.messages import (
    Book,
    BookState,
    BookStatus,
    FeedStatus,
    Instruments,
    Message,
    OrderState,
    Pair,
    Position,
    Side,
    Target,
)
from shared.unconfirmed import Unconfirmed
from simulator.pairs import ASSETS, PAIRS
from tests.simulation.faults import Plan
from tests.simulation.host import Host
from tests.simulation.invariants import Watch
from tests.simulation.kraken import Kraken
from tests.simulation.loop import Loop
from tests.simulation.strategies import RandomStrategy

BOOT_TO_WALL = 1_800_000_000 * SECOND
SYMBOLS = ["BTC/USD", "ETH/USD"]
STEP_S = 0.05
CALM_S = 200.0


@dataclass(slots=True)
class Result:
    """What one seed came to."""

    seed: int
    seconds: float = 0.0
    events: int = 0
    sends: int = 0
    fills: int = 0
    foreign_fills: int = 0
    starts: int = 0
    checks: dict[str, int] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    log: list[tuple[float, str]] = field(default_factory=list)
    digest: str = ""


def pair_message(symbol: str) -> Pair:
    """A pair as ``feed.instrument`` tells it."""
    pair = PAIRS[symbol]
    return Pair(
        symbol=symbol,
        base=pair.base.name,
        quote=pair.quote.name,
        status="online",
        price_precision=pair.price_precision,
        qty_precision=pair.qty_precision,
        price_increment=1,
        qty_increment=1,
        qty_min=pair.qty_min,
        cost_min=str(Decimal(pair.cost_min).scaleb(-pair.quote.decimals)),
    )


def configuration(rng: Random, folder: Path, unconfirmed: Unconfirmed) -> Config:
    """A sandbox with two strategies; one seed in three has a small purse, one in two pays fees."""
    config = Config()
    balances = {"USD": Decimal(100_000), "BTC": Decimal(1), "ETH": Decimal(20), "SOL": Decimal(400)}
    if rng.random() < 0.33:
        balances = {"USD": Decimal(1_500), "BTC": Decimal("0.015"), "ETH": Decimal("0.4"), "SOL": Decimal(4)}
    config.trading = msgspec.structs.replace(
        config.trading,
        pairs=SYMBOLS,
        max_position_size=Decimal(rng.choice([350, 1000])),
        max_daily_loss=Decimal(rng.choice([20, 2000])),
        max_gross_position=Decimal(rng.choice([1200, 3000])),
        max_open_orders=rng.choice([6, 20]),
        inventory_base={asset: balances[asset] for asset in ("BTC", "ETH", "SOL")},
    )
    maker = config.strategies["market_maker"]
    config.strategies = {"market_maker": maker, "other": msgspec.structs.replace(maker, pairs=["BTC/USD"])}
    keys = config.simulator.accounts[0].keys
    volume = Decimal(rng.choice([0, 10_000_000]))
    account = SimAccount(name="maker", keys=keys, balances=balances, volume_30d_usd=volume)
    config.simulator = msgspec.structs.replace(config.simulator, accounts=[account], unconfirmed=unconfirmed)
    config.source = folder / "config.yaml"
    check(config, str)
    return config


class World:
    """One seed's world; ``unconfirmed`` is where the exchange's switches stand."""

    def __init__(
        self,
        seed: int,
        *,
        mean_gap_s: float = 3.0,
        folder: Path | None = None,
        unconfirmed: Unconfirmed = Unconfirmed(),  # noqa: B008 - frozen
    ) -> None:
        self.seed = seed
        self._made = None if folder is not None else tempfile.mkdtemp(prefix="simulation", dir=_memory())
        self.folder = folder or Path(self._made or "")
        rng = Random(f"world {seed}")
        self.loop = Loop(1000 * SECOND)
        self.begin = self.loop.now
        self.config = configuration(rng, self.folder, unconfirmed)
        self.kraken = Kraken(self.loop, seed, self.config.simulator, BOOT_TO_WALL)
        self.halt_file: list[str] = []
        self.halted_at = 0
        self.trouble_until = 0
        self.watch = Watch(self)
        self.main = self._host("main")
        self.rival: Host | None = None
        self.alone = True  # on the account, so that one process can count what the exchange counts
        self.rng = rng
        wildness = rng.choice([0.1, 0.3, 0.7])
        self.strategies = [
            RandomStrategy(name, symbol, seed, wildness)
            for name, symbol in (("market_maker", "BTC/USD"), ("market_maker", "ETH/USD"), ("other", "BTC/USD"))
        ]
        # The bus, as faults leave it.
        self.targets_lost = self.targets_late = self.targets_repeated = False
        self.feed_silent = self.books_silent = False
        self.book_states: dict[str, str] = {}
        self.online_since = 0
        self.storm = True
        self.foreign_rate = rng.choice([0.0, 0.1, 0.5])
        self.plan = Plan(self, seed, mean_gap_s)
        self._digest = hashlib.sha256()
        self.sends = 0

    def _host(self, name: str) -> Host:
        path = self.folder / f"{name}.sqlite"
        host = Host(name, self.loop, self.kraken, self.config, BOOT_TO_WALL, self.seed, path, self.halt_file)
        host.on_send, host.on_raise, host.on_told = self._sent, self.watch.raised, self.watch.told
        host.on_frame, host.on_stopped = self.watch.frame, self._stopped
        if name == "main":
            host.on_position = self._position
        return host

    @property
    def elapsed_s(self) -> float:
        """Virtual seconds since the beginning."""
        return (self.loop.now - self.begin) / SECOND

    def hosts(self) -> list[Host]:
        """Every machine with an executor."""
        return [self.main] if self.rival is None else [self.main, self.rival]

    # --- for the faults ------------------------------------------------------------------------------------------

    def trouble(self, seconds: float) -> None:
        """Until then the exchange counts as out of reach: what must be done where it can be reached is not asked."""
        self.trouble_until = max(self.trouble_until, self.loop.now + int(seconds * SECOND))

    def halt(self, why: str) -> None:
        """A person halts."""
        self.halt_file.append(why)

    def resume(self) -> None:
        """A person resumes."""
        self.halt_file.clear()

    def duel(self, seconds: float) -> None:
        """A second executor on another machine, for a while; the first has to stop, and comes back when it went."""
        if self.rival is not None or not self.main.running:
            return
        self.alone = False
        self.rival = self._host(f"rival{self.elapsed_s:.0f}")
        self.rival.start()
        self.trouble(seconds + 10)
        self.loop.after(seconds, self._end_duel)

    def _end_duel(self) -> None:
        rival, self.rival = self.rival, None
        if rival is not None:
            rival.crash(None)
            self.loop.after(0.5, self.main.start)
            self.loop.after(40, lambda: setattr(self, "alone", self.rival is None))

    def _stopped(self, host: Host) -> None:
        # supervisord tries exit code 75 again, later.
        if host is self.main and self.rival is None:
            self.loop.after(2.0, host.start)

    # --- the bus -------------------------------------------------------------------------------------------------

    def deliver(self, message: Message, seconds: float = 0.001) -> None:
        """A message to every executor."""
        for host in self.hosts():
            self.loop.after(seconds, host.bus, message)

    def _path_news(self) -> None:
        system = self.kraken.system
        if not self.feed_silent:
            up = self.kraken.world is not None
            self.deliver(
                FeedStatus(
                    connected=up,
                    connection=1,
                    last_byte=self.loop.now,
                    system=system if up else "unknown",
                    online_since=self.kraken.online_at,
                )
            )
        if not self.books_silent:
            self.deliver(BookStatus())
            for symbol in SYMBOLS:
                self.deliver(self._book(symbol))

    def _book(self, symbol: str) -> Book:
        pair = PAIRS[symbol]
        state = BookState(self.book_states.get(symbol, "live"))
        bid, ask = (None, None)
        if self.kraken.world is None or self.feed_silent:
            state = BookState.SILENT
        else:
            bid, ask = self.kraken.world.exchange.venues[symbol].touch()
        live = state is BookState.LIVE
        return Book(
            symbol=symbol,
            state=state,
            price_precision=pair.price_precision,
            qty_precision=pair.qty_precision,
            bids=[(bid, 1)] if live and bid is not None else [],
            asks=[(ask, 1)] if live and ask is not None else [],
        )

    def _instruments(self) -> None:
        pairs = {symbol: pair_message(symbol) for symbol in SYMBOLS}
        self.deliver(Instruments(pairs=pairs, assets={name: asset.decimals for name, asset in ASSETS.items()}))

    def _decide(self, strategy: RandomStrategy) -> None:
        self.loop.after(self.rng.uniform(0.3, 1.0), self._decide, strategy)
        pair = PAIRS[strategy.symbol]
        target = Target(
            strategy=strategy.name,
            symbol=strategy.symbol,
            price_precision=pair.price_precision,
            qty_precision=pair.qty_precision,
            quotes=strategy.quotes(self.kraken.mids[strategy.symbol]),
            decided=self.loop.now,
            ttl_ms=3000,
            fills=strategy.fills,
        )
        if self.targets_lost and self.rng.random() < 0.9:
            return
        late = self.rng.uniform(0.5, 5.0) if self.targets_late else 0.002
        for _ in range(3 if self.targets_repeated else 1):
            self.deliver(target, late)

    def _position(self, position: Position) -> None:
        def take() -> None:
            for strategy in self.strategies:
                if (strategy.name, strategy.symbol) == (position.strategy, position.symbol):
                    strategy.fills = position.fills

        self.loop.after(0.003, take)

    # --- the market ----------------------------------------------------------------------------------------------

    def _market(self) -> None:
        self.loop.after(self.rng.uniform(0.1, 0.4), self._market)
        symbol = self.rng.choice(SYMBOLS)
        self.kraken.move(symbol, self.rng.gauss(0, 0.8) if self.storm else 0.0)
        if self.storm and self.rng.random() < 0.5:
            self.kraken.take(symbol, self.rng.choice([20.0, 200.0, 2000.0]))

    def _foreign(self) -> None:
        self.loop.after(self.rng.expovariate(1.0), self._foreign)
        if self.storm and self.rng.random() < self.foreign_rate:
            self.kraken.foreign(self.rng.choice(SYMBOLS), self.rng.choice(["rest", "take", "cancel"]))

    def _sent(self, host: Host, text: str) -> None:
        self.sends += 1
        self._digest.update(f"{self.loop.now} {host.name} {text}".encode())
        self.watch.sent(host, text)

    def _step(self) -> None:
        self.kraken.tick()
        if self.halt_file and not self.halted_at:
            self.halted_at = self.loop.now
        elif not self.halt_file:
            self.halted_at = 0
        elif not self.plan_resumes:
            self.plan_resumes = True
            self.loop.after(15, self._resume_late)
        self.watch.step()

    plan_resumes = False

    def _resume_late(self) -> None:
        self.plan_resumes = False
        self.resume()

    # --- a run ---------------------------------------------------------------------------------------------------

    def run(self, seconds: float) -> Result:
        """The storm, then the calm."""
        loop = self.loop
        loop.every(STEP_S, self._step)
        loop.every(1.0, self.kraken.beat)
        loop.every(0.2, self._path_news)
        loop.every(1.0, self._instruments)
        for strategy in self.strategies:
            self._decide(strategy)
        self._market()
        self._foreign()
        self.main.start()
        self.plan.start()
        try:
            loop.run(loop.now + int(seconds * SECOND))
            self._calm()
        finally:
            self.main.crash(None)
            if self._made is not None:
                shutil.rmtree(self._made, ignore_errors=True)
        return self._result()

    def _calm(self) -> None:
        self._end_storm()
        self._settle("nothing of ours rests, nothing is in doubt", CALM_S, self._is_at_rest)
        self._run(8)  # reports of the last fills
        self.watch.at_rest()
        self._progress()

    def _end_storm(self) -> None:
        self.storm = False
        self.plan.stopped = True
        self._end_duel()
        kraken = self.kraken
        kraken.refuse_share = kraken.internal_share = kraken.late_share = kraken.never_share = 0.0
        kraken.rest_fail_share = kraken.rest_lost_share = kraken.history_lag_s = 0.0
        for strategy in self.strategies:
            strategy.quiet = []
        # What the plan began ends by itself within this time.
        self._run(32)
        self.resume()
        self.main.crash_in = -1
        self.main.start()

    def _run(self, seconds: float) -> None:
        self.loop.run(self.loop.now + int(seconds * SECOND))

    def _settle(self, what: str, seconds: float, done: object) -> bool:
        assert callable(done)
        for _ in range(int(seconds)):
            if done():
                return True
            self._run(1.0)
        self.watch.violate("progress", f"not within {seconds:.0f} s of calm: {what} ({self._why_not()})")
        return False

    def _why_not(self) -> str:
        host = self.main
        if not host.running:
            return "the executor does not run"
        state, quoting = host.state, host.executor.quoting
        now = self.loop.now
        live = [(o.cl_ord_id, o.state.value, o.error, o.doomed) for o in state.registry.live()]
        why = quoting.gates.why_pull(now) or quoting.gates.why_not_advance(now)
        return f"{why!r}, difference {state.account.ledger.difference!r}, live {live}, waits {quoting.waits.shown}"

    def _is_at_rest(self) -> bool:
        host = self.main
        if not host.running or self.watch.own_open():
            return False
        state = host.state
        ours = [o for o in state.registry.live() if o.strategy != "account"]
        return not ours and state.is_reconciled and state.view_is_valid(self.loop.now)

    def _progress(self) -> None:
        """In calm weather, what a strategy wants stands at the exchange, and goes when it is withdrawn."""
        state = self.main.state
        self._run(6)
        for strategy in self.strategies:
            if strategy.name == "other":
                continue
            pair = PAIRS[strategy.symbol]
            held = state.account.position_lots(strategy.symbol.partition("/")[0], pair.qty_precision)
            sides: list[Side] = ["sell"] if held > 0 else ["buy"] if held < 0 else ["buy", "sell"]
            wanted = strategy.sane(self.kraken.mids[strategy.symbol], sides)
            foreign = [o for o in self.kraken.account.orders.values() if o.pair.symbol == strategy.symbol]
            if len(foreign) > 2 or self.config.trading.max_daily_loss < 100:
                continue  # limits or own crossings may stand in the way
            strategy.quiet = wanted
        self._settle("what is wanted stands at the exchange", 60, self._stands)
        for strategy in self.strategies:
            strategy.quiet = []
        self._settle("what is not wanted is gone", 5, lambda: not self.watch.own_open())

    def _stands(self) -> bool:
        wanted = {(s.symbol, q.side, q.price, q.qty) for s in self.strategies for q in s.quiet or []}
        stands = {(o.pair.symbol, o.side, o.price, o.remaining) for o in self.watch.own_open()}
        known = [o for o in self.main.state.registry.live() if o.strategy != "account"]
        if any(o.state is not OrderState.OPEN for o in known):
            return False
        # A small purse, a gross limit or a foreign order in the way may leave some out, and the executor says so.
        waits = self.main.executor.quoting.waits.shown
        return wanted == stands or (stands <= wanted and bool(waits))

    def _result(self) -> Result:
        ours, foreign = self.watch.exchange_fills()
        return Result(
            seed=self.seed,
            seconds=self.elapsed_s,
            events=self.loop.events,
            sends=self.sends,
            fills=ours,
            foreign_fills=foreign,
            starts=self.main.starts,
            checks=dict(self.watch.checks),
            faults={**self.plan.counts, **{f"share: {k}": v for k, v in self.kraken.injected.items()}},
            violations=self.watch.violations,
            log=self.plan.log,
            digest=self._digest.hexdigest(),
        )


def _memory() -> str | None:
    """A folder in memory where there is one: what is tested is the order of writes, not the disk."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


__all__ = ["Result", "Told", "World"]
