"""The pairs of the made-up exchange: real names first, then made-up ones in real shapes."""

from __future__ import annotations

import json

from simulator.pairs.instrument import Pair, PairStatus
from simulator.pairs.made import made_pairs
from simulator.pairs.pairs import ASSETS, PAIRS, add_pairs
from simulator.pairs.table import read_asset_pairs

_SHIPPED = [pair for pair in PAIRS.values() if pair.quote.name == "USD" and pair.status == PairStatus.ONLINE]


def listed(count: int) -> list[Pair]:
    """Return so many pairs: those of the simulator's table that trade against USD, then made-up ones."""
    pairs = _SHIPPED[:count]
    if count > len(pairs):
        made = read_asset_pairs(asset_pairs(count - len(pairs)), ASSETS)
        add_pairs(made)
        pairs += made
    return pairs


def asset_pairs(count: int) -> str:
    """Return an answer of ``AssetPairs`` with so many made-up pairs."""
    return json.dumps({"error": [], "result": made_pairs(count)})
