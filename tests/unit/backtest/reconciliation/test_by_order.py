"""Own orders out of the recorded single orders: by their ids, whole messages left, heard when the book by price was."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given, strategies as st

from backtest.data.columns import BUY, ORDERS_SCHEMA, SELL, Columns, Flag, OrderEvent, SingleOrders
from backtest.reconciliation.bus import Said
from backtest.reconciliation.market.by_order import own_ids, take_out
from shared.clock import MS, SECOND
from shared.messages import Order, Orders, OrderState
from tests.kit.backtest.market import BEGIN_TS, Tape
from tests.kit.pairs import BTC

FIRST, LAST = int(Flag.FIRST), int(Flag.LAST)
Change = tuple[OrderEvent, str, int, int, int]
HOP = 7 * MS


def orders(*messages: tuple[int, list[Change]]) -> SingleOrders:
    """Return messages as rows: (time after the beginning, changes); each was heard a hop later."""
    rows = []
    for after, changes in messages:
        ts = BEGIN_TS + after
        for place, (event, name, side, ticks, lots) in enumerate(changes):
            first = FIRST if place == 0 and event == OrderEvent.SNAPSHOT else 0
            last = LAST if place == len(changes) - 1 else 0
            rows.append((ts, ts + HOP, int(event), name, side, ticks, lots, ts, first | last))
    table = pa.table({name: [row[n] for row in rows] for n, name in enumerate(ORDERS_SCHEMA.names)}, ORDERS_SCHEMA)
    return SingleOrders(10, table)


def columns(single: SingleOrders, *levels: tuple[int, int]) -> Columns:
    """Return them beside a book by price whose messages happened and were heard so much after the beginning."""
    tape = Tape(depth=10)
    tape.snapshot(BEGIN_TS, {100: 5}, {102: 5})
    for number, (after, _) in enumerate(levels):
        tape.levels(BEGIN_TS + after, (BUY, 100, 6 + number))
    made = tape.columns()
    heard = pa.array([BEGIN_TS + HOP] * 2 + [BEGIN_TS + heard for _, heard in levels], pa.int64())
    place = made.table.schema.get_field_index("heard_ts")
    table = made.table.set_column(place, made.table.schema.field(place), heard)
    return Columns(BTC, 10, table, single)


def rows_of(single: SingleOrders) -> list[tuple[str, int, int]]:
    """Return the rows: id, flags, and when it was heard after the beginning."""
    rows = single.table.to_pylist()
    return [(row["order_id"], row["flags"], row["heard_ts"] - BEGIN_TS) for row in rows]


ADD, SNAPSHOT, DELETE = OrderEvent.ADD, OrderEvent.SNAPSHOT, OrderEvent.DELETE


def test_messages_without_own_orders_are_whole_and_those_of_own_ones_alone_are_gone() -> None:
    single = orders(
        (0, [(SNAPSHOT, "OURS", BUY, 100, 1), (SNAPSHOT, "A", BUY, 100, 2), (SNAPSHOT, "OURS2", SELL, 102, 3)]),
        (1, [(ADD, "B", SELL, 102, 4), (DELETE, "OURS", BUY, 100, 1)]),
        (2, [(DELETE, "OURS2", SELL, 102, 3)]),
        (3, [(DELETE, "B", SELL, 102, 4)]),
    )
    others, count = take_out(columns(single, (3, HOP)), {"OURS", "OURS2", "ANOTHER"})
    assert [(name, flags) for name, flags, _ in rows_of(others)] == [("A", FIRST | LAST), ("B", LAST), ("B", LAST)]
    assert count == 2
    assert others.depth == 10


def test_a_message_counts_as_heard_with_the_book_by_price_of_its_time_or_the_next() -> None:
    single = orders(
        (0, [(SNAPSHOT, "A", BUY, 100, 1)]),
        (2_400, [(ADD, "B", BUY, 100, 1)]),
        (5 * MS, [(ADD, "C", BUY, 100, 1)]),
        (SECOND, [(ADD, "D", BUY, 100, 1)]),
        (3 * SECOND, [(ADD, "E", BUY, 100, 1)]),
    )
    # The second has its time in whole microseconds, by price.
    levels = [(2_000, 11 * MS), (6 * MS, 19 * MS), (2 * SECOND, 2 * SECOND + 40 * MS)]
    others, _ = take_out(columns(single, *levels), set())
    # The fourth and the fifth are followed by no book soon.
    assert [heard for _, _, heard in rows_of(others)] == [HOP, 11 * MS, 19 * MS, SECOND + HOP, 3 * SECOND + HOP]


def test_own_ids_are_those_of_the_strategy_that_the_exchange_gave() -> None:
    def order(cl_ord_id: str, order_id: str, strategy: str = "s") -> Order:
        return Order(
            cl_ord_id=cl_ord_id, order_id=order_id, strategy=strategy, slot="b0", side="buy", price=1, qty=1, filled=0,
            state=OrderState.OPEN,
        )  # fmt: skip

    first = Orders(symbol=BTC.symbol, valid=True, orders=[order("a", ""), order("b", "B"), order("c", "C", "other")])
    second = Orders(symbol=BTC.symbol, valid=True, orders=[order("a", "A")])
    assert own_ids([Said(1, first), Said(2, second)], "s") == {"A", "B"}


NAMES = ["A", "B", "OURS", "OURS2"]


@given(
    st.lists(
        st.lists(
            st.tuples(
                st.sampled_from([ADD, DELETE]),
                st.sampled_from(NAMES),
                st.sampled_from([BUY, SELL]),
                st.integers(99, 103),
                st.integers(1, 9),
            ),
            min_size=1,
            max_size=4,
        ),
        min_size=1,
        max_size=8,
    )
)
def test_what_is_left_is_every_message_less_the_own_rows(messages: list[list[Change]]) -> None:
    single = orders(*enumerate(messages, 1))
    others, _ = take_out(columns(single), {"OURS", "OURS2"})
    left: list[list[str]] = [[]]
    for name, flags, _ in rows_of(others):
        left[-1].append(name)
        if flags & LAST:
            left.append([])
    expected = [[name for _, name, *_ in message if not name.startswith("OURS")] for message in messages]
    assert left == [*(message for message in expected if message), []]
