"""The journal's rows: what the cores record, and what a start reads.

Numbers are decimal text, so that old rows stay readable when a pair's precision changes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import Any  # Any: SQLite gives values without types

from executor.account.ledger import Entry, Holding

REST = "REST"  # the ``symbol`` of a REST call, which counts on the key's own counter


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order as it is now; numbers as decimal text, ``amend`` and ``stamps`` as JSON."""

    cl_ord_id: str
    order_id: str
    strategy: str
    symbol: str
    slot: str
    side: str
    price: str
    qty: str
    filled: str
    state: str
    is_live: bool
    error: str
    amend: str
    deadline_ts: int
    created_ts: int
    touched_ts: int
    changed_ts: int
    stamps: str


@dataclass(frozen=True, slots=True)
class FillRow:
    """One fill; numbers as decimal text, ``fill_ts`` the exchange's time in ns since the epoch."""

    exec_id: str
    cl_ord_id: str
    order_id: str
    strategy: str
    symbol: str
    side: str
    price: str
    qty: str
    cost: str
    fee: str
    fee_asset: str
    fill_ts: int


@dataclass(frozen=True, slots=True)
class BeforeRow:
    """A fill older than the journal's opening: it was seen, and must not be counted."""

    exec_id: str


@dataclass(frozen=True, slots=True)
class SendRow:
    """A transaction that leaves for the exchange, with its points on the pair's counter.

    A REST call, which counts on the key's own counter, has the symbol :data:`REST`.
    """

    sent_ts: int
    symbol: str
    method: str
    points: float
    orders: str


@dataclass(frozen=True, slots=True)
class HoldingRow:
    """An asset's holding as JSON."""

    asset: str
    state: str


@dataclass(frozen=True, slots=True)
class MetaRow:
    """A named value."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event of an order, for ``why``: the ``n``th, counted from 0, and the order's ``state`` after it.

    A later event with the same ``place`` overwrites it. ``event_ts`` is ns since the epoch, ``data`` JSON.
    """

    cl_ord_id: str
    place: int
    n: int
    event_ts: int
    kind: str
    state: str
    data: str


@dataclass(frozen=True, slots=True)
class MarkRow:
    """The mids around a fill as decimal text, empty where not known: at the fill, and ``after`` by horizon (s) as JSON.

    ``rate`` is the worth of the quote asset at the fill. ``is_done`` once the last horizon has passed.
    """

    exec_id: str
    mid: str
    rate: str
    after: str
    is_done: bool


Row = OrderRow | FillRow | BeforeRow | SendRow | HoldingRow | MetaRow | EventRow | MarkRow | Entry


def holding_row(asset: str, holding: Holding) -> HoldingRow:
    """Return a holding as its row."""
    state = {
        "opening": str(holding.opening),
        "balance": str(holding.balance),
        "transfers": str(holding.transfers),
        "effects": str(holding.effects),
        "settled": str(holding.settled),
        "open_legs": {exec_id: str(effect) for exec_id, effect in holding.open_legs.items()},
    }
    return HoldingRow(asset, json.dumps(state))


def columns(kind: type) -> str:
    """Return a kind of row's columns as SQL lists them, in the order of its fields."""
    return ", ".join(field.name for field in fields(kind))


def order_row(row: tuple[Any, ...]) -> OrderRow:  # as SQLite returns it
    """Return an :class:`OrderRow` from values selected in the order of its columns."""
    values = dict(zip((field.name for field in fields(OrderRow)), row, strict=True))
    return OrderRow(**{**values, "is_live": bool(values["is_live"])})
