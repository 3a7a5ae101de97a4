"""The full book of a pair, and the messages of a change for each depth (KRAKEN.md 1.5).

A view of depth N is the best N levels a side. A change outside it is silent; a level pushed out is not announced;
a delete that lets a deeper level in is followed at once by that level. One message holds one side.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import NamedTuple
from zlib import crc32

from simulator.exchange.engine import Side
from simulator.pairs.pairs import Pair
from simulator.wire import NS, iso

STAMP_NS = 1000
DEPTHS = (10, 25, 100, 500, 1000)
Change = tuple[Side, int, int]


class LevelChange(NamedTuple):
    """A level of a message; ``ns`` is its last change, ``refill`` is true where it moved into the view unchanged."""

    price: int
    qty: int
    ns: int
    refill: bool


class Run(NamedTuple):
    """One side's share of a change: the levels for each view, the book's checksum after it, and the event's time."""

    side: Side
    checksum: int
    views: dict[int, list[LevelChange]]
    ns: int


class Ladder:
    """One side of a book: sorted keys (best first), the quantity of each price and when it last changed."""

    __slots__ = ("keys", "qty", "sign", "when")

    def __init__(self, sign: int) -> None:
        # Asks count up from the best, bids down: a bid's key is its price negated.
        self.sign = sign
        self.keys: list[int] = []
        self.qty: dict[int, int] = {}
        self.when: dict[int, int] = {}

    def best(self, n: int) -> list[tuple[int, int]]:
        """Return the best ``n`` levels as (price, qty)."""
        sign, qty = self.sign, self.qty
        return [(key * sign, qty[key * sign]) for key in self.keys[:n]]


class FullBook:
    """A pair's whole book, changed by the engine's changes, and the messages of its views."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.bids = Ladder(-1)
        self.asks = Ladder(1)
        self.changed_ns = 0
        # The checksum of the ten best levels a side, None when they have changed since.
        self._known: int | None = 0

    def side(self, name: str) -> Ladder:
        """Return the bids for ``buy``, the asks for ``sell``."""
        return self.bids if name == "buy" else self.asks

    def touch(self) -> tuple[int | None, int | None]:
        """Return best bid and best ask in ticks; None where a side is empty."""
        bids, asks = self.bids.keys, self.asks.keys
        return (-bids[0] if bids else None), (asks[0] if asks else None)

    def apply(self, changes: Iterable[Change], now: int, depths: Iterable[int]) -> list[tuple[int, str]]:
        """Apply changes in order; return (depth, message) for every depth whose view they touch."""
        return self.messages(self.change(changes, now, depths), depths)

    def change(self, changes: Iterable[Change], now: int, depths: Iterable[int]) -> list[Run]:
        """Apply changes in order, side after side; return what the views of ``depths`` are to be sent."""
        wanted = sorted(depths)
        runs: list[Run] = []
        pending: list[Change] = []
        for change in changes:
            if pending and pending[-1][0] != change[0]:
                runs.append(self._change_side(pending, now, wanted))
                pending = []
            pending.append(change)
        if pending:
            runs.append(self._change_side(pending, now, wanted))
        return runs

    def messages(self, runs: Iterable[Run], depths: Iterable[int]) -> list[tuple[int, str]]:
        """Return the v2 messages of runs: one for each run and depth that it touches."""
        return [
            (depth, self.update_text(run, entries))
            for run in runs
            for depth, entries in run.views.items()
            if entries and depth in depths
        ]

    def _change_side(self, changes: list[Change], now: int, wanted: list[int]) -> Run:
        side = self.side(changes[0][0])
        keys, quantities, sign, when = side.keys, side.qty, side.sign, side.when
        views: dict[int, list[LevelChange]] = {depth: [] for depth in wanted}
        near = False
        # Event time rises strictly, in the microseconds that messages carry; a clock that was moved back begins anew.
        if now // STAMP_NS <= self.changed_ns // STAMP_NS < (now + NS) // STAMP_NS:
            now = self.changed_ns + STAMP_NS
        for _, price, qty in changes:
            key = price * sign
            known = quantities.get(price)
            if known == qty or (known is None and not qty):
                continue
            index = bisect_left(keys, key)
            near = near or index < 10
            if not qty:
                del keys[index], quantities[price], when[price]
            else:
                if known is None:
                    keys.insert(index, key)
                quantities[price] = qty
                when[price] = now
            for depth in wanted:
                if index >= depth:
                    continue
                view = views[depth]
                view.append(LevelChange(price, qty, now, False))
                if not qty and len(keys) >= depth:
                    refill = keys[depth - 1] * sign
                    view.append(LevelChange(refill, quantities[refill], when[refill], True))
        self.changed_ns = now
        if near:
            self._known = None
        # No message, no checksum: it is the expensive part.
        return Run(changes[0][0], self.checksum if any(views.values()) else 0, views, now)

    @property
    def checksum(self) -> int:
        """Return CRC-32 of the ten best levels a side as version 2 writes them (KRAKEN.md 1.5.1)."""
        if self._known is None:
            text = "".join([f"{price}{qty}" for side in (self.asks, self.bids) for price, qty in side.best(10)])
            self._known = crc32(text.encode())
        return self._known

    def snapshot(self, depth: int) -> str:
        """Return the snapshot message of a depth; its timestamp is that of the last change."""
        bids = ",".join(self._entry(price, qty) for price, qty in self.bids.best(depth))
        asks = ",".join(self._entry(price, qty) for price, qty in self.asks.best(depth))
        return (
            f'{{"channel":"book","type":"snapshot","data":[{{"symbol":"{self.pair.symbol}","bids":[{bids}],'
            f'"asks":[{asks}],"checksum":{self.checksum},"timestamp":"{iso(self.changed_ns)}"}}]}}'
        )

    def set_level(self, side: Side, price: int, qty: int, ns: int, checksum: int | None) -> None:
        """Set the size of an existing level; ``checksum`` is the book's after it, None where it is not known."""
        there = self.side(side)
        there.qty[price], there.when[price] = qty, ns
        self.changed_ns, self._known = ns, checksum

    def update_text(self, run: Run, entries: list[LevelChange]) -> str:
        """Return the update message of one side's share of a change."""
        levels = ",".join([self._entry(entry.price, entry.qty) for entry in entries])
        sides = f'"bids":[{levels}],"asks":[]' if run.side == "buy" else f'"bids":[],"asks":[{levels}]'
        return (
            f'{{"channel":"book","type":"update","data":[{{"symbol":"{self.pair.symbol}",{sides},'
            f'"checksum":{run.checksum},"timestamp":"{iso(run.ns)}"}}]}}'
        )

    def _entry(self, price: int, qty: int) -> str:
        return f'{{"price":{self.pair.price(price)},"qty":{self.pair.qty(qty)}}}'
