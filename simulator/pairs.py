"""The pairs and assets that this exchange can list, under all their names, and the fee schedule (KRAKEN.md 0.1, 6)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
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

    def cost(self, units: int) -> str:
        """A cost or fee in units of the pair's cost decimals as wire text."""
        return fixed(units, self.cost_precision)

    def base_units(self, lots: int) -> int:
        """Units of the base asset in a quantity."""
        return int(lots * 10 ** (self.base.decimals - self.qty_precision))

    def cost_units(self, price: int, qty: int, rate: int = 1_000_000, rounding: str = "half_up") -> int:
        """Price times quantity times ``rate`` (millionths) in units of the cost decimals, rounded."""
        decimals = self.price_precision + self.qty_precision + 6 - self.cost_precision
        return rounded(price * qty * rate, decimals, rounding)

    def quote_units(self, price: int, qty: int) -> int:
        """Price times quantity in units of the quote asset, rounded half up: a fill's amount in the ledger."""
        return rounded(price * qty, self.price_precision + self.qty_precision - self.quote.decimals)

    def quote_units_of(self, cost: int, rounding: str) -> int:
        """A cost or fee in units of the quote asset, rounded: a fill's fee in the ledger."""
        return rounded(cost, self.cost_precision - self.quote.decimals, rounding)

    def quote_units_up(self, price: int, qty: int, rate: int = 1_000_000) -> int:
        """Price times quantity times ``rate`` (millionths) in units of the quote asset, rounded up: the reservation."""
        return rounded(price * qty * rate, self.price_precision + self.qty_precision - self.quote.decimals + 6, "up")

    def exact_cost_below(self, price: int, qty: int, limit: int) -> bool:
        """Is price times quantity below ``limit`` units of the quote asset."""
        return price * qty < limit * int(10 ** (self.price_precision + self.qty_precision - self.quote.decimals))


def rounded(value: int, decimals: int, rounding: str = "half_up") -> int:
    """``value`` without its last decimals: ``half_up``, ``up`` or ``down``."""
    divisor = int(10**decimals)
    more = {"half_up": divisor // 2, "up": divisor - 1, "down": 0}[rounding]
    return (value + more) // divisor


USD = Asset("USD", "ZUSD", "USD", 4, 2)
BTC = Asset("BTC", "XXBT", "XBT", 10, 5)
ETH = Asset("ETH", "XETH", "ETH", 10, 5)
SOL = Asset("SOL", "SOL", "SOL", 10, 5)
DOGE = Asset("DOGE", "XXDG", "XDG", 8, 2)
ASSETS = {asset.name: asset for asset in (USD, BTC, ETH, SOL, DOGE)}

PAIRS = {
    pair.symbol: pair
    for pair in (
        Pair("BTC/USD", "XBT/USD", "XBTUSD", "XXBTZUSD", BTC, USD, 1, 8, 5, 5_000, 5_000, 840_000),
        Pair("ETH/USD", "ETH/USD", "ETHUSD", "XETHZUSD", ETH, USD, 2, 8, 5, 200_000, 5_000, 250_000),
        Pair("SOL/USD", "SOL/USD", "SOLUSD", "SOLUSD", SOL, USD, 2, 8, 5, 6_000_000, 5_000, 15_000),
        Pair("DOGE/USD", "XDG/USD", "XDGUSD", "XDGUSD", DOGE, USD, 7, 8, 9, 5_000_000_000, 5_000, 1_600_000),
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
_FEES_FROM = [volume * 10**USD.decimals for volume, _, _ in FEES]


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


def fee_row(volume: int) -> int:
    """The row of the schedule that a 30-day volume in units of the dollar reaches."""
    return bisect_right(_FEES_FROM, volume) - 1


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
