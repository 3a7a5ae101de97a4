"""Own orders by true FIFO: scenarios by hand, and real orders of the simulator's engine, taken out and predicted."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from backtest.data import sources
from backtest.data.columns import SingleOrders
from backtest.single_orders import reading
from backtest.single_orders.stream import moments
from backtest.venue.fifo import FifoBook, FifoOrder
from shared.kraken.level3 import Change, Event, Side
from tests.unit.simulator.worlds import TestWorld, limit


def row(order_id: str, ticks: int, lots: int, event: Event = Event.ADD, side: Side = "buy") -> Change:
    return Change(event, side, order_id, ticks, lots, 0)


def three_before(depth: int = 10) -> tuple[FifoBook, FifoOrder]:
    """Return a book with bids A 4 and B 6 at 100, C 5 at 99 and an ask of 9 at 102, and our bid of 3 at 100."""
    book = FifoBook("BTC/USD", depth)
    rows = [row("A", 100, 4), row("B", 100, 6), row("C", 99, 5), row("D", 102, 9, side="sell")]
    book.play(rows, 1, is_snapshot=True)
    return book, book.place("buy", 100, 3)


def test_a_trade_takes_those_before_us_and_then_us() -> None:
    book, ours = three_before()
    book.trade("buy", 100, 5, 2)
    assert (ours.before, ours.remaining) == ({"B": 5}, 3)
    book.play([row("A", 100, 4, Event.DELETE), row("B", 100, 5, Event.MODIFY)], 2, is_snapshot=False)
    assert ours.before == {"B": 5}
    book.trade("buy", 100, 7, 3)
    assert (ours.ahead, ours.remaining, ours.filled_ts) == (0, 1, 0)
    book.trade("buy", 100, 7, 4)
    assert (ours.remaining, ours.filled_ts) == (0, 4)
    assert book.own == []


@pytest.mark.parametrize(
    ("change", "before"),
    [
        (row("A", 100, 4, Event.DELETE), {"B": 6}),
        (row("A", 100, 1, Event.MODIFY), {"A": 1, "B": 6}),
        (row("A", 99, 4, Event.MODIFY), {"B": 6}),
        (row("A", 98, 4), {"B": 6}),
        (row("E", 100, 50), {"A": 4, "B": 6}),
        (row("C", 99, 5, Event.DELETE), {"A": 4, "B": 6}),
    ],
)
def test_we_move_up_when_one_before_us_leaves(change: Change, before: dict[str, int]) -> None:
    book, ours = three_before()
    book.play([change], 2, is_snapshot=False)
    assert ours.before == before


def test_one_that_grows_goes_behind_us() -> None:
    book, ours = three_before()
    book.play([row("A", 100, 4, Event.DELETE), row("A", 100, 9)], 2, is_snapshot=False)
    assert ours.before == {"B": 6}
    more, ours = three_before()
    more.play([row("A", 100, 9, Event.MODIFY)], 2, is_snapshot=False)
    assert ours.before == {"B": 6}


def test_a_trade_at_a_worse_price_and_the_other_side_at_ours_fill_us() -> None:
    book, ours = three_before()
    book.trade("buy", 99, 2, 2)
    assert ours.remaining == 1
    book.trade("sell", 102, 9, 3)
    assert ours.remaining == 1
    crossed, ours = three_before()
    crossed.play([row("E", 100, 2, side="sell")], 2, is_snapshot=False)
    crossed.play([row("F", 99, 0, Event.DELETE)], 3, is_snapshot=False)
    assert ours.remaining == 1


def test_two_of_ours_trade_in_their_order() -> None:
    book, first = three_before()
    second = book.place("buy", 100, 3)
    book.trade("buy", 100, 14, 2)
    assert (first.remaining, second.remaining) == (0, 2)


def test_a_level_that_leaves_the_window_and_comes_back_keeps_the_place() -> None:
    book, ours = three_before(depth=1)
    book.play([row("N", 101, 1)], 2, is_snapshot=False)
    assert ours.before == {"A": 4, "B": 6}
    book.play([row("N", 101, 1, Event.DELETE), row("B", 100, 2), row("Z", 100, 8)], 3, is_snapshot=False)
    assert ours.before == {"B": 2}


def recorded(world: TestWorld, frames: list[str], path: str) -> tuple[SingleOrders, pa.Table]:
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(f"{frame}\n" for frame in frames if '"data"' in frame)
    traded = sources.read([path]).columns["BTC/USD"].table
    return reading.read([path]).orders["BTC/USD"], traded.filter(pc.equal(traded["kind"], 2))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_engine_s_own_fills_are_predicted_from_the_others_orders(seed: int, tmp_path: Path) -> None:
    world = TestWorld(regime="volatile", seed=seed)
    client, public = world.private(), world.public()
    client.call("subscribe", channel="level3", symbol=["BTC/USD"], depth=10)
    public.call("subscribe", channel="trade", symbol=["BTC/USD"], snapshot=False)
    placed = []
    for _ in range(12):
        world.run(1)
        bid, _ask = world.touch()
        price = str(Decimal(bid).scaleb(-1))
        placed.append(world.exchange.add(world.account("maker"), limit("buy", "0.02", price), world.now))
        world.world.flush(world.now)
        world.run(2)
    orders, trades = recorded(world, client.frames + public.frames, str(tmp_path / "frames.jsonl"))
    names = {order.order_id: order for order in placed}
    book, ours = FifoBook("BTC/USD", orders.depth), dict[str, FifoOrder]()
    for moment in moments(orders, trades):
        for trade in moment.trades:
            book.trade(trade.side, trade.ticks, trade.lots, moment.ts)
        for message in moment.messages:
            others = [change for change in message.changes if change.order_id not in names]
            book.play(others, moment.ts, is_snapshot=message.is_snapshot)
            for change in message.changes:
                if change.order_id in names and change.event is Event.ADD and change.order_id not in ours:
                    ours[change.order_id] = book.place(change.side, change.ticks, change.lots)
    assert len(ours) > 8
    assert {name: order.remaining for name, order in ours.items()} == {name: names[name].remaining for name in ours}
