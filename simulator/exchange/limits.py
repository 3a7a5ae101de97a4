"""Kraken's rate limits: the matching engine's counter per account and pair, and the REST counter per key.

KRAKEN.md 5.1 and 5.2. Times are ns since the epoch, passed in.
"""

from __future__ import annotations

from dataclasses import dataclass

from simulator.wire import NS


@dataclass(frozen=True, slots=True)
class Tier:
    """Limits of an account: the matching engine's threshold and decay, open orders a pair, REST calls."""

    threshold: int
    decay: float
    open_orders: int
    rest_max: int
    rest_decay: float


TIERS = {
    "starter": Tier(60, 1.0, 60, 15, 0.33),
    "intermediate": Tier(125, 2.34, 80, 20, 0.5),
    "pro": Tier(180, 3.75, 225, 20, 1.0),
}

# An order's age in seconds below which the penalty holds; the age counts from its creation or last amendment.
_AMEND = ((5, 3), (10, 2), (15, 1))
_EDIT = ((5, 6), (10, 5), (15, 4), (45, 2), (90, 1))
_CANCEL = ((5, 8), (10, 6), (15, 5), (45, 4), (90, 2), (300, 1))
ADD = 1.0
AMEND = 1.0


def _penalty(table: tuple[tuple[int, int], ...], age_ns: int) -> int:
    for seconds, points in table:
        if age_ns < seconds * NS:
            return points
    return 0


def amend_penalty(age_ns: int) -> int:
    """Return points for amending an order of this age, on top of the fixed one."""
    return _penalty(_AMEND, age_ns)


def edit_penalty(age_ns: int) -> int:
    """Return points for editing an order of this age, on top of the fixed one."""
    return _penalty(_EDIT, age_ns)


def cancel_penalty(age_ns: int) -> int:
    """Return points for cancelling an order of this age."""
    return _penalty(_CANCEL, age_ns)


class Counter:
    """A counter that decays; the same for both limits."""

    __slots__ = ("decay", "maximum", "ns", "value")

    def __init__(self, maximum: float, decay: float, value: float = 0.0, ns: int = 0) -> None:
        self.maximum = maximum
        self.decay = decay
        self.value = value
        self.ns = ns

    def now(self, ns: int) -> float:
        """Return the counter's value at ``ns``."""
        if ns > self.ns:
            self.value = max(0.0, self.value - self.decay * (ns - self.ns) / NS)
            self.ns = ns
        return self.value

    def fits(self, points: float, ns: int) -> bool:
        """True if ``points`` more stay within the maximum."""
        return self.now(ns) + points <= self.maximum

    def charge(self, points: float, ns: int) -> None:
        """Add points, whether they fit or not."""
        self.now(ns)
        self.value += points
