"""What was lost since the day (UTC) began, transfers left out, and what it is measured from. A core.

The baseline is the profit at the day's beginning, every position marked to its mid then. A pair without a mid now
(after a restart, until its book comes) counts at its mark of then: it neither loses nor gains. One that had none then
either is left out of both, and counts from its first mid on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from executor.pnl import Pnl
from executor.rows import MetaRow

ZERO = Decimal(0)


@dataclass(slots=True)
class Day:
    """``date`` is UTC, empty before the first; ``made`` and ``marks`` are its beginning's, in quote currency.

    ``marks`` has a row for each position that there was then, None for one without a mid.
    """

    date: str = ""
    made: Decimal = ZERO
    marks: dict[str, Decimal | None] = field(default_factory=dict)

    def begin(self, date: str, profits: Mapping[str, Pnl], mids: Mapping[str, Decimal]) -> None:
        """A new day is measured from here."""
        self.date = date
        self.marks = {symbol: mids.get(symbol) for symbol, pnl in profits.items() if pnl.qty}
        self.made = self._made(profits, mids)

    def mark(self, profits: Mapping[str, Pnl], mids: Mapping[str, Decimal]) -> bool:
        """Takes pairs in that had no mid before; True when there were any."""
        first = [symbol for symbol, mark in self.marks.items() if mark is None and symbol in mids]
        for symbol in first:
            self.marks[symbol] = mids[symbol]
            self.made += profits[symbol].unrealised(mids[symbol])
        return bool(first)

    def loss(self, profits: Mapping[str, Pnl], mids: Mapping[str, Decimal]) -> Decimal:
        """The loss since the beginning; negative for a gain."""
        return self.made - self._made(profits, mids)

    def rows(self) -> list[MetaRow]:
        """For the journal."""
        marks = {symbol: str(mark) if mark is not None else None for symbol, mark in self.marks.items()}
        return [MetaRow("day", f"{self.date} {self.made}"), MetaRow("marks", f"{self.date} {json.dumps(marks)}")]

    def _made(self, profits: Mapping[str, Pnl], mids: Mapping[str, Decimal]) -> Decimal:
        made = ZERO
        for symbol, pnl in profits.items():
            mid = mids.get(symbol, self.marks.get(symbol))
            made += pnl.realised - pnl.fees + (pnl.unrealised(mid) if mid is not None else ZERO)
        return made


def restore_day(day: str | None, marks: str | None) -> Day:
    """The day as the journal keeps it; one of an older journal has no marks."""
    date, _, made = (day or "").partition(" ")
    found = Day(date, Decimal(made or 0))
    of, _, kept = (marks or "").partition(" ")
    if of == date and kept:
        found.marks = {s: Decimal(mark) if mark is not None else None for s, mark in json.loads(kept).items()}
    return found
