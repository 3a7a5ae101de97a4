"""Do updates arrive late by their own timestamps? All checksums can be good on a book that is 26 s behind."""

from __future__ import annotations

from shared.clock import SECOND

LATE_NS = 1 * SECOND
QUIET_NS = 5 * SECOND


class Lateness:
    """Lagging: updates came more than 1 s after their own timestamps, for 1 s. Times are ns."""

    def __init__(self) -> None:
        self._since = 0
        self._updated = 0
        self._is_lagging = False

    def update(self, late: int, now: int) -> None:
        """An update came ``late`` ns after its own timestamp."""
        self._updated = now
        if late <= LATE_NS:
            self.forget()
            return
        self._since = self._since or now
        # One that is 2 s late was more than 1 s late a second ago, though nobody had seen it yet.
        if late >= 2 * LATE_NS or now - self._since >= LATE_NS:
            self._is_lagging = True

    def is_lagging(self, now: int) -> bool:
        """Are updates late; after 5 s without any, nothing more is known to be on its way, and they are not."""
        if self._since and now - self._updated > QUIET_NS:
            self.forget()
        return self._is_lagging

    def forget(self) -> None:
        """Nothing is late any more: an update was on time, or the connection is a new one."""
        self._since, self._is_lagging = 0, False
