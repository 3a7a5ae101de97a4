"""Where orders stand in their queues when a comparison begins, by what was recorded before."""

from __future__ import annotations

import pyarrow as pa

from backtest.data.columns import BUY, ORDERS_SCHEMA, SCHEMA, SELL, Columns, Flag, Kind, OrderEvent, SingleOrders
from backtest.reconciliation.market import places
from backtest.reconciliation.market.by_price import TakenOut
from backtest.reconciliation.market.without_us import WithoutUs
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
    market = WithoutUs(whole, whole, TakenOut())
    made = places.begun(market, resting(acked_s), WALL + BEGIN, "pro_rata", WALL).table
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


OrderRow = tuple[int, OrderEvent, str, int, int, int]


def single_orders(rows: list[OrderRow]) -> SingleOrders:
    """Return rows at the ask."""
    made = [
        (WALL + s * SECOND, WALL + s * SECOND, int(event), name, SELL, ticks, lots, WALL + s * SECOND, flags)
        for s, event, name, ticks, lots, flags in rows
    ]
    table = pa.table({name: [row[n] for row in made] for n, name in enumerate(ORDERS_SCHEMA.names)}, ORDERS_SCHEMA)
    return SingleOrders(10, table)


def begun_by_order(own: str, later: list[OrderRow] | None = None) -> list[tuple[int, str, int]]:
    """Return the rows of the beginning where single orders are recorded, ours by that id: event, id, flags."""
    rows: list[OrderRow] = [
        (1, OrderEvent.SNAPSHOT, "A", ASK, 5, FIRST),
        (1, OrderEvent.SNAPSHOT, "B", ASK + 1, 5, LAST),
        (20, OrderEvent.ADD, "o", ASK, 3, LAST),
        (30, OrderEvent.ADD, "C", ASK, 4, LAST),
        *(later or []),
        (60, OrderEvent.DELETE, "B", ASK + 1, 5, LAST),
    ]
    recorded = single_orders([(row[0], row[1], own if row[2] == "o" else row[2], *row[3:]) for row in rows])
    others = single_orders([row for row in rows if row[2] != "o"])
    by_price = columns([*START, *LATER])
    market = WithoutUs(Columns(BTC, 10, by_price.table, recorded), Columns(BTC, 10, by_price.table, others), TakenOut())
    made = places.begun(market, resting(20), WALL + BEGIN, "pro_rata", WALL).orders
    assert made is not None
    return [(row["event"], row["order_id"], row["flags"]) for row in made.table.to_pylist()]


SNAPSHOT, ADD = OrderEvent.SNAPSHOT, OrderEvent.ADD
GONE = (OrderEvent.DELETE, "B", LAST)


def test_who_stands_behind_an_own_order_comes_after_it() -> None:
    assert begun_by_order("o") == [(SNAPSHOT, "A", FIRST), (SNAPSHOT, "B", LAST), (ADD, "C", LAST), GONE]


def test_behind_an_own_order_is_who_stands_there_at_the_beginning() -> None:
    grown: list[OrderRow] = [(40, OrderEvent.MODIFY, "A", ASK, 9, LAST), (45, OrderEvent.DELETE, "A", ASK, 9, 0)]
    again: list[OrderRow] = [*grown, (45, OrderEvent.ADD, "A", ASK, 9, LAST)]
    assert begun_by_order("o", again) == [(SNAPSHOT, "B", FIRST | LAST), (ADD, "C", 0), (ADD, "A", LAST), GONE]


def test_an_own_order_that_the_record_does_not_have_stands_last() -> None:
    assert begun_by_order("unknown") == [(SNAPSHOT, "A", FIRST), (SNAPSHOT, "C", 0), (SNAPSHOT, "B", LAST), GONE]
