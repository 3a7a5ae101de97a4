"""A run of the exact engine on the synthetic market, as a recording of its bus and its public books."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from backtest.data.order_rows import OrderRows
from backtest.data.sources import Dataset
from backtest.data.tally import Tally
from backtest.data.window import orders_window, window
from backtest.exact.crowd_rows import BookRows
from backtest.exact.engine import Engine
from backtest.exact.run import BOOT_NS, EARLY_NS, EPOCH_NS
from backtest.exact.source import News
from backtest.exact.synthetic import Synthetic
from backtest.exact.trader import CLOCK
from backtest.reconciliation.bus import Bus, M, Said, last_before
from backtest.venue.kraken import Kraken
from backtest.venue.latency import Latency, LatencyKind
from backtest.venue.loop import Loop
from shared.clock import MS, SECOND
from shared.config import Config
from shared.kraken import level3
from shared.messages import BookStatus, FeedStatus, Instruments, Message
from strategy.host import Host

DEPTH = 100
# How long a message takes on the bus.
HOP_NS = MS // 2


class _Recorded(Engine):
    """Keeps every message of its bus, the levels of every public book as they change, and every single order."""

    bus: Bus
    rows: dict[str, BookRows]
    orders: dict[str, OrderRows]

    def begin(self) -> None:
        self.bus = Bus(boot_to_wall=self.kraken.boot_to_wall)
        self.rows = {symbol: BookRows(DEPTH) for symbol in self.source.pairs}
        self.orders = {symbol: OrderRows(pair) for symbol, pair in self.source.pairs.items()}
        world = self.kraken.world
        for symbol in self.orders:
            world.hub.join(level3.CHANNEL, symbol, DEPTH, self)
            self.push(level3.CHANNEL, symbol, world.exchange.venues[symbol].order_book().snapshot(DEPTH))

    def push(self, _channel: str, symbol: str, text: str) -> None:
        """Take in a message of single orders, as the simulator hands it to a session."""
        self.orders[symbol].feed(text.encode(), self.kraken.ts)

    def _stamped(self, message: Message, topic: str, at: int) -> Message:  # type: ignore[override]
        stamped = super()._stamped(message, topic, at)
        self.bus.take(at, stamped)
        return stamped

    def _published(self, message: Message) -> None:
        self.loop.at(
            self.loop.now + HOP_NS, self._reach_host, self._stamped(message, type(message).__name__, self.loop.now)
        )

    def _reach_host(self, message: Message) -> None:
        self.host.message(message, self.loop.now)
        self._carry_out()

    def _carry_out(self) -> None:
        effects = self.host.take()
        for topic, message in effects.messages:
            self.loop.at(self.loop.now + HOP_NS, self.trader.take, self._stamped(message, topic, self.loop.now))
        if effects.messages or not self._host_due:
            self._plan_host()

    def _alive(self) -> None:
        super()._alive()
        now = self.loop.now
        self.bus.take(now, FeedStatus(connected=True, connection=1, last_byte=now, system="online"))
        self.bus.take(now, BookStatus())

    def _instruments(self) -> None:
        super()._instruments()
        self.bus.take(self.loop.now, Instruments(pairs=self.source.pairs))

    def _tell(self, news: News) -> None:
        heard = self._arrives(news) + self.kraken.boot_to_wall
        levels = self.source.levels
        self.rows[news.symbol].take(news, heard, lambda side, n: levels(news.symbol, side, n))
        super()._tell(news)


def record(
    config: Config, strategy: str, seconds: float, folder: Path, late_s: float = 20.0, *, by_order: bool = False
) -> tuple[Bus, Dataset]:
    """Return what a recorder would have that is started ``late_s`` into a run on the synthetic market.

    With ``by_order`` it has single orders too.
    """
    loop = Loop(BOOT_NS)
    latency = Latency(LatencyKind.CONSTANT, 10.0, 1)
    kraken = Kraken(loop, config.simulator, latency, EPOCH_NS - BOOT_NS, crowded=True, seed=config.simulator.seed)
    source = Synthetic(kraken, EPOCH_NS, EPOCH_NS + EARLY_NS + int((late_s + seconds) * SECOND))
    engine = _Recorded(config, Host(config, strategy, CLOCK), loop, kraken, source, folder / "journal.sqlite")
    engine.begin()
    engine.run()
    engine.trader.journal.close()
    begin_ts = EPOCH_NS + int(late_s * SECOND)
    columns = {}
    for symbol, rows in engine.rows.items():
        part = rows.columns(source.pairs[symbol])
        assert engine.orders[symbol].checksums[1] == 0
        orders = orders_window(part.pair, engine.orders[symbol].taken(), begin_ts, None) if by_order else None
        columns[symbol] = dataclasses.replace(part, table=window(part.pair, part.table, begin_ts, None), orders=orders)
    return _since(engine.bus, begin_ts - kraken.boot_to_wall), Dataset(columns, Tally())


def _since(bus: Bus, begin: int) -> Bus:
    """Return a bus as heard from a time on: states are repeated, so that the last of each is heard too."""
    late = Bus(boot_to_wall=bus.boot_to_wall, instruments=bus.instruments)
    late.fills = [fill for fill in bus.fills if fill.ts >= begin + bus.boot_to_wall]
    for name in ("accounts", "controls", "feed", "book_status"):
        setattr(late, name, _tail(getattr(bus, name), begin))
    for name in ("books", "orders", "positions"):
        getattr(late, name).update({key: _tail(said, begin) for key, said in getattr(bus, name).items()})
    late.trades.update({key: [each for each in said if each.at >= begin] for key, said in bus.trades.items()})
    for symbol in bus.books:
        late.targets += _tail([said for said in bus.targets if said.message.symbol == symbol], begin)
    late.targets.sort(key=lambda said: said.at)
    return late


def _tail(said: list[Said[M]], begin: int) -> list[Said[M]]:
    return said[max(0, last_before(said, begin)) :]
