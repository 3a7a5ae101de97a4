"""Floods of log lines: beyond a limit, lines of one kind are counted and not written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator
from dataclasses import dataclass

from shared import limits


@dataclass(slots=True)
class _Seen:
    since_s: float
    times: int = 0
    kept_back: int = 0


class Flood:
    """Lets the first :data:`limits.LOG_SAME_IN_WINDOW` of a kind in a window through, and counts the rest."""

    def __init__(self) -> None:
        self._seen: dict[Hashable, _Seen] = {}

    def allows(self, kind: Hashable, now_s: float) -> bool:
        """True if one more of this kind may be written."""
        seen = self._seen.get(kind)
        if seen is None:
            if len(self._seen) >= limits.LOG_KINDS_TRACKED:
                return True
            seen = self._seen[kind] = _Seen(now_s)
        seen.times += 1
        if seen.times <= limits.LOG_SAME_IN_WINDOW:
            return True
        seen.kept_back += 1
        return False

    def over(self, now_s: float) -> Iterator[tuple[Hashable, int]]:
        """Yield each kind whose window has ended with some kept back, and how many; end all such windows."""
        for kind, seen in list(self._seen.items()):
            if now_s - seen.since_s >= limits.LOG_WINDOW_S:
                del self._seen[kind]
                if seen.kept_back:
                    yield kind, seen.kept_back


class Doublings:
    """Lets the 1st, 2nd, 4th, 8th... of a kind through; beyond ``kinds_max`` kinds all counts begin again."""

    def __init__(self, kinds_max: int) -> None:
        self._times: Counter[Hashable] = Counter()
        self._kinds_max = kinds_max

    def next(self, kind: Hashable) -> int:
        """Count one more; return the count if it is a power of two, else 0."""
        self._times[kind] += 1
        times = self._times[kind]
        if len(self._times) > self._kinds_max:
            self._times.clear()
        return times if times & (times - 1) == 0 else 0
