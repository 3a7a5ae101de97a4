"""The route of messages to a reader off the trading path: through the relay while it answers, else directly.

The core of :mod:`shared.bus.relayed`; it uses no socket. Times are ns of CLOCK_BOOTTIME.
"""

from __future__ import annotations

from enum import Enum, auto

from shared import limits
from shared.clock import SECOND
from shared.messages import ProcessState


class Move(Enum):
    """A change of a reader's connections."""

    #: The relay is away: connect to every publisher as well.
    TO_PUBLISHERS = auto()
    #: The relay is back for long enough to have subscribed anew: disconnect from the publishers.
    TO_RELAY = auto()


class Route:
    """Decides when a reader, connected to the relay, needs the publishers themselves.

    While it changes it is connected to both, and each message comes twice: :class:`shared.bus.Tracker` admits one.
    """

    def __init__(self, now: int) -> None:
        self.is_direct = False
        #: True while it forwards its last messages.
        self.is_stopping = False
        self._silent_at = now + int(limits.RELAY_ANSWER_S * SECOND)
        self._back_at: int | None = None

    def heard(self, state: ProcessState, now: int) -> None:
        """Take in a heartbeat of the relay; one that stops is as good as gone."""
        if state is ProcessState.STOPPING:
            self.lost()
            self.is_stopping = True
            return
        self.is_stopping = False
        self._silent_at = now + int(limits.RELAY_SILENT_S * SECOND)
        if self._back_at is None:
            self._back_at = now

    def lost(self) -> None:
        """Take in that there is no connection to the relay."""
        self.is_stopping = False
        self._silent_at = 0
        self._back_at = None

    def turn(self, now: int) -> Move | None:
        """Return the change that is due, if any."""
        if now >= self._silent_at:
            self._back_at = None
            if not self.is_direct:
                self.is_direct = True
                return Move.TO_PUBLISHERS
            return None
        has_overlapped = self._back_at is not None and now - self._back_at >= limits.RELAY_OVERLAP_S * SECOND
        if self.is_direct and has_overlapped:
            self.is_direct = False
            return Move.TO_RELAY
        return None
