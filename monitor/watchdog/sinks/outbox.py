"""Alerts that one webhook has yet to send: in order, bounded, tried again more slowly, dropped when old.

``now`` is ns of CLOCK_BOOTTIME.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from monitor.model.alerting.alerts import rule_of_end
from shared import limits
from shared.clock import SECOND
from shared.config.alerts import AlertLevel, Alerts
from shared.messages import Alert

_RANK: Final = {"none": -1, "info": 0, "warning": 1, "critical": 2}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one try: taken, or why not and whether it may be tried again."""

    ok: bool
    why: str = ""
    again: bool = False


def wants(alert: Alert, least: AlertLevel, rules: Alerts) -> bool:
    """True if a webhook of this least level wants an alert: it is as bad, or the end of one that was."""
    rule = rule_of_end(alert.kind)
    level = rules.rule(rule).level if rule else alert.level
    return max(_RANK.get(level, 0), _RANK.get(alert.level, 0)) >= _RANK[least]


class Outbox:
    """The newest :data:`limits.WEBHOOK_QUEUE` bodies; ``trouble`` is why the last one did not go, empty when it did.

    With nothing left to try, a trouble is forgotten once it is as old as an alert that is given up.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._failed_in_a_row = 0
        self._try_at = self._tried_at = 0
        self.sent = self.dropped = 0
        self.trouble = ""

    @property
    def waiting(self) -> int:
        """Return how many are not sent yet."""
        return len(self._waiting)

    def put(self, body: bytes, now: int) -> None:
        """Add a body; the oldest gives way to it where there is no room."""
        self._waiting.append((now, body))
        if len(self._waiting) > limits.WEBHOOK_QUEUE:
            self._waiting.popleft()
            self.dropped += 1

    def next(self, now: int) -> bytes | None:
        """Return what is to be tried now; None while there is nothing, or a pause. What is too old is dropped."""
        while self._waiting and now - self._waiting[0][0] > limits.WEBHOOK_OLD_S * SECOND:
            self._waiting.popleft()
            self.dropped += 1
        if not self._waiting and now - self._tried_at > limits.WEBHOOK_OLD_S * SECOND:
            self.trouble = ""
        return self._waiting[0][1] if self._waiting and now >= self._try_at else None

    def done(self, body: bytes, outcome: Outcome, now: int) -> None:
        """Take in the outcome of trying ``body``, which may have been dropped since."""
        self._tried_at = now
        if outcome.ok or not outcome.again:
            if self._waiting and self._waiting[0][1] is body:
                self._waiting.popleft()
                self.dropped += not outcome.ok
            self.sent += outcome.ok
        self.trouble = "" if outcome.ok else outcome.why
        if outcome.ok:
            self._failed_in_a_row = self._try_at = 0
            return
        pause_s = min(limits.WEBHOOK_PAUSE_MAX_S, limits.WEBHOOK_PAUSE_FIRST_S * 2**self._failed_in_a_row)
        self._failed_in_a_row = min(self._failed_in_a_row + 1, 20)
        self._try_at = now + int(pause_s * SECOND)
