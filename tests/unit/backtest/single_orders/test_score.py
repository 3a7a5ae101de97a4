"""Single orders of recordings and captures as a table, and the queue models held against the truth."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from backtest import __main__ as room
from backtest.data.columns import ORDERS_SCHEMA, Mark, OrderEvent
from backtest.data.order_rows import order_messages
from backtest.errors import DataError
from backtest.single_orders import command, reading
from backtest.venue.queue_models import QueueModel
from shared.clock import parse_rfc3339
from shared.kraken.level3 import Level3Book
from shared.messages import FeedFrame, Order, Orders, OrderState, Trade
from shared.numbers import scale
from tests.frames import frames_path
from tests.unit.backtest.data.market_data import MIDNIGHT, NOON, SYMBOL, Bus
from tests.unit.simulator.worlds import TestWorld, limit

SECOND = 10**9


def market(seconds: float = 20, seed: int = 7) -> tuple[list[str], list[str]]:
    """Return the simulator's level3 frames and trade frames of a volatile market."""
    world = TestWorld(regime="volatile", seed=seed)
    orders, trades = world.private(), world.public()
    orders.call("subscribe", channel="level3", symbol=[SYMBOL], depth=10)
    trades.call("subscribe", channel="trade", symbol=[SYMBOL], snapshot=False)
    world.run(seconds)
    return [f for f in orders.frames if '"level3","type"' in f], [f for f in trades.frames if '"trade","type"' in f]


def capture(path: Path, frames: list[str]) -> str:
    path.write_text("".join(f"{frame}\n" for frame in frames))
    return str(path)


def recording(folder: Path, frames: list[str], changes: dict[int, dict[str, Any]]) -> str:
    """Write a recording; ``changes`` of a frame by its number: of its message, or ``lost``."""
    bus = Bus(MIDNIGHT)
    bus.instruments(NOON)
    for number, frame in enumerate(frames):
        change = changes.get(number, {})
        topic = f"feed.level3.{SYMBOL}"
        if change.get("lost"):
            bus.lose(topic)
            continue
        received = NOON + number * SECOND - bus.offset
        message = FeedFrame(
            symbol=SYMBOL, frame=frame.encode(), connection=change.get("connection", 1), received=received
        )
        bus.send(topic, message, NOON + number * SECOND)
    return str(bus.write(folder))


def marks(path: str) -> list[Mark]:
    (orders,) = reading.read([path]).orders.values()
    return [Mark(row["lots"]) for row in orders.table.to_pylist() if row["event"] == OrderEvent.MARK]


def test_a_table_makes_the_book_again(tmp_path: Path) -> None:
    frames, _ = market()
    read = reading.read([capture(tmp_path / "frames.jsonl", frames)])
    assert (read.tally.checksums_ok, read.tally.checksums_failed, read.tally.bad) == (len(frames), 0, [])
    orders = read.orders[SYMBOL]
    assert (orders.depth, orders.table.schema) == (10, ORDERS_SCHEMA)
    direct, again = Level3Book(SYMBOL, 10, 1, 8), Level3Book(SYMBOL, 10, 0, 0)
    for frame, message in zip(frames, order_messages(orders.table), strict=True):
        assert direct.apply_frame(frame.encode())
        if message.is_snapshot:
            again.clear()
        for change in message.changes:
            again.change(change)
        again.trim("buy")
        again.trim("sell")
        assert again.checksum() == direct.checksum()


def test_lost_messages_a_reconnect_and_a_bad_checksum_are_marks(tmp_path: Path) -> None:
    frames, _ = market(3)
    assert marks(recording(tmp_path / "whole", frames, {})) == []
    assert marks(recording(tmp_path / "lost", frames, {3: {"lost": True}})) == [Mark.MISSED]
    assert marks(recording(tmp_path / "again", frames, {4: {"connection": 2}})) == [Mark.RECONNECT]
    broken = [*frames[:5], frames[5].replace('"checksum":', '"checksum":1'), *frames[6:], frames[0]]
    path = recording(tmp_path / "checksum", broken, {})
    assert marks(path) == [Mark.CHECKSUM]
    (orders,) = reading.read([path]).orders.values()
    *_, last = order_messages(orders.table)
    assert last.is_snapshot


def test_a_frame_that_cannot_be_read_is_named_and_a_source_without_single_orders_refused(tmp_path: Path) -> None:
    frames, _ = market(1)
    frames.insert(2, frames[1].replace('"limit_price":', '"limit_price":-'))
    read = reading.read([capture(tmp_path / "bad.jsonl", frames)])
    assert read.tally.bad_rows == 1
    with pytest.raises(DataError, match="no single orders"):
        reading.read([capture(tmp_path / "none.jsonl", market(10)[1])])
    with pytest.raises(DataError, match="nothing"):
        reading.read([str(tmp_path / "nothing")])


