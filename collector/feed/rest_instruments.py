"""Instrument data from REST (AssetPairs, Assets), for WebSocket v1, which has no channel for it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any  # Any: Kraken's answers, read row by row; one that does not fit is left out

from shared.kraken.rest_names import RestNames
from shared.messages import Pair
from shared.numbers import scale


def pairs_of(result: dict[str, Any], names: RestNames) -> dict[str, Pair]:
    """Return every pair of an AssetPairs result that can be read, by its WebSocket v2 symbol."""
    pairs = {}
    for rest_id, row in result.items():
        symbol = names.symbol(rest_id)
        if symbol is None:
            continue
        try:
            pairs[symbol] = _pair(symbol, row)
        except (ValueError, KeyError, TypeError, ArithmeticError):
            continue
    return pairs


def _pair(symbol: str, row: dict[str, Any]) -> Pair:
    base, _, quote = symbol.partition("/")
    price_precision, qty_precision = int(row["pair_decimals"]), int(row["lot_decimals"])
    tick = row.get("tick_size") or str(Decimal(1).scaleb(-price_precision))
    return Pair(
        symbol=symbol,
        base=base,
        quote=quote,
        status=row.get("status", "online"),
        price_precision=price_precision,
        qty_precision=qty_precision,
        price_increment=scale(tick, price_precision),
        qty_increment=1,
        qty_min=scale(row.get("ordermin", "0"), qty_precision),
        cost_min=str(row.get("costmin", "0")),
        cost_precision=int(row.get("cost_decimals", 5)),
    )


def assets_of(result: dict[str, Any], names: RestNames) -> dict[str, int]:
    """Return decimals by the assets' new names, of an Assets result."""
    return {names.asset(rest_id): int(row["decimals"]) for rest_id, row in result.items() if names.is_spot(rest_id)}
