"""Slots that wait after a rejection or a denial: until when, how often in a row, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from executor.orders.denial import Denial, Rule
from shared import limits
from shared.clock import SECOND

Slot = tuple[str, str, str]  # strategy, symbol, slot


class Cause(Enum):
    """Who made a slot wait, which decides for how long."""

    DENIED = "denied"  # our own rule: longer each time for the same reason
    PATIENT = "patient"  # our own rule, for what passes within moments: a short wait
    EXCHANGE = "exchange"  # rejected or cancelled by the exchange: longer each time, whatever the reason
    RATE = "rate"  # the pair's counter, which decays: a short wait


@dataclass(frozen=True, slots=True)
class _Wait:
    """Until when a slot waits, how often in a row, and why: ``reason`` is a rule, or the exchange's own text."""

    until: int
    times: int
    why: str
    cause: Cause
    reason: Rule | str


NEVER = _Wait(0, 0, "", Cause.DENIED, "")


class SlotBackoff:
    """Keeps until when each slot waits; times are ns of CLOCK_BOOTTIME."""

    def __init__(self) -> None:
        self._waits: dict[Slot, _Wait] = {}

    def holds(self, slot: Slot, now: int) -> bool:
        """True while the slot must wait."""
        return self.holds_until(slot) > now

    def holds_until(self, slot: Slot) -> int:
        """Return until when the slot waits, or waited last; 0 for never."""
        return self._last(slot).until

    def deny(self, slot: Slot, denial: Denial, now: int) -> None:
        """Hold a slot back that one of our own rules denied."""
        cause = Cause.PATIENT if denial.is_patient else Cause.DENIED
        self._hold(slot, _Wait(now, 0, denial.text, cause, denial.rule))

    def wait(self, slot: Slot, why: str, now: int, cause: Cause) -> None:
        """Hold a slot back, longer each time, so that nothing is placed and rejected in a loop."""
        self._hold(slot, _Wait(now, 0, why, cause, why))

    def _hold(self, slot: Slot, wait: _Wait) -> None:
        last, now = self._last(slot), wait.until
        is_again = last.reason == wait.reason or wait.cause is last.cause is Cause.EXCHANGE
        times = last.times + 1 if is_again and now - last.until < limits.SLOT_WAIT_MAX_S * SECOND else 1
        wait_s = min(limits.REFUSED_SLOT_S * 2 ** min(times - 1, 10), limits.SLOT_WAIT_MAX_S)
        if wait.cause in (Cause.RATE, Cause.PATIENT):
            wait_s = limits.PATIENT_SLOT_S
        self._waits[slot] = replace(wait, until=now + int(wait_s * SECOND), times=times)

    def done(self, slot: Slot) -> None:
        """Release a slot: an order for it was let through."""
        self._waits.pop(slot, None)

    def is_news(self, slot: Slot, denial: Denial, now: int) -> bool:
        """True if the rule is new for the slot, or its last wait has aged out; other figures are no news."""
        last = self._last(slot)
        return last.reason is not denial.rule or now - last.until > limits.SLOT_WAIT_MAX_S * SECOND

    def lately(self, slot: Slot, now: int) -> str:
        """Return why the slot waited until just now, or an empty text."""
        last = self._last(slot)
        return last.why if now - last.until < SECOND else ""

    def last(self, slot: Slot) -> tuple[str, Cause]:
        """Return why the slot waited last, and who made it wait; an empty text if it did not, or was released since."""
        last = self._last(slot)
        return last.why, last.cause

    def reasons(self) -> dict[str, str]:
        """Return why slots wait, by name."""
        return {" ".join(slot): wait.why for slot, wait in self._waits.items()}

    def _last(self, slot: Slot) -> _Wait:
        return self._waits.get(slot, NEVER)
