"""The rate budget: Kraken's per-pair counters, with what pulling everything would cost held back (T8)."""

from __future__ import annotations

from collections.abc import Iterable

from shared.clock import SECOND
from shared.kraken.counters import ADD, CANCEL_WORST, TIERS, Counter, Tier, amend_cost, cancel_cost


class Budget:
    """Counters by symbol. ``now`` is ns of any steady clock, the same for all calls."""

    def __init__(self, tier: Tier) -> None:
        self.tier = tier  # as configured
        # What a counter must not pass, and the points a second that leave it: the tier's, or Kraken's if lower.
        self.threshold, self.decay = tier.threshold, tier.decay
        self._counters: dict[str, Counter] = {}

    def set_threshold(self, points: float) -> None:
        """Take the threshold that Kraken states for this account; the decay follows from it (KRAKEN.md 5.2)."""
        self.threshold = min(self.tier.threshold, points)
        slow = [tier.decay for tier in TIERS.values() if tier.threshold <= points]
        self.decay = min(self.tier.decay, max(slow, default=min(tier.decay for tier in TIERS.values())))
        for counter in self._counters.values():
            counter.set_decay(self.decay)

    def rebuild(self, sends: Iterable[tuple[str, float, int]], now: int) -> None:
        """Rebuild counters from the journal's sends: (symbol, points, ns ago), oldest first."""
        for symbol, points, ago in sends:
            self._counter(symbol).charge(points, (now - ago) / SECOND)

    def value(self, symbol: str, now: int) -> float:
        """Return the points on a symbol's counter now."""
        return self._counter(symbol).value(now / SECOND)

    def allows(self, symbol: str, points: float, open_after: int, now: int) -> bool:
        """True if these points fit, with the dearest cancel held back for each order then open on the pair."""
        return self.value(symbol, now) + points + CANCEL_WORST * open_after <= self.threshold

    def charge(self, symbol: str, points: float, now: int) -> None:
        """Count a transaction as it leaves, whether or not it is accepted."""
        self._counter(symbol).charge(points, now / SECOND)

    def correct(self, symbol: str, points: float, now: int) -> None:
        """Raise our counter to Kraken's own: the difference was sent by somebody else, or lost in a crash."""
        self.charge(symbol, max(0.0, points - self.value(symbol, now)), now)

    def exhaust(self, symbol: str, now: int) -> None:
        """Raise the counter to the threshold: Kraken rejected a request for the rate."""
        self.correct(symbol, self.threshold, now)

    def _counter(self, symbol: str) -> Counter:
        return self._counters.setdefault(symbol, Counter(self.threshold, self.decay))


def add_points(count: int) -> float:
    """Return the points of adding ``count`` orders in one request: half each in a batch."""
    return ADD if count == 1 else count / 2


def amend_points(touched: int, now: int) -> float:
    """Return the points of amending an order created or last amended at ``touched``."""
    return amend_cost((now - touched) / SECOND)


def cancel_points(touched: int, now: int) -> float:
    """Return the points of cancelling an order created or last amended at ``touched``."""
    return cancel_cost((now - touched) / SECOND)
