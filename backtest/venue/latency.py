"""Delays between the client and the exchange: constant, drawn, or replayed from the data's own stamps."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from shared.clock import MS, SECOND
from simulator.websocket import TURNAROUND_MS, TURNAROUND_SPREAD

# The spread of a drawn delay, the share of slow ones and their mean.
SPREAD, SLOW_SHARE, SLOW_S = 0.3, 0.01, 0.15


class LatencyKind(StrEnum):
    """Where the delays come from."""

    CONSTANT = "constant"
    """Every delay is the configured one; a request takes its median time inside the exchange."""
    DRAWN = "drawn"
    """Delays and turnarounds are drawn around those medians, one in a hundred is slow."""
    REPLAYED = "replayed"
    """Market data arrive when the recording heard them; a request takes as long as the newest of them did."""


@dataclass(frozen=True, slots=True)
class UsedDelays:
    """The delays that a run's requests had, in ns, one a request: there, inside the exchange; one an answer: back."""

    to_exchange: array[int] = field(default_factory=lambda: array("q"))
    inside: array[int] = field(default_factory=lambda: array("q"))
    back: array[int] = field(default_factory=lambda: array("q"))


class Latency:
    """The delays of one run; all are ns."""

    def __init__(self, kind: LatencyKind, one_way_ms: float, seed: int) -> None:
        self.kind = kind
        self._one_way = int(one_way_ms * MS)
        self._rng = Random(f"latency {seed}")
        self._replayed = self._one_way

    def one_way(self) -> int:
        """Return the delay of a message on the private connection, either way."""
        if self.kind is LatencyKind.REPLAYED:
            return self._replayed
        if self.kind is LatencyKind.CONSTANT:
            return self._one_way
        if self._rng.random() < SLOW_SHARE:
            return int(self._rng.expovariate(1 / SLOW_S) * SECOND)
        return int(self._rng.lognormvariate(0, SPREAD) * self._one_way)

    def up(self) -> int:
        """Return the delay of a request, from the pass that made it to the exchange."""
        return self.one_way()

    def down(self) -> int:
        """Return the delay of a message that leaves the exchange now."""
        return self.one_way()

    def turnaround(self, method: str) -> int:
        """Return how long a request takes inside the exchange."""
        median = TURNAROUND_MS.get(method)
        if median is None:
            return 0
        if self.kind is not LatencyKind.DRAWN:
            return int(median * MS)
        return int(self._rng.lognormvariate(math.log(median), TURNAROUND_SPREAD) * MS)

    def heard(self, exchange_ts: int, heard_ts: int) -> int:
        """Return when a public message arrives that left at ``exchange_ts``; ``heard_ts`` is the recording's stamp."""
        if self.kind is LatencyKind.REPLAYED:
            self._replayed = max(0, heard_ts - exchange_ts)
            return exchange_ts + self._replayed
        return exchange_ts + self.one_way()
