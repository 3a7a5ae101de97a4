"""The dead man's switch: when to arm it, what it allows (T3, T4).

While it is armed, Kraken cancels every order of the account unless it is armed again in time. No add or amend is sent
before this epoch's first confirmed arming, and none may land after the trigger.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared import limits
from shared.clock import SECOND


@dataclass(slots=True)
class Switch:
    """The switch as last confirmed; times ``*_ts`` are the exchange's, the others ns of CLOCK_BOOTTIME."""

    trigger_ts: int = 0
    _asked: int = 0
    _disarm_asked: int = 0
    _is_disarming: bool = False

    def lost(self) -> None:
        """Forget answers on the way: the connection is gone. The confirmed trigger time stands."""
        self._asked = 0
        self._is_disarming = False

    def due(self, now: int) -> bool:
        """True if it is time to arm again; not while a request to disarm may still overtake it."""
        if self._is_disarming and now - self._disarm_asked <= limits.REQUEST_TIMEOUT_S * SECOND:
            return False
        return now - self._asked >= limits.SWITCH_REARM_S * SECOND

    def disarm_asked(self, now: int) -> None:
        """Note that a request to disarm leaves now: from here on it counts as disarmed, whatever the answer is."""
        self.trigger_ts = self._asked = 0
        self._disarm_asked, self._is_disarming = now, True

    def arm_asked(self, now: int) -> None:
        """Note that a request to arm leaves now."""
        self._asked = now

    def answered(self, sent: int, trigger_ts: int) -> None:
        """Take the time at which the exchange will pull (to the second, perhaps rounded down); 0: disarmed.

        ``sent`` is when the request left. The ack of an arming sent at or before the last disarming is ignored.
        """
        if sent > self._disarm_asked:
            self.trigger_ts = trigger_ts
        if not trigger_ts:
            self._is_disarming = False

    def is_armed(self, exchange_now_ts: int) -> bool:
        """True if an arming was confirmed in this epoch, and the switch has not fired."""
        return self.trigger_ts > exchange_now_ts > 0

    def deadline_ts(self, exchange_now_ts: int) -> int | None:
        """Return the deadline for an add or amend sent now, or None when none can be met."""
        if not self.is_armed(exchange_now_ts):
            return None
        second = SECOND
        deadline = min(
            exchange_now_ts + int(limits.DEADLINE_S * second), self.trigger_ts - int(limits.DEADLINE_S * second)
        )
        return deadline if deadline - exchange_now_ts >= limits.DEADLINE_MIN_S * second else None
