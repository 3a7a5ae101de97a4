"""Why nothing may be quoted: a gate for the code with its details, and a sentence for people."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Gate(Enum):
    """The gates, grouped by what they look at; a value is the gate's sentence, with places for its details."""

    # People, and the life of the process.
    HALTED = "halted"
    STOPPING = "stopping"
    FLATTENING = "flattening"
    PAUSED = "{} is paused"
    NEWER_WRITER = "{}"
    JOURNAL = "the journal cannot be written"
    # The exchange.
    MODE = "Kraken is in {} mode"
    MAINTENANCE = "Kraken announced maintenance from {} on"
    JUST_ONLINE = "Kraken came back online less than 5 s ago"
    TIME_UNCERTAIN = "the exchange's time is uncertain"
    NO_CONNECTION = "no private connection"
    NOT_RECONCILED = "not reconciled: {}"
    NOT_ARMED = "the dead man's switch is not armed"
    CANNOT_CANCEL = "an order cannot be cancelled"
    # The paths to the market.
    COLLECTOR_SILENT = "the collector is not heard"
    BOOKS_SILENT = "the book process is not heard"
    FEED_OFFLINE = "the feed is not online"
    # One pair.
    UNLISTED = "Kraken does not list the pair"
    NO_INSTRUMENT = "no instrument data"
    PAIR_STATUS = "the pair is {}"
    PRECISION_CHANGED = "the pair's precision changed"
    NO_BOOK = "no book"
    BOOK_STATE = "the book is {}"
    PRECISIONS_DIFFER = "book and instrument differ in precision"
    CONTRADICTED = "our own resting orders contradict the book"
    HELD = "{} is held: {}"
    NO_RATE = "{}"


@dataclass(frozen=True, slots=True)
class Closed:
    """A closed gate; ``pulls`` is True if what rests must go too."""

    gate: Gate
    details: tuple[str, ...] = ()
    pulls: bool = True

    @property
    def text(self) -> str:
        """Return the sentence for people."""
        return self.gate.value.format(*self.details)
