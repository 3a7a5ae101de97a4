"""Made-up columns: a market that walks, whose whole book is in the data."""

from __future__ import annotations

from random import Random

import pyarrow as pa

from backtest.data.columns import BUY, SCHEMA, SELL, Columns, Flag, Kind, Mark
from backtest.exact.pairs import pair_message
from shared.clock import MS, SECOND

BEGIN_TS = 1_780_000_000 * SECOND
DEPTH = 25


class Tape:
    """Rows of one pair, a message at a time."""

    def __init__(self, symbol: str = "BTC/USD", depth: int = DEPTH) -> None:
        self.symbol, self.depth = symbol, depth
        self.rows: list[tuple[int, int, int, int, int, int, int]] = []

    def snapshot(self, ts: int, bids: dict[int, int], asks: dict[int, int]) -> None:
        """Add a snapshot."""
        levels = [(BUY, *level) for level in bids.items()] + [(SELL, *level) for level in asks.items()]
        self._message(ts, [(Kind.SNAPSHOT, *level) for level in levels], Flag.FIRST)

    def levels(self, ts: int, *levels: tuple[int, int, int]) -> None:
        """Add changes of levels: (side, ticks, lots)."""
        self._message(ts, [(Kind.LEVEL, *level) for level in levels])

    def trade(self, ts: int, side: int, ticks: int, lots: int) -> None:
        """Add a trade of a taker's side."""
        self._message(ts, [(Kind.TRADE, side, ticks, lots)])

    def mark(self, ts: int, mark: Mark) -> None:
        """Add a gap."""
        self._message(ts, [(Kind.MARK, 0, 0, int(mark))])

    def columns(self) -> Columns:
        """Return the rows as columns."""
        names = SCHEMA.names
        table = pa.table({name: [row[n] for row in self.rows] for n, name in enumerate(names)}, SCHEMA)
        return Columns(pair_message(self.symbol), self.depth, table)

    def _message(self, ts: int, rows: list[tuple[int, int, int, int]], first: int = 0) -> None:
        for place, (kind, side, ticks, lots) in enumerate(rows):
            flags = (first if place == 0 else 0) | (Flag.LAST if place == len(rows) - 1 else 0)
            self.rows.append((ts, ts, int(kind), side, ticks, lots, int(flags)))


def walk(seed: int, seconds: float, symbol: str = "BTC/USD", *, middle: int = 1_000_000, step: int = 80) -> Columns:
    """Return a market whose touch walks by up to ``step`` ticks every 100 ms; takers come every other time."""
    rng, tape = Random(f"walk {seed}"), Tape(symbol)

    def sides(at: int) -> tuple[dict[int, int], dict[int, int]]:
        lots = [rng.randrange(10_000_000, 100_000_000) for _ in range(2 * DEPTH)]
        bids = {at - 1 - 20 * n: lots[n] for n in range(DEPTH)}
        return bids, {at + 20 * n: lots[DEPTH + n] for n in range(DEPTH)}

    bids, asks = sides(middle)
    tape.snapshot(BEGIN_TS, bids, asks)
    for number in range(1, int(seconds * 10)):
        ts = BEGIN_TS + number * 100 * MS
        if rng.random() < 0.5:
            side = rng.choice((BUY, SELL))
            touch = min(asks) if side == BUY else max(bids)
            tape.trade(ts - 10 * MS, side, touch, rng.randrange(1_000_000, 50_000_000))
        middle += rng.randrange(-step, step + 1)
        new_bids, new_asks = sides(middle)
        gone = [(BUY, ticks, 0) for ticks in bids if ticks not in new_bids]
        gone += [(SELL, ticks, 0) for ticks in asks if ticks not in new_asks]
        come = [(BUY, *level) for level in new_bids.items()] + [(SELL, *level) for level in new_asks.items()]
        tape.levels(ts, *gone, *come)
        bids, asks = new_bids, new_asks
    return tape.columns()


def head(columns: Columns, until_ts: int) -> Columns:
    """Return the rows up to a time: what was known then."""
    ts = columns.table.column("exchange_ts").to_numpy()
    return Columns(columns.pair, columns.depth, columns.table.slice(0, int((ts <= until_ts).sum())))
