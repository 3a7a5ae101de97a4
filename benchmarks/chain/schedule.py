"""Frames of a made-up exchange and their intended times, the same for every system that is measured.

Each pair has ten levels a side. A *calling* frame moves both touches up by a tick; a quote that joins the bid then
names, by its price, the frame that called for it. Any other frame changes the size of one bid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from book import implementation
from simulator.pairs.instrument import Pair
from simulator.wire import fixed

LEVELS = 10
SPREAD_TICKS = 20
SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Plan:
    """One measurement: frames a second over all pairs, one in ``calls`` of each pair's calling for an order.

    ``burst`` frames are sent at once at each intended time (1: evenly spread).
    """

    rate: float
    seconds: float
    calls: int
    burst: int = 1

    @property
    def count(self) -> int:
        """Return how many frames it has."""
        return int(self.rate * self.seconds)

    def at_ns(self, number: int) -> int:
        """Return when a frame is to leave, in ns after the beginning."""
        return int(number // self.burst * self.burst / self.rate * SECOND)


class Ladder:
    """One pair's book at the exchange; prices in ticks."""

    def __init__(self, pair: Pair) -> None:
        self.symbol, self.pair = pair.symbol, pair
        self.first_bid = self.bid = pair.start_price // pair.tick
        self._lots = max(pair.qty_min * 3, 1000)
        self._size = 0
        self._book = implementation.OrderBook(pair.symbol, LEVELS, pair.price_precision, pair.qty_precision)
        self._ask = self.bid + SPREAD_TICKS
        self._sent = implementation.OrderBook(pair.symbol, LEVELS, pair.price_precision, pair.qty_precision)
        bids = [(self.bid - level, self._lots) for level in range(LEVELS)]
        asks = [(self._ask + level, self._lots) for level in range(LEVELS)]
        self.sent(self._frame("snapshot", bids, asks) + '"}]}')

    def sent(self, frame: str) -> None:
        """Note that a frame has left, with its time."""
        self._sent.apply_frame(frame.encode())

    def snapshot(self) -> str:
        """Return the snapshot after the frames that have left, without its time."""
        tick, book = self.pair.tick, self._sent
        bids, asks = ([(price // tick, lots) for price, lots in side(LEVELS)] for side in (book.bids, book.asks))
        return f'{self._head("snapshot", bids, asks)},"checksum":{book.checksum()},"timestamp":"'

    def calling(self) -> str:
        """Move both touches up by a tick; return the update, without its time."""
        self.bid += 1
        gone, self._ask = self._ask, self._ask + 1
        return self._frame("update", [(self.bid, self._lots)], [(gone, 0), (self._ask + LEVELS - 1, self._lots)])

    def other(self) -> str:
        """Change the size of a bid within the book; return the update, without its time."""
        self._size = (self._size + 1) % 7
        return self._frame("update", [(self.bid - LEVELS // 2, self._lots + self._size)], [])

    def number_of(self, price: float) -> int:
        """Return how many calling frames had moved the bid when it stood at a price of an order."""
        units: int = 10**self.pair.price_precision
        return round(price * units) // self.pair.tick - self.first_bid

    def checksum(self) -> int:
        """Return the checksum after all frames that were made, whether or not they have left."""
        return self._book.checksum()

    def _frame(self, kind: str, bids: Sequence[tuple[int, int]], asks: Sequence[tuple[int, int]]) -> str:
        head = self._head(kind, bids, asks)
        self._book.apply_frame(f"{head}}}]}}".encode())
        return f'{head},"checksum":{self._book.checksum()},"timestamp":"'

    def ticks_at(self, calling: int) -> int:
        """Return the bid after so many calling frames, in units of the pair's last decimal."""
        return (self.first_bid + calling) * self.pair.tick

    def _head(self, kind: str, bids: Sequence[tuple[int, int]], asks: Sequence[tuple[int, int]]) -> str:
        return (
            f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"{self.symbol}",'
            f'"bids":[{self._levels(bids)}],"asks":[{self._levels(asks)}]'
        )

    def _levels(self, levels: Sequence[tuple[int, int]]) -> str:
        pair = self.pair
        return ",".join(
            f'{{"price":{fixed(price * pair.tick, pair.price_precision)},"qty":{fixed(lots, pair.qty_precision)}}}'
            for price, lots in levels
        )


END = '"}]}'


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame without its time, when it is to leave, and its number among its pair's calling ones (0: none)."""

    at_ns: int
    symbol: str
    text: str
    calling: int


def frames(plan: Plan, ladders: Sequence[Ladder]) -> list[Frame]:
    """Return the frames of a measurement, pair after pair in turn; the calling ones come evenly."""
    made = []
    for number in range(plan.count):
        ladder = ladders[number % len(ladders)]
        is_calling = (number // len(ladders) + number % len(ladders)) % plan.calls == plan.calls - 1
        text = ladder.calling() if is_calling else ladder.other()
        made.append(Frame(plan.at_ns(number), ladder.symbol, text, ladder.bid - ladder.first_bid if is_calling else 0))
    return made
