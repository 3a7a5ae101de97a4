"""Measure what was set by judgement: trades and the book's reaction to them, each figure with its interval.

The same figures are worked out of a recording of the real market and of the synthetic one.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from statistics import fmean, median

from simulator.exchange.engine import Side, opposite
from simulator.market.calibration.figures import mid_at, quantile
from simulator.market.calibration.intervals import Interval, Sample, Statistic, bootstrap, wilson
from simulator.market.calibration.listener import Seen
from simulator.market.recorded import Arrival
from simulator.market.replay import Moment
from simulator.wire import NS

# Blocks are as long as a cluster of trades with the pause after it, and never shorter than a figure's horizon.
BLOCK_S = 5.0
HORIZONS_S = (0.1, 1.0, 10.0, 60.0)
REACTION_NS = NS // 10
# A trade and the change of the book that it makes are stamped within this of each other.
SAME_NS = 5_000_000
# For figures without a band in MARKET.md: the tolerance that it has for sizes and distances.
TOLERANCE = 0.3
TRADE_FIRST = "trade's message before its book change, %"
HOURS, BOOK = "OHLC of 2026", "book of 2023"


@dataclass(frozen=True, slots=True)
class Figure:
    """Hold a property with its samples (ns, value); ``band`` is what is accepted, None: within TOLERANCE.

    ``kept`` names the longer source that MARKET.md has the property from, which minutes of a capture do not overrule.
    """

    name: str
    samples: Sequence[Sample]
    statistic: Statistic
    band: Interval | None = None
    block_s: float = BLOCK_S
    kept: str = ""

    @property
    def value(self) -> float:
        """Return the statistic of all samples, NaN of none."""
        return self.statistic([value for _, value in self.samples]) if self.samples else math.nan


@dataclass(frozen=True, slots=True)
class Measured:
    """Hold a figure of a recording with its 95 % interval, None where the samples are too few for one."""

    name: str
    value: float
    samples: int
    interval: Interval | None
    band: Interval
    kept: str = ""

    @property
    def standing(self) -> str:
        """Return ``measured``, or why the row stays what it was."""
        if self.kept:
            return f"kept, {self.kept}"
        if self.interval is None:
            return "set, too few blocks"
        low, high = self.interval
        return "measured" if high - low <= self.band[1] - self.band[0] else "set, too wide"


def taker_orders(seen: Seen) -> list[tuple[int, int, int]]:
    """Return (ns, sign, lots) of each taker's order: trades of one time and sign are fills of one."""
    grouped = groupby(seen.trades, key=lambda trade: trade[:2])
    return [(ns, sign, sum(qty for _, _, _, qty, _ in trades)) for (ns, sign), trades in grouped]


def _correlation(signs: Sequence[tuple[int, int]]) -> float:
    """Return the lag-1 autocorrelation from pairs of signs that follow each other."""
    mean = fmean(first for first, _ in signs)
    spread = fmean((first - mean) ** 2 for first, _ in signs)
    return fmean((first - mean) * (second - mean) for first, second in signs) / spread if spread else math.nan


def _left(impacts: Sequence[tuple[float, float]]) -> float:
    """Return how many percent of the mean impact at first are left later."""
    first = fmean(early for early, _ in impacts)
    return 100 * fmean(late for _, late in impacts) / first if first else math.nan


def _median(values: Sequence[float]) -> float:
    return float(median(values))


def _share(share: float) -> Statistic:
    return lambda values: quantile(values, share)


