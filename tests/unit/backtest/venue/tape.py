"""A record written by hand: rows of one market, and both implementations of it."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import pytest

from backtest.data.columns import BUY, SELL, Flag, Kind
from backtest.venue.implementation import Market
from backtest.venue.queue_market import QueueMarket
from backtest.venue.rows import FORMATS, ORDER_FORMAT
from tests.frames import rust

IMPLEMENTATIONS = ("reference", "rust")
NUMBERS = {"buy": BUY, "sell": SELL}
RowValues = tuple[int, int, int, int, int, int, int, int]


def market_class(implementation: str) -> type[Market]:
    """The class of an implementation; Rust's skips the test where it is not built."""
    if implementation == "reference":
        return QueueMarket
    fast: type[Market] | None = getattr(rust(), "QueueMarket", None)
    if fast is None:
        pytest.skip("the Rust module is not built with its queue market")
    return fast


def load(market: Market, rows: Sequence[RowValues], orders: Sequence[int] | None = None) -> None:
    """Load rows as buffers; ``orders`` are the numbers of single orders."""
    columns = [array(item, values) for item, values in zip(FORMATS, zip(*rows, strict=True), strict=True)]
    if orders is not None:
        columns.append(array(ORDER_FORMAT, orders))
    market.load(*columns)


class Tape:
    """A market of one symbol, and rows that are played at once."""

    def __init__(self, implementation: str, model: str = "pro_rata", power: float = 2.0, depth: int = 0) -> None:
        self.market = market_class(implementation)(1, model, power)
        self.market.set_depth(0, depth)
        self.ts = 0

    def play(self, rows: list[tuple[Kind, str, int, int, int]], ts: int | None = None) -> None:
        """Play rows (kind, side, ticks, lots, flags) of one time."""
        self.ts = self.ts + 1 if ts is None else ts
        load(
            self.market,
            [(self.ts, self.ts, 0, kind, NUMBERS[side], ticks, lots, flags) for kind, side, ticks, lots, flags in rows],
        )
        while self.market.advance(self.ts, 0)[0]:
            pass

    def snapshot(self, bids: dict[int, int], asks: dict[int, int]) -> None:
        """Play a snapshot."""
        levels = [("buy", *level) for level in bids.items()] + [("sell", *level) for level in asks.items()]
        flags = [Flag.FIRST, *[Flag(0)] * (len(levels) - 1)]
        flags[-1] |= Flag.LAST
        self.play([(Kind.SNAPSHOT, *level, int(flag)) for level, flag in zip(levels, flags, strict=True)])

    def orders(self, *orders: tuple[int, str, int, int], is_snapshot: bool = False) -> None:
        """Play one message of single orders: (number, side, ticks, lots)."""
        self.ts += 1
        kind = Kind.ORDER_SNAPSHOT if is_snapshot else Kind.ORDER
        flags = [Flag.FIRST if is_snapshot else Flag(0), *[Flag(0)] * (len(orders) - 1)]
        flags[-1] |= Flag.LAST
        rows: list[RowValues] = [
            (self.ts, self.ts, 0, kind, NUMBERS[side], ticks, lots, int(flag))
            for (_, side, ticks, lots), flag in zip(orders, flags, strict=True)
        ]
        load(self.market, rows, [number for number, *_ in orders])
        while self.market.advance(self.ts, 0)[0]:
            pass

    def ahead(self, order_id: int) -> int:
        """Return the lots ahead of a resting order whose place is known."""
        place = self.market.place(0, order_id)
        assert place is not None
        assert place[1]
        return place[0]

    def level(self, side: str, ticks: int, lots: int) -> None:
        """Play a change of one level."""
        self.play([(Kind.LEVEL, side, ticks, lots, Flag.LAST)])

    def changes(self, *levels: tuple[str, int, int]) -> None:
        """Play one message with changes of levels."""
        rows = [(Kind.LEVEL, *level, 0) for level in levels]
        rows[-1] = (*rows[-1][:4], int(Flag.LAST))
        self.play(rows)

    def trade(self, taker: str, ticks: int, lots: int) -> None:
        """Play a trade."""
        self.play([(Kind.TRADE, taker, ticks, lots, Flag.LAST)])

    def mark(self) -> None:
        """Play a mark."""
        self.play([(Kind.MARK, "buy", 0, 1, Flag.LAST)])

    def rest(self, order_id: int, side: str, price: int, qty: int) -> None:
        """Rest a post-only order of owner 1."""
        events = self.market.submit(0, order_id, 1, side, price, qty, "gtc", True)
        assert events == [("rest", order_id, price, qty)]

    def fills(self) -> list[tuple[int, int, int]]:
        """Return (order, price, quantity) of the resting orders' fills since the last call."""
        return [(event[2], event[3], event[4]) for event in self.market.take_events(0)]
