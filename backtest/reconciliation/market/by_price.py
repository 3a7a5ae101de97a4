"""The recorded book by price without our own orders.

Each change of an own order is looked for in the record: as the change of its level, by exactly its lots, heard within
:data:`WINDOW_NS` of the executor's own report of it. So neither clocks nor the two connections need to agree. Failing
that, a larger change of that level in the same direction is taken (others changed it in the same message). Where there
is neither, the order is taken out from its report on, and counted as not seen. Own lots are never more than the level:
what is missing then is counted as short.

Trades stay as they were: their takers come again. Checksums no longer apply. The record follows a number of levels a
side, own ones among them; a level that this pushes out of it is removed, since the record says no more of it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from backtest.data.columns import BUY, SCHEMA, SELL, Columns, Flag, Kind
from backtest.reconciliation.market.own_orders import Step
from shared.clock import MS, SECOND

WINDOW_NS = SECOND
# An order that goes so soon after its ack was never in the book.
AT_ONCE_NS = 20 * MS
Key = tuple[int, int]  # side and price
Row = tuple[int, int, int, int, int, int, int]


@dataclass(slots=True)
class TakenOut:
    """Steps by how they were seen: exactly, within a larger change, or not at all; lots that the levels lacked."""

    exact: int = 0
    within: int = 0
    unseen: int = 0
    # Orders that the exchange took and cancelled at once, as post-only: the record shows neither.
    never_rested: int = 0
    # Steps at prices that the record does not follow: there is nothing to take out.
    outside: int = 0
    short_lots: int = 0
    # Own orders that were taken out by their ids; None where the record has no single orders.
    single_orders: int | None = None


@dataclass(frozen=True, slots=True)
class _Change:
    heard_ts: int
    row: int
    lots: int


def take_out(columns: Columns, steps: Sequence[Step]) -> tuple[Columns, TakenOut]:
    """Return the rows without own orders, whose steps are in order; those from before the first row came before it."""
    rows: list[Row] = list(zip(*(column.to_pylist() for column in columns.table.columns), strict=True))
    outcome = TakenOut()
    at_row, late = _place(rows, columns.depth, steps, outcome)
    book = _Book(columns.depth, outcome)
    pending = sorted(late, key=lambda step: step.at_ts)
    made: list[Row] = []
    is_within = False
    for number, row in enumerate(rows):
        _, heard, kind, side, ticks, lots, flags = row
        while not is_within and pending and pending[0].at_ts <= heard:
            made += book.move_late(pending.pop(0), made[-1] if made else row)
        for step in at_row.get(number, ()):
            book.own(step)
        if kind in (Kind.TRADE, Kind.MARK):
            made.append(row)
            continue
        if flags & Flag.FIRST:
            book.clear()
        made.append((*row[:5], book.set((side, ticks), lots), flags))
        is_within = not flags & Flag.LAST
        if not is_within:
            made += book.trim(row)
    table = pa.table({name: [row[n] for row in made] for n, name in enumerate(SCHEMA.names)}, SCHEMA)
    return Columns(columns.pair, columns.depth, table), outcome


def _key(step: Step) -> Key:
    return (BUY if step.side == "buy" else SELL), step.price


def _place(
    rows: list[Row], depth: int, steps: Sequence[Step], outcome: TakenOut
) -> tuple[dict[int, list[Step]], list[Step]]:
    """Return the steps by the row with which each shows, and those that no row shows."""
    changes = _changes(rows, depth, {_key(step) for step in steps})
    begin = rows[0][1] if rows else 0
    at_row: dict[int, list[Step]] = defaultdict(list)
    late: list[Step] = []
    used: set[int] = set()
    newest: dict[str, int] = {}
    for step in _rested(steps, changes, outcome):
        if step.at_ts <= begin:
            at_row[0].append(step)
            continue
        theirs = changes[_key(step)]
        change = _find(theirs, step, used, newest.get(step.cl_ord_id, -1), is_exact=True)
        if change is not None:
            outcome.exact += 1
            used.add(change.row)
        else:
            change = _find(theirs, step, used, newest.get(step.cl_ord_id, -1), is_exact=False)
            outcome.within += change is not None
        if change is not None:
            at_row[change.row].append(step)
            newest[step.cl_ord_id] = change.row
        else:
            late.append(step)
            outcome.unseen += bool(theirs)
            outcome.outside += not theirs
    return at_row, late


def _rested(steps: Sequence[Step], changes: dict[Key, list[_Change]], outcome: TakenOut) -> list[Step]:
    """Return the steps but those of orders that came and went at once, and that no level shows."""
    came: dict[str, Step] = {}
    gone: set[int] = set()
    for step in steps:
        last = came.pop(step.cl_ord_id, None)
        is_same = last is not None and (last.price, last.lots) == (step.price, -step.lots)
        if last is not None and is_same and step.at_ts - last.at_ts <= AT_ONCE_NS:
            theirs = changes.get(_key(step), [])
            if all(_find(theirs, each, set(), -1, is_exact=True) is None for each in (last, step)):
                gone |= {id(last), id(step)}
                outcome.never_rested += 1
        if step.lots > 0:
            came[step.cl_ord_id] = step
    return [step for step in steps if id(step) not in gone]


def _find(theirs: list[_Change], step: Step, used: set[int], after: int, *, is_exact: bool) -> _Change | None:
    first = bisect_left(theirs, step.at_ts - WINDOW_NS, key=lambda change: change.heard_ts)
    best: _Change | None = None
    for change in theirs[first:]:
        if change.heard_ts > step.at_ts + WINDOW_NS:
            break
        if is_exact:
            fits = change.lots == step.lots and change.row not in used
        else:
            fits = change.lots >= step.lots if step.lots > 0 else change.lots <= step.lots
        nearer = best is None or abs(change.heard_ts - step.at_ts) < abs(best.heard_ts - step.at_ts)
        if fits and nearer and change.row >= after:
            best = change
    return best


def _changes(rows: list[Row], depth: int, keys: set[Key]) -> dict[Key, list[_Change]]:
    """Return the changes of levels at own prices, in order."""
    changes: dict[Key, list[_Change]] = defaultdict(list)
    book = _Levels(depth)
    for number, (_, heard, kind, side, ticks, lots, flags) in enumerate(rows):
        if kind in (Kind.TRADE, Kind.MARK):
            continue
        if flags & Flag.FIRST:
            before_it = book.sides
            book.sides = ({}, {})
        else:
            before_it = book.sides
        was = before_it[side].get(ticks, 0)
        book.set(side, ticks, lots)
        if (side, ticks) in keys and lots != was:
            changes[side, ticks].append(_Change(heard, number, lots - was))
        if flags & Flag.LAST:
            book.trim()
    return changes


class _Levels:
    """Recorded levels of both sides, as far as the record follows them."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.sides: tuple[dict[int, int], dict[int, int]] = ({}, {})

    def set(self, side: int, ticks: int, lots: int) -> None:
        if lots:
            self.sides[side][ticks] = lots
        else:
            self.sides[side].pop(ticks, None)

    def trim(self) -> list[Key]:
        """Remove the levels beyond the depth; return them."""
        gone: list[Key] = []
        for side, levels in enumerate(self.sides):
            while self.depth and len(levels) > self.depth:
                worst = min(levels) if side == BUY else max(levels)
                del levels[worst]
                gone.append((side, worst))
        return gone


