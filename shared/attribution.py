"""Markouts and attribution: where the profit of fills comes from. Live and backtest compute both here.

A fill of quantity ``q`` at price ``p``, with ``s`` 1 for a buy and -1 for a sell, the mid ``m0`` at that moment,
``m10`` ten seconds later and ``M`` now, in the quote asset:

- spread captured: ``s q (m0 - p)``
- adverse selection: ``s q (m10 - m0)``, negative when the market runs over the quote
- drift: ``s q (M - m10)``, the rest of the inventory's revaluation
- fees: ``-fee``

Each is valued in the trading currency at the rate ``r0`` of the quote asset when the fill happened; ``fx`` is what the
rate did since: ``(spread + adverse + drift - fee) (R - r0)``. Rounding is the ledger's. A fill younger than ten
seconds has ``m10 = M``: its drift is zero. The parts add up to the profit that the ledger shows; ``unexplained`` is
what is left.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from typing import Final

from shared.messages import Side
from shared.numbers import EXACT

ZERO: Final = Decimal(0)
HORIZONS_S: Final = (0.1, 1.0, 10.0, 60.0)
ADVERSE_S: Final = 10.0
BP: Final = 10_000


@dataclass(frozen=True, slots=True)
class MarkedFill:
    """A fill with the mids that its attribution needs; prices, fee and mids in the quote asset.

    ``after`` has the mid at each horizon (s) that has passed. ``rate`` is the worth of the quote asset in the trading
    currency at the fill.
    """

    symbol: str
    ts: int
    side: Side
    price: Decimal
    qty: Decimal
    fee: Decimal
    mid: Decimal
    after: Mapping[float, Decimal] = field(default_factory=dict)
    rate: Decimal = Decimal(1)

    @property
    def sign(self) -> int:
        """Return 1 for a buy, -1 for a sell."""
        return 1 if self.side == "buy" else -1

    def markout_bps(self, horizon_s: float) -> float | None:
        """Return the mid's move from the fill's price in our favour, in bp of the price; None before its time."""
        mid = self.after.get(horizon_s)
        return None if mid is None else float(self.sign * (mid - self.price) / self.price) * BP


@dataclass(frozen=True, slots=True)
class Attribution:
    """The parts of a profit, in the trading currency; their sum is ``total``."""

    spread: Decimal = ZERO
    adverse: Decimal = ZERO
    drift: Decimal = ZERO
    fees: Decimal = ZERO
    fx: Decimal = ZERO
    rounding: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """Return the sum of the parts."""
        with localcontext(EXACT):
            return self.spread + self.adverse + self.drift + self.fees + self.fx + self.rounding

    def unexplained(self, profit: Decimal) -> Decimal:
        """Return what of a profit the parts do not explain."""
        with localcontext(EXACT):
            return profit - self.total


@dataclass(frozen=True, slots=True)
class Markout:
    """The mean markout of fills at a horizon, in bp, with its standard error (NaN for fewer than two fills)."""

    horizon_s: float
    fills: int
    mean_bps: float
    error_bps: float


def attribute(
    fills: Iterable[MarkedFill], mids: Mapping[str, Decimal], rates: Mapping[str, Decimal], rounding: Decimal = ZERO
) -> Attribution:
    """Return the parts of the fills' profit; ``mids`` and ``rates`` by symbol are those of now.

    ``rounding`` is the ledger's, in the trading currency.
    """
    spread = adverse = drift = fees = fx = ZERO
    with localcontext(EXACT):
        for fill in fills:
            signed, last = fill.sign * fill.qty, mids[fill.symbol]
            after = fill.after.get(ADVERSE_S, last)
            parts = (signed * (fill.mid - fill.price), signed * (after - fill.mid), signed * (last - after), -fill.fee)
            spread += parts[0] * fill.rate
            adverse += parts[1] * fill.rate
            drift += parts[2] * fill.rate
            fees += parts[3] * fill.rate
            fx += sum(parts, ZERO) * (rates[fill.symbol] - fill.rate)
    return Attribution(spread, adverse, drift, fees, fx, rounding)


def markouts(fills: Iterable[MarkedFill]) -> list[Markout]:
    """Return the mean markout at each horizon, over the fills that are older than it."""
    known = list(fills)
    means = []
    for horizon in HORIZONS_S:
        values = [value for fill in known if (value := fill.markout_bps(horizon)) is not None]
        mean = math.fsum(values) / len(values) if values else math.nan
        error = math.nan
        if len(values) > 1:
            error = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1) / len(values))
        means.append(Markout(horizon, len(values), mean, error))
    return means
