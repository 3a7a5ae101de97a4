"""Marks: the mids around each fill, from which markouts and attribution follow (:mod:`shared.attribution`).

The mid just before a fill and those after it are looked up in a short history of the books, by the exchange's time. A
mid that was not heard, because a book was not live or nothing ran, stays unknown: the fill then counts as unmarked.
"""

from __future__ import annotations

import heapq
import json
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Final

from executor.account.pnl import Pnl
from executor.market import mid_of
from executor.record.rows import FillRow, MarkRow, MetaRow, Row
from shared import limits
from shared.attribution import (
    ADVERSE_S,
    HORIZONS_S,
    Attribution,
    MarkedFill,
    Markout,
    MarkoutSums,
    Totals,
    attribute,
)
from shared.clock import SECOND
from shared.messages import Book, BookState
from shared.valuation import legs

ZERO: Final = Decimal(0)
KEY: Final = "attribution"
KEPT_NS: Final = int(limits.MIDS_KEPT_S * SECOND)
# A book's message may come so much later than what it shows happened.
LATE_NS: Final = int(limits.MARK_WAITS_S * SECOND)


@dataclass(slots=True)
class History:
    """The mids of one symbol over the last minutes, by the exchange's time; None while its book is not live."""

    ts: list[int] = field(default_factory=list)
    mids: list[Decimal | None] = field(default_factory=list)

    def add(self, ts: int, mid: Decimal | None) -> None:
        """Note the mid from ``ts`` on; times that go back count as the last one."""
        if self.mids and self.mids[-1] == mid:
            return
        if self.ts and ts <= self.ts[-1]:
            self.mids[-1] = mid
            return
        self.ts.append(ts)
        self.mids.append(mid)
        if len(self.ts) > limits.MIDS_KEPT or (self.ts[0] < ts - 2 * KEPT_NS and len(self.ts) > 1):
            keep = max(bisect_right(self.ts, ts - KEPT_NS) - 1, len(self.ts) - limits.MIDS_KEPT, 0)
            del self.ts[:keep], self.mids[:keep]

    def at(self, ts: int) -> Decimal | None:
        """Return the mid at a time; None where it is not known."""
        place = bisect_right(self.ts, ts) - 1
        return self.mids[place] if place >= 0 else None


@dataclass(slots=True)
class Pending:
    """A fill of the last minute, with the mids known so far."""

    row: FillRow
    mid: Decimal | None
    rate: Decimal | None
    after: dict[float, Decimal] = field(default_factory=dict)

    def marked(self) -> MarkedFill | None:
        """Return the fill with its marks; None if the mid or the rate at the fill is not known."""
        if self.mid is None or self.rate is None:
            return None
        row = self.row
        fee = Decimal(row.fee) if row.fee_asset == legs(row.symbol)[1] else ZERO
        return MarkedFill(
            row.symbol,
            row.fill_ts,
            "buy" if row.side == "buy" else "sell",
            Decimal(row.price),
            Decimal(row.qty),
            fee,
            self.mid,
            self.after,
            self.rate,
        )

    def journal_row(self, *, is_done: bool) -> MarkRow:
        """Return the journal's row."""
        after = {f"{horizon:g}": str(mid) for horizon, mid in self.after.items()}
        return MarkRow(self.row.exec_id, _text(self.mid), _text(self.rate), json.dumps(after), is_done)


