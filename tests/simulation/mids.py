"""Each pair's middle as one process heard it, with its values of a moment ago."""

from __future__ import annotations

from collections import deque
from decimal import Decimal

from shared.clock import SECOND

WINDOW = int(1.2 * SECOND)  # rates are at most a second old, and a pass
Range = tuple[Decimal, Decimal]


class Mids:
    """Each pair's middle as one process heard it, now and for a moment back."""

    def __init__(self) -> None:
        self._heard: dict[str, deque[tuple[int, Decimal]]] = {}

    def hear(self, symbol: str, price: Decimal, now: int) -> None:
        """Take in a middle."""
        heard = self._heard.setdefault(symbol, deque())
        if heard and heard[-1][1] == price:
            return
        heard.append((now, price))
        # The one that stood when the window began stays.
        while len(heard) > 1 and now - heard[1][0] > WINDOW:
            heard.popleft()

    def last(self, symbol: str) -> Decimal | None:
        """The last one."""
        heard = self._heard.get(symbol)
        return heard[-1][1] if heard else None

    def span(self, symbol: str, now: int) -> Range | None:
        """The lowest and the highest of the window."""
        heard = self._heard.get(symbol)
        if not heard:
            return None
        recent = [price for at, price in heard if now - at <= WINDOW] or [heard[-1][1]]
        stood = [price for at, price in heard if now - at > WINDOW][-1:]
        return min(recent + stood), max(recent + stood)
