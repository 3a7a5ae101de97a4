"""The exchange against what was believed: fills counted once, nothing in doubt for ever, ghosts ended."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from executor.orders.order import Order
from shared.clock import SECOND, rfc3339
from shared.messages import OrderState
from tests.kit.executor.lives import next_life
from tests.kit.executor_world import BOOT_TO_WALL, World, buy, configuration, sell


def fill_of(world: World, order: Order, exec_id: str, qty: str, cum_qty: str) -> dict[str, Any]:
    return {
        **open_report(order, cum_qty),
        "exec_id": exec_id,
        "exec_type": "trade",
        "last_qty": Decimal(qty),
        "last_price": Decimal("83990.0"),
        "fees": [{"asset": "USD", "qty": Decimal(0)}],
        "timestamp": rfc3339(world.exchange_ts),
    }


def open_report(order: Order, cum_qty: str = "0") -> dict[str, Any]:
    return {
        "order_id": order.order_id or "OX",
        "cl_ord_id": order.cl_ord_id,
        "exec_type": "new",
        "order_status": "partially_filled" if Decimal(cum_qty) else "new",
        "symbol": "BTC/USD",
        "side": "buy",
        "limit_price": Decimal("83990.0"),
        "order_qty": Decimal("0.00119047"),
        "cum_qty": Decimal(cum_qty),
        "timestamp": rfc3339(0),
    }


def test_the_fills_of_a_snapshot_count_once_however_often_it_starts() -> None:
    world = World().ready()
    [order] = world.place(buy())
    first = fill_of(world, order, "T1", "0.0005", "0.0005")
    world.push("executions", [first])
    assert order.filled == 50_000
    for life in (1, 2, 3):
        world, order = next_life(order, (200 + life) * SECOND, {"T1"})
        world.connect(orders=[open_report(order, "0.0005")], fills=[first])
        assert (order.filled, order.remaining) == (50_000, 69_047)
    second = fill_of(world, order, "T2", "0.0001", "0.0006")
    world.push("executions", [second])
    world.push("executions", [second])
    assert order.filled == 60_000


def test_a_fill_while_it_was_away_is_counted_by_the_next_life() -> None:
    world = World().ready()
    [order] = world.place(buy())
    missed = fill_of(world, order, "T1", "0.0005", "0.0005")
    world, order = next_life(order, 200 * SECOND, set())
    world.connect(orders=[open_report(order, "0.0005")], fills=[missed])
    assert order.filled == 50_000


def test_fills_of_a_snapshot_are_booked_as_they_happened() -> None:
    world = World().ready()
    world.turn(20)
    world.executor.closed(world.now)
    deals = [("T1", "buy", "80000"), ("T2", "sell", "84000"), ("T3", "buy", "90000")]
    entries = [
        {
            "exec_id": exec_id,
            "order_id": "OFOREIGN",
            "exec_type": "trade",
            "order_status": "filled",
            "symbol": "BTC/USD",
            "side": side,
            "last_qty": Decimal("0.001"),
            "last_price": Decimal(price),
            "fees": [{"asset": "USD", "qty": Decimal(0)}],
            "timestamp": rfc3339(world.exchange_ts - (0 if exec_id == "T1" else -1) * SECOND),
        }
        for exec_id, side, price in deals
    ]
    world.connect(fills=list(reversed(entries)))
    assert world.state.account.pnl["BTC/USD"].realised == Decimal(4)


@pytest.mark.parametrize(
    "answer",
    [
        {"result": {"order_id": 5}},
        {"result": {"order_id": "O1"}, "time_in": "yesterday", "time_out": "x"},
    ],
)
def test_an_answer_that_cannot_be_read_leaves_the_outcome_unknown(answer: dict[str, Any]) -> None:
    world = World().ready()
    world.target(buy())
    world.turn()
    [request] = world.taken("add_order")
    world.raw({"method": "add_order", "req_id": request.req_id, "success": True, **answer})
    order = world.state.registry.find(request.orders[0])
    assert order is not None
    assert order.state is OrderState.UNKNOWN


def test_an_unreadable_answer_leaves_no_amend_in_flight_for_ever() -> None:
    world = World().ready()
    [order] = world.place(buy())
    world.wait(11)
    world.target(buy(price=839_800))
    world.turn()
    [request] = world.taken("amend_order")
    odd = {"result": {"amend_id": "x"}, "time_in": "bad", "time_out": "bad"}
    world.raw({"method": "amend_order", "req_id": request.req_id, "success": True, **odd})
    assert order.amend is not None
    assert order.amend.is_unknown


def test_what_a_batchs_answer_leaves_out_is_unknown() -> None:
    world = World().ready()
    world.target(buy(), sell())
    world.turn()
    [request] = world.taken("batch_add")
    world.answer(request, [{"order_id": "O1", "cl_ord_id": request.orders[0]}])
    orders = [world.state.registry.find(name) for name in request.orders]
    assert [order.state for order in orders if order] == [OrderState.OPEN, OrderState.UNKNOWN]


def test_after_a_reboot_an_order_that_is_gone_is_ended() -> None:
    world = World(started=50_000 * SECOND).ready()
    [order] = world.place(buy())
    world, order = next_life(order, 100 * SECOND, set(), BOOT_TO_WALL + 50_100 * SECOND)
    world.connect(orders=[])
    assert order.state is OrderState.CANCELLED


def test_a_wall_clock_that_is_set_back_keeps_no_order_alive() -> None:
    world = World().ready()
    [order] = world.place(buy())
    world.turn(10)
    world.state.life.boot_to_wall -= 3600 * SECOND
    world.executor.closed(world.now)
    world.turn(20)
    world.connect(orders=[])
    assert order.state is OrderState.CANCELLED


@pytest.mark.parametrize("by_snapshot", [True, False])
def test_an_order_that_was_refused_and_is_open_all_the_same_is_pulled(by_snapshot: bool) -> None:
    world = World().ready()
    world.target(buy())
    world.turn()
    [request] = world.taken("add_order")
    world.answer(request, error="EOrder:Insufficient funds")
    order = world.state.registry.find(request.orders[0])
    assert order is not None
    assert order.state is OrderState.REFUSED
    if by_snapshot:
        world.executor.closed(world.now)
        world.connect(orders=[open_report(order)])
    else:
        world.push("executions", [open_report(order)])
    assert order.is_live
    world.wait(120)
    assert world.state.registry.find(order.cl_ord_id) is order, "a live order is not forgotten"
    assert any(order.cl_ord_id in each.orders for each in world.sent if "cancel" in each.method)


def test_an_unreadable_report_spoils_no_other_of_its_message() -> None:
    world = World().ready()
    order, other = world.place(buy(), sell())
    odd = {"order_id": "OZ", "exec_type": "amended", "cl_ord_id": other.cl_ord_id, "limit_price": Decimal("84010.05")}
    world.push("executions", [odd, {**open_report(order), "exec_type": "canceled"}])
    assert (order.is_live, other.is_live) == (False, True)
    assert world.out.reconnect == ""
    assert world.state.out.counts["unreadable"] == 1
    world.wait(3)
    assert "executions" in [request.params["channel"] for request in world.taken("subscribe")], (
        "a snapshot is asked for"
    )


def test_a_flatten_is_not_halted_by_the_loss_that_it_ends_nor_held_up_by_the_pace() -> None:
    world = World(configuration(max_daily_loss=Decimal(1), max_orders_per_minute=1)).ready()
    bought = {**fill_of(world, world.place(buy())[0], "T9", "0.005", "0.005"), "last_price": Decimal(90_000)}
    world.push("executions", [{**bought, "order_id": "OFOREIGN", "cl_ord_id": "", "order_status": "filled"}])
    world.push("balances", world.balances(USD="99550.0000", BTC="1.0050000000"), "snapshot")
    world.state.controls.flattening = True
    for _ in range(8):
        world.hear_bus()
        world.raw({"channel": "heartbeat"})
        world.turn(0.5)
        world.armed()
        for request in [*world.taken("cancel_order"), *world.taken("batch_cancel")]:
            world.answer(request, {})
            for name in request.orders:
                order_now = world.state.registry.find(name)
                assert order_now is not None
                world.report("canceled", order_now)
    assert world.halt == ""
    assert [each.params["time_in_force"] for each in world.sent if each.params.get("time_in_force") == "ioc"]