class Marks:
    """Marks fills as their mids come, and adds them up. Times are the exchange's, ns since the epoch."""

    def __init__(self) -> None:
        self.totals: dict[str, Totals] = {}
        self.sums = {horizon: MarkoutSums() for horizon in HORIZONS_S}
        self._history: dict[str, History] = {}
        self._pending: dict[str, Pending] = {}
        self._due: list[tuple[int, str, float]] = []

    # --- restoring -----------------------------------------------------------------------------------------------

    def restore(
        self,
        kept: str | None,
        pnl: Mapping[str, Pnl],
        counts: Mapping[str, int],
        pending: Iterable[tuple[FillRow, MarkRow]],
    ) -> None:
        """Take what the journal holds; the fills of one that never marked any are unmarked, ``counts`` by symbol."""
        if kept is None:
            for symbol, made in pnl.items():
                paid = made.cost - made.realised
                self._total(symbol).add_unmarked(made.qty, paid, made.fees, counts.get(symbol, 0))
        else:
            self._read(kept)
        for row, mark in pending:
            after = {float(horizon): Decimal(mid) for horizon, mid in json.loads(mark.after).items()}
            self._expect(Pending(row, _number(mark.mid), _number(mark.rate), after))

    def _read(self, kept: str) -> None:
        state = json.loads(kept)
        for symbol, values in state["totals"].items():
            total = self._total(symbol)
            for name, value in values.items():
                setattr(total, name, value if isinstance(value, int) else Decimal(value))
        for horizon, values in state["markouts"].items():
            self.sums[float(horizon)] = MarkoutSums(*values)

    # --- events --------------------------------------------------------------------------------------------------

    def book(self, book: Book, now_ts: int) -> None:
        """Note a book's mid, at the frame's own time where it has one."""
        ticks = mid_of(book) if book.state is BookState.LIVE else None
        mid = ticks.scaleb(-book.price_precision) if ticks is not None else None
        self._history.setdefault(book.symbol, History()).add(book.exchange_ts or now_ts, mid)

    def fill(self, row: FillRow, rate: Decimal | None) -> MarkRow:
        """Mark a new fill; ``rate`` values its quote asset. Return the journal's row."""
        history = self._history.get(row.symbol)
        # The mid as it stood before the trade: what the trade itself did to it is adverse selection.
        pending = Pending(row, history.at(row.fill_ts - 1) if history is not None else None, rate)
        self._expect(pending)
        return pending.journal_row(is_done=False)

    def turn(self, now_ts: int) -> list[Row]:
        """Take the mids that are due; return the rows for the journal."""
        touched: dict[str, None] = {}
        finished: set[str] = set()
        while self._due and self._due[0][0] + LATE_NS <= now_ts:
            due, exec_id, horizon = heapq.heappop(self._due)
            pending = self._pending[exec_id]
            history = self._history.get(pending.row.symbol)
            mid = history.at(due) if history is not None else None
            if mid is not None:
                pending.after[horizon] = mid
            touched[exec_id] = None
            if horizon == HORIZONS_S[-1]:
                finished.add(exec_id)  # the nearer ones were due before
        rows: list[Row] = []
        for exec_id in touched:
            pending = self._pending[exec_id]
            rows.append(pending.journal_row(is_done=exec_id in finished))
            if exec_id in finished:
                self._add_up(self._pending.pop(exec_id))
        return [*rows, self._meta_row()] if finished else rows

    def _expect(self, pending: Pending) -> None:
        exec_id, ts = pending.row.exec_id, pending.row.fill_ts
        self._pending[exec_id] = pending
        for horizon in HORIZONS_S:
            if horizon not in pending.after:
                heapq.heappush(self._due, (ts + int(horizon * SECOND), exec_id, horizon))

    def _add_up(self, pending: Pending) -> None:
        fill = pending.marked()
        if fill is None or ADVERSE_S not in fill.after:
            self._total(pending.row.symbol).add_unmarked(*_unmarked(pending.row))
            return
        self._total(fill.symbol).add(fill)
        for horizon, sums in self.sums.items():
            value = fill.markout_bps(horizon)
            if value is not None:
                sums.add(value)

    def _total(self, symbol: str) -> Totals:
        return self.totals.setdefault(symbol, Totals())

    def _meta_row(self) -> MetaRow:
        totals = {
            symbol: {
                each.name: value if isinstance(value := getattr(total, each.name), int) else str(value)
                for each in fields(total)
            }
            for symbol, total in self.totals.items()
        }
        sums = {f"{h:g}": [sums.fills, sums.total, sums.squares] for h, sums in self.sums.items()}
        return MetaRow(KEY, json.dumps({"totals": totals, "markouts": sums}))

    # --- queries -------------------------------------------------------------------------------------------------

    def parts(self, mids: Mapping[str, Decimal], rates: Mapping[str, Decimal]) -> dict[str, Attribution]:
        """Return the parts by symbol; a symbol without its mid or its quote's rate is left out.

        ``mids`` are by symbol, ``rates`` by quote asset.
        """
        made: dict[str, Attribution] = {}
        for symbol in {*self.totals, *(pending.row.symbol for pending in self._pending.values())}:
            mid, rate = mids.get(symbol), rates.get(legs(symbol)[1])
            if mid is not None and rate is not None:
                made[symbol] = self.totals.get(symbol, Totals()).parts(mid, rate) + self._young(symbol, mid, rate)
        return made

    def _young(self, symbol: str, mid: Decimal, rate: Decimal) -> Attribution:
        """Return the parts of the fills of the last minute."""
        marked, unmarked = [], Totals()
        for pending in self._pending.values():
            if pending.row.symbol == symbol:
                fill = pending.marked()
                if fill is None:
                    unmarked.add_unmarked(*_unmarked(pending.row))
                else:
                    marked.append(fill)
        return attribute(marked, {symbol: mid}, {symbol: rate}) + unmarked.parts(mid, rate)

    @property
    def unmarked(self) -> int:
        """Return how many fills have no marks."""
        return sum(total.unmarked_fills for total in self.totals.values())

    def markouts(self) -> list[Markout]:
        """Return the mean markout at each horizon, over the fills that are older than a minute."""
        return [sums.markout(horizon) for horizon, sums in self.sums.items()]


def _unmarked(row: FillRow) -> tuple[Decimal, Decimal, Decimal]:
    """Return a fill's signed quantity, what it cost, and its fee in the quote asset."""
    sign = 1 if row.side == "buy" else -1
    fee = Decimal(row.fee) if row.fee_asset == legs(row.symbol)[1] else ZERO
    return sign * Decimal(row.qty), sign * Decimal(row.cost), fee


def _text(number: Decimal | None) -> str:
    return "" if number is None else str(number)


def _number(text: str) -> Decimal | None:
    return Decimal(text) if text else None
