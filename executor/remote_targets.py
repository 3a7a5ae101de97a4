"""Targets from another machine (T2): taken by ``ts`` where wall clocks agree, and else not at all. A core.

A target names the clock that its ``decided`` is of. That of another machine cannot be compared with ours; its ``ts``
can, where both machines keep the time. How far the clocks are apart shows in how late its messages arrive: the least
late of the last seconds is the clocks' difference and the quickest way here, which must be small together.
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
    """A target that is not taken; ``behind`` is how far its machine's clock is behind ours, in ms."""

    strategy: str
    behind_ms: float

    @property
    def text(self) -> str:
        """Say it for people, with what to do."""
        return (
            f"{self.strategy} runs on another machine, whose clock is {abs(self.behind_ms):.0f} ms "
            f"{'behind' if self.behind_ms > 0 else 'ahead'} (or its messages take that long); more than "
            f"{limits.CLOCKS_APART_MS} ms, so nothing is quoted for it: keep both clocks by NTP"
        )


class RemoteTargets:
    """Takes in targets; times are ns, of CLOCK_BOOTTIME unless named ``*_ts``."""

    def __init__(self, clock: str) -> None:
        self._clock = clock
        # By strategy: when a message of its came, and how late by the wall clocks.
        self._late: dict[str, deque[tuple[int, int]]] = {}

    def localise(self, target: Target, now: int, now_ts: int) -> Target | ClocksApart:
        """Return the target by this machine's clock, or why it is not taken."""
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
