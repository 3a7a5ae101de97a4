"""Measure the synthetic market by the rows of MARKET.md: ``python -m simulator calibrate``. Virtual time, no I/O.

Each row says what was measured of the captures of the real exchange, what is accepted, and what it is here.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median, pstdev

from shared.config import Simulator
from simulator.market.calibration import market_page
from simulator.market.calibration.figures import (
    against_maker,
    burstiness,
    impact_left,
    quantile,
    sign_autocorrelation,
    volatility,
)
from simulator.market.calibration.listener import Seen, watch
from simulator.websocket import Delays
from simulator.wire import NS

SECONDS_MIN = 60.0
# Measured medians in ms of what a request takes inside the exchange, and how many draws are compared with them.
TURNAROUNDS = (
    ("amend_order", 1.2, 1.2),
    ("cancel_order", 2.4, 2.4),
    ("add_order", 6.9, 6.9),
    ("batch_add", 6.7, 7.8),
    ("cancel_all", 8.4, 8.4),
)
DRAWS = 4000


@dataclass(frozen=True, slots=True)
class Row:
    """A property: what the captures say, what is accepted (text and bounds), and the figure here."""

    name: str
    measured: str
    accepted: str
    own: float
    low: float
    high: float

    @property
    def met(self) -> bool:
        """True if the figure is within the bounds."""
        return self.low <= self.own <= self.high


def _near(name: str, unit: str, value: float, own: float, tolerance: float) -> Row:
    low, high = value * (1 - tolerance), value * (1 + tolerance)
    return Row(name, f"{value:g} {unit}".strip(), f"within {tolerance:.0%}", own, low, high)


def calm_rows(seen: Seen, lot: float) -> list[Row]:
    """Return the rows of BTC/USD in calm; ``lot`` is a lot's size in BTC."""
    total = sum(seen.levels.values())
    fano, cv, short = burstiness(seen.messages)
    kinds = seen.updates + seen.inserts + seen.deletes
    sizes = [size * lot for size in seen.sizes]
    widths = [ask - bid for _, bid, ask, *_ in seen.touches]
    lopsided = [sorted((a, b)) for *_, a, b in seen.touches]
    rows = [
        Row("volatility, bp per root s", "0.43 to 0.87", "0.4 to 0.6", volatility(seen), 0.4, 0.6),
        Row("trades per second", "1.6 to 2.6", "same", len(seen.trades) / seen.seconds, 1.6, 2.6),
        Row("mean trade, BTC", "0.014 to 0.023", "same", fmean(t[3] for t in seen.trades) * lot, 0.014, 0.023),
        Row("book messages per second", "10.0", "8 to 60", len(seen.messages) / seen.seconds, 8, 60),
        Row("Fano factor of messages per second", "25.7", "5 or more", fano, 5, math.inf),
        Row("coefficient of variation of gaps", "2.7", "1.7 or more", cv, 1.7, math.inf),
        Row("gaps under 10 ms, %", "55", "25 to 60", 100 * short, 25, 60),
    ]
    for count, share in ((1, 73), (2, 22), (3, 5)):
        messages = seen.levels.get(count, 0) if count < 3 else sum(n for k, n in seen.levels.items() if k >= 3)
        own = 100 * messages / total
        rows.append(Row(f"messages of {count} level(s), %", str(share), "± 5", own, share - 5, share + 5))
    for name, count, there in (
        ("quantity changes", seen.updates, 315),
        ("inserts", seen.inserts, 125),
        ("deletes", seen.deletes, 116),
    ):
        rows.append(_near(f"{name}, % of level changes", "%", round(there / 5.56, 1), 100 * count / kinds, 0.2))
    for share, ticks in ((25, 27), (50, 41), (75, 73), (90, 93)):
        rows.append(_near(f"distance of inserts p{share}", "ticks", ticks, quantile(seen.distances, share / 100), 0.3))
    improving = 100 * seen.improving / seen.inserts
    rows.append(_near("inserts that improve the touch", "%", 1.6, improving, 0.3))
    for share, btc in ((10, 0.001), (50, 0.38), (90, 2.55)):
        rows.append(_near(f"size of new levels p{share}", "BTC", btc, quantile(seen.sizes, share / 100) * lot, 0.3))
    small = 100 * sum(abs(size - 0.001) < lot / 2 for size in sizes) / len(sizes)
    rows += [
        _near("new levels of exactly 0.001 BTC", "%", 15, small, 0.3),
        _near("new levels of a size deleted under 1 s before", "%", 31, 100 * seen.reused / seen.inserts, 0.3),
    ]
    for share, life in ((10, 0.023), (25, 0.066), (50, 0.5), (75, 2.6), (90, 5.1)):
        rows.append(_near(f"life of levels p{share}", "s", life, quantile(seen.lives, share / 100) / NS, 0.5))
    rows += [
        Row("touch one tick wide, %", "almost always", "90 or more", 100 * widths.count(1) / len(widths), 90, 100),
        Row("larger side of the touch, median BTC", "6.5", "4 to 9", median(b for _, b in lopsided) * lot, 4, 9),
        Row("smaller side, median BTC", "0.011", "0.01 to 0.03", median(a for a, _ in lopsided) * lot, 0.01, 0.03),
        Row("lag-1 autocorrelation of signs", "set", "0.2 to 0.4", sign_autocorrelation(seen), 0.2, 0.4),
        Row("mid after a fill, 1 s, bp", "set", "-0.6 to -0.2", against_maker(seen), -0.6, -0.2),
        Row("impact left after 10 s, %", "set", "50 to 70", 100 * impact_left(seen), 50, 70),
    ]
    return rows


