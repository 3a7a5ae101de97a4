"""Follow a lone pair of the synthetic market as a client would, in virtual time, and count what it sees. No I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from simulator.exchange.engine import Side, load_engine
from simulator.exchange.exchange import Exchange
from simulator.exchange.venue.book import LevelChange, Run
from simulator.exchange.venue.venue import Venue
from simulator.market.market import Market
from simulator.market.style import Style, style_of
from simulator.pairs.instrument import Pair
from simulator.pairs.pairs import PAIRS
from simulator.wire import NS

START_NS = 1_790_000_000 * NS
DEPTH = 10
WARM_UP_S = 30


@dataclass(slots=True)
class Seen:
    """Hold what the listener has counted; times in ns, prices in ticks, sizes in lots."""

    seconds: float = 0.0
    messages: list[int] = field(default_factory=list)
    levels: dict[int, int] = field(default_factory=dict)
    updates: int = 0
    inserts: int = 0
    deletes: int = 0
    improving: int = 0
    distances: list[int] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    reused: int = 0
    lives: list[int] = field(default_factory=list)
    # (ns, best bid, best ask, its quantities), one each 100 ms.
    touches: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    # (ns, taker's sign, price, qty, mid before it).
    trades: list[tuple[int, int, int, int, float]] = field(default_factory=list)


class Listener:
    """Follow one pair's depth-10 view by the messages of a subscriber; ``view`` is its snapshot by side."""

    def __init__(self, view: Mapping[Side, Mapping[int, int]], now: int) -> None:
        self.seen = Seen()
        self._gone: deque[tuple[int, int]] = deque(maxlen=50)
        self.begin(view, now)

    def begin(self, view: Mapping[Side, Mapping[int, int]], now: int) -> None:
        """Start from a snapshot; the levels in it count as born ``now``."""
        self._view = {side: dict(levels) for side, levels in view.items()}
        self._born = {(side, price): now for side, levels in view.items() for price in levels}

    def take(self, runs: Iterable[Run], now: int) -> None:
        """Count one event's runs, each of which is a message."""
        for run in runs:
            entries = run.views[DEPTH]
            if entries:
                self.message([(run.side, entries)], now)

    def message(self, parts: Iterable[tuple[Side, list[LevelChange]]], now: int) -> None:
        """Count one message, given as the entries of each side that it holds."""
        seen = self.seen
        seen.messages.append(now)
        count = 0
        for side, entries in parts:
            count += len(entries)
            view = self._view[side]
            best = (max if side == "buy" else min)(view, default=None)
            for entry in entries:
                key = (side, entry.price)
                if not entry.qty:
                    seen.deletes += 1
                    self._gone.append((now, view.pop(entry.price, 0)))
                    born = self._born.pop(key, None)
                    if born is not None:
                        seen.lives.append(now - born)
                elif entry.refill:
                    view[entry.price] = entry.qty
                elif entry.price in view:
                    seen.updates += 1
                    view[entry.price] = entry.qty
                else:
                    self._inserted(side, entry.price, entry.qty, best, now)
                    view[entry.price] = entry.qty
                    self._born[key] = now
            for price in sorted(view, reverse=side == "buy")[DEPTH:]:
                del view[price]
                self._born.pop((side, price), None)
        seen.levels[count] = seen.levels.get(count, 0) + 1

    def _inserted(self, side: Side, price: int, qty: int, best: int | None, now: int) -> None:
        seen = self.seen
        seen.inserts += 1
        seen.sizes.append(qty)
        if best is not None:
            distance = (best - price) if side == "buy" else (price - best)
            if distance < 0:
                seen.improving += 1
            else:
                seen.distances.append(distance)
        if any(now - at < NS and size == qty for at, size in self._gone):
            seen.reused += 1


def watch(symbol: str, regime: str, seconds: float, seed: int = 1) -> tuple[Venue, Seen]:
    """Let a pair's crowd live alone in virtual time; return what a subscriber saw after the first half minute."""
    pair = PAIRS[symbol]
    return watch_style(pair, style_of(pair, regime), seconds, seed)


def watch_style(pair: Pair, style: Style, seconds: float, seed: int = 1) -> tuple[Venue, Seen]:
    """Watch a crowd of any style as :func:`watch` does."""
    venue = Venue(pair, load_engine()(), 1, pair.start_price)
    exchange = Exchange([venue], lambda: 0)
    market = Market(exchange, venue, style, f"{pair.symbol} {seed}")
    now = START_NS
    market.open(now)
    end = now + WARM_UP_S * NS
    while now < end:
        now = min(end, max(now + 1000, market.step(now)))
    venue.public.clear()
    venue.depths[DEPTH] = 1
    listener = Listener({side: dict(venue.book.side(side).best(DEPTH)) for side in ("buy", "sell")}, now)
    change = venue.book.change

    def spied(changes: object, at: int, depths: object) -> list[Run]:
        runs = change(changes, at, depths)  # type: ignore[arg-type]
        listener.take(runs, at)
        return runs

    venue.book.change = spied  # type: ignore[method-assign, assignment]
    venue.depths[DEPTH] = 1
    seen = listener.seen
    start, sample, trade_id = now, now, venue.trade_id
    end = now + int(seconds * NS)
    while now < end:
        mid = _mid(venue)
        following = market.step(now)
        if venue.trade_id > trade_id:
            for trade in list(venue.tape)[-min(len(venue.tape), venue.trade_id - trade_id) :]:
                sign = 1 if trade.side == "buy" else -1
                seen.trades.append((trade.ns, sign, trade.price, trade.qty, mid))
            trade_id = venue.trade_id
        venue.public.clear()
        while sample <= now:
            bid, ask = venue.touch()
            if bid is not None and ask is not None:
                bids, asks = venue.book.bids.qty, venue.book.asks.qty
                seen.touches.append((sample, bid, ask, bids[bid], asks[ask]))
            sample += NS // 10
        now = min(end, max(now + 1000, following))
    seen.seconds = (now - start) / NS
    return venue, seen


def record(pair: Pair, style: Style, seconds: float, seed: int = 1) -> list[str]:
    """Let a crowd live alone for virtual seconds; return the frames of its depth-10 book and of its trades."""
    venue = Venue(pair, load_engine()(), 1, pair.start_price)
    market = Market(Exchange([venue], lambda: 0), venue, style, f"{pair.symbol} {seed}")
    now = START_NS
    market.open(now)
    venue.public.clear()
    venue.depths[DEPTH] = 1
    frames = [venue.book.snapshot(DEPTH)]
    end = now + int(seconds * NS)
    while now < end:
        now = min(end, max(now + 1000, market.step(now)))
        frames += [text for channel, _, text in venue.public if channel in ("book", "trade")]
        venue.public.clear()
    return frames


def _mid(venue: Venue) -> float:
    bid, ask = venue.touch()
    return ((bid or venue.last_price) + (ask or venue.last_price)) / 2
