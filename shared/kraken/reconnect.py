"""When to connect again.

After a drop there are a few quick tries, then one every 5 s, then longer and longer waits. In ten minutes there are
never so many attempts that Kraken's ban (150 per address, KRAKEN.md 1.11) comes near.
"""

from __future__ import annotations

from collections import deque

from shared import limits


class Reconnect:
    """Delays between attempts; ``attempts`` and ``drops`` are totals, for people."""

    def __init__(self, attempts_10_min: int = limits.CONNECT_ATTEMPTS_10_MIN) -> None:
        self._attempts_10_min = attempts_10_min
        self.attempts = 0
        self.drops = 0
        self._tries = 0
        self._recent: deque[float] = deque()
        self._held_until_s = 0.0

    def delay_s(self, now_s: float, jitter: float) -> float:
        """Return seconds to wait before the next attempt; ``jitter`` is uniform in [0, 1)."""
        self._tries += 1
        if self._tries <= limits.RECONNECT_FAST_TRIES:
            wait: float = min(limits.RECONNECT_FIRST_S * 2 ** (self._tries - 1), limits.RECONNECT_FAST_MAX_S)
        else:
            steps = self._tries - limits.RECONNECT_FAST_TRIES - 1
            wait = min(limits.RECONNECT_STEADY_S * 2**steps, limits.RECONNECT_MAX_S)
        wait *= 0.75 + 0.5 * jitter
        while self._recent and now_s - self._recent[0] > 600:
            self._recent.popleft()
        if len(self._recent) >= self._attempts_10_min:
            wait = max(wait, 600 - (now_s - self._recent[0]))
        return max(wait, self._held_until_s - now_s)

    def hold(self, until_s: float) -> None:
        """Make no attempt before this time: a connection would be of no use."""
        self._held_until_s = until_s

    def attempting(self, now_s: float) -> None:
        """Note that an attempt is made now."""
        self.attempts += 1
        self._recent.append(now_s)

    def lasted(self, seconds: float) -> None:
        """Note that a connection ended after this long; one that lasted makes the next try quick again."""
        self.drops += 1
        if seconds >= limits.CONNECTION_STABLE_S:
            self._tries = 0
