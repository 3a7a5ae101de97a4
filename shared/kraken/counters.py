"""Kraken's matching-engine counter, per account and pair (KRAKEN.md 5.2).

Each add, amend and cancel adds points, more of them for young orders; the counter decays steadily. Above the tier's
threshold everything but a batch cancel is rejected.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Tier:
    """Limits of an account's verification tier; ``decay`` in points a second."""

    threshold: float
    decay: float
    open_orders: int
    rest_max: float
    rest_decay: float


TIERS: Final = {
    "starter": Tier(60, 1.0, 60, 15, 0.33),
    "intermediate": Tier(125, 2.34, 80, 20, 0.5),
    "pro": Tier(180, 3.75, 225, 20, 1.0),
}

ADD: Final = 1.0
AMEND_AGES: Final = ((5.0, 3.0), (10.0, 2.0), (15.0, 1.0))
_CANCEL_AGES: Final = ((5.0, 8.0), (10.0, 6.0), (15.0, 5.0), (45.0, 4.0), (90.0, 2.0), (300.0, 1.0))
CANCEL_WORST: Final = 8.0
REST_CALL: Final = 1.0
REST_HISTORY: Final = 4.0  # trade history, closed orders, ledgers; some documents say 2


def amend_cost(age_s: float) -> float:
    """Return points of an amend of an order created or last amended ``age_s`` ago."""
    return 1.0 + _by_age(AMEND_AGES, age_s)


def cancel_cost(age_s: float) -> float:
    """Return points of a cancel of an order created or last amended ``age_s`` ago."""
    return _by_age(_CANCEL_AGES, age_s)


def _by_age(table: tuple[tuple[float, float], ...], age_s: float) -> float:
    for below, points in table:
        if age_s < below:
            return points
    return 0.0


class Counter:
    """A counter as Kraken keeps it: one pair's, or a key's for REST calls."""

    __slots__ = ("_at_s", "_decay", "_threshold", "_value")

    def __init__(self, threshold: float, decay: float) -> None:
        self._threshold, self._decay = threshold, decay
        self._value = self._at_s = 0.0

    def value(self, now_s: float) -> float:
        """Return points now."""
        return max(0.0, self._value - self._decay * max(0.0, now_s - self._at_s))

    def charge(self, points: float, now_s: float) -> None:
        """Count a transaction that was sent, whether or not Kraken accepts it."""
        self._value = self.value(now_s) + points
        self._at_s = max(self._at_s, now_s)

    def set_decay(self, decay: float) -> None:
        """Set another decay, which counts from the last charge on."""
        self._decay = decay

    def room(self, now_s: float) -> float:
        """Return points left below the threshold, never negative."""
        return max(0.0, self._threshold - self.value(now_s))
