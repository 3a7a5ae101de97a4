"""Effects of the feed's core: requests to Kraken, besides the effects that all cores have."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.process import effects


@dataclass(slots=True)
class Effects(effects.Effects):
    """The effects of frames, a message or a turn; ``finished`` are topics and messages as they are on the wire."""

    finished: list[tuple[bytes, bytes]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    reconnect: str = ""  # why the connection is to be dropped; a new one is made


class Outbox(effects.Outbox[Effects]):
    """Gathers the effects; the one place that numbers requests."""

    def __init__(self) -> None:
        super().__init__(Effects)
        self.last_id = 0

    def new_id(self) -> int:
        """Return the next request id."""
        self.last_id += 1
        return self.last_id

    def send(self, request: str) -> None:
        """Send a request on the public connection."""
        self.pending.requests.append(request)

    def reconnect(self, why: str) -> None:
        """Drop the public connection; a new one is made."""
        self.pending.reconnect = why
