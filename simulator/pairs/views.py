"""Rows of pairs and assets: the v2 ``instrument`` channel, REST's ``AssetPairs`` and ``Assets``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from simulator.pairs.instrument import Asset, Pair
from simulator.pairs.margin import MARGIN_PAIRS, leverages
from simulator.pairs.pairs import FEES
from simulator.wire import Written, fixed


class Listed(Protocol):
    """A pair and its state, as a venue has them."""

    pair: Pair
    status: str


def instrument_data(listed: Iterable[Asset], venues: Iterable[Listed]) -> str:
    """Return the ``data`` of a v2 ``instrument`` message (KRAKEN.md 1.9)."""
    assets = ",".join(
        f'{{"id":"{a.name}","status":"enabled","precision":{a.decimals},"precision_display":{a.display_decimals},'
        f'"borrowable":false,"collateral_value":0.00,"margin_rate":0.000000}}'
        for a in listed
    )
    pairs = ",".join(
        f'{{"symbol":"{p.symbol}","base":"{p.base.name}","quote":"{p.quote.name}","status":"{status}",'
        f'"qty_precision":{p.qty_precision},"qty_increment":1e-{p.qty_precision:02d},'
        f'"price_precision":{p.price_precision},"cost_precision":{p.cost_precision},{_marginable(p)},'
        f'"has_index":true,"cost_min":{_plain(p.cost_min, p.quote.decimals)},'
        f'"tick_size":{fixed(p.tick, p.price_precision)},'
        f'"price_increment":{fixed(p.tick, p.price_precision)},"qty_min":{float(fixed(p.qty_min, p.qty_precision))!r}}}'
        for p, status in ((venue.pair, venue.status) for venue in venues)
    )
    return f'{{"assets":[{assets}],"pairs":[{pairs}]}}'


def _marginable(pair: Pair) -> str:
    known = MARGIN_PAIRS.get(pair.symbol)
    if known is None:
        return '"marginable":false'
    return (
        f'"marginable":true,"margin_initial":{1 / known.leverage},"position_limit_long":{known.long},'
        f'"position_limit_short":{known.short}'
    )


def _plain(units: int, precision: int) -> str:
    text = fixed(units, precision)
    return text.rstrip("0").rstrip(".") if precision else text


def rest_pair(pair: Pair, status: str, *, new: bool = False, fees: bool = False) -> dict[str, Written]:
    """Return a pair as ``AssetPairs`` shows it (KRAKEN.md 4.3): with its assets' ``new`` names, with the ``fees``."""
    limits = MARGIN_PAIRS.get(pair.symbol)
    most = {} if limits is None else {"long_position_limit": limits.long, "short_position_limit": limits.short}
    return {
        "altname": pair.altname,
        "wsname": pair.wsname,
        "aclass_base": pair.base.asset_class,
        "base": pair.base.name if new else pair.base.rest_id,
        "aclass_quote": pair.quote.asset_class,
        "quote": pair.quote.name if new else pair.quote.rest_id,
        "lot": "unit",
        "cost_decimals": pair.cost_precision,
        "pair_decimals": pair.price_precision,
        "lot_decimals": pair.qty_precision,
        "lot_multiplier": 1,
        "leverage_buy": leverages(pair),
        "leverage_sell": leverages(pair),
        "fees": [[volume, taker / 10_000] for volume, _, taker in FEES] if fees else [],
        "fees_maker": [[volume, maker / 10_000] for volume, maker, _ in FEES] if fees else [],
        "fee_volume_currency": "ZUSD",
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": _plain(pair.qty_min, pair.qty_precision),
        "costmin": _plain(pair.cost_min, pair.quote.decimals),
        "tick_size": _plain(pair.tick, pair.price_precision),
        "status": status,
        "execution_venue": "international",
        **most,
    }


def rest_asset(asset: Asset) -> dict[str, Written]:
    """Return an asset as ``Assets`` shows it."""
    return {
        "aclass": asset.asset_class,
        "altname": asset.altname,
        "decimals": asset.decimals,
        "display_decimals": asset.display_decimals,
        "status": "enabled",
    }
