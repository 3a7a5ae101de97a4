"""Recorded columns as the market of a backtest: the queue market plays them, own fills go to the exchange."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from backtest.data.by_order import played
from backtest.data.columns import UNKNOWN, Columns, Kind
from backtest.errors import DataError
from backtest.exact.source import Levels, News
from backtest.venue.implementation import Market
from backtest.venue.kraken import Kraken
from backtest.venue.queue_market import Stop
from backtest.venue.recorded import Operation, RecordedEngine, install
from shared.messages import BookState, Pair, Side, Trade
from simulator.exchange.engine import Event

_SNAPSHOTS = pa.array([Kind.SNAPSHOT, Kind.ORDER_SNAPSHOT], pa.uint8())


@dataclass(frozen=True, slots=True)
class Tape:
    """All pairs' rows, merged by the exchange's time; a buffer for each column."""

    symbols: list[str]
    depths: list[int]
    exchange_ts: np.ndarray[tuple[int], np.dtype[np.int64]]
    heard_ts: np.ndarray[tuple[int], np.dtype[np.int64]]
    symbol: np.ndarray[tuple[int], np.dtype[np.uint16]]
    kind: np.ndarray[tuple[int], np.dtype[np.uint8]]
    side: np.ndarray[tuple[int], np.dtype[np.uint8]]
    ticks: np.ndarray[tuple[int], np.dtype[np.int64]]
    lots: np.ndarray[tuple[int], np.dtype[np.int64]]
    flags: np.ndarray[tuple[int], np.dtype[np.uint8]]
    # Numbers of single orders, and the levels a side that they follow, by pair; 0 for a pair without any.
    order: np.ndarray[tuple[int], np.dtype[np.uint32]]
    order_depths: list[int]

    def play_on(self, market: Market) -> None:
        """Load a market with all rows."""
        for number, depths in enumerate(zip(self.depths, self.order_depths, strict=True)):
            market.set_depth(number, *depths)
        columns = (
            self.exchange_ts,
            self.heard_ts,
            self.symbol,
            self.kind,
            self.side,
            self.ticks,
            self.lots,
            self.flags,
        )
        orders = [self.order.data] if any(self.order_depths) else []
        market.load(*(column.data for column in columns), *orders)

    @property
    def by_order(self) -> list[str]:
        """Return the pairs that have single orders."""
        return [symbol for symbol, depth in zip(self.symbols, self.order_depths, strict=True) if depth]


def merge(columns: dict[str, Columns]) -> Tape:
    """Return the rows of all pairs by the exchange's time; those of one moment stay together by pair.

    Trades whose taker's side is not known are left out. Raises DataError for a pair without a book.
    """
    tables = [table.filter(pc.less(table["side"], UNKNOWN)) for table in map(played, columns.values())]
    for name, table in zip(columns, tables, strict=True):
        if not pc.any(pc.is_in(table["kind"], _SNAPSHOTS)).as_py():
            raise DataError(f"{name}: the data have no book, which a backtest needs: name frames or a recording")
    parts = {name: [table.column(name).to_numpy() for table in tables] for name in tables[0].column_names}
    symbol = np.concatenate([np.full(len(table), number, np.uint16) for number, table in enumerate(tables)])
    merged = {name: np.concatenate(arrays) for name, arrays in parts.items()}
    if len(tables) > 1:
        order = np.argsort(merged["exchange_ts"], kind="stable")
        symbol = symbol[order]
        merged = {name: values[order] for name, values in merged.items()}
    merged = {name: np.ascontiguousarray(values) for name, values in merged.items()}
    order_depths = [part.orders.depth if part.orders else 0 for part in columns.values()]
    depths = [part.depth for part in columns.values()]
    return Tape(list(columns), depths, symbol=symbol, order_depths=order_depths, **merged)


class Replayed:
    """Plays a tape. ``stop`` is what the run wants to hear of besides own fills and gaps."""

    def __init__(
        self, kraken: Kraken, market: Market, tape: Tape, pairs: dict[str, Pair], begin_ts: int, stop: Stop
    ) -> None:
        self.pairs = pairs
        self.begin_ts, self.end_ts = begin_ts, int(tape.exchange_ts[-1])
        self.operations: list[Operation] = []
        self.rows = len(tape.exchange_ts)
        # The lots that were still ahead of each own order at its first fill; None where that is not known.
        self.ahead_at_fill: dict[int, int | None] = {}
        self._kraken, self._market, self._tape = kraken, market, tape
        self._stop = int(stop | Stop.FILL | Stop.MARK)
        self._numbers = {symbol: number for number, symbol in enumerate(tape.symbols)}
        self._touches: dict[str, tuple[int | None, int | None]] = {}
        tape.play_on(market)
        for symbol, number in self._numbers.items():
            engine = RecordedEngine(market, number, self.operations, lambda: kraken.ts)
            install(kraken.world.exchange.venues[symbol], engine, _first_price(tape, number))

    def advance(self, until_ts: int) -> News | None:
        """Play on; return what the public feed tells next, or nothing new after an own fill."""
        why, number, first, end = self._market.advance(until_ts, self._stop)
        if not why:
            return None
        symbol, tape = self._tape.symbols[number], self._tape
        ts = int(tape.exchange_ts[end - 1])
        self._kraken.loop.now = ts - self._kraken.boot_to_wall
        if why & Stop.FILL:
            self._settle(symbol, number)
        is_touch = bool(why & Stop.TOUCH)
        if is_touch:
            self._touches[symbol] = self._touch(number)
        state = None
        if why & Stop.MARK:
            state = BookState.LIVE if self._market.is_live(number) else BookState.RESYNCING
        trades = self._trades(first, end) if why & Stop.TRADE else []
        return News(
            symbol, ts, int(tape.heard_ts[end - 1]), bool(why & (Stop.BOOK | Stop.TOUCH)), is_touch, state, trades
        )

    def poll(self) -> list[News]:
        """Return the pairs whose touch own requests moved."""
        news, ts = [], self._kraken.ts
        for symbol, number in self._numbers.items():
            touch = self._touch(number)
            if symbol in self._touches and touch != self._touches[symbol]:
                self._touches[symbol] = touch
                news.append(News(symbol, ts, ts, has_book=True, has_touch=True))
        return news

    def levels(self, symbol: str, side: Side, n: int) -> Levels:
        """Return the best levels of a pair, own orders included."""
        return self._market.levels(self._numbers[symbol], side, n)

    def is_live(self, symbol: str) -> bool:
        """True if a snapshot came and no gap since."""
        return self._market.is_live(self._numbers[symbol])

    def place(self, symbol: str, order: int) -> tuple[int, bool] | None:
        """Return the lots ahead of a resting order, and whether that is known; None for one that does not rest."""
        return self._market.place(self._numbers[symbol], order)

    def _touch(self, number: int) -> tuple[int | None, int | None]:
        bid, ask = self._market.best(number, "buy"), self._market.best(number, "sell")
        return (bid[0] if bid else None), (ask[0] if ask else None)

    def _settle(self, symbol: str, number: int) -> None:
        """Book what happened to own resting orders, and report it."""
        exchange, now = self._kraken.world.exchange, self._kraken.ts
        venue = exchange.venues[symbol]
        events: list[Event] = []
        aheads = self._market.fills_ahead(number)
        for event, ahead in zip(self._market.take_events(number), aheads, strict=True):
            if event[0] == "trade":
                self.ahead_at_fill.setdefault(event[2], ahead)
                venue.trade_id += 1
                venue.last_price = event[3]
                event = (*event, venue.trade_id)
            events.append(event)
        exchange.settle(events, now)
        self._kraken.flush()

    def _trades(self, first: int, end: int) -> list[Trade]:
        tape = self._tape
        return [
            Trade(
                side="sell" if tape.side[row] else "buy",
                price=int(tape.ticks[row]),
                qty=int(tape.lots[row]),
                trade_ts=int(tape.exchange_ts[row]),
            )
            for row in range(first, end)
            if tape.kind[row] == Kind.TRADE
        ]


def _first_price(tape: Tape, number: int) -> int:
    """Return a price near the market's, for what an exchange values before its first trade."""
    rows = np.flatnonzero((tape.symbol == number) & (tape.ticks > 0))
    return int(tape.ticks[rows[0]]) if len(rows) else 1
