"""Targets from another machine (T2): dated by ``ts`` if both wall clocks agree, else not taken.

A target's ``clock`` names the CLOCK_BOOTTIME of its ``decided``. Another machine's cannot be compared with ours, but
its ``ts`` can, if both wall clocks are right. That is measured by how late its messages arrive: the smallest lateness
of the last seconds is the clocks' difference plus the fastest transit, and must stay below a limit.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import msgspec

from shared import limits
from shared.clock import MS, SECOND
from shared.messages import Target

WINDOW_S = 3.0


@dataclass(frozen=True, slots=True)
class ClocksApart:
    """Why a target is not taken; ``behind_ms`` is how far its machine's clock is behind ours."""

    strategy: str
    behind_ms: float

    @property
    def text(self) -> str:
        """Return the reason for people, with what to do."""
        return (
            f"{self.strategy} runs on another machine, whose clock is {abs(self.behind_ms):.0f} ms "
            f"{'behind' if self.behind_ms > 0 else 'ahead'} (or its messages take that long); more than "
            f"{limits.CLOCKS_APART_MS} ms, so nothing is quoted for it: keep both clocks by NTP"
        )


class RemoteTargets:
    """Dates targets by this machine's clock; times are ns, of CLOCK_BOOTTIME unless named ``*_ts``."""

    def __init__(self, clock: str) -> None:
        self._clock = clock
        # By strategy: when each of its messages came, and how late by the wall clocks.
        self._late: dict[str, deque[tuple[int, int]]] = {}

    def localise(self, target: Target, now: int, now_ts: int) -> Target | ClocksApart:
        """Return the target with its times in this machine's clock, or why it is not taken."""
        if not target.clock or target.clock == self._clock:
            return target
        late = now_ts - target.ts
        window = self._late.setdefault(target.strategy, deque(maxlen=limits.CLOCK_SAMPLES))
        window.append((now, late))
        while now - window[0][0] > WINDOW_S * SECOND:
            window.popleft()
        apart = min((late for _, late in window), key=abs)
        if abs(apart) > limits.CLOCKS_APART_MS * MS:
            return ClocksApart(target.strategy, apart / MS)
        return msgspec.structs.replace(target, decided=now - max(0, late), received=0, booked=0)