class _Book:
    """The recorded levels and the own lots in them."""

    def __init__(self, depth: int, outcome: TakenOut) -> None:
        self._levels, self._outcome = _Levels(depth), outcome
        self._own: dict[Key, int] = defaultdict(int)

    def clear(self) -> None:
        self._levels.sides = ({}, {})

    def own(self, step: Step) -> None:
        """Take in a change of own lots."""
        self._own[_key(step)] += step.lots

    def set(self, key: Key, lots: int) -> int:
        """Set what the record has at a level; return what others have of it."""
        self._levels.set(*key, lots)
        return self._others(key)

    def move_late(self, step: Step, before: Row) -> list[Row]:
        """Take in a change that the record does not show; return the row by which others' lots change."""
        self.own(step)
        key = _key(step)
        if key[1] not in self._levels.sides[key[0]]:
            return []
        return [(before[0], max(before[1], step.at_ts), int(Kind.LEVEL), *key, self._others(key), int(Flag.LAST))]

    def trim(self, after: Row) -> list[Row]:
        """Return rows that remove the levels which own ones push beyond the depth; others' go by themselves."""
        sides = {side for (side, _), lots in self._own.items() if lots > 0}
        gone = [key for key in self._levels.trim() if key[0] in sides]
        return [(after[0], after[1], int(Kind.LEVEL), *key, 0, int(Flag.LAST)) for key in gone]

    def _others(self, key: Key) -> int:
        lots, own = self._levels.sides[key[0]].get(key[1], 0), max(0, self._own[key])
        self._outcome.short_lots += max(0, own - lots) if lots else 0
        return max(0, lots - own)
