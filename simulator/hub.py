"""The subscriptions of all sessions, and the delivery of every message to them."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Protocol

from simulator.exchange.state import Report
from simulator.exchange.venue.venue import Venue

RECENT_MAX = 2000


class PublicListener(Protocol):
    """A public session."""

    def push(self, channel: str, symbol: str, text: str) -> None: ...


class Listener(Protocol):
    """A session of any kind."""

    def status(self) -> str: ...

    def shift(self, by: int) -> None: ...

    def send(self, text: str) -> None: ...


class PrivateListener(Protocol):
    """A private session with a subscription of an account."""

    def report(self, report: Report, now: int) -> None: ...


class Hub:
    """The subscriptions of all sessions; dicts keep the order in which sessions came."""

    def __init__(self, venues: Mapping[str, Venue]) -> None:
        self._venues = venues
        self.sessions: dict[Listener, None] = {}
        # (ns, report) of what happened last, for snapshots that lag.
        self.recent: deque[tuple[int, Report]] = deque(maxlen=RECENT_MAX)
        self._public: dict[tuple[str, str, int], dict[PublicListener, None]] = {}
        self._private: dict[tuple[int, str], dict[PrivateListener, None]] = {}

    def join(self, channel: str, symbol: str, depth: int, session: PublicListener) -> None:
        """Subscribe a session once; ``depth`` is 0 for channels without one."""
        self._public.setdefault((channel, symbol, depth), {})[session] = None
        if symbol:
            self._venues[symbol].listen(channel, depth, 1)

    def leave(self, channel: str, symbol: str, depth: int, session: PublicListener) -> None:
        """End a public subscription."""
        listeners = self._public.get((channel, symbol, depth))
        if listeners is None or session not in listeners:
            return
        del listeners[session]
        if not listeners:
            del self._public[(channel, symbol, depth)]
        if symbol:
            self._venues[symbol].listen(channel, depth, -1)

    def join_private(self, account: int, channel: str, session: PrivateListener) -> None:
        """Subscribe a session to a private channel of an account."""
        self._private.setdefault((account, channel), {})[session] = None

    def leave_private(self, account: int, channel: str, session: PrivateListener) -> None:
        """End a private subscription."""
        listeners = self._private.get((account, channel))
        if listeners is not None:
            listeners.pop(session, None)
            if not listeners:
                del self._private[(account, channel)]

    def dispatch(self, reports: list[Report], now: int) -> None:
        """Deliver reports to the private sessions, and what the venues have to the public ones."""
        for report in reports:
            self.recent.append((now, report))
            for listener in tuple(self._private.get((report.account, report.channel), ())):
                listener.report(report, now)
        for symbol, venue in self._venues.items():
            if not venue.public:
                continue
            messages, venue.public = venue.public, []
            for channel, depth, text in messages:
                self.publish(channel, symbol, depth, text)

    def publish(self, channel: str, symbol: str, depth: int, text: str) -> None:
        """Hand a message to a channel's subscribers."""
        for session in tuple(self._public.get((channel, symbol, depth), ())):
            session.push(channel, symbol, text)
