"""Give figures of few samples an interval, by resampling whole blocks of time: neighbours depend on each other."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from simulator.wire import NS

RESAMPLES = 1000
# With fewer blocks than this, those that were seen say too little about those that were not.
BLOCKS_MIN = 8
_LOW, _HIGH = 0.025, 0.975
_Z = 1.96

# A time in ns, and what was seen then.
# Any: its type is that which the figure's own statistic takes.
Sample = tuple[int, Any]
Statistic = Callable[[Sequence[Any]], float]
Interval = tuple[float, float]


def bootstrap(samples: Sequence[Sample], statistic: Statistic, block_s: float, seconds: float) -> Interval | None:
    """Return the 95 % interval of a statistic of samples (ns, value) within ``seconds``, by blocks of ``block_s``.

    None where there are fewer than BLOCKS_MIN blocks with a sample in them.
    """
    count = max(1, int(seconds / block_s))
    first = min((ns for ns, _ in samples), default=0)
    blocks: list[list[Any]] = [[] for _ in range(count)]
    for ns, value in samples:
        blocks[min(count - 1, int((ns - first) / NS / block_s))].append(value)
    if sum(bool(block) for block in blocks) < BLOCKS_MIN:
        return None
    rng = Random(1)
    figures = []
    for _ in range(RESAMPLES):
        values = [value for block in rng.choices(blocks, k=count) for value in block]
        figure = statistic(values) if values else math.nan
        if not math.isnan(figure):
            figures.append(figure)
    figures.sort()
    return figures[int(_LOW * len(figures))], figures[int(_HIGH * len(figures))]


def wilson(successes: int, count: int) -> Interval:
    """Return the 95 % interval of a share (0 to 1) after ``count`` independent trials, by Wilson's formula."""
    share, square = successes / count, _Z * _Z / count
    middle = (share + square / 2) / (1 + square)
    half = _Z / (1 + square) * math.sqrt(share * (1 - share) / count + square / count / 4)
    # Exact at the ends, where the sums are off by the last digit.
    return (0.0 if not successes else middle - half), (1.0 if successes == count else middle + half)
