"""The difference in profit, by cause: exact, and adding up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext

from backtest.reconciliation.causes import Cause, Explained
from backtest.reconciliation.matching import Beside, OwnFill
from shared.messages import Pair
from shared.numbers import EXACT, ROUNDING, unscale
from shared.valuation import legs

# The share of a fee is rounded to this; the last lots of the fill bear the rest.
DIGITS = Decimal("1E-18")


@dataclass(frozen=True, slots=True)
class Difference:
    """Profit of both sides' fills at the last mids in the trading currency, and live less played by cause.

    ``matched`` is what matched lots make of it: they differ in nothing but their fees.
    """

    live: Decimal
    played: Decimal
    by_cause: dict[Cause, Decimal]
    matched: Decimal

    @property
    def unexplained(self) -> Decimal:
        """Return what the parts leave of the difference: zero to the last digit."""
        with localcontext(EXACT):
            return self.live - self.played - sum(self.by_cause.values(), Decimal(0)) - self.matched


@dataclass(frozen=True, slots=True)
class Values:
    """The prices at the end: mids by symbol in the quote asset, worth of quote assets in the trading currency."""

    pairs: Mapping[str, Pair]
    mids: Mapping[str, Decimal]
    rates: Mapping[str, Decimal]

    def profit(self, fill: OwnFill, lots: int, fee: Decimal) -> Decimal:
        """Return what lots of a fill have earned until the end, less a fee."""
        pair, rate = self.pairs[fill.symbol], self.rates[legs(fill.symbol)[1]]
        sign = 1 if fill.side == "buy" else -1
        with localcontext(EXACT):
            gain = self.mids[fill.symbol] - unscale(fill.price, pair.price_precision)
            return (sign * unscale(lots, pair.qty_precision) * gain - fee) * rate


def difference(
    live: list[OwnFill], played: list[OwnFill], beside: Beside, explained: Iterable[Explained], values: Values
) -> Difference:
    """Return the difference in profit by cause; each fill's fee is shared among its lots."""
    by_cause: dict[Cause, Decimal] = defaultdict(Decimal)
    fees = _Fees()
    with localcontext(EXACT):
        matched = Decimal(0)
        for piece in beside.matched:
            assert piece.live is not None
            assert piece.played is not None
            matched += values.profit(piece.live, piece.lots, fees.take(piece.live, piece.lots))
            matched -= values.profit(piece.played, piece.lots, fees.take(piece.played, piece.lots))
        for each in explained:
            profit = values.profit(each.piece.fill, each.piece.lots, fees.take(each.piece.fill, each.piece.lots))
            by_cause[each.cause] += profit if each.piece.live is not None else -profit
        return Difference(
            sum((values.profit(fill, fill.lots, fill.fee) for fill in live), Decimal(0)),
            sum((values.profit(fill, fill.lots, fill.fee) for fill in played), Decimal(0)),
            dict(by_cause),
            matched,
        )


class _Fees:
    """Shares each fill's fee among its pieces."""

    def __init__(self) -> None:
        self._left: dict[str, tuple[int, Decimal]] = {}

    def take(self, fill: OwnFill, lots: int) -> Decimal:
        """Return the fee of some lots of a fill; each lot is taken once."""
        left, fee = self._left.get(fill.key, (fill.lots, fill.fee))
        with localcontext(ROUNDING):
            share = fee if lots == left else (fee * lots / left).quantize(DIGITS)
        with localcontext(EXACT):
            self._left[fill.key] = left - lots, fee - share
        return share
