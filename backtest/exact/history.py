"""The touch of each pair over time, for a run's report."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from decimal import Decimal

from shared.attribution import HORIZONS_S
from shared.clock import SECOND


@dataclass(slots=True)
class Mids:
    """The touch of a pair over time: ``ts`` (ns since the epoch), best bid and ask in ticks."""

    ts: list[int] = field(default_factory=list)
    bids: list[int] = field(default_factory=list)
    asks: list[int] = field(default_factory=list)

    def add(self, ts: int, bid: int, ask: int) -> None:
        """Note the touch from ``ts`` on."""
        if self.ts and self.ts[-1] == ts:
            self.bids[-1], self.asks[-1] = bid, ask
            return
        self.ts.append(ts)
        self.bids.append(bid)
        self.asks.append(ask)

    def at(self, ts: int, precision: int) -> Decimal | None:
        """Return the mid at a time, in the quote asset; None before the first."""
        place = bisect_right(self.ts, ts) - 1
        if place < 0:
            return None
        return Decimal(self.bids[place] + self.asks[place]).scaleb(-precision) / 2

    def around(self, ts: int, end_ts: int, precision: int) -> tuple[Decimal | None, dict[float, Decimal]]:
        """Return the mid just before a fill, and that at each horizon (s) which has passed by ``end_ts``.

        What the trade itself did to the mid is adverse selection.
        """
        after = {
            horizon: later
            for horizon in HORIZONS_S
            if (at := ts + int(horizon * SECOND)) <= end_ts and (later := self.at(at, precision)) is not None
        }
        return self.at(ts - 1, precision), after

    @property
    def last_ts(self) -> int:
        """Return when the touch last moved; 0 before the first."""
        return self.ts[-1] if self.ts else 0
