"""The pairs that can be traded on margin, with how much leverage, and how large positions may be."""

from __future__ import annotations

from typing import NamedTuple

from simulator.pairs.instrument import Pair


class MarginPair(NamedTuple):
    """The most leverage of a pair, and the largest positions in units of its base."""

    leverage: int
    long: int
    short: int


# Captured on 2026-09-25; ETH/USD, which that capture lacks, is a guess.
MARGIN_PAIRS = {
    "BTC/USD": MarginPair(10, 350, 250),
    "ETH/USD": MarginPair(10, 9_000, 6_000),
    "ETH/BTC": MarginPair(5, 1_000, 800),
    "SOL/USD": MarginPair(10, 37_000, 24_000),
    "DOGE/USD": MarginPair(10, 30_000_000, 30_000_000),
}


def leverages(pair: Pair) -> list[int]:
    """Return the leverages that a pair can be traded with; empty without margin."""
    known = MARGIN_PAIRS.get(pair.symbol)
    return [] if known is None else list(range(2, known.leverage + 1))
