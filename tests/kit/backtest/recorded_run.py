"""A run of the exact engine on the synthetic market, as a recording of its bus and its public books."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pyarrow as pa

from backtest.data.columns import BUY, SCHEMA, SELL, Columns, Flag, Kind
from backtest.data.sources import Dataset
from backtest.data.tally import Tally
from backtest.data.window import window
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
from shared.messages import BookStatus, FeedStatus, Instruments, Message
from strategy.host import Host

DEPTH = 100
# How long a message takes on the bus.
HOP_NS = MS // 2
SIDES = ((BUY, "buy"), (SELL, "sell"))


class _Recorded(Engine):
    """Keeps every message of its bus, and the levels of every public book as they change."""

    bus: Bus
    rows: dict[str, list[tuple[int, ...]]]
    _public: dict[str, dict[tuple[int, int], int]]

    def begin(self) -> None:
        self.bus = Bus(boot_to_wall=self.kraken.boot_to_wall)
        self.rows, self._public = defaultdict(list), {}

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
        rows = self.rows[news.symbol]
        for trade in news.trades:
            side = BUY if trade.side == "buy" else SELL
            rows.append((news.ts, heard, int(Kind.TRADE), side, trade.price, trade.qty, int(Flag.LAST)))
        self._change(news, heard)
        super()._tell(news)

    def _change(self, news: News, heard: int) -> None:
        """Add the rows by which a book changed, all levels as a snapshot at first."""
        levels = {
            (number, price): lots
            for number, side in SIDES
            for price, lots in self.source.levels(news.symbol, side, DEPTH)  # type: ignore[arg-type]
        }
        before = self._public.get(news.symbol)
        if before is None:
            kind, changed = Kind.SNAPSHOT, dict(levels)
        else:
            gone = {key: 0 for key in before if key not in levels}
            kind, changed = Kind.LEVEL, {**gone, **{k: v for k, v in levels.items() if before.get(k) != v}}
        self._public[news.symbol] = levels
        made = [(news.ts, heard, int(kind), *key, lots, 0) for key, lots in changed.items()]
        if made:
            first = Flag.FIRST if kind is Kind.SNAPSHOT else 0
            made[0] = (*made[0][:6], made[0][6] | first)
            made[-1] = (*made[-1][:6], made[-1][6] | int(Flag.LAST))
            self.rows[news.symbol] += made


def record(config: Config, strategy: str, seconds: float, folder: Path, late_s: float = 20.0) -> tuple[Bus, Dataset]:
    """Return what a recorder would have that is started ``late_s`` into a run on the synthetic market."""
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
        table = pa.table({name: [row[n] for row in rows] for n, name in enumerate(SCHEMA.names)}, SCHEMA)
        pair = source.pairs[symbol]
        columns[symbol] = Columns(pair, DEPTH, window(pair, table, begin_ts, None))
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
