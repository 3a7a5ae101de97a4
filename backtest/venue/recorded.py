"""A recorded market as the simulator's venues have it: the book is the record's, only own orders are live in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from backtest.venue.implementation import Market
from simulator.exchange.engine import Engine, Event, Side
from simulator.exchange.venue.book import Change, Run
from simulator.exchange.venue.venue import Venue


@dataclass(frozen=True, slots=True)
class Submitted:
    """An order as it came to the book: the exchange's time, ns since the epoch; ticks and lots."""

    ts: int
    symbol: int
    order_id: int
    owner: int
    side: str
    price: int | None
    qty: int
    tif: str
    post_only: bool
    stp: str


@dataclass(frozen=True, slots=True)
class Amended:
    """An amend as it came to the book; ``qty`` is the new total."""

    ts: int
    symbol: int
    order_id: int
    price: int | None
    qty: int | None
    post_only: bool


@dataclass(frozen=True, slots=True)
class Cancelled:
    """A cancel as it came to the book."""

    ts: int
    symbol: int
    order_id: int


Operation = Submitted | Amended | Cancelled


def repeat(market: Market, operation: Operation) -> list[Event]:
    """Carry out a recorded operation again, on another market; return its events."""
    if isinstance(operation, Submitted):
        return market.submit(
            operation.symbol,
            operation.order_id,
            operation.owner,
            operation.side,
            operation.price,
            operation.qty,
            operation.tif,
            operation.post_only,
            operation.stp,
        )
    if isinstance(operation, Amended):
        return market.amend(operation.symbol, operation.order_id, operation.price, operation.qty, operation.post_only)
    return market.cancel(operation.symbol, operation.order_id)


class RecordedEngine(Engine):
    """One pair of a queue market in the place of a matching engine; notes every operation.

    ``clock`` gives the exchange's time.
    """

    def __init__(self, market: Market, symbol: int, operations: list[Operation], clock: Callable[[], int]) -> None:
        self.market, self.symbol = market, symbol
        self._operations, self._clock = operations, clock

    def submit(
        self,
        order_id: int,
        owner: int,
        side: str,
        price: int | None,
        qty: int,
        tif: str = "gtc",
        post_only: bool = False,
        stp: str = "cancel_newest",
    ) -> list[Event]:
        """Submit a new order."""
        self._operations.append(
            Submitted(self._clock(), self.symbol, order_id, owner, side, price, qty, tif, post_only, stp)
        )
        return self.market.submit(self.symbol, order_id, owner, side, price, qty, tif, post_only, stp)

    def amend(self, order_id: int, price: int | None, qty: int | None, post_only: bool = False) -> list[Event]:
        """Amend a resting order."""
        self._operations.append(Amended(self._clock(), self.symbol, order_id, price, qty, post_only))
        return self.market.amend(self.symbol, order_id, price, qty, post_only)

    def cancel(self, order_id: int) -> list[Event]:
        """Take an order out."""
        self._operations.append(Cancelled(self._clock(), self.symbol, order_id))
        return self.market.cancel(self.symbol, order_id)

    def levels(self, side: str, n: int) -> list[tuple[int, int]]:
        """Return the best levels of the public book."""
        return self.market.levels(self.symbol, side, n)

    def best(self, side: str) -> tuple[int, int] | None:
        """Return the best level."""
        return self.market.best(self.symbol, side)

    def queue(self, side: str, price: int) -> list[int]:
        """Return own orders at a price."""
        return self.market.queue(self.symbol, side, price)

    def order(self, order_id: int) -> tuple[int, Side, int, int, int] | None:
        """Return the parts of a resting order."""
        return self.market.order(self.symbol, order_id)

    def count(self) -> int:
        """Return the number of own orders."""
        return self.market.count(self.symbol)

    def changes(self) -> list[tuple[Side, int, int]]:
        """Return nothing: the public feed is made from the market itself."""
        return []


class RecordedBook:
    """The public book of a recorded venue, of which the exchange asks only the touch."""

    def __init__(self, engine: RecordedEngine) -> None:
        self._engine = engine
        self.changed_ns = 0

    def touch(self) -> tuple[int | None, int | None]:
        """Return best bid and best ask in ticks; None where a side is empty."""
        bid, ask = self._engine.best("buy"), self._engine.best("sell")
        return (bid[0] if bid else None), (ask[0] if ask else None)

    def change(self, _changes: Iterable[Change], _now: int, _depths: Iterable[int]) -> list[Run]:
        """Return nothing to publish."""
        return []

    def messages(self, _runs: Iterable[Run], _depths: Iterable[int]) -> Iterator[tuple[int, str]]:
        """Return nothing to publish."""
        return iter(())


def install(venue: Venue, engine: RecordedEngine, last_price: int) -> None:
    """Make a recorded market the market of a venue, before anything rests on it."""
    venue.reopen(engine, last_price)
    venue.book = RecordedBook(engine)  # type: ignore[assignment]  # the part of a full book that is asked here
