"""Python's garbage collector out of the messages' way: what exists at the start is frozen, and turns collect."""

from __future__ import annotations

import gc

from shared import limits
from shared.clock import SECOND

# The generation with everything, and the one of what is a few seconds old.
ALL, YOUNG = 2, 1


class Garbage:
    """Collects once a second what is young, and now and then everything since the start; times are ns of a clock."""

    def __init__(self) -> None:
        self._young_due = self._all_due = 0

    def begin(self, now: int) -> None:
        """Leave all that exists out of every later collection, and collect only by :meth:`turn`."""
        gc.collect()
        gc.freeze()
        gc.disable()
        self._young_due = now + int(limits.GARBAGE_YOUNG_S * SECOND)
        self._all_due = now + int(limits.GARBAGE_ALL_S * SECOND)

    def turn(self, now: int) -> None:
        """Collect what is due."""
        if now >= self._all_due:
            gc.collect(ALL)
            self._all_due = now + int(limits.GARBAGE_ALL_S * SECOND)
        elif now >= self._young_due:
            gc.collect(YOUNG)
        else:
            return
        self._young_due = now + int(limits.GARBAGE_YOUNG_S * SECOND)
