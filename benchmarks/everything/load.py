"""The load: every pair's frames in turn, at a steady rate with bursts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.chain.schedule import SECOND, Ladder

# One frame in so many moves the touch; the others change the size of a bid.
TOUCH = 10


@dataclass(frozen=True, slots=True)
class Load:
    """Frames a second over all pairs, with a burst of another rate every ``every_s``."""

    pairs: int
    seconds: float
    rate: float = 15_000
    burst_rate: float = 40_000
    burst_s: float = 0.1
    every_s: float = 2.0

    def times_ns(self) -> Iterator[int]:
        """Yield when each frame is to leave, in ns after the beginning; the burst comes in the middle of its period."""
        at, end = 0.0, self.seconds
        while at < end:
            yield int(at * SECOND)
            place = at % self.every_s - self.every_s / 2
            at += 1 / (self.burst_rate if 0 <= place < self.burst_s else self.rate)


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame without its time, and when it is to leave."""

    symbol: str
    at_ns: int
    text: str


def frames(load: Load, ladders: Sequence[Ladder]) -> Iterator[Frame]:
    """Yield the frames of a load, and take them into the ladders."""
    for number, at_ns in enumerate(load.times_ns()):
        ladder = ladders[number % len(ladders)]
        is_touch = (number // len(ladders) + number) % TOUCH == 0
        yield Frame(ladder.symbol, at_ns, ladder.calling() if is_touch else ladder.other())
