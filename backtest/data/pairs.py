"""The pair that columns are of: precisions, increments and minimums, from the recording or the table that ships."""

from __future__ import annotations

from backtest.errors import DataError
from shared.messages import Pair
from shared.numbers import plain, unscale
from simulator.pairs import pairs as table
from simulator.pairs.instrument import Pair as Listed


def by_symbol(symbol: str) -> Pair:
    """Return a pair of the table by its new name (``BTC/USD``). Raises DataError."""
    listed = table.PAIRS.get(symbol)
    if listed is None:
        raise DataError(
            f"{symbol}: the precisions of this pair are not known; name a file of Kraken's AssetPairs that has it in "
            "'simulator.asset_pairs' of the configuration, or leave the pair out"
        )
    return of_listed(listed)


def by_any_name(name: str) -> Pair | None:
    """Return a pair of the table by any of its names (``XBTUSD``, ``XXBTZUSD``), None where it has none."""
    listed = table.find_pair(name)
    return of_listed(listed) if listed is not None else None


def of_listed(listed: Listed) -> Pair:
    """Return a pair of the table as the bus carries pairs."""
    return Pair(
        symbol=listed.symbol,
        base=listed.base.name,
        quote=listed.quote.name,
        status=listed.status,
        price_precision=listed.price_precision,
        qty_precision=listed.qty_precision,
        price_increment=listed.tick,
        qty_increment=1,
        qty_min=listed.qty_min,
        cost_min=plain(unscale(listed.cost_min, listed.quote.decimals)),
        cost_precision=listed.cost_precision,
    )
