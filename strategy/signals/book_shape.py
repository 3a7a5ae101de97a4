"""Signals of one book as it stands: imbalance within a window, and the microprice. Nothing is remembered."""

from __future__ import annotations

from collections.abc import Sequence

from strategy.signals.values import NO_SIGNAL, Signal

BP = 1e-4
Levels = Sequence[tuple[int, int]]
"""Levels as ticks and lots, best first."""


def imbalance(bids: Levels, asks: Levels, window_bps: float) -> Signal:
    """Return (bids - asks) / (bids + asks) in lots within ``window_bps`` of the mid.

    Where a side's published levels end before the window does, both sides count only as far as that: else the side
    with wider levels would look heavier. Not valid while no level of either side lies within.
    """
    if not bids or not asks:
        return NO_SIGNAL
    mid = (bids[0][0] + asks[0][0]) / 2
    reach = min(window_bps * BP * mid, mid - bids[-1][0], asks[-1][0] - mid)
    bid = sum(lots for ticks, lots in bids if mid - ticks <= reach)
    ask = sum(lots for ticks, lots in asks if ticks - mid <= reach)
    return Signal((bid - ask) / (bid + ask), True) if bid + ask else NO_SIGNAL


def microprice(bids: Levels, asks: Levels) -> Signal:
    """Return the touch's mean in ticks, each price weighted by the other side's quantity."""
    if not bids or not asks:
        return NO_SIGNAL
    (bid, bid_lots), (ask, ask_lots) = bids[0], asks[0]
    total = bid_lots + ask_lots
    return Signal((bid * ask_lots + ask * bid_lots) / total, True) if total else NO_SIGNAL