def trade_figures(seen: Seen, lot: float) -> list[Figure]:
    """Return how takers trade and what comes after it; ``lot`` is a lot's size in base currency."""
    signs = [(ns, sign) for ns, sign, *_ in seen.trades]
    orders = taker_orders(seen)
    sizes = [(ns, qty * lot) for ns, _, _, qty, _ in seen.trades]
    begin = seen.touches[0][0]
    counts = [[begin + second * NS, 0] for second in range(max(1, int(seen.seconds)))]
    for ns, *_ in seen.trades:
        counts[min(len(counts) - 1, max(0, (ns - begin) // NS))][1] += 1
    figures = [
        Figure("trades per second", [(ns, count) for ns, count in counts], fmean, (1.6, 2.6), kept=HOURS),
        Figure("size of trades, mean, base", sizes, fmean, (0.014, 0.023), kept=HOURS),
        Figure("size of trades, p50, base", sizes, _share(0.5)),
        Figure("size of trades, p90, base", sizes, _share(0.9)),
        Figure("trades of a taker's order, mean", _fills(seen), fmean),
        Figure("signs of trades, lag-1 autocorrelation", _followed(signs), _correlation, (0.2, 0.4)),
        Figure("signs of takers' orders, lag-1", _followed([order[:2] for order in orders]), _correlation, (0.2, 0.4)),
    ]
    for horizon in HORIZONS_S:
        moves = [
            (ns, -sign * 1e4 * (later / price - 1))
            for ns, sign, price, _, _ in seen.trades
            if (later := mid_at(seen, ns + int(horizon * NS))) is not None
        ]
        name = f"mid after a fill, {horizon:g} s, bp"
        figures.append(Figure(name, moves, fmean, (-0.6, -0.2), max(BLOCK_S, horizon)))
    impacts = [
        (ns, (sign * (early / mid - 1), sign * (late / mid - 1)))
        for ns, sign, _, _, mid in seen.trades
        if (early := mid_at(seen, ns + NS // 2)) is not None and (late := mid_at(seen, ns + 10 * NS)) is not None
    ]
    figures.append(Figure("impact left after 10 s, % of 0.5 s", impacts, _left, (50, 70), 10.0))
    return figures


def _followed(signs: Sequence[tuple[int, int]]) -> list[Sample]:
    return [(ns, (first, second)) for (ns, first), (_, second) in pairwise(signs)]


def _fills(seen: Seen) -> list[Sample]:
    return [(key[0], len(list(trades))) for key, trades in groupby(seen.trades, key=lambda trade: trade[:2])]


def book_figures(seen: Seen, lot: float) -> list[Figure]:
    """Return the touch, and how the book reacts to a taker's order; ``lot`` as in :func:`trade_figures`."""
    touches = [(ns, (ask - bid, *sorted((a * lot, b * lot)))) for ns, bid, ask, a, b in seen.touches]
    moved = []
    for ns, sign, _ in taker_orders(seen):
        before, later = _touch_at(seen, ns, sign), _touch_at(seen, ns + NS, sign)
        if before is not None and later is not None:
            moved.append((ns, 100.0 * ((later - before) * sign > 0)))
    return [
        Figure("touch one tick wide, %", touches, lambda rows: 100 * fmean(row[0] == 1 for row in rows), (90, 100),
               kept=BOOK),
        Figure("smaller side of the touch, p50, base", touches, lambda rows: _median([row[1] for row in rows]),
               (0.01, 0.03), kept=BOOK),
        Figure("larger side of the touch, p50, base", touches, lambda rows: _median([row[2] for row in rows]), (4, 9),
               kept=BOOK),
        Figure("book messages 0.1 s after an order, times usual", _reactions(seen), fmean),
        Figure("side that was hit is worse 1 s later, %", moved, fmean),
    ]  # fmt: skip


def _reactions(seen: Seen) -> list[Sample]:
    """Count book messages within REACTION_NS of each taker's order, times as many as there usually are in that time."""
    usual = len(seen.messages) / seen.seconds * REACTION_NS / NS
    return [
        (ns, (bisect_left(seen.messages, ns + REACTION_NS) - bisect_left(seen.messages, ns)) / usual)
        for ns, _, _ in taker_orders(seen)
    ]


def taker_reactions(seen: Seen) -> float:
    """Return how many times as many book messages as usual follow a taker's order within REACTION_NS, on average."""
    return fmean(times for _, times in _reactions(seen))


def _touch_at(seen: Seen, ns: int, sign: int) -> int | None:
    """Return the best price that takers of a sign hit, at the last sample before a time."""
    index = (ns - seen.touches[0][0] - 1) // (NS // 10)
    return seen.touches[index][2 if sign > 0 else 1] if 0 <= index < len(seen.touches) else None


def message_order(arrived: Sequence[Arrival], symbol: str) -> list[Sample]:
    """Return (ns, (trade came first, ns from its time to the book's)) of each taker's order with a change of the book.

    The change is the message that lowers the level that was hit, and whose time is within SAME_NS of the trade's and
    the nearest to it.
    """
    moments = [moment for name, moment in arrived if name == symbol]
    changes = _lowered(moments)
    times = [ns for ns, *_ in changes]
    samples: list[Sample] = []
    for at, moment in enumerate(moments):
        if moment.kind != "trade" or (at and _is_same_order(moments[at - 1], moment)):
            continue
        side, price, _ = moment.levels[0]
        hit = (opposite(side), price)
        near = changes[bisect_left(times, moment.ns - SAME_NS) : bisect_left(times, moment.ns + SAME_NS)]
        apart = [(ns - moment.ns, place) for ns, place, lowered in near if hit in lowered]
        if apart:
            behind, place = min(apart, key=lambda change: abs(change[0]))
            samples.append((moment.ns, (at < place, behind)))
    return samples


def _lowered(moments: Sequence[Moment]) -> list[tuple[int, int, set[tuple[Side, int]]]]:
    """Return (ns, place in ``moments``, levels of which less stands after it) of each change of the book."""
    book: dict[tuple[Side, int], int] = {}
    changes = []
    for at, moment in enumerate(moments):
        if moment.kind == "trade":
            continue
        if moment.kind == "snapshot":
            book = {}
        # Of a level that a message names several times, the last is what stands.
        after = {(side, price): qty for side, price, qty in moment.levels}
        if moment.kind == "book":
            changes.append((moment.ns, at, {level for level, qty in after.items() if qty < book.get(level, 0)}))
        book.update(after)
    return changes


def _is_same_order(before: Moment, moment: Moment) -> bool:
    return before.kind == "trade" and (before.ns, before.levels[0][0]) == (moment.ns, moment.levels[0][0])


def measure(figure: Figure, seconds: float) -> Measured:
    """Return a figure with its interval."""
    value = figure.value
    band = figure.band or (min(value * (1 - TOLERANCE), value * (1 + TOLERANCE)),
                           max(value * (1 - TOLERANCE), value * (1 + TOLERANCE)))  # fmt: skip
    interval = bootstrap(figure.samples, figure.statistic, figure.block_s, seconds)
    return Measured(figure.name, value, len(figure.samples), interval, band, figure.kept)


def measure_order(samples: Sequence[Sample], seconds: float) -> list[Measured]:
    """Return how often the trade's message comes before the book's, and the time between their stamps."""
    if not samples:
        return []
    first = sum(came_first for _, (came_first, _) in samples)
    low, high = wilson(first, len(samples))
    share = Measured(TRADE_FIRST, 100 * first / len(samples), len(samples), (100 * low, 100 * high), (90, 100))
    behind = [(ns, apart / 1e3) for ns, (_, apart) in samples]
    return [share, measure(Figure("book change stamped after its trade, p50, µs", behind, _median), seconds)]
