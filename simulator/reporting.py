"""Hand over private reports: in order and numbered, unless a fault says otherwise."""

from __future__ import annotations

from simulator.session import Session
from simulator.wire import NS


class Reporter:
    """Number a session's reports of an account, and hand them over."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._world = session.world
        # Reports held back by faults: how many are late and until when, and those that the next one overtakes.
        self._late = self._late_ns = 0
        self._behind: list[str] = []

    def shift(self, by: int) -> None:
        """Keep what is timed here at its distance when the exchange's clock is put forward by so many ns."""
        self._late_ns += by

    def number(self, channel: str, account: str, last: int) -> int:
        """Return the number of the next report after ``last``."""
        about = {"path": self._session.path, "channel": channel, "account": account}
        faults = self._world.faults
        skipped = bool(faults.rules) and faults.strike("skip_sequence", self._world.now, channel, **about) is not None
        return last + 1 + skipped

    def hand_over(self, text: str, channel: str, account: str) -> None:
        """Send a report to the client, on a connection that may lose, repeat, reorder or delay it."""
        faults, now = self._world.faults, self._world.now
        if not faults.rules and not self._late and not self._behind:
            self._session.send(text)
            return
        about = {"path": self._session.path, "channel": channel, "account": account}
        if faults.strike("drop_reports", now, channel, **about):
            return
        if faults.strike("reorder_reports", now, channel, **about):
            # It leaves after the next report, or after a second without one.
            self._behind.append(text)
            self._world.later(now + NS, lambda _now: self._overtaken())
            return
        times = 2 if faults.strike("repeat_reports", now, channel, **about) else 1
        delay = faults.strike("delay_reports", now, channel, **about)
        self._late_ns = max(self._late_ns, now + int(delay.ms * 1e6) if delay is not None else 0)
        for _ in range(times):
            if self._late_ns > now or self._late:
                self._late += 1
                self._world.later(self._late_ns, lambda _now: self._delayed(text))
            else:
                self._session.send(text)
        self._overtaken()

    def _delayed(self, text: str) -> None:
        self._late -= 1
        if self._session in self._world.hub.sessions:
            self._session.send(text)

    def _overtaken(self) -> None:
        texts, self._behind = self._behind, []
        for text in texts if self._session in self._world.hub.sessions else []:
            self._session.send(text)
