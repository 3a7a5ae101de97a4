"""A market that is a recording: captured book frames drive the book, captured trades take from it. No I/O.

Rules of fills (MARKET.md): the recorded quantity of a level is the crowd's; an account's order stands in the queue
where it came; what leaves a level without a trade leaves pro rata ahead of and behind it; trades eat from the front.
A level that enters the recorded window stands ahead of the orders that rest there: nobody knows when it came.
Without trades in the recording nothing fills but what an account takes itself.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from simulator.errors import RecordingError
from simulator.exchange.engine import Side, resting_order
from simulator.exchange.exchange import Exchange
from simulator.exchange.venue.venue import CROWD_FROM, Venue
from simulator.pairs.pairs import BY_WSNAME, PAIRS, Pair
from simulator.wire import NS, parse_time, read_json, units

Level = tuple[Side, int, int]
_SIDES: dict[str, Side] = {"bids": "buy", "asks": "sell", "b": "buy", "a": "sell", "bs": "buy", "as": "sell"}
_log = logging.getLogger("simulator")


@dataclass(frozen=True, slots=True)
class Moment:
    """A frame at its own time: levels of a ``snapshot`` or ``book``, or a ``trade`` (taker's side first)."""

    ns: int
    kind: str
    levels: tuple[Level, ...]


def read(lines: Iterable[bytes]) -> dict[str, list[Moment]]:
    """Return the moments of each listed pair in a file of frames, one a line, of either version; oldest first.

    A trade comes before the book change of the same time, which is its consequence. Lines that are no book or trade
    frames of a listed pair are passed over; raises RecordingError when none is left.
    """
    return ordered(arrivals(lines))


def arrivals(lines: Iterable[bytes], last: int = 0) -> list[tuple[str, Moment]]:
    """Return the symbols and moments of frames in the order in which they came; passes over all other lines.

    ``last`` is the time in ns of a snapshot that carries none, until a frame with a time has come.
    """
    arrived: list[tuple[str, Moment]] = []
    for line in lines:
        try:
            frame = read_json(line)
            for pair, moment in _moments(frame, last):
                arrived.append((pair.symbol, moment))
                last = max(last, moment.ns)
        except (ValueError, KeyError, TypeError, IndexError, ArithmeticError, AttributeError):
            continue
    return arrived


def ordered(arrived: Iterable[tuple[str, Moment]]) -> dict[str, list[Moment]]:
    """Return the moments of each pair, oldest first; raises RecordingError where no book begins with a snapshot."""
    by_symbol: dict[str, list[Moment]] = {}
    for symbol, moment in arrived:
        by_symbol.setdefault(symbol, []).append(moment)
    for symbol, moments in by_symbol.items():
        # Snapshots of older captures carry no time: they are as old as what comes next.
        begin = next((m.ns for m in moments if m.ns), 0)
        moments = by_symbol[symbol] = [m if m.ns else replace(m, ns=begin) for m in moments]
        moments.sort(key=lambda m: (m.ns, m.kind == "book"))
    if not any(m.kind == "snapshot" for moments in by_symbol.values() for m in moments):
        raise RecordingError("no book of a known pair in it")
    return by_symbol


# Any: a frame of a recording, which may be anything; what does not fit raises, and `arrivals` passes over it.
def _moments(frame: Any, last: int) -> Iterable[tuple[Pair, Moment]]:
    if isinstance(frame, list):
        yield from _v1_moments(frame)
    elif frame.get("channel") == "book":
        for data in frame["data"]:
            pair = PAIRS[data["symbol"]]
            ns = parse_time(data["timestamp"]) if "timestamp" in data else last
            rows = [(_SIDES[n], r["price"], r["qty"]) for n in ("bids", "asks") for r in data.get(n, [])]
            yield pair, Moment(ns, "snapshot" if frame["type"] == "snapshot" else "book", _levels(pair, rows))
    elif frame.get("channel") == "trade" and frame["type"] == "update":
        for row in frame["data"]:
            pair = PAIRS[row["symbol"]]
            yield (
                pair,
                Moment(parse_time(row["timestamp"]), "trade", _levels(pair, [(row["side"], row["price"], row["qty"])])),
            )


def _v1_moments(frame: list[Any]) -> Iterable[tuple[Pair, Moment]]:
    pair, channel = BY_WSNAME[frame[-1]], str(frame[-2])
    if channel == "trade":
        for price, qty, time, side, *_ in frame[1]:
            taken: Side = "buy" if side == "b" else "sell"
            row = (taken, Decimal(price), Decimal(qty))
            yield pair, Moment(int(Decimal(time) * NS), "trade", _levels(pair, [row]))
        return
    if not channel.startswith("book"):
        return
    parts = frame[1:-2]
    rows, times = [], []
    for part in parts:
        for name, levels in part.items():
            for level in levels if name != "c" else []:
                rows.append((_SIDES[name], Decimal(level[0]), Decimal(level[1])))
                times.append(Decimal(level[2]))
    kind = "snapshot" if "as" in parts[0] or "bs" in parts[0] else "book"
    yield pair, Moment(int(max(times) * NS), kind, _levels(pair, rows))


def _levels(pair: Pair, rows: Iterable[tuple[Side, Decimal | int, Decimal | int]]) -> tuple[Level, ...]:
    levels = []
    for side, price, qty in rows:
        ticks, lots = units(price, pair.price_precision), units(qty, pair.qty_precision)
        if ticks is None or lots is None:
            raise ValueError("more decimals than the pair has")
        levels.append((side, ticks, lots))
    return tuple(levels)


class Replay:
    """The crowd of one venue as recorded; in the place of a :class:`simulator.market.market.Market`."""

    def __init__(self, exchange: Exchange, venue: Venue, moments: list[Moment], pace: float = 1.0) -> None:
        self.exchange = exchange
        self.venue = venue
        self.pace = pace
        self.now = 0
        self._moments = moments
        self._at = 0
        self._begin = 0
        self._number = CROWD_FROM
        self._recorded: dict[Side, dict[int, int]] = {"buy": {}, "sell": {}}
        self._depth = 0
        # Levels that cannot be placed while an account's order of the other side would trade with them.
        self._withheld: set[tuple[Side, int]] = set()
        # Levels that entered the recorded window and are not placed yet: they go ahead of the accounts' orders.
        self._entered: set[tuple[Side, int]] = set()
        if not any(moment.kind == "trade" for moment in moments):
            _log.warning("%s: the recording has no trades: resting orders will not fill", venue.pair.symbol)

    def open(self, now: int, _own: Iterable[tuple[Side, int]] = ()) -> None:
        """Start the recording with its first snapshot."""
        self._begin = now
        self._at = next((i for i, m in enumerate(self._moments) if m.kind == "snapshot"), len(self._moments))
        self.step(now)

    def shift(self, by: int) -> None:
        """Move what is timed here when the clock is moved by so many ns."""
        self.now += by
        self._begin += by

    def step(self, now: int) -> int:
        """Do what is due; return when to come back. After its end the book stands still."""
        self.now = now
        moments = self._moments
        if not moments:
            return now + NS
        first = next((m.ns for m in moments if m.kind == "snapshot"), 0)
        while self._at < len(moments):
            moment = moments[self._at]
            due = self._begin + int(max(0, moment.ns - first) / self.pace)
            if due > now:
                return due
            self._at += 1
            self._do(moment)
            if self._at == len(moments):
                _log.info("%s: the recording is over", self.venue.pair.symbol)
        return now + NS

    def _do(self, moment: Moment) -> None:
        if moment.kind == "trade":
            side, price, qty = moment.levels[0]
            self._number += 1
            events = self.venue.submit(self._number, 0, side, price, qty, self.now, "ioc")
            self.exchange.settle(events, self.now)
            return
        touched = dict.fromkeys((side, price) for side, price, _ in moment.levels)
        edges = {side: self._edge(side) for side in self._recorded}
        if moment.kind == "snapshot":
            touched |= dict.fromkeys((side, price) for side, book in self._recorded.items() for price in book)
            self._recorded = {"buy": {}, "sell": {}}
            self._depth = max(sum(1 for level in moment.levels if level[0] == side) for side in self._recorded)
        for side, price, qty in moment.levels:
            if qty:
                self._recorded[side][price] = qty
            else:
                self._recorded[side].pop(price, None)
        for side, book in self._recorded.items():
            # The recording has no more changes of levels that are pushed out of its depth.
            for price in sorted(book, reverse=side == "buy")[self._depth :]:
                del book[price]
                touched[(side, price)] = None
        for side, price in touched:
            edge = edges[side]
            if edge is not None and price in self._recorded[side] and (price < edge if side == "buy" else price > edge):
                self._entered.add((side, price))
        for side, price in [*touched, *self._withheld]:
            self._reach(side, price, self._recorded[side].get(price, 0))

    def _edge(self, side: Side) -> int | None:
        """Return the last price that the recording knows of; None where it knows the whole side."""
        book = self._recorded[side]
        if not self._depth or len(book) < self._depth:
            return None
        return min(book) if side == "buy" else max(book)

    def _reach(self, side: Side, price: int, wanted: int) -> None:
        """Make the crowd's quantity at a price what was recorded."""
        engine = self.venue.engine
        self._withheld.discard((side, price))
        queue = engine.queue(side, price)
        crowd = [(number, resting.remaining, resting.filled) for number in queue if number >= CROWD_FROM
                 and (resting := resting_order(engine, number)) is not None]  # fmt: skip
        standing = sum(remaining for _, remaining, _ in crowd)
        if wanted < standing:
            self._cut(side, crowd, standing, wanted)
        elif wanted > standing:
            more = wanted - standing
            if crowd and queue[-1] == crowd[-1][0]:
                number, remaining, filled = crowd[-1]
                self.venue.amend(number, side, None, filled + remaining + more, self.now)
                self._entered.discard((side, price))
                return
            self._number += 1
            events = self.venue.submit(self._number, 0, side, price, more, self.now, "gtc", True)
            if events and events[0][0] != "rest":
                self._withheld.add((side, price))
                return
            if (side, price) in self._entered and not crowd:
                self._put_behind([number for number in queue if number < CROWD_FROM])
        self._entered.discard((side, price))

    def _put_behind(self, numbers: list[int]) -> None:
        """Put orders at the back of their queue, in their order: one that grows loses its place, and shrinks in it."""
        engine = self.venue.engine
        for number in numbers:
            order = resting_order(engine, number)
            if order is not None:
                total = order.filled + order.remaining
                engine.amend(number, None, total + 1)
                engine.amend(number, None, total)

    def _cut(self, side: Side, crowd: list[tuple[int, int, int]], standing: int, wanted: int) -> None:
        """Take what left a level from each of the crowd's orders in proportion."""
        kept, total = 0, 0
        for number, remaining, filled in crowd:
            total += remaining
            part = total * wanted // standing - kept
            kept += part
            if not part:
                self.venue.cancel(number, self.now)
            elif part != remaining:
                self.venue.amend(number, side, None, filled + part, self.now)


def load(text: bytes) -> dict[str, list[Moment]]:
    """Read the moments of a whole file, as :func:`read`."""
    return read(filter(None, (line.strip() for line in text.splitlines())))
