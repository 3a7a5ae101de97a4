"""Instrument data from REST (AssetPairs, Assets), as WebSocket v1 has no channel for it. A core."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from shared.kraken.pairs import asset_name, new_name
from shared.messages import Pair
from shared.numbers import scale


def pairs_of(result: Any, symbols: list[str]) -> dict[str, Pair]:
    """The wanted pairs of an AssetPairs result. Raises ValueError, KeyError or TypeError for what is not one."""
    found = {}
    for row in result.values():
        symbol = new_name(row.get("wsname") or "")
        if symbol not in symbols:
            continue
        price_precision, qty_precision = int(row["pair_decimals"]), int(row["lot_decimals"])
        tick = row.get("tick_size") or str(Decimal(1).scaleb(-price_precision))
        found[symbol] = Pair(
            symbol=symbol,
            base=asset_name(row["base"]),
            quote=asset_name(row["quote"]),
            status=row.get("status", "online"),
            price_precision=price_precision,
            qty_precision=qty_precision,
            price_increment=scale(tick, price_precision),
            qty_increment=1,
            qty_min=scale(row.get("ordermin", "0"), qty_precision),
            cost_min=str(row.get("costmin", "0")),
            cost_precision=int(row.get("cost_decimals", 5)),
        )
    return found


def assets_of(result: Any) -> dict[str, int]:
    """Decimals by the assets' new names, of an Assets result."""
    return {asset_name(rest_id): int(row["decimals"]) for rest_id, row in result.items()}