def test_the_documented_snapshot_is_a_table() -> None:
    path = frames_path("public_v2/docs_Spot_Websockets_v2_Level3_Checksum.jsonl")
    read = reading.read([str(path)])
    assert (read.tally.checksums_ok, set(read.orders)) == (1, {SYMBOL})


def test_the_models_are_scored_against_fifo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    orders, trades = market(90)
    path = capture(tmp_path / "frames.jsonl", orders + trades)
    command.main([path, "--every", "2", "--horizon", "5", "--json"])
    (made,) = json.loads(capsys.readouterr().out)
    assert made["symbol"] == SYMBOL
    assert made["orders"] > 100
    assert 0 < made["filled"] <= made["orders"]
    assert set(made["models"]) == {str(model) for model in QueueModel}
    front, back = made["models"]["front"], made["models"]["back"]
    # An order that grows goes behind ours, which no view by price shows: even the optimist may be too far back.
    assert front["queue_bias"] < back["queue_bias"]
    assert front["filled"] >= back["filled"]
    for model in made["models"].values():
        assert model["agreement"] == 1 - (model["early"] + model["missed"]) / made["orders"]
        assert model["filled"] == made["filled"] + model["early"] - model["missed"]
    command.main([path, "--every", "2", "--horizon", "5"])
    text = capsys.readouterr().out
    assert text.startswith(f"{SYMBOL}: {made['orders']} orders, {made['filled']} filled in truth")
    assert "score" in room.COMMANDS


def test_our_own_orders_are_taken_out_of_the_book_and_played(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = TestWorld(regime="volatile")
    orders, trades = world.private(), world.public()
    orders.call("subscribe", channel="level3", symbol=[SYMBOL], depth=10)
    trades.call("subscribe", channel="trade", symbol=[SYMBOL], snapshot=False)
    placed = []
    for _ in range(15):
        world.run(1)
        bid, _ask = world.touch()
        price = str(Decimal(bid).scaleb(-1))
        placed.append(world.exchange.add(world.account("maker"), limit("buy", "0.02", price), world.now))
        world.world.flush(world.now)
        world.run(2)
        if len(placed) % 3 == 0 and placed[-1].order_id in world.account("maker").orders:
            world.exchange.cancel(world.account("maker"), placed[-1], world.now)
            world.world.flush(world.now)
    world.run(10)
    bus = Bus(MIDNIGHT)
    bus.instruments(NOON)
    wall = NOON
    for text in (f for f in orders.frames + trades.frames if '"data"' in f):
        frame, wall = json.loads(text, parse_float=Decimal), wall + SECOND // 1000
        if frame["channel"] == "level3":
            message = FeedFrame(symbol=SYMBOL, frame=text.encode(), connection=1, received=wall - bus.offset)
            bus.send(f"feed.level3.{SYMBOL}", message, wall)
        elif frame["channel"] == "trade":
            for row in frame["data"]:
                ticks, lots, at = scale(row["price"], 1), scale(row["qty"], 8), parse_rfc3339(row["timestamp"])
                bus.trade(Trade(side=row["side"], price=ticks, qty=lots, trade_id=row["trade_id"], trade_ts=at), wall)
    shown_orders = [
        Order(cl_ord_id="T", order_id=order.order_id, strategy="s", slot="b0", side="buy", price=1, qty=1, filled=0,
              state=OrderState.FILLED)
        for order in placed
    ]  # fmt: skip
    bus.send(f"order.{SYMBOL}", Orders(symbol=SYMBOL, valid=True, orders=shown_orders), wall)
    command.main([str(bus.write(tmp_path / "recording")), "--horizon", "3", "--json"])
    (made,) = json.loads(capsys.readouterr().out)
    rested = [order for order in placed if order.status == "filled" or order.closed_ns]
    assert made["own"]
    assert made["orders"] == len(rested) > 5
    assert made["filled"] == sum(order.status == "filled" for order in placed)
    assert made["models"]["front"]["agreement"] > 0.8


def test_single_orders_without_trades_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    orders, _ = market(1)
    with pytest.raises(SystemExit) as ended:
        command.main([capture(tmp_path / "frames.jsonl", orders)])
    assert ended.value.code == 1
    assert "trade" in capsys.readouterr().err
