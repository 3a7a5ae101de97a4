"""The pairs and assets that this exchange lists, under all their names, and the fee schedule (KRAKEN.md 0.1, 6)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Protocol

from simulator.wire import fixed


@dataclass(frozen=True, slots=True)
class Asset:
    """An asset: new name, REST id, REST altname, ledger decimals and shown decimals."""

    name: str
    rest_id: str
    altname: str
    decimals: int
    shown: int


@dataclass(frozen=True, slots=True)
class Pair:
    """A pair: names, precisions (decimals), minimums (lots; units of the quote asset) and a start price in ticks."""

    symbol: str
    wsname: str
    altname: str
    rest_id: str
    base: Asset
    quote: Asset
    price_precision: int
    qty_precision: int
    cost_precision: int
    qty_min: int
    cost_min: int
    start_price: int

    def price(self, ticks: int) -> str:
        """A price in ticks as wire text."""
        return fixed(ticks, self.price_precision)

    def old_price(self, ticks: int) -> str:
        """A price as version 1 and REST write it: at least five decimals."""
        return fixed(ticks, self.price_precision) + "0" * (5 - self.price_precision)

    def qty(self, lots: int) -> str:
        """A quantity in lots as wire text."""
        return fixed(lots, self.qty_precision)

    def cost(self, quote_units: int) -> str:
        """An amount in units of the quote asset, with the pair's cost decimals."""
        return fixed(quote_units * 10 ** (self.cost_precision - self.quote.decimals), self.cost_precision)

    def base_units(self, lots: int) -> int:
        """Units of the base asset in a quantity."""
        return int(lots * 10 ** (self.base.decimals - self.qty_precision))

    def quote_units(self, price: int, qty: int, rate: int = 1_000_000) -> int:
        """Price times quantity times ``rate`` (millionths) in units of the quote asset, rounded half up."""
        divisor = 10 ** (self.price_precision + self.qty_precision - self.quote.decimals + 6)
        return int((2 * price * qty * rate + divisor) // (2 * divisor))

    def quote_units_up(self, price: int, qty: int, rate: int = 1_000_000) -> int:
        """As :meth:`quote_units`, rounded up: what has to be reserved."""
        divisor = 10 ** (self.price_precision + self.qty_precision - self.quote.decimals + 6)
        return int(-(-price * qty * rate // divisor))

    def quote_units_down(self, price: int, qty: int, rate: int) -> int:
        """As :meth:`quote_units`, cut."""
        divisor = 10 ** (self.price_precision + self.qty_precision - self.quote.decimals + 6)
        return int(price * qty * rate // divisor)

    def exact_cost_below(self, price: int, qty: int, limit: int) -> bool:
        """Is price times quantity below ``limit`` units of the quote asset."""
        return price * qty < limit * int(10 ** (self.price_precision + self.qty_precision - self.quote.decimals))


USD = Asset("USD", "ZUSD", "USD", 4, 2)
BTC = Asset("BTC", "XXBT", "XBT", 10, 5)
ETH = Asset("ETH", "XETH", "ETH", 10, 5)
SOL = Asset("SOL", "SOL", "SOL", 10, 5)
ASSETS = {asset.name: asset for asset in (USD, BTC, ETH, SOL)}

PAIRS = {
    pair.symbol: pair
    for pair in (
        Pair("BTC/USD", "XBT/USD", "XBTUSD", "XXBTZUSD", BTC, USD, 1, 8, 5, 5_000, 5_000, 840_000),
        Pair("ETH/USD", "ETH/USD", "ETHUSD", "XETHZUSD", ETH, USD, 2, 8, 5, 200_000, 5_000, 250_000),
        Pair("SOL/USD", "SOL/USD", "SOLUSD", "SOLUSD", SOL, USD, 2, 8, 5, 6_000_000, 5_000, 15_000),
    )
}
_BY_NAME = {name: pair for pair in PAIRS.values() for name in (pair.symbol, pair.wsname, pair.altname, pair.rest_id)}
_ASSET_BY_NAME = {name: asset for asset in ASSETS.values() for name in (asset.name, asset.rest_id, asset.altname)}

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


BY_WSNAME = {pair.wsname: pair for pair in PAIRS.values()}


@lru_cache(maxsize=64)
def pair_of(symbol: str, price_precision: int) -> Pair:
    """A pair as it was when its prices had these decimals."""
    return replace(PAIRS[symbol], price_precision=price_precision)


def find_pair(name: str) -> Pair | None:
    """The pair of any name that REST takes: altname, id, wsname or the slash form."""
    return _BY_NAME.get(name)


def find_asset(name: str) -> Asset | None:
    """The asset of any of its names."""
    return _ASSET_BY_NAME.get(name)


def fee_rates(volume_30d_usd: Decimal) -> tuple[int, int]:
    """Maker and taker fee in millionths of the cost."""
    row = max(row for row in FEES if row[0] <= max(volume_30d_usd, Decimal(0)))
    return row[1], row[2]


def percent(rate: int) -> str:
    """A fee rate in millionths as percent with four decimals."""
    return fixed(rate, 4)


class Listed(Protocol):
    """A pair and its state, as a venue has them."""

    pair: Pair
    status: str


def instrument_data(listed: Iterable[Asset], venues: Iterable[Listed]) -> str:
    """The ``data`` of a v2 ``instrument`` message (KRAKEN.md 1.9)."""
    assets = ",".join(
        f'{{"id":"{a.name}","status":"enabled","precision":{a.decimals},"precision_display":{a.shown},'
        f'"borrowable":false,"collateral_value":0.00,"margin_rate":0.000000}}'
        for a in listed
    )
    pairs = ",".join(
        f'{{"symbol":"{p.symbol}","base":"{p.base.name}","quote":"{p.quote.name}","status":"{status}",'
        f'"qty_precision":{p.qty_precision},"qty_increment":1e-{p.qty_precision:02d},'
        f'"price_precision":{p.price_precision},"cost_precision":{p.cost_precision},"marginable":false,'
        f'"has_index":true,"cost_min":{_plain(p.cost_min, p.quote.decimals)},"tick_size":{fixed(1, p.price_precision)},'
        f'"price_increment":{fixed(1, p.price_precision)},"qty_min":{float(fixed(p.qty_min, p.qty_precision))!r}}}'
        for p, status in ((venue.pair, venue.status) for venue in venues)
    )
    return f'{{"assets":[{assets}],"pairs":[{pairs}]}}'


def _plain(units: int, precision: int) -> str:
    return fixed(units, precision).rstrip("0").rstrip(".")


def rest_pair(pair: Pair, status: str) -> dict[str, object]:
    """A pair as ``AssetPairs`` shows it (KRAKEN.md 4.3)."""
    return {
        "altname": pair.altname,
        "wsname": pair.wsname,
        "aclass_base": "currency",
        "base": pair.base.rest_id,
        "aclass_quote": "currency",
        "quote": pair.quote.rest_id,
        "lot": "unit",
        "cost_decimals": pair.cost_precision,
        "pair_decimals": pair.price_precision,
        "lot_decimals": pair.qty_precision,
        "lot_multiplier": 1,
        "leverage_buy": [],
        "leverage_sell": [],
        "fees": [[volume, taker / 10_000] for volume, _, taker in FEES],
        "fees_maker": [[volume, maker / 10_000] for volume, maker, _ in FEES],
        "fee_volume_currency": "ZUSD",
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": _plain(pair.qty_min, pair.qty_precision),
        "costmin": _plain(pair.cost_min, pair.quote.decimals),
        "tick_size": _plain(1, pair.price_precision),
        "status": status,
        "execution_venue": "international",
    }


def rest_asset(asset: Asset) -> dict[str, object]:
    """An asset as ``Assets`` shows it."""
    return {
        "aclass": "currency",
        "altname": asset.altname,
        "decimals": asset.decimals,
        "display_decimals": asset.shown,
        "status": "enabled",
    }
