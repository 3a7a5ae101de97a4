"""Own orders and fills: what a filter leaves of them, as tables and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec

from monitor.model.sections import FillShown, OrderShown
from monitor.web import staleness
from monitor.web.drawing import markup
from monitor.web.drawing.markup import Cell, Column
from shared import limits

ORDERS: Final = (
    Column("changed, UTC"),
    Column("pair"),
    Column("side"),
    Column("price", True),
    Column("quantity", True),
    Column("filled", True),
    Column("state"),
    Column("strategy"),
    Column("slot"),
    Column("client order id"),
    Column("error"),
)
FILLS: Final = (
    Column("time, UTC"),
    Column("pair"),
    Column("side"),
    Column("price", True),
    Column("quantity", True),
    Column("fee", True),
    Column("strategy"),
    Column("client order id"),
    Column("execution id"),
)
FILL_FIELDS: Final = (
    "exec_id", "cl_ord_id", "order_id", "strategy", "symbol", "side", "price", "qty", "fee", "ts",
)  # fmt: skip
ORDER_FIELDS: Final = (
    "cl_ord_id", "order_id", "strategy", "symbol", "slot", "side", "price", "qty", "filled", "state", "error",
    "created_ts", "changed_ts",
)  # fmt: skip


Record = TypeVar("Record", OrderShown, FillShown)


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter of orders and fills; an empty one leaves everything. ``text`` is searched in every field."""

    symbol: str = ""
    side: str = ""
    text: str = ""

    def leaves(self, records: Iterable[Record]) -> list[Record]:
        """Return the records that fit, in their order."""
        wanted = self.text.strip().lower()
        return [
            record
            for record in records
            if (not self.symbol or record.symbol == self.symbol)
            and (not self.side or record.side == self.side)
            and (not wanted or any(wanted in str(value).lower() for value in msgspec.structs.astuple(record)))
        ]


def orders(records: Sequence[OrderShown], *, known: bool, empty: str = "no order fits") -> str:
    """Return the table of orders: live ones first, then those ended in the last minute; newest first in each."""
    newest = sorted(records, key=lambda order: (order.is_live, order.changed_ts), reverse=True)
    rows: list[list[Cell | str]] = [
        [
            staleness.clock(order.changed_ts),
            order.symbol,
            markup.side(order.side),
            order.price,
            order.qty,
            order.filled,
            markup.state(order.state),
            order.strategy,
            order.slot,
            order.cl_ord_id,
            order.error,
        ]
        for order in newest[: limits.WEB_ROWS]
    ]
    return markup.table("orders", ORDERS, rows, empty if known else UNKNOWN)


UNKNOWN: Final = "the executor has not published its orders yet"


def fills(records: Sequence[FillShown]) -> str:
    """Return the table of fills, newest first."""
    rows: list[list[Cell | str]] = [
        [
            staleness.day_and_clock(fill.ts),
            fill.symbol,
            markup.side(fill.side),
            fill.price,
            fill.qty,
            fill.fee,
            fill.strategy,
            fill.cl_ord_id,
            fill.exec_id,
        ]
        for fill in list(reversed(records))[: limits.WEB_ROWS]
    ]
    return markup.table("fills", FILLS, rows, "no fill fits")


def to_csv(fields: Sequence[str], records: Iterable[OrderShown | FillShown]) -> bytes:
    """Return the records as CSV with a head, numbers as the API wrote them."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(fields)
    writer.writerows([_plain(getattr(record, name)) for name in fields] for record in records)
    return text.getvalue().encode()


def _plain(value: object) -> object:
    """Return a value that no spreadsheet takes for a formula; numbers may begin with a minus."""
    if isinstance(value, str) and value[:1] in ("=", "+", "@", "\t"):
        return f"'{value}"
    return "" if value is None else value
