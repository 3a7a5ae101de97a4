"""The simulated world: the real executor against the simulator's core, in one thread and in virtual time.

A seed decides everything: delays, crowd, strategy and faults. :meth:`World.run` plays a storm of so many seconds and
then a calm in which all that must hold at rest is compared with the exchange's own books.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from backtest.exact.pairs import pair_message
from backtest.venue.loop import Loop
from executor.orders import ids
from shared.clock import SECOND
from shared.config.unconfirmed import Unconfirmed
from shared.messages import (
    Book,
    BookState,
    BookStatus,
    FeedStatus,
    Instruments,
    Message,
    Position,
    Target,
)
from shared.valuation import legs
from simulator.pairs.pairs import ASSETS, PAIRS
from tests.simulation.calm import Calm
from tests.simulation.configuration import configuration
from tests.simulation.disk import Files
from tests.simulation.faults import Plan
from tests.simulation.host import Host
from tests.simulation.invariants import Watch
from tests.simulation.kraken import Kraken
from tests.simulation.markets import MARKETS, Market
from tests.simulation.strategies import RandomStrategy

BOOT_TO_WALL = 1_800_000_000 * SECOND
STEP_S = 0.05


@dataclass(slots=True)
class Result:
    """The outcome of one seed."""

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


class World:
    """One seed's world; ``unconfirmed`` has the exchange's switches, and the pairs are drawn
    unless a ``market`` is given."""

    def __init__(
        self,
        seed: int,
        *,
        mean_gap_s: float = 3.0,
        folder: Path | None = None,
        unconfirmed: Unconfirmed = Unconfirmed(),  # noqa: B008 - frozen
        market: Market | None = None,
        often: str = "",
    ) -> None:
        self.seed = seed
        self._made = None if folder is not None else tempfile.mkdtemp(prefix="simulation", dir=_memory())
        self.folder = folder or Path(self._made or "")
        rng = Random(f"world {seed}")
        self.loop = Loop(1000 * SECOND)
        self.begin = self.loop.now
        self.market = market or rng.choice(MARKETS)
        self.config = configuration(rng, self.market, self.folder, unconfirmed)
        self.kraken = Kraken(self.loop, seed, self.config.simulator, BOOT_TO_WALL, self.market)
        self.crowd, self.others = self.kraken.crowd, self.kraken.others
        self.files = Files()
        self.halted_at = 0
        self.trouble_until = 0
        self.watch = Watch(self)
        self.main = self._host("main")
        self.kraken.is_known = self._is_mains
        self.rival: Host | None = None
        self.alone = True  # on the account, so that one process can count what the exchange counts
        self._newest_rival = 0  # the newest epoch that another executor had
        self.rng = rng
        wildness = rng.choice([0.1, 0.3, 0.7])
        self.strategies = [
            RandomStrategy(name, symbol, seed, wildness)
            for name, section in self.config.strategies.items()
            for symbol in section.pairs
        ]
        # The bus, as faults leave it.
        self.targets_lost = self.targets_late = self.targets_repeated = False
        self.feed_silent = self.books_silent = False
        self.book_states: dict[str, str] = {}
        self.online_since = 0
        self.storm = True
        self.foreign_rate = rng.choice([0.0, 0.1, 0.5])
        self.plan = Plan(self, seed, mean_gap_s, often)
        self._digest = hashlib.sha256()
        self.sends = 0

    def _host(self, name: str) -> Host:
        path = self.folder / f"{name}.sqlite"
        host = Host(name, self.loop, self.kraken, self.config, BOOT_TO_WALL, self.seed, path, self.files)
        host.on_send, host.on_raise, host.on_log = self._sent, self.watch.raised, self.watch.logged
        host.on_frame, host.on_stopped, host.on_start = self.watch.frame, self._stopped, self.watch.started
        if name == "main":
            host.on_position, host.on_accepted = self._position, self.watch.held.accepts
            host.on_flattened = self.watch.flat.done
        return host

    @property
    def elapsed_s(self) -> float:
        """Virtual seconds since the beginning."""
        return (self.loop.now - self.begin) / SECOND

    def _is_mains(self, cl_ord_id: str) -> bool:
        order_id = ids.parse(cl_ord_id)
        return order_id is not None and order_id.epoch in self.main.epochs

    def hosts(self) -> list[Host]:
        """Every machine with an executor."""
        return [self.main] if self.rival is None else [self.main, self.rival]

    # --- for the faults ------------------------------------------------------------------------------------------

    def trouble(self, seconds: float) -> None:
        """Until then the exchange counts as out of reach: what must be done where it can be reached is not asked."""
        self.trouble_until = max(self.trouble_until, self.loop.now + int(seconds * SECOND))

    def halt(self, why: str) -> None:
        """A person halts."""
        self.files.halt.append(why)

    def resume(self) -> None:
        """A person resumes."""
        self.files.halt.clear()
        self.files.flatten.clear()

    def duel(self, seconds: float) -> None:
        """Run a second executor on another machine for a while; the first must stop, and comes back afterwards."""
        if self.rival is not None or not self.main.running:
            return
        self.alone = False
        self.rival = self._host(f"rival{self.elapsed_s:.0f}")
        self.rival.start()
        self.trouble(seconds + 10)
        self.loop.after(seconds, self.end_duel)

    def end_duel(self) -> None:
        rival, self.rival = self.rival, None
        if rival is not None:
            rival.crash(None)
            self.loop.after(0.5, self.main.start)
            self._newest_rival = max(self._newest_rival, rival.epoch)
            self.loop.after(40, self._alone_again, rival.epoch)

    def _alone_again(self, rivals_epoch: int) -> None:
        """Count as alone again a while after the last rival, once our epoch is the newest of all."""
        if rivals_epoch != self._newest_rival:
            return  # there was another since, whose own end counts
        if self.main.running and self.main.epoch > self._newest_rival:
            self.alone = self.rival is None
        else:
            self.loop.after(5, self._alone_again, rivals_epoch)

    def _stopped(self, host: Host) -> None:
        self.watch.stopped(host)
        # supervisord tries exit code 75 again, later.
        if host is self.main and self.rival is None:
            self.loop.after(2.0, host.start)

    # --- the bus -------------------------------------------------------------------------------------------------

    def deliver(self, message: Message, seconds: float = 0.001) -> None:
        """Send a message to every executor."""
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
            for symbol in self.market.listed:
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
        pairs = {symbol: pair_message(symbol) for symbol in self.market.listed}
        assets = {name: ASSETS[name].decimals for name in self.market.assets}
        self.deliver(Instruments(pairs=pairs, assets=assets, references=list(self.market.references)))

    def _decide(self, strategy: RandomStrategy) -> None:
        self.loop.after(self.rng.uniform(0.3, 1.0), self._decide, strategy)
        pair = PAIRS[strategy.symbol]
        target = Target(
            strategy=strategy.name,
            symbol=strategy.symbol,
            price_precision=pair.price_precision,
            qty_precision=pair.qty_precision,
            quotes=strategy.quotes(
                self.crowd.values.mid(strategy.symbol), self.crowd.values.usd(legs(strategy.symbol)[1])
            ),
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
        symbol = self.rng.choice(self.market.listed)
        self.crowd.move(symbol, self.rng.gauss(0, 0.8) if self.storm else 0.0)
        if self.storm and self.rng.random() < 0.5:
            self.crowd.take(symbol, self.rng.choice([20.0, 200.0, 2000.0]))

    def _foreign(self) -> None:
        self.loop.after(self.rng.expovariate(1.0), self._foreign)
        if self.storm and self.rng.random() < self.foreign_rate:
            self.others.act(self.rng.choice(self.market.listed), self.rng.choice(["rest", "take", "cancel"]))

    def _sent(self, host: Host, text: str) -> None:
        self.sends += 1
        self._digest.update(f"{self.loop.now} {host.name} {text}".encode())
        self.watch.sent(host, text)

    def _step(self) -> None:
        self.kraken.tick()
        if self.files.halt and not self.halted_at:
            self.halted_at = self.loop.now
        elif not self.files.halt:
            self.halted_at = 0
        elif not self.plan_resumes:
            self.plan_resumes = True
            self.loop.after(15, self._resume_late)
        self.watch.step()

    plan_resumes = False

    def _resume_late(self) -> None:
        self.plan_resumes = False
        self.files.halt.clear()

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
            Calm(self).run()
        finally:
            self.main.crash(None)
            if self._made is not None:
                shutil.rmtree(self._made, ignore_errors=True)
        return self._result()

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


__all__ = ["Result", "World"]
