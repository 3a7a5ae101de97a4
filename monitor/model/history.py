"""The past of a number since the start, in fixed memory however long it runs: fine when young, coarser as it grows.

A series has a fixed number of buckets of equal width. When they are full, neighbours are merged and the width
doubles. A bucket keeps the samples that were last, lowest and highest in it, each with its time, so that every point
that is shown is one that was taken, and no peak is ever lost.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from typing import Final

from shared import limits

Point = tuple[float, float]
# The samples that were last, lowest and highest.
Bucket = tuple[Point, Point, Point]

_LAST, _LOW, _HIGH, _SIZE = 0, 2, 4, 6
FIRST_WIDTH_S: Final = 1.0


class Series:
    """One number over time. Times are seconds since the epoch; one that runs backwards counts as standing still."""

    def __init__(self, buckets_most: int = limits.HISTORY_BUCKETS) -> None:
        self._most = buckets_most
        self._width_s = FIRST_WIDTH_S
        self._values = array("d")

    def __len__(self) -> int:
        """Return how many buckets there are."""
        return len(self._values) // _SIZE

    def add(self, ts: float, value: float) -> None:
        """Add one sample; ignore what is no finite number."""
        if not (math.isfinite(ts) and math.isfinite(value)):
            return
        values = self._values
        if values:
            ts = max(ts, values[-_SIZE + _LAST])
        while len(self) >= self._most and not self._is_in_last(ts):
            self._widen()
            values = self._values
        if self._is_in_last(ts):
            self._merge_into_last(((ts, value),) * 3)
        else:
            values.extend((ts, value) * 3)

    def buckets(self, since_ts: float = 0.0) -> list[Bucket]:
        """Return every bucket that holds something from ``since_ts`` on, oldest first."""
        values, size = self._values, len(self._values)
        start = size
        while start >= _SIZE and values[start - _SIZE + _LAST] >= since_ts:
            start -= _SIZE
        return [
            ((v[0], v[1]), (v[2], v[3]), (v[4], v[5]))
            for v in (values[at : at + _SIZE] for at in range(start, size, _SIZE))
        ]

    def _is_in_last(self, ts: float) -> bool:
        return bool(self._values) and self._values[-_SIZE + _LAST] // self._width_s == ts // self._width_s

    def _merge_into_last(self, bucket: Sequence[Point]) -> None:
        values = self._values
        values[-6:-4] = array("d", bucket[0])
        if bucket[1][1] < values[-3]:
            values[-4:-2] = array("d", bucket[1])
        if bucket[2][1] > values[-1]:
            values[-2:] = array("d", bucket[2])

    def _widen(self) -> None:
        """Double the width and merge what now falls into one bucket."""
        old = self.buckets()
        self._width_s *= 2
        self._values = array("d")
        for bucket in old:
            if self._is_in_last(bucket[0][0]):
                self._merge_into_last(bucket)
            else:
                self._values.extend(number for point in bucket for number in point)


def thinned(buckets: Sequence[Bucket], most: int, since_ts: float = 0.0) -> list[Point]:
    """Return at most ``most`` points (3 or more) by time: all there are, or last, lowest and highest of groups."""
    every = _points(buckets, since_ts)
    if len(every) <= most:
        return every
    size = math.ceil(len(buckets) / max(1, most // len(buckets[0])))
    groups = (buckets[at : at + size] for at in range(0, len(buckets), size))
    return _points([_one(group) for group in groups], since_ts)


def _one(group: Sequence[Bucket]) -> Bucket:
    low = min((bucket[1] for bucket in group), key=lambda point: point[1])
    high = max((bucket[2] for bucket in group), key=lambda point: point[1])
    return group[-1][0], low, high


def _points(buckets: Iterable[Bucket], since_ts: float) -> list[Point]:
    points: list[Point] = []
    for last, low, high in buckets:
        points += [point for point in (*sorted({low, high} - {last}), last) if point[0] >= since_ts]
    return points


class History:
    """Every series of a system, by name; names that it was not made with are left out."""

    def __init__(self, names: Iterable[str]) -> None:
        self._series = {name: Series() for name in names}
        # The time before the start, from the journal.
        self._before: dict[str, Series] = {}
        self._answers: dict[tuple[str, int, float], list[Point]] = {}

    @property
    def names(self) -> list[str]:
        """Return what there is, whether it has points yet or not."""
        return list(self._series)

    def sample(self, ts: float, values: Iterable[tuple[str, float]]) -> None:
        """Take the values of now."""
        self._answers.clear()
        for name, value in values:
            series = self._series.get(name)
            if series is not None:
                series.add(ts, value)

    def begin(self, name: str, points: Iterable[Point]) -> None:
        """Take in the points from before the start, oldest first; leave out what is younger than its first sample."""
        if name not in self._series:
            return
        started = next((bucket[0][0] for bucket in self._series[name].buckets()), math.inf)
        before = self._before[name] = Series()
        for ts, value in points:
            if ts < started:
                before.add(ts, value)
        self._answers.clear()

    def points(self, name: str, most: int, since_ts: float = 0.0) -> list[Point]:
        """Return a series as at most ``most`` points; equal questions between two samples cost one computation."""
        key = (name, most, since_ts)
        answer = self._answers.get(key)
        if answer is None:
            before = self._before.get(name)
            buckets = before.buckets(since_ts) if before is not None else []
            answer = thinned([*buckets, *self._series[name].buckets(since_ts)], most, since_ts)
            if len(self._answers) < limits.HISTORY_ANSWERS:
                self._answers[key] = answer
        return answer