def volatile_rows(seen: Seen) -> list[Row]:
    """Return the rows of BTC/USD in volatile."""
    widths = [ask - bid for _, bid, ask, *_ in seen.touches]
    return [
        Row("volatile: volatility, bp per root s", "set", "2 to 4", volatility(seen), 2, 4),
        Row("volatile: median width of the touch, ticks", "set", "2 to 8", median(widths), 2, 8),
        Row("volatile: book messages per second", "set", "8 to 60", len(seen.messages) / seen.seconds, 8, 60),
    ]


def thin_rows(seen: Seen) -> list[Row]:
    """Return the rows of a thin pair (SOL/USD in ``thin``)."""
    spreads = [1e4 * 2 * (ask - bid) / (ask + bid) for _, bid, ask, *_ in seen.touches]
    touches = [touch[1:3] for touch in seen.touches]
    changes = sum(a != b for a, b in pairwise(touches)) / seen.seconds
    mids = [(bid + ask) / 2 for _, bid, ask, *_ in seen.touches[::10]]
    returns = [1e4 * math.log(b / a) for a, b in pairwise(mids)]
    return [
        Row("thin: median spread, bp", "9 to 32", "same", median(spreads), 9, 32),
        Row("thin: touch changes per second", "0.1 to 4.5", "same", changes, 0.1, 4.5),
        Row("thin: sd of 1 s returns, bp", "0.8 to 5", "same", pstdev(returns), 0.8, 5),
    ]


def other_rows(symbol: str, seen: Seen) -> list[Row]:
    """Return the rows for the other pairs in calm: the same volatility and a narrow touch."""
    widths = [ask - bid for _, bid, ask, *_ in seen.touches]
    narrow = 100 * widths.count(1) / len(widths)
    return [
        Row(f"{symbol}: volatility, bp per root s", "0.43 to 0.87", "0.3 to 0.9", volatility(seen), 0.3, 0.9),
        Row(f"{symbol}: touch one tick wide, %", "almost always", "90 or more", narrow, 90, 100),
    ]


