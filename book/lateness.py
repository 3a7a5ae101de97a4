"""The lateness of a book, by its updates' own timestamps and by trades that contradict it.

Checksums do not show it: on a book that is 26 s behind all of them can match.
"""

from __future__ import annotations

from shared.clock import SECOND

LATE_NS = 1 * SECOND
QUIET_NS = 5 * SECOND


class Lateness:
    """Lagging is: for 1 s, updates have come more than 1 s after their own timestamps. Times are ns."""

    def __init__(self) -> None:
        self._since = 0
        self._updated = 0
        self._is_lagging = False

    def update(self, late: int, now: int) -> None:
        """Take an update that came ``late`` ns after its own timestamp."""
        self._updated = now
        if late <= LATE_NS:
            self.forget()
            return
        self._since = self._since or now
        # An update that is 2 s late was more than 1 s late a second ago already, before it came.
        if late >= 2 * LATE_NS or now - self._since >= LATE_NS:
            self._is_lagging = True

    def is_lagging(self, now: int) -> bool:
        """True if updates are late; after 5 s without any update, none is known to be on its way, and it is False."""
        if self._since and now - self._updated > QUIET_NS:
            self.forget()
        return self._is_lagging

    @property
    def is_clear(self) -> bool:
        """True if the last update was on time."""
        return not self._since

    def forget(self) -> None:
        """Forget lateness: an update was on time, or the connection is a new one."""
        self._since, self._is_lagging = 0, False


class Contradiction:
    """A trade beyond the book's touch contradicts the book if it has not caught up after 1 s. Prices are in ticks."""

    def __init__(self) -> None:
        self._price = 0
        self._since = 0

    def trade(self, price: int, bid: int | None, ask: int | None, now: int) -> None:
        """Take a trade of others at ``price`` while the book's touch was this."""
        beyond = (ask is not None and price > ask) or (bid is not None and price < bid)
        if not beyond:
            self.forget()
        elif not self._since:
            self._price, self._since = price, now

    def touch(self, bid: int | None, ask: int | None) -> None:
        """Take the book's new touch; it explains the trade if the trade's price lies within it."""
        if self._since and (bid is None or bid <= self._price) and (ask is None or self._price <= ask):
            self.forget()

    def is_lasting(self, now: int) -> bool:
        """True if the book has failed to explain a trade for 1 s."""
        return bool(self._since) and now - self._since >= LATE_NS

    @property
    def is_clear(self) -> bool:
        """True if no trade contradicts the book."""
        return not self._since

    def forget(self) -> None:
        """Forget the trade that contradicts the book."""
        self._price = self._since = 0
