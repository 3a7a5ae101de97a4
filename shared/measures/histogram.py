"""A histogram of durations: bounded memory, mergeable, within 3.2 % at every percentile.

Values are ns. Each power of two is cut into 32 equal buckets; values below 32 ns have a bucket of their own each.
"""

from __future__ import annotations

from collections.abc import Mapping

_BITS = 5
_STEPS = 1 << _BITS
_TOP = 64  # values of 2**64 ns and more do not happen; they would count in the last bucket


def bucket(value_ns: int) -> int:
    """Return the bucket of a value; negative ones count as 0."""
    value = max(0, value_ns)
    if value < _STEPS:
        return value
    shift = min(value.bit_length(), _TOP) - _BITS - 1
    return min((shift + 1) * _STEPS + (value >> shift) - _STEPS, (_TOP - _BITS) * _STEPS + _STEPS - 1)


def upper_ns(index: int) -> int:
    """Return the largest value that a bucket holds."""
    if index < _STEPS:
        return index
    shift, step = divmod(index, _STEPS)
    return ((step + _STEPS + 1) << (shift - 1)) - 1


class Histogram:
    """Counts by bucket, with count, sum, minimum and maximum exact."""

    __slots__ = ("count", "counts", "max_ns", "min_ns", "sum_ns")

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}
        self.count = self.sum_ns = self.max_ns = self.min_ns = 0

    def add(self, value_ns: int) -> None:
        """Count one value."""
        index = bucket(value_ns)
        self.counts[index] = self.counts.get(index, 0) + 1
        self.min_ns = value_ns if not self.count else min(self.min_ns, value_ns)
        self.max_ns = max(self.max_ns, value_ns)
        self.count += 1
        self.sum_ns += value_ns

    def merge(self, other: Histogram) -> None:
        """Add all of another's values."""
        if not other.count:
            return
        for index, count in other.counts.items():
            self.counts[index] = self.counts.get(index, 0) + count
        self.min_ns = other.min_ns if not self.count else min(self.min_ns, other.min_ns)
        self.max_ns = max(self.max_ns, other.max_ns)
        self.count += other.count
        self.sum_ns += other.sum_ns

    def percentile_ns(self, percent: float) -> int:
        """Return a value that at least ``percent`` of the values do not exceed; 0 without values."""
        wanted = self.count * percent / 100
        seen = 0
        for index in sorted(self.counts):
            seen += self.counts[index]
            if seen >= wanted and seen:
                return min(upper_ns(index), self.max_ns)
        return self.max_ns

    def summary_ms(self) -> Mapping[str, float]:
        """Return count, sum, average, minimum, maximum and percentiles, in ms."""
        if not self.count:
            return {"count": 0}
        return {
            "count": self.count,
            "sum": round(self.sum_ns / 1e6, 4),
            "average": round(self.sum_ns / self.count / 1e6, 4),
            "min": round(self.min_ns / 1e6, 4),
            "max": round(self.max_ns / 1e6, 4),
            "p50": round(self.percentile_ns(50) / 1e6, 4),
            "p95": round(self.percentile_ns(95) / 1e6, 4),
            "p99": round(self.percentile_ns(99) / 1e6, 4),
        }
