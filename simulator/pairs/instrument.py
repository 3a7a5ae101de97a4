"""An asset and a pair as this exchange knows them, and the money arithmetic of a pair (KRAKEN.md 0.1, 6)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from simulator.wire import fixed


@dataclass(frozen=True, slots=True)
class Asset:
    """An asset: new name, REST id, REST altname, ledger decimals, shown decimals, and what one was worth in USD.

    ``usd`` is what start prices come from, and what counts where no listed pair gives a rate.
    """

    name: str
    rest_id: str
    altname: str
    decimals: int
    display_decimals: int
    usd: Decimal = Decimal(0)
    asset_class: str = "currency"

    @property
    def is_fiat(self) -> bool:
        """True if it is a state's money: those ids are the name after a Z."""
        return self.rest_id == f"Z{self.name}"


class PairStatus(StrEnum):
    """The states of a pair (KRAKEN.md 1.9)."""

    ONLINE = "online"
    CANCEL_ONLY = "cancel_only"
    POST_ONLY = "post_only"
    LIMIT_ONLY = "limit_only"
    REDUCE_ONLY = "reduce_only"
    MAINTENANCE = "maintenance"
    DELISTED = "delisted"
    WORK_IN_PROGRESS = "work_in_progress"


@dataclass(frozen=True, slots=True)
class Pair:
    """A pair: names, precisions (decimals), minimums (lots; units of the quote asset) and a start price.

    Prices are integers of the last decimal, which ``tick`` divides; ``status`` is the one that it starts with.
    """

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
    tick: int = 1
    # A state of PairStatus, or what a file of pairs says.
    status: str = PairStatus.ONLINE

    def price(self, ticks: int) -> str:
        """Return a price in ticks as wire text."""
        return fixed(ticks, self.price_precision)

    def padded_price(self, ticks: int) -> str:
        """Return a price as version 1 and REST write it: at least five decimals."""
        if not self.price_precision:
            return f"{ticks}.00000"
        return fixed(ticks, self.price_precision) + "0" * (5 - self.price_precision)

    def qty(self, lots: int) -> str:
        """Return a quantity in lots as wire text."""
        return fixed(lots, self.qty_precision)

    def cost(self, units: int) -> str:
        """Return a cost or fee in units of the pair's cost decimals as wire text."""
        return fixed(units, self.cost_precision)

    def base_units(self, lots: int, rounding: str = "half_up") -> int:
        """Return units of the base asset in a quantity: where the asset has fewer decimals than the pair, rounded."""
        return rounded(lots, self.qty_precision - self.base.decimals, rounding)

    def cost_units(self, price: int, qty: int, rate: int = 1_000_000, rounding: str = "half_up") -> int:
        """Return price times quantity times ``rate`` (millionths) in units of the cost decimals, rounded."""
        decimals = self.price_precision + self.qty_precision + 6 - self.cost_precision
        return rounded(price * qty * rate, decimals, rounding)

    def quote_units(self, price: int, qty: int) -> int:
        """Return price times quantity in units of the quote asset, rounded half up: a fill's amount in the ledger."""
        return rounded(price * qty, self.price_precision + self.qty_precision - self.quote.decimals)

    def quote_units_of(self, cost: int, rounding: str) -> int:
        """Return a cost or fee in units of the quote asset, rounded: a fill's fee in the ledger."""
        return rounded(cost, self.cost_precision - self.quote.decimals, rounding)

    def cost_units_of(self, units: int) -> int:
        """Return units of the quote asset in units of the cost decimals, cut where those are fewer."""
        return rounded(units, self.quote.decimals - self.cost_precision, "down")

    def quote_units_up(self, price: int, qty: int, rate: int = 1_000_000) -> int:
        """Return price times quantity times ``rate`` (millionths) in quote units, rounded up, as orders reserve."""
        return rounded(price * qty * rate, self.price_precision + self.qty_precision - self.quote.decimals + 6, "up")

    def exact_cost_below(self, price: int, qty: int, limit: int) -> bool:
        """True if price times quantity is below ``limit`` units of the quote asset."""
        decimals = self.price_precision + self.qty_precision - self.quote.decimals
        return price * qty * int(10 ** max(0, -decimals)) < limit * int(10 ** max(0, decimals))


def rounded(value: int, decimals: int, rounding: str = "half_up") -> int:
    """Return ``value`` less its last ``decimals``, rounded ``half_up``, ``up`` or ``down``; negative adds zeros."""
    if decimals <= 0:
        return value * int(10**-decimals)
    divisor = int(10**decimals)
    more = {"half_up": divisor // 2, "up": divisor - 1, "down": 0}[rounding]
    return (value + more) // divisor
