"""Work out the figures of a market from what was seen of it: of the synthetic one and of recordings alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean, pstdev

from simulator.market.calibration.listener import Seen
from simulator.wire import NS


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of the values lies; NaN of no values."""
    ordered = sorted(values)
    return float(ordered[min(len(ordered) - 1, int(share * len(ordered)))]) if ordered else math.nan


def volatility(seen: Seen, bar_s: int = 60) -> float:
    """Return bp per root second, by Parkinson from bars of the mid."""
    bars: dict[int, tuple[float, float]] = {}
    for ns, bid, ask, *_ in seen.touches:
        mid = (bid + ask) / 2
        low, high = bars.get(ns // (bar_s * NS), (mid, mid))
        bars[ns // (bar_s * NS)] = (min(low, mid), max(high, mid))
    squares = [math.log(high / low) ** 2 for low, high in bars.values()]
    return 1e4 * math.sqrt(fmean(squares) / (4 * math.log(2)) / bar_s)


def burstiness(times: list[int]) -> tuple[float, float, float]:
    """Return the Fano factor of messages per second, the gaps' coefficient of variation, and the share under 10 ms."""
    first, last = times[0] // NS, times[-1] // NS
    counts = [0] * (last - first + 1)
    for ns in times:
        counts[ns // NS - first] += 1
    gaps = [b - a for a, b in pairwise(times)]
    fano = pstdev(counts) ** 2 / fmean(counts)
    return fano, pstdev(gaps) / fmean(gaps), sum(gap < 10_000_000 for gap in gaps) / len(gaps)


def mid_at(seen: Seen, ns: int) -> float | None:
    """Return the mid in ticks at the next sample after a time, None outside what was seen."""
    index = (ns - seen.touches[0][0]) // (NS // 10) + 1
    if not 0 <= index < len(seen.touches):
        return None
    _, bid, ask, *_ = seen.touches[index]
    return (bid + ask) / 2


def after_trade(seen: Seen, seconds: float) -> float:
    """Return the mean move of the mid from before a trade to ``seconds`` after it, bp in the taker's direction."""
    moves = [
        sign * 1e4 * (later / mid - 1)
        for ns, sign, _, _, mid in seen.trades
        if (later := mid_at(seen, ns + int(seconds * NS))) is not None
    ]
    return fmean(moves)


def against_maker(seen: Seen, seconds: float = 1.0) -> float:
    """Return what a maker at the touch gains on average, bp from a fill's price to the mid later; negative: loses."""
    moves = [
        -sign * 1e4 * (later / price - 1)
        for ns, sign, price, _, _ in seen.trades
        if (later := mid_at(seen, ns + int(seconds * NS))) is not None
    ]
    return fmean(moves)


def impact_left(seen: Seen) -> float:
    """Return the share of a trade's impact half a second after it that is still there after ten."""
    return after_trade(seen, 10.0) / after_trade(seen, 0.5)


def sign_autocorrelation(seen: Seen) -> float:
    """Return the lag-1 autocorrelation of the takers' signs."""
    signs = [sign for _, sign, *_ in seen.trades]
    mean = fmean(signs)
    spread = fmean((sign - mean) ** 2 for sign in signs)
    return fmean((a - mean) * (b - mean) for a, b in pairwise(signs)) / spread
