"""A number over time in memory of a fixed size: the last so many points, as bytes that nobody can change."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

from shared import limits


@dataclass(frozen=True, slots=True)
class Line:
    """Times (seconds since the epoch) and values as packed doubles, oldest first; for charts only."""

    times: bytes = b""
    values: bytes = b""


class Curve:
    """Keeps one point for each step of time, the newest value of it; the oldest give way."""

    def __init__(self, points: int = limits.DESKTOP_CURVE_POINTS, step_s: float = limits.DESKTOP_CURVE_STEP_S) -> None:
        self._points, self._step_s = points, step_s
        self._times, self._values = array("d", bytes(8 * points)), array("d", bytes(8 * points))
        self._next = self._count = 0

    def __len__(self) -> int:
        """Return how many points there are."""
        return self._count

    @property
    def capacity(self) -> int:
        """Return how many there is room for; it never changes."""
        return len(self._times)

    def add(self, ts: float, value: float) -> None:
        """Add a value. Within one step of time it replaces the one before; time never runs backwards."""
        last = (self._next - 1) % self._points
        if self._count:
            ts = max(ts, self._times[last])
            if ts // self._step_s == self._times[last] // self._step_s:
                if value != self._values[last]:
                    self._times[last], self._values[last] = ts, value
                return
        self._times[self._next], self._values[self._next] = ts, value
        self._next = (self._next + 1) % self._points
        self._count = min(self._count + 1, self._points)

    def line(self) -> Line:
        """Return all points that are kept."""
        return Line(self._ordered(self._times), self._ordered(self._values))

    def _ordered(self, kept: array[float]) -> bytes:
        if self._count < self._points:
            return kept[: self._count].tobytes()
        return kept[self._next :].tobytes() + kept[: self._next].tobytes()
