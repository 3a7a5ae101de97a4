"""Where orders stand in their queues when a comparison begins, by what was recorded before."""

from __future__ import annotations

import pyarrow as pa

from backtest.data.columns import BUY, SCHEMA, SELL, Columns, Flag, Kind
from backtest.data.window import window
from backtest.reconciliation.start import with_places
from shared.clock import SECOND
from shared.messages import Order, Orders, OrderState
from tests.kit.pairs import BTC

WALL = 1_000_000 * SECOND
BEGIN = 50 * SECOND
FIRST, LAST = int(Flag.FIRST), int(Flag.LAST)
ASK = 900_000
Row = tuple[int, Kind, int, int, int, int]
START: list[Row] = [
    (1, Kind.SNAPSHOT, BUY, 800_000, 5, FIRST),
    (1, Kind.SNAPSHOT, SELL, ASK, 5, LAST),
    (20, Kind.LEVEL, SELL, ASK, 12, LAST),
]


def columns(rows: list[Row]) -> Columns:
    made = [(WALL + s * SECOND, WALL + s * SECOND, int(kind), *rest) for s, kind, *rest in rows]
    table = pa.table({name: [row[n] for row in made] for n, name in enumerate(SCHEMA.names)}, SCHEMA)
    return Columns(BTC, 10, table)


def resting(acked_s: int) -> list[tuple[Orders, Order]]:
    """Return an own offer of three lots at the ask that was acked then."""
    order = Order(
        cl_ord_id="c", order_id="o", strategy="s", slot="a0", side="sell", price=ASK, qty=3, filled=0,
        state=OrderState.OPEN, sent=acked_s * SECOND - 1000, acked=acked_s * SECOND,
    )  # fmt: skip
    return [(Orders(symbol=BTC.symbol, valid=True, orders=[order]), order)]


def begun(rows: list[Row], acked_s: int) -> list[tuple[int, int, int, int]]:
    """Return the rows of the beginning: kind, price, lots, flags."""
    whole = columns(rows)
    part = Columns(BTC, 10, window(BTC, whole.table, WALL + BEGIN, None))
    made = with_places(part, whole, resting(acked_s), "pro_rata", WALL).table
    assert set(made["exchange_ts"].to_pylist()[:2]) == {WALL + BEGIN}
    return [(row["kind"], row["ticks"], row["lots"], row["flags"]) for row in made.to_pylist()]


LATER: list[Row] = [(60, Kind.LEVEL, BUY, 800_000, 6, LAST)]
AFTER = (int(Kind.LEVEL), 800_000, 6, LAST)


def test_what_came_before_an_order_and_has_not_traded_is_ahead_of_it() -> None:
    traded = [(30, Kind.TRADE, BUY, ASK, 3, LAST), (30, Kind.LEVEL, SELL, ASK, 9, LAST)]
    assert begun([*START, *traded, *LATER], 10) == [
        (Kind.SNAPSHOT, 800_000, 5, FIRST),
        (Kind.SNAPSHOT, ASK, 2, LAST),
        (Kind.LEVEL, ASK, 9, LAST),
        AFTER,
    ]


def test_nothing_is_ahead_of_an_order_that_the_record_would_have_filled() -> None:
    traded = [(30, Kind.TRADE, BUY, ASK, 9, LAST), (30, Kind.LEVEL, SELL, ASK, 3, LAST)]
    assert begun([*START, *traded, *LATER], 10) == [
        (Kind.SNAPSHOT, 800_000, 5, FIRST | LAST),
        (Kind.LEVEL, ASK, 3, LAST),
        AFTER,
    ]


def test_an_order_whose_way_is_not_recorded_stands_last() -> None:
    for acked_s in (1, 0):
        assert begun([*START, *LATER], acked_s) == [
            (Kind.SNAPSHOT, 800_000, 5, FIRST),
            (Kind.SNAPSHOT, ASK, 12, LAST),
            AFTER,
        ]
