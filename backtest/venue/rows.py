"""Rows of all symbols as a queue market takes them: ``data.columns`` with the symbol's number beside each."""

from __future__ import annotations

from struct import calcsize
from typing import Literal, NamedTuple, Protocol

from backtest.data.columns import SELL, Kind
from simulator.errors import EngineError


class ReadableBuffer(Protocol):
    """Bytes, or an array of any library, by the buffer protocol."""

    def __buffer__(self, flags: int, /) -> memoryview: ...


class Row(NamedTuple):
    """One row."""

    exchange_ts: int
    heard_ts: int
    symbol: int
    kind: int
    side: int
    ticks: int
    lots: int
    flags: int
    # The number of a single order, by which the record names it.
    order: int = 0


ORDER_FORMAT: Literal["I"] = "I"
# The columns' item formats, as in the struct module.
FORMATS: tuple[Literal["q", "H", "B"], ...] = ("q", "q", "H", "B", "B", "q", "q", "B")


def to_rows(
    columns: tuple[ReadableBuffer, ...], orders: ReadableBuffer | None, symbols: int, not_before: int
) -> list[Row]:
    """Return the rows of these columns. Raises EngineError if they are no rows, or not in the order of time."""
    views = []
    given = [*zip(columns, FORMATS, strict=True), *([] if orders is None else [(orders, ORDER_FORMAT)])]
    for column, item in given:
        flat = memoryview(column).cast("B")
        if len(flat) % calcsize(item):
            raise EngineError("a column does not end with a whole value")
        views.append(flat.cast(item))
    if len({len(view) for view in views}) != 1:
        raise EngineError("the columns are not of one length")
    rows = [Row(*values) for values in zip(*views, strict=True)]
    for row in rows:
        if row.exchange_ts < not_before:
            raise EngineError("the rows are not in the order of the exchange's time")
        not_before = row.exchange_ts
        is_row = row.symbol < symbols and row.kind <= Kind.ORDER_SNAPSHOT and row.side <= SELL
        if not is_row or row.ticks < 0 or row.lots < 0:
            raise EngineError("a row's symbol, kind, side, ticks or lots is out of range")
    return rows
