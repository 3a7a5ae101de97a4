"""Sums of fills: counts and positions by strategy and symbol, profit by symbol."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from executor.account.pnl import Pnl
from executor.record.rows import FillRow
from shared.messages import Side

ZERO = Decimal(0)


@dataclass(slots=True)
class Tally:
    """One strategy's fills on one symbol: their number, the base they add up to, and each side's last number."""

    count: int = 0
    position: Decimal = ZERO
    last: dict[str, int] = field(default_factory=dict)

    def add(self, side: str, qty: Decimal) -> None:
        """Count one more fill."""
        self.count += 1
        self.position += qty if side == "buy" else -qty
        self.last[side] = self.count


def add_fill(tallies: dict[tuple[str, str], Tally], profits: dict[str, Pnl], row: FillRow) -> None:
    """Count a journaled fill."""
    tallies.setdefault((row.strategy, row.symbol), Tally()).add(row.side, Decimal(row.qty))
    fee = Decimal(row.fee) if row.fee_asset == row.symbol.partition("/")[2] else ZERO
    side: Side = "buy" if row.side == "buy" else "sell"
    profits.setdefault(row.symbol, Pnl()).fill(side, Decimal(row.qty), Decimal(row.price), fee)
