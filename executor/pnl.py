"""Profit by weighted-average cost (MARKET.md). A core; all amounts are Decimals in quote currency."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from shared.messages import Side

ZERO = Decimal(0)


@dataclass(slots=True)
class Pnl:
    """One symbol: base traded since the journal began, what it cost, and what was realised and paid in fees."""

    qty: Decimal = ZERO
    cost: Decimal = ZERO
    realised: Decimal = ZERO
    fees: Decimal = ZERO

    def fill(self, side: Side, qty: Decimal, price: Decimal, fee: Decimal) -> None:
        """One fill."""
        signed = qty if side == "buy" else -qty
        self.fees += fee
        if self.qty and (self.qty > 0) != (signed > 0):
            closed = min(abs(signed), abs(self.qty))
            sign = 1 if self.qty > 0 else -1
            share = self.cost * closed / abs(self.qty)
            self.realised += sign * closed * price - share
            self.cost -= share
            self.qty -= sign * closed
            signed += sign * closed
            if not self.qty:
                self.cost = ZERO
        self.qty += signed
        self.cost += signed * price

    def unrealised(self, mid: Decimal) -> Decimal:
        """What closing at ``mid`` would realise."""
        return self.qty * mid - self.cost
