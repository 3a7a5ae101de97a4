"""Slots that wait after a refusal or a denial: until when, how often in a row, and why. A core."""

from __future__ import annotations

from shared import limits
from shared.clock import SECOND

# What passes by itself, as orders move and counters decay: worth a short wait, and no order that shows the denial.
PATIENT = ("rate budget", "would cross our own", "order rate")

Slot = tuple[str, str, str]  # strategy, symbol, slot


class Waits:
    """Times are ns of CLOCK_BOOTTIME."""

    def __init__(self) -> None:
        self._waits: dict[Slot, tuple[int, int, str]] = {}

    def holds(self, slot: Slot, now: int) -> bool:
        """Must the slot still wait."""
        return self._waits.get(slot, (0, 0, ""))[0] > now

    def wait(self, slot: Slot, why: str, now: int) -> None:
        """Slower each time for the same reason: never a loop."""
        until, times, last = self._waits.get(slot, (0, 0, ""))
        times = times + 1 if last == why and now - until < limits.SLOT_WAIT_MAX_S * SECOND else 1
        wait_s = min(limits.REFUSED_SLOT_S * 2 ** (times - 1), limits.SLOT_WAIT_MAX_S)
        if why.startswith(PATIENT):
            wait_s = limits.PATIENT_SLOT_S
        self._waits[slot] = (now + int(wait_s * SECOND), times, why)

    def done(self, slot: Slot) -> None:
        """What it waited for went through."""
        self._waits.pop(slot, None)

    def is_news(self, slot: Slot, why: str, now: int) -> bool:
        """Is this reason another than the slot's last, or that long past."""
        until, _, last = self._waits.get(slot, (0, 0, ""))
        return last != why or now - until > limits.SLOT_WAIT_MAX_S * SECOND

    def lately(self, slot: Slot, now: int) -> str:
        """Why the slot waited until just now, or an empty text."""
        until, _, why = self._waits.get(slot, (0, 0, ""))
        return why if now - until < SECOND else ""

    @property
    def shown(self) -> dict[str, str]:
        """Slots that wait, and why."""
        return {" ".join(slot): why for slot, (_, _, why) in self._waits.items()}
