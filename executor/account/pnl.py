"""Profit by weighted-average cost. All amounts are Decimals in quote currency."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from shared.messages import Profit, Side
from shared.numbers import plain, round_money

ZERO = Decimal(0)


@dataclass(slots=True)
class Pnl:
    """One symbol: base traded since the journal began, what it cost, and what was realised and paid in fees."""

    qty: Decimal = ZERO
    cost: Decimal = ZERO
    realised: Decimal = ZERO
    fees: Decimal = ZERO

    def fill(self, side: Side, qty: Decimal, price: Decimal, fee: Decimal) -> None:
        """Take one fill."""
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
        """Return what closing at ``mid`` would realise."""
        return self.qty * mid - self.cost

    def profit(self, mid: Decimal) -> Decimal:
        """Return what was made, fees paid, if the position closed at ``mid``."""
        return self.realised + self.unrealised(mid) - self.fees

    def row(self, mid: Decimal | None, *, is_stale: bool) -> Profit:
        """Return the row for the bus: money to 8 decimals, marked to the last good mid (unrealised is 0 before it)."""
        average = self.cost / self.qty if self.qty else None
        return Profit(
            realised=plain(round_money(self.realised, 8)),
            unrealised=plain(round_money(self.unrealised(mid), 8)) if mid is not None else "0",
            fees=plain(self.fees),
            qty=plain(self.qty),
            average_price=plain(round_money(average, 8)) if average is not None else "",
            mid=plain(mid) if mid is not None else "",
            is_stale=is_stale,
        )
