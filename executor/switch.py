"""The dead man's switch: when to arm it, what it allows (T3, T4). A core.

Armed, Kraken cancels every order of the account unless it is armed anew in time. No add or amend is sent before this
epoch's first confirmed arming, and none may land after the trigger.
"""

from __future__ import annotations

from shared import limits
from shared.clock import SECOND


class Switch:
    """The switch as last confirmed; times ``*_ts`` are the exchange's, the others ns of CLOCK_BOOTTIME."""

    def __init__(self) -> None:
        self.trigger_ts = 0
        self._asked = 0

    def lost(self) -> None:
        """The connection is gone: an answer on the way will not come. The confirmed trigger time stands."""
        self._asked = 0

    def due(self, now: int) -> bool:
        """Is it time to arm again."""
        return now - self._asked >= limits.SWITCH_REARM_S * SECOND

    def asked(self, now: int) -> None:
        """A request to arm leaves now."""
        self._asked = now

    def confirmed(self, trigger_ts: int) -> None:
        """The exchange will pull at this time (to the second, rounded down at the worst); 0: disarmed."""
        self.trigger_ts = trigger_ts

    def is_armed(self, exchange_now_ts: int) -> bool:
        """Was it confirmed in this epoch, and has it not fired."""
        return self.trigger_ts > exchange_now_ts > 0

    def deadline_ts(self, exchange_now_ts: int) -> int | None:
        """The deadline for an add or amend sent now, or None when none can be met."""
        if not self.is_armed(exchange_now_ts):
            return None
        second = SECOND
        deadline = min(
            exchange_now_ts + int(limits.DEADLINE_S * second), self.trigger_ts - int(limits.DEADLINE_S * second)
        )
        return deadline if deadline - exchange_now_ts >= limits.DEADLINE_MIN_S * second else None
