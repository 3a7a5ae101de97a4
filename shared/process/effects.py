"""Effects of a core, gathered while it works and taken by the shell after each event or turn.

A core never publishes, logs or sends: it puts an effect into its :class:`Outbox`. The shell takes the :class:`Effects`;
:meth:`shared.process.loop.Process.dispatch` carries out those that all processes have in common.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from shared import limits
from shared.messages import Message
from shared.process.flood import Doublings

Level = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A line for the log; an ``alert`` goes on the bus as well."""

    level: Level
    kind: str
    text: str
    alert: bool = False


@dataclass(slots=True)
class Effects:
    """Messages by topic, and lines for the log."""

    messages: list[tuple[str, Message]] = field(default_factory=list)
    log: list[LogEntry] = field(default_factory=list)


E = TypeVar("E", bound=Effects)


class Outbox(Generic[E]):
    """Gathers effects of the kind that ``empty`` makes."""

    def __init__(self, empty: type[E]) -> None:
        self._empty = empty
        self.pending = empty()
        self.counts: Counter[str] = Counter()  # of what is counted and not logged
        self._repeats = Doublings(limits.LOG_TEXTS_TRACKED)

    def take(self) -> E:
        """Return the effects since the last call."""
        taken, self.pending = self.pending, self._empty()
        return taken

    def publish(self, topic: str, message: Message) -> None:
        """Put a message on the bus."""
        self.pending.messages.append((topic, message))

    def alert(self, level: Level, kind: str, text: str) -> None:
        """Log a line and put it on the bus as an alert, each time."""
        self.pending.log.append(LogEntry(level, kind, text, alert=True))

    def problem(self, kind: str, detail: str) -> None:
        """Count something wrong in what came in; the 1st, 2nd, 4th, 8th... of one kind is logged."""
        self.count(kind)
        times = self._repeats.next(kind)
        if times:
            text = f"{kind}: {detail}" if times == 1 else f"{kind} ({times} so far): {detail}"
            self.pending.log.append(LogEntry("warning", kind, text))

    def tell(self, level: Level, kind: str, text: str, *, alert: bool = False) -> None:
        """Log a line: the 1st, 2nd, 4th, 8th... of one text is written."""
        times = self._repeats.next(f"{kind}: {text}")
        if times:
            counted = text if times == 1 else f"{text} ({times} times)"
            self.pending.log.append(LogEntry(level, kind, counted, alert))

    def count(self, what: str) -> None:
        """Count something that is not worth a line in the log."""
        self.counts[what] += 1
