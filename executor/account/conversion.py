"""Conversion of each quote asset's profit to the trading currency.

Profit is exact in each quote asset. In the trading currency each amount counts at the rate of the moment when it arose.
At today's rate it is worth something else; that difference is a term of its own, ``fx`` (docs/api.md).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from executor.record.rows import MetaRow
from shared.numbers import ROUNDING, round_money

ZERO, ONE = Decimal(0), Decimal(1)
DECIMALS = 8


@dataclass(slots=True)
class Booked:
    """The part of an amount in a quote asset that was converted, and its worth in the trading currency."""

    amount: Decimal = ZERO
    worth: Decimal = ZERO


@dataclass(slots=True)
class Conversion:
    """Holds what was booked, by quote asset and term (``realised``, ``fees``, …)."""

    booked: dict[str, dict[str, Booked]] = field(default_factory=dict)

    def book(self, asset: str, amounts: Mapping[str, Decimal], rate: Decimal) -> bool:
        """Convert the change of each term since the last booking, at this rate; return True if any changed."""
        terms = self.booked.setdefault(asset, {})
        changed = False
        for term, amount in amounts.items():
            entry = terms.setdefault(term, Booked())
            if amount != entry.amount:
                change = ROUNDING.multiply(amount - entry.amount, rate)
                entry.worth += change if rate == ONE else round_money(change, DECIMALS)
                entry.amount = amount
                changed = True
        return changed

    def total(self, term: str) -> Decimal:
        """Sum a term over all quote assets, in the currency."""
        return sum((terms[term].worth for terms in self.booked.values() if term in terms), ZERO)

    def row(self) -> MetaRow:
        """Return the row for the journal."""
        state = {
            asset: {term: [str(entry.amount), str(entry.worth)] for term, entry in terms.items()}
            for asset, terms in self.booked.items()
        }
        return MetaRow("booked", json.dumps(state))


def restore_conversion(kept: str | None) -> Conversion:
    """Return the conversions that the journal holds. An older journal has none: all is converted at the first rates."""
    state = json.loads(kept or "{}")
    return Conversion(
        {
            asset: {term: Booked(Decimal(amount), Decimal(worth)) for term, (amount, worth) in terms.items()}
            for asset, terms in state.items()
        }
    )