def delay_rows(config: Simulator, seed: int) -> list[Row]:
    """Return the rows of what a request and a fill wait for by default, from as many draws as the medians need."""
    delays = Delays(config.one_way_delay_ms, seed)
    rows = [Row("one-way delay, ms", "set", "10", delays.one_way_ns / 1e6, 10, 10)]
    for method, low, high in TURNAROUNDS:
        drawn = [delays.turnaround_ns(method) for _ in range(DRAWS)]
        known = f"{low:g}" if low == high else f"{low:g} to {high:g}"
        middle, tail = median(drawn) / 1e6, quantile(drawn, 0.99) / median(drawn)
        rows.append(Row(f"turnaround of {method}, median ms", known, "± 10 %", middle, 0.9 * low, 1.1 * high))
        rows.append(Row(f"turnaround of {method}, p99 to median", "set", "2 or more", tail, 2, math.inf))
    least, most = config.history_lag_s
    rows.append(Row("history behind a fill, least s", "up to 60", "1 to 5", least, 1, 5))
    rows.append(Row("history behind a fill, most s", "up to 60", "1 to 5", most, 1, 5))
    return rows


def measure(
    seconds: float, seed: int = 1, tell: Callable[[str], None] = lambda _market: None
) -> tuple[list[Row], Seen]:
    """Return every row, from as many virtual seconds of each market, and what was seen of BTC/USD in calm.

    ``publish`` hears each market's name before its turn.
    """

    def seen(symbol: str, regime: str) -> Seen:
        tell(f"{symbol} {regime}")
        return watch(symbol, regime, seconds, seed)[1]

    calm = seen("BTC/USD", "calm")
    rows = calm_rows(calm, lot=1e-8)
    rows += volatile_rows(seen("BTC/USD", "volatile"))
    rows += thin_rows(seen("SOL/USD", "thin"))
    for symbol in ("ETH/USD", "SOL/USD"):
        rows += other_rows(symbol, seen(symbol, "calm"))
    return rows + delay_rows(Simulator(), seed), calm


def table(rows: Sequence[Row], further: Sequence[Sequence[Row]] = ()) -> str:
    """Return the rows as text, one a line, ``further`` being those of other seeds; what is not met is marked."""
    runs = (rows, *further)
    lines = [f"{'property':<50} {'measured':<16} {'accepted':<14}" + f" {'here':>9}" * len(runs)]
    for each in zip(*runs, strict=True):
        mark = "" if all(row.met for row in each) else "  *"
        figures = "".join(f" {row.own:>9.3f}" for row in each)
        lines.append(f"{each[0].name:<50} {each[0].measured:<16} {each[0].accepted:<14}{figures}{mark}")
    return "\n".join(lines)


def main(seconds: float, seed: int, page: Path | None = None, seeds: int = 1, captures: Path | None = None) -> int:
    """Print the table of ``seeds`` seeds from ``seed`` on, and write it as a page; 0 when every row is met, else 1.

    ``captures`` is the folder of the captures that the page's second part is measured from; without it that part
    stays as it is. Raises OSError and RecordingError where a capture cannot be read.
    """
    # Read first, so that a missing capture is refused before hours of market and not after.
    recordings = market_page.read_captures(captures) if captures is not None else None
    runs, calm = [], Seen()
    for one in range(seed, seed + seeds):
        rows, seen = measure(seconds, one, lambda market: print(f"measuring {market} ...", file=sys.stderr, flush=True))
        runs.append(rows)
        if one == seed:
            calm = seen
    missed = sum(not all(row.met for row in each) for each in zip(*runs, strict=True))
    named = f"seed {seed}" if seeds == 1 else f"each of the seeds {seed} to {seed + seeds - 1}"
    met = f"{len(runs[0]) - missed} of {len(runs[0])} rows met in {seconds:g} virtual seconds of {named}"
    text = f"{table(runs[0], runs[1:])}\n\n{met}"
    print(text)
    if page is not None:
        command = f"--seconds {seconds:g} --seed {seed}" + (f" --seeds {seeds}" if seeds > 1 else "")
        measured = None if recordings is None else market_page.captured_part(recordings, calm)
        market_page.write(page, command, text, measured)
    return 1 if missed else 0
