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
what is left. Live, the profit of fills whose mids are not known (of an older journal, or of a time when nothing ran) is
a part of its own, ``unmarked``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
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
    unmarked: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """Return the sum of the parts."""
        with localcontext(EXACT):
            return sum((getattr(self, part.name) for part in fields(self)), ZERO)

    def __add__(self, other: Attribution) -> Attribution:
        with localcontext(EXACT):
            return Attribution(*(getattr(self, part.name) + getattr(other, part.name) for part in fields(self)))

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


@dataclass(slots=True)
class Totals:
    """Sums over the fills of one symbol, from which their parts follow at any mid and rate: linear in the fills.

    In the quote asset; what ends in ``_rated`` is valued at each fill's own rate. ``after_rated`` sums ``s q m10 r0``.
    The ``unmarked`` sums are of fills without mids: signed quantity, what it cost, fees.
    """

    fills: int = 0
    qty: Decimal = ZERO
    paid: Decimal = ZERO
    fees: Decimal = ZERO
    qty_rated: Decimal = ZERO
    after_rated: Decimal = ZERO
    fees_rated: Decimal = ZERO
    spread: Decimal = ZERO
    adverse: Decimal = ZERO
    unmarked_fills: int = 0
    unmarked_qty: Decimal = ZERO
    unmarked_paid: Decimal = ZERO
    unmarked_fees: Decimal = ZERO

    def add(self, fill: MarkedFill) -> None:
        """Add a fill whose mid ten seconds later is known."""
        with localcontext(EXACT):
            signed, after = fill.sign * fill.qty, fill.after[ADVERSE_S]
            self.fills += 1
            self.qty += signed
            self.paid += signed * fill.price
            self.fees += fill.fee
            self.qty_rated += signed * fill.rate
            self.after_rated += signed * after * fill.rate
            self.fees_rated += fill.fee * fill.rate
            self.spread += signed * (fill.mid - fill.price) * fill.rate
            self.adverse += signed * (after - fill.mid) * fill.rate

    def add_unmarked(self, qty: Decimal, paid: Decimal, fees: Decimal, fills: int = 1) -> None:
        """Add fills without mids: their signed quantity, what it cost, and their fees."""
        with localcontext(EXACT):
            self.unmarked_fills += fills
            self.unmarked_qty += qty
            self.unmarked_paid += paid
            self.unmarked_fees += fees

    def parts(self, mid: Decimal, rate: Decimal) -> Attribution:
        """Return the parts at a mid and a rate of the quote asset."""
        with localcontext(EXACT):
            paid_rated = self.after_rated - self.spread - self.adverse
            worth_now = (self.qty * mid - self.paid - self.fees) * rate
            worth_then = self.qty_rated * mid - paid_rated - self.fees_rated
            return Attribution(
                spread=self.spread,
                adverse=self.adverse,
                drift=self.qty_rated * mid - self.after_rated,
                fees=-self.fees_rated,
                fx=worth_now - worth_then,
                unmarked=(self.unmarked_qty * mid - self.unmarked_paid - self.unmarked_fees) * rate,
            )


@dataclass(slots=True)
class MarkoutSums:
    """Sums of the markouts at one horizon."""

    fills: int = 0
    total: float = 0.0
    squares: float = 0.0

    def add(self, value: float) -> None:
        """Add one fill's markout in bp."""
        self.fills += 1
        self.total += value
        self.squares += value * value

    def markout(self, horizon_s: float) -> Markout:
        """Return the mean with its standard error."""
        if not self.fills:
            return Markout(horizon_s, 0, math.nan, math.nan)
        mean = self.total / self.fills
        if self.fills < 2:
            return Markout(horizon_s, 1, mean, math.nan)
        variance = max(0.0, (self.squares - self.fills * mean * mean) / (self.fills - 1))
        return Markout(horizon_s, self.fills, mean, math.sqrt(variance / self.fills))


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
