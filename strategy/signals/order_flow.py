"""Order-flow imbalance at the touch, after Cont, Kukanov and Stoikov, "The Price Impact of Order Book Events" (2014).

Each book contributes what its touch gained on the bid less what it gained on the ask, in lots. They find the mid's
move in ticks to be the sum of these by twice the mean depth of the touch; that quotient is the value.
"""

from __future__ import annotations

from shared.clock import SECOND
from strategy.signals.values import NO_SIGNAL, Signal

EVENTS_LEAST = 20
Level = tuple[int, int]


def contribution(before: tuple[Level, Level], after: tuple[Level, Level]) -> int:
    """Return e_n of the paper in lots: bid and ask of the touch before and after, each as ticks and lots."""
    (old_bid, old_bid_lots), (old_ask, old_ask_lots) = before
    (bid, bid_lots), (ask, ask_lots) = after
    return (
        (bid_lots if bid >= old_bid else 0)
        - (old_bid_lots if bid <= old_bid else 0)
        - (ask_lots if ask <= old_ask else 0)
        + (old_ask_lots if ask >= old_ask else 0)
    )


class OrderFlow:
    """The decayed sum of contributions by twice the decayed mean depth; valid from ``EVENTS_LEAST`` books."""

    def __init__(self, half_life_s: float) -> None:
        self._half_life_s = half_life_s
        self._at = 0
        self._touch: tuple[Level, Level] | None = None
        self._flow = self._depth = self._weight = 0.0
        self._events = 0

    def add(self, now: int, bid: Level, ask: Level) -> None:
        """Take in the touch of a new book."""
        touch = (bid, ask)
        if self._touch is not None:
            decay = 0.5 ** ((now - self._at) / SECOND / self._half_life_s)
            self._flow = self._flow * decay + contribution(self._touch, touch)
            self._depth = self._depth * decay + (bid[1] + ask[1]) / 2
            self._weight = self._weight * decay + 1.0
            self._events += 1
        self._touch, self._at = touch, now

    def clear(self) -> None:
        """Begin anew: the book was not live, so the next touch cannot be compared with the last."""
        self._touch = None
        self._flow = self._depth = self._weight = 0.0
        self._events = 0

    def signal(self, now: int) -> Signal:
        """Return the mid's move in ticks that the recent flow explains."""
        if self._events < EVENTS_LEAST or self._depth <= 0:
            return NO_SIGNAL
        flow = self._flow * 0.5 ** ((now - self._at) / SECOND / self._half_life_s)
        return Signal(flow / (2 * self._depth / self._weight), True)
