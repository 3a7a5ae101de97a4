"""The loss since the day (UTC) began, without transfers, and the baseline that it is measured from.

The baseline is the profit at the day's beginning, every position marked to its mid then. A pair without a mid now
(after a restart, until its book comes) counts at that mark: it neither loses nor gains. One that had no mid then either
counts from its first one on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from executor.account.pnl import Pnl
from executor.record.rows import MetaRow
from shared.valuation import legs

ZERO = Decimal(0)


@dataclass(slots=True)
class Day:
    """One day. ``date`` is UTC, empty before the first day; ``made`` is the profit at its beginning, by quote asset.

    ``marks`` has the mid of each pair with a position then, None for one without. Amounts are in quote assets.
    """

    date: str = ""
    made: dict[str, Decimal] = field(default_factory=dict)
    marks: dict[str, Decimal | None] = field(default_factory=dict)

    def begin(self, date: str, profits: Mapping[str, Pnl], mids: Mapping[str, Decimal]) -> None:
        """Measure a new day from here."""
        self.date = date
        self.marks = {symbol: mids.get(symbol) for symbol, pnl in profits.items() if pnl.qty}
        self.made = self._made(profits, mids)

    def mark(self, profits: Mapping[str, Pnl], mids: Mapping[str, Decimal]) -> bool:
        """Mark the pairs that get their first mid now; return True if there are any."""
        first = [symbol for symbol, mark in self.marks.items() if mark is None and symbol in mids]
        for symbol in first:
            self.marks[symbol] = mids[symbol]
            quote = legs(symbol)[1]
            self.made[quote] = self.made.get(quote, ZERO) + profits[symbol].unrealised(mids[symbol])
        return bool(first)

    def losses(self, profits: Mapping[str, Pnl], mids: Mapping[str, Decimal]) -> dict[str, Decimal]:
        """Return the loss since the beginning by quote asset; negative for a gain."""
        now = self._made(profits, mids)
        return {quote: self.made.get(quote, ZERO) - now.get(quote, ZERO) for quote in {*self.made, *now}}

    def rows(self) -> list[MetaRow]:
        """Return the rows for the journal."""
        made = {quote: str(amount) for quote, amount in self.made.items()}
        marks = {symbol: str(mark) if mark is not None else None for symbol, mark in self.marks.items()}
        return [MetaRow("day", f"{self.date} {json.dumps(made)}"), MetaRow("marks", f"{self.date} {json.dumps(marks)}")]

    def _made(self, profits: Mapping[str, Pnl], mids: Mapping[str, Decimal]) -> dict[str, Decimal]:
        made: dict[str, Decimal] = {}
        for symbol, pnl in profits.items():
            mid = mids.get(symbol, self.marks.get(symbol))
            amount = pnl.realised - pnl.fees + (pnl.unrealised(mid) if mid is not None else ZERO)
            quote = legs(symbol)[1]
            made[quote] = made.get(quote, ZERO) + amount
        return made


def restore_day(day: str | None, marks: str | None, currency: str) -> Day:
    """Return the day that the journal holds; an older journal has a single amount, or no marks."""
    date, _, made = (day or "").partition(" ")
    amounts = json.loads(made) if made.startswith("{") else {currency: made} if made else {}
    result = Day(date, {quote: Decimal(amount) for quote, amount in amounts.items()})
    marked_date, _, kept = (marks or "").partition(" ")
    if marked_date == date and kept:
        result.marks = {s: Decimal(mark) if mark is not None else None for s, mark in json.loads(kept).items()}
    return result
