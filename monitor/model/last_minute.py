"""Percentiles of the last minute from histograms that count since the start.

Every ten seconds the counts are remembered; the newest less those of a minute ago are what came since. Bounded: seven
times the buckets of the hops that are watched.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Final

from monitor.model.latency import Hop
from shared.clock import SECOND
from shared.measures.histogram import Histogram

EVERY_S: Final = 10.0
MARKS: Final = 7


class LastMinute:
    """Of some hops; ``now`` is ns of CLOCK_BOOTTIME."""

    def __init__(self, hops: Mapping[str, Hop], watched: Iterable[str]) -> None:
        self._hops = {name: hops[name].histogram for name in watched}
        self._marks: deque[dict[str, dict[int, int]]] = deque(maxlen=MARKS)
        self._due = 0

    def turn(self, now: int) -> None:
        """Remember the counts when that is due."""
        if now < self._due:
            return
        self._due = now + int(EVERY_S * SECOND)
        self._marks.append({name: dict(histogram.counts) for name, histogram in self._hops.items()})

    def recent(self, hop: str) -> Histogram:
        """Return what came in the last minute (up to ten seconds more), as a histogram without exact sums."""
        before = self._marks[0][hop] if self._marks else {}
        recent, whole = Histogram(), self._hops[hop]
        for index, count in whole.counts.items():
            more = count - before.get(index, 0)
            if more:
                recent.counts[index] = more
                recent.count += more
        recent.max_ns = whole.max_ns
        return recent
