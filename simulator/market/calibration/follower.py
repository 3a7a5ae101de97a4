"""Follow the book of a recording as the listener follows the synthetic market, and count the same things. No I/O."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.exchange.engine import Side
from simulator.exchange.venue.book import LevelChange
from simulator.market.calibration.listener import DEPTH, Listener, Seen
from simulator.market.replay import Level, Moment
from simulator.wire import NS

SAMPLE_NS = NS // 10


class Follower:
    """Keep the recorded book of one pair, and have a listener follow its best levels."""

    def __init__(self, moments: Sequence[Moment]) -> None:
        self._moments = moments
        self._book: dict[Side, dict[int, int]] = {"buy": {}, "sell": {}}
        self._depth = DEPTH
        self._listener = Listener({"buy": {}, "sell": {}}, 0)

    def follow(self) -> Seen:
        """Return what was seen from the first snapshot on; trades and times before it are left out."""
        begin = next(at for at, moment in enumerate(self._moments) if moment.kind == "snapshot")
        moments = self._moments[begin:]
        seen = self._listener.seen
        sample = moments[0].ns + SAMPLE_NS
        for moment in moments:
            # Until this message the book was as the one before it left it.
            while sample < moment.ns:
                self._sample(sample)
                sample += SAMPLE_NS
            if moment.kind == "trade":
                self._trade(moment)
            elif moment.kind == "snapshot":
                self._snapshot(moment)
            else:
                self._change(moment)
        seen.seconds = (moments[-1].ns - moments[0].ns) / NS
        return seen

    def _best(self, side: Side) -> list[int]:
        return sorted(self._book[side], reverse=side == "buy")[:DEPTH]

    def _sample(self, ns: int) -> None:
        bids, asks = self._book["buy"], self._book["sell"]
        if bids and asks:
            bid, ask = max(bids), min(asks)
            self._listener.seen.touches.append((ns, bid, ask, bids[bid], asks[ask]))

    def _trade(self, moment: Moment) -> None:
        bids, asks = self._book["buy"], self._book["sell"]
        if bids and asks:
            side, price, qty = moment.levels[0]
            mid = (max(bids) + min(asks)) / 2
            self._listener.seen.trades.append((moment.ns, 1 if side == "buy" else -1, price, qty, mid))

    def _snapshot(self, moment: Moment) -> None:
        self._book = {"buy": {}, "sell": {}}
        for side, price, qty in moment.levels:
            self._book[side][price] = qty
        self._depth = max(map(len, self._book.values()))
        view = {side: {price: levels[price] for price in self._best(side)} for side, levels in self._book.items()}
        self._listener.begin(view, moment.ns)

    def _change(self, moment: Moment) -> None:
        parts = []
        for side in dict.fromkeys(level[0] for level in moment.levels):
            entries = self._entries(side, [level for level in moment.levels if level[0] == side], moment.ns)
            if entries:
                parts.append((side, entries))
        if parts:
            self._listener.message(parts, moment.ns)

    def _entries(self, side: Side, levels: Sequence[Level], ns: int) -> list[LevelChange]:
        """Return what a subscriber of the best levels hears of a change of one side."""
        book, sign = self._book[side], -1 if side == "buy" else 1
        before = {price: book[price] for price in self._best(side)}
        known = set(book)
        for _, price, qty in levels:
            if qty:
                book[price] = qty
            else:
                book.pop(price, None)
        for price in sorted(book, key=lambda price: price * sign)[self._depth :]:
            del book[price]
        named = {price for _, price, _ in levels}
        entries = [LevelChange(price, 0, ns, False) for price in before if price not in book and price in named]
        worst = max((price * sign for price in before), default=0)
        for price in self._best(side):
            if price not in before:
                # A level that was there behind the view, or that a recording of no more levels has only now.
                refill = price in known or (len(before) == DEPTH and price * sign > worst)
                entries.append(LevelChange(price, book[price], ns, refill))
            elif book[price] != before[price]:
                entries.append(LevelChange(price, book[price], ns, False))
        return entries
