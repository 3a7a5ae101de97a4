"""Slots that wait after a refusal or a denial: until when, how often in a row, and why. A core."""

from __future__ import annotations

from enum import Enum

from executor.orders.denial import Denial
from shared import limits
from shared.clock import SECOND

Slot = tuple[str, str, str]  # strategy, symbol, slot


class Cause(Enum):
    """Who made a slot wait, and so for how long."""

    DENIED = "denied"  # our own gate: slower each time for the same reason
    PATIENT = "patient"  # our own gate, for what passes within moments: a short wait
    EXCHANGE = "exchange"  # refused or taken away by the exchange: slower each time, whatever it says
    RATE = "rate"  # the pair's counter, which decays: a short wait


class Waits:
    """Times are ns of CLOCK_BOOTTIME."""

    def __init__(self) -> None:
        self._waits: dict[Slot, tuple[int, int, str, Cause]] = {}

    def holds(self, slot: Slot, now: int) -> bool:
        """True while the slot must wait."""
        return self._last(slot)[0] > now

    def deny(self, slot: Slot, denial: Denial, now: int) -> None:
        """Hold a slot back that one of our own rules denied."""
        self.wait(slot, denial.words, now, Cause.PATIENT if denial.is_patient else Cause.DENIED)

    def wait(self, slot: Slot, why: str, now: int, cause: Cause) -> None:
        """Holds a slot back, slower each time: never a loop."""
        until, times, last, last_cause = self._last(slot)
        is_again = last == why or cause is last_cause is Cause.EXCHANGE
        times = times + 1 if is_again and now - until < limits.SLOT_WAIT_MAX_S * SECOND else 1
        wait_s = min(limits.REFUSED_SLOT_S * 2 ** min(times - 1, 10), limits.SLOT_WAIT_MAX_S)
        if cause in (Cause.RATE, Cause.PATIENT):
            wait_s = limits.PATIENT_SLOT_S
        self._waits[slot] = (now + int(wait_s * SECOND), times, why, cause)

    def done(self, slot: Slot) -> None:
        """What it waited for went through."""
        self._waits.pop(slot, None)

    def is_news(self, slot: Slot, why: str, now: int) -> bool:
        """True if this reason is another than the slot's last, or that is long past."""
        until, _, last, _ = self._last(slot)
        return last != why or now - until > limits.SLOT_WAIT_MAX_S * SECOND

    def lately(self, slot: Slot, now: int) -> str:
        """Why the slot waited until just now, or an empty text."""
        until, _, why, _ = self._last(slot)
        return why if now - until < SECOND else ""

    def last(self, slot: Slot) -> tuple[str, Cause]:
        """Why the slot waited last, and who made it; an empty text where it never did, or went through since."""
        _, _, why, cause = self._last(slot)
        return why, cause

    @property
    def shown(self) -> dict[str, str]:
        """Slots that wait, and why."""
        return {" ".join(slot): why for slot, (_, _, why, _) in self._waits.items()}

    def _last(self, slot: Slot) -> tuple[int, int, str, Cause]:
        return self._waits.get(slot, (0, 0, "", Cause.DENIED))
