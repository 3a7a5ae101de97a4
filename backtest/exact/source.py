"""Sources of a backtest's market: what happened at the exchange, as the public feed would tell it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from shared.messages import BookState, Pair, Side, Trade

Levels = list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class News:
    """News of one pair on the public feed at a moment; times are ns since the epoch.

    ``touch`` is the best bid and ask (ticks) where a price of them changed, ``state`` that of the book where it
    changed. ``heard_ts`` is the recording's stamp, ``ts`` where it has none.
    """

    symbol: str
    ts: int
    heard_ts: int
    has_book: bool = False
    has_touch: bool = False
    state: BookState | None = None
    trades: list[Trade] = field(default_factory=list)


class Source(Protocol):
    """A market. Own fills are settled with the exchange as they happen."""

    pairs: dict[str, Pair]
    begin_ts: int
    end_ts: int

    def advance(self, until_ts: int) -> News | None:
        """Play on to ``until_ts`` at most; return the first thing that the public feed tells on the way."""

    def poll(self) -> list[News]:
        """Return what own requests changed in the public books since the last call."""

    def levels(self, symbol: str, side: Side, n: int) -> Levels:
        """Return the best ``n`` levels of the public book as it is now."""

    def is_live(self, symbol: str) -> bool:
        """True if the book is known to be right."""

    def place(self, symbol: str, order: int) -> tuple[int, bool] | None:
        """Return the lots ahead of a resting own order, and whether that is known; None for one that does not rest."""
