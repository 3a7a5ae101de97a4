"""The pairs and assets that this exchange can list, under all their names, and the fee schedule (KRAKEN.md 0.1, 6)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from simulator.errors import TableError
from simulator.pairs import table as pair_table
from simulator.pairs.instrument import Asset, Pair, rounded
from simulator.wire import fixed

__all__ = ["ASSETS", "FEES", "PAIRS", "USD", "Asset", "Pair", "rounded"]

# By name and by symbol; a file of further pairs is added before anything is listed (add_file).
ASSETS: dict[str, Asset] = {}
PAIRS: dict[str, Pair] = {}
BY_WSNAME: dict[str, Pair] = {}
_BY_NAME: dict[str, Pair] = {}
_ASSET_BY_NAME: dict[str, Asset] = {}
# Each pair's place in the table, in which version 1 numbers its channels.
PLACES: dict[str, int] = {}


def add_pairs(pairs: Iterable[Pair]) -> None:
    """Add pairs and their assets under all their names; one of a known symbol takes the other's place."""
    for pair in pairs:
        for asset in (pair.base, pair.quote):
            known = ASSETS.setdefault(asset.name, asset)
            for name in (asset.name, asset.rest_id, asset.altname):
                _ASSET_BY_NAME.setdefault(name, known)
        PAIRS[pair.symbol] = BY_WSNAME[pair.wsname] = pair
        PLACES.setdefault(pair.symbol, len(PLACES))
        for name in (pair.symbol, pair.wsname, pair.altname, pair.rest_id):
            _BY_NAME[name] = pair
    for pair in PAIRS.values():
        # The new name without its slash (BTCUSD), where no other pair has that name.
        _BY_NAME.setdefault(pair.symbol.replace("/", ""), pair)


def add_file(path: Path) -> list[Pair]:
    """Add the pairs of a file in Kraken's AssetPairs form; raises OSError or TableError when it is none."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise TableError(str(error)) from error
    pairs = pair_table.read_asset_pairs(text, ASSETS)
    add_pairs(pairs)
    return pairs


add_pairs(pair_table.shipped())
USD = ASSETS["USD"]

# 30-day volume in USD from which a row holds, maker and taker in millionths of the cost.
FEES = (
    (0, 2500, 4000),
    (10_000, 2000, 3500),
    (50_000, 1400, 2400),
    (100_000, 1200, 2200),
    (250_000, 1000, 2000),
    (500_000, 800, 1800),
    (1_000_000, 600, 1600),
    (2_500_000, 400, 1400),
    (5_000_000, 200, 1200),
    (10_000_000, 0, 1000),
)
_FEES_FROM = [volume * 10**USD.decimals for volume, _, _ in FEES]


@lru_cache(maxsize=256)
def pair_of(symbol: str, price_precision: int) -> Pair:
    """Return a pair as it was when its prices had these decimals."""
    return replace(PAIRS[symbol], price_precision=price_precision, tick=1)


def find_pair(name: str) -> Pair | None:
    """Return the pair of any name that REST takes: altname, id, wsname, or the new names with and without a slash."""
    return _BY_NAME.get(name)


def find_asset(name: str) -> Asset | None:
    """Return the asset of any of its names."""
    return _ASSET_BY_NAME.get(name)


def pair_names() -> list[str]:
    """Return every name of every pair, for suggestions."""
    return list(_BY_NAME)


def fee_row(volume: int) -> int:
    """Return the row of the schedule that a 30-day volume in units of the dollar reaches."""
    return bisect_right(_FEES_FROM, volume) - 1


def percent(rate: int) -> str:
    """Return a fee rate in millionths as percent with four decimals."""
    return fixed(rate, 4)
