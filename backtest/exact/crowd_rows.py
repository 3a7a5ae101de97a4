"""The synthetic market as columns, as a recorder of its feed has it: trades, then the levels that they changed."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from backtest.data.columns import BUY, SCHEMA, SELL, Columns, Flag, Kind
from backtest.exact.run import BOOT_NS, EPOCH_NS
from backtest.exact.source import Levels, News
from backtest.exact.synthetic import Synthetic
from backtest.venue.kraken import Kraken
from backtest.venue.latency import Latency, LatencyKind
from backtest.venue.loop import Loop
from shared.clock import SECOND
from shared.config import Simulator
from shared.messages import Pair, Side

SIDES: tuple[tuple[int, Side], ...] = ((BUY, "buy"), (SELL, "sell"))


class BookRows:
    """Rows of one pair, ``depth`` levels a side: at first all of them as a snapshot, then those that changed."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.rows: list[tuple[int, ...]] = []
        self._levels: dict[tuple[int, int], int] | None = None

    def take(self, news: News, heard_ts: int, levels: Callable[[Side, int], Levels]) -> None:
        """Add the rows of a change; ``levels`` gives the best ones of a side as they are after it."""
        for trade in news.trades:
            side = BUY if trade.side == "buy" else SELL
            self.rows.append((news.ts, heard_ts, int(Kind.TRADE), side, trade.price, trade.qty, int(Flag.LAST)))
        after = {(number, price): lots for number, side in SIDES for price, lots in levels(side, self.depth)}
        before, self._levels = self._levels, after
        if before is None:
            kind, changed = Kind.SNAPSHOT, after
        else:
            gone = {key: 0 for key in before if key not in after}
            kind, changed = (
                Kind.LEVEL,
                {**gone, **{key: lots for key, lots in after.items() if before.get(key) != lots}},
            )
        made = [(news.ts, heard_ts, int(kind), *key, lots, 0) for key, lots in changed.items()]
        if made:
            first = Flag.FIRST if kind is Kind.SNAPSHOT else 0
            made[0] = (*made[0][:6], made[0][6] | int(first))
            made[-1] = (*made[-1][:6], made[-1][6] | int(Flag.LAST))
            self.rows += made

    def columns(self, pair: Pair) -> Columns:
        """Return all rows."""
        table = pa.table({name: [row[n] for row in self.rows] for n, name in enumerate(SCHEMA.names)}, SCHEMA)
        return Columns(pair, self.depth, table)


def crowd_columns(config: Simulator, symbol: str, depth: int, seconds: float) -> Columns:
    """Return so many seconds of the crowd's market in a pair with nobody of ours in it; heard as it happens."""
    loop, latency = Loop(BOOT_NS), Latency(LatencyKind.CONSTANT, 0.0, config.seed)
    kraken = Kraken(loop, config, latency, EPOCH_NS - BOOT_NS, crowded=True, seed=config.seed)
    end_ts = EPOCH_NS + int(seconds * SECOND)
    source = Synthetic(kraken, EPOCH_NS, end_ts)
    rows = BookRows(depth)
    while (news := source.advance(end_ts)) is not None:
        if news.symbol == symbol:
            rows.take(news, news.ts, lambda side, n: source.levels(symbol, side, n))
    return rows.columns(source.pairs[symbol])
