"""The pairs of the made-up exchange: real names first, then made-up ones in real shapes."""

from __future__ import annotations

import json
from functools import cache

from simulator.pairs.instrument import Pair, PairStatus
from simulator.pairs.made import made_pairs
from simulator.pairs.pairs import ASSETS, PAIRS, add_pairs
from simulator.pairs.table import read_asset_pairs

_SHIPPED = [pair for pair in PAIRS.values() if pair.quote.name == "USD" and pair.status == PairStatus.ONLINE]
# Quote assets that these pairs value in USD: nothing is quoted in any other.
_VALUED = {"USD", *(pair.base.name for pair in _SHIPPED)}


@cache
def listed(count: int) -> list[Pair]:
    """Return so many pairs: those of the simulator's table that trade against USD, then made-up ones."""
    pairs = _SHIPPED[:count]
    if count > len(pairs):
        made = [pair for pair in read_asset_pairs(asset_pairs(count), ASSETS) if pair.quote.name in _VALUED]
        made = made[: count - len(pairs)]
        add_pairs(made)
        pairs += made
    return pairs


@cache
def asset_pairs(count: int) -> str:
    """Return an answer of ``AssetPairs`` with the made-up ones among so many pairs, and more.

    It is made once: the pairs that :func:`listed` adds would change the shapes of the next ones.
    """
    return json.dumps({"error": [], "result": made_pairs(2 * count)})
