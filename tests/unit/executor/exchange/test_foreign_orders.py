"""Other people's orders and trades on the account: seen, counted, left alone (T16), whatever their kind."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from executor.orders import ids
from executor.orders.order import Presence
from executor.orders.registry import FOREIGN
from shared.clock import SECOND, rfc3339
from shared.messages import BookState, OrderState
from tests.kit.executor_world import BOOT_TO_WALL, World, buy, configuration

Row = dict[str, Any]
STOP: Row = {
    "order_type": "stop-loss-limit",
    "triggers": {"price": Decimal(80_000), "status": "untriggered"},
}
WAITING: dict[str, dict[str, Any]] = {
    "stop-loss": {**STOP, "order_type": "stop-loss", "limit_price": None},
    "stop-loss-limit": STOP,
    "take-profit": {"order_type": "take-profit", "limit_price": None},
    "take-profit-limit": {"order_type": "take-profit-limit"},
    "trailing-stop": {"order_type": "trailing-stop", "limit_price": None},
    "trailing-stop-limit": {
        "order_type": "trailing-stop-limit",
        "limit_price": Decimal("-0.05"),
        "limit_price_type": "quote",
        "triggers": {"price": Decimal("1.5"), "price_type": "pct", "status": "untriggered"},
    },
}
RESTING: dict[str, dict[str, Any]] = {
    "by hand": {},
    "iceberg": {"order_type": "iceberg", "display_qty": Decimal("0.1")},
    "margin": {"margin": True, "reduce_only": True},
    "with a conditional close": {"contingent": {"order_type": "stop-loss", "trigger_price": Decimal(49_000)}},
    "good till a date": {"time_in_force": "GTD", "expire_time": "2026-12-01T00:00:00Z", "effective_time": ""},
    "from the app": {"order_userref": 0, "sender_sub_id": "x", "ext_ord_id": "y"},
}


def row(side: str = "buy", price: str = "84500.0", **more: Any) -> dict[str, Any]:
    """A hand's order as a snapshot has it; by its price it would stand inside the touch."""
    members = {
        "order_id": "OHAND1",
        "symbol": "BTC/USD",
        "side": side,
        "order_type": "limit",
        "exec_type": "new",
        "order_status": "new",
        "order_qty": Decimal("0.5"),
        "limit_price": Decimal(price),
        "cum_qty": Decimal(0),
        "timestamp": rfc3339(0),
    }
    return {name: value for name, value in {**members, **more}.items() if value is not None}


def started(*rows: dict[str, Any]) -> World:
    """A healthy executor whose first snapshot holds these rows."""
    world = World()
    world.hear_bus()
    world.connect(orders=list(rows))
    world.turn()
    world.armed()
    world.hear_bus()
    return world


@pytest.mark.parametrize("kind", WAITING)
def test_what_waits_for_a_trigger_stands_in_nobodys_way(kind: str) -> None:
    world = started(row(**WAITING[kind]))
    (order,) = world.state.registry.standing()
    assert (order.strategy, order.presence) == (FOREIGN, Presence.WAITING)
    assert world.live() == []
    assert world.state.out.counts["unreadable"] == 0
    world.place(buy())
    world.wait(5)
    assert world.taken("cancel_order") == [], "it does not contradict the book"
    assert world.out.reconnect == ""


@pytest.mark.parametrize("kind", RESTING)
def test_what_rests_is_counted_and_left_alone(kind: str) -> None:
    world = started(row("sell", "90000.0", **RESTING[kind]))
    (order,) = world.live()
    assert (order.strategy, order.price, order.qty) == (FOREIGN, 900_000, 50_000_000)
    world.state.controls.halted = True
    world.wait(2)
    assert [
        request.method for request in world.sent if "cancel" in request.method and request.params.get("order_id")
    ] == []
    assert order.state is OrderState.OPEN


def test_an_iceberg_inside_the_touch_is_no_contradiction() -> None:
    world = started(row(order_type="iceberg", order_qty=Decimal("0.0005")))
    world.place(buy())
    world.wait(5)
    assert world.taken("cancel_order") == []


def test_a_limit_order_inside_the_touch_still_is_one() -> None:
    world = started(row(order_qty=Decimal("0.0005")))
    world.place(buy())
    world.wait(5)
    assert world.taken("cancel_order") != []


def test_a_stop_that_is_triggered_rests_from_then_on() -> None:
    world = started(row("sell", "90000.0", **STOP))
    assert world.live() == []
    world.push("executions", [{"order_id": "OHAND1", "exec_type": "status", "order_status": "triggered"}])
    assert [order.presence for order in world.live()] == [Presence.PARTLY]


def test_flatten_goes_past_a_stop_that_waits_and_stops_short_of_what_rests() -> None:
    def closes_at(*rows: dict[str, Any]) -> str:
        world = World(configuration(inventory_base={"BTC": Decimal("0.999")}))
        world.hear_bus()
        world.connect(orders=list(rows))
        world.state.controls.flattening = True
        for _ in range(6):
            world.hear_bus()
            world.raw({"channel": "heartbeat"})
            world.turn(0.5)
            world.armed()
        (request,) = world.taken("add_order")[:1]
        return str(request.params["limit_price"])

    assert closes_at(row(price="83500.0", **STOP)) == closes_at() == "83160.1"
    assert closes_at(row(price="83500.0", order_type="iceberg")) == "83500.1"


@pytest.mark.parametrize("said_by", ["trade", "order"])
def test_a_trade_on_margin_moves_no_spot_position(said_by: str) -> None:
    world = started(*([row(margin=True, price="90000.0", side="sell")] if said_by == "order" else []))
    trade: Row = {
        "exec_type": "trade",
        "exec_id": "TM",
        "last_qty": Decimal("0.1"),
        "last_price": Decimal(84_000),
        "fees": [],
    }
    said: Row = {"margin": True} if said_by == "trade" else {}
    world.push("executions", [row(**trade, **said, order_status="filled")])
    world.turn()
    assert world.state.is_reconciled
    assert world.state.out.counts["trade on margin, left alone"] == 1
    assert world.state.account.rows == []


# --- Before the instrument data --------------------------------------------------------------------------------------


def test_orders_adopted_before_the_instrument_data_are_brought_to_them() -> None:
    world = World()
    world.connect([row("sell", "90000")])
    trade: Row = {
        "exec_type": "trade",
        "exec_id": "TX",
        "last_qty": Decimal("0.123"),
        "last_price": Decimal("90000.0"),
    }
    world.push("executions", [row("sell", **trade, cum_qty=Decimal("0.123"), order_status="partially_filled")])
    assert (world.out.reconnect, world.state.out.counts["unreadable"]) == ("", 0)
    world.hear_bus()
    world.turn()
    (order,) = world.live()
    assert (order.price, order.qty, order.filled, order.remaining) == (900_000, 50_000_000, 12_300_000, 37_700_000)


def test_a_number_finer_than_the_pairs_counts_at_its_worst() -> None:
    world = started(row("sell", "90000.05", order_qty=Decimal("0.123456789")))
    (order,) = world.live()
    assert (order.price, order.qty) == (900_000, 12_345_679)


def test_an_order_on_a_pair_that_is_not_configured_takes_any_fill() -> None:
    world = started(row(symbol="ADX/USD", order_qty=Decimal(100), price="0.2"))
    trade: Row = {
        "exec_type": "trade",
        "exec_id": "TX",
        "last_qty": Decimal("33.5"),
        "last_price": Decimal("0.19995"),
    }
    more: Row = {"cum_qty": Decimal("33.5"), "order_status": "partially_filled", "fees": []}
    world.push("executions", [row(symbol="ADX/USD", **trade, **more)])
    world.push("executions", [{"order_id": "OHAND1", "exec_type": "amended", "limit_price": Decimal("0.2005")}])
    assert (world.out.reconnect, world.state.out.counts["unreadable"]) == ("", 0)


# --- Ids that look like ours -----------------------------------------------------------------------------------------

NOW_S = 100 + BOOT_TO_WALL // SECOND


@pytest.mark.parametrize("epoch", [0, 1_000_000_000, NOW_S + 2 * 86_400, ids.EPOCH_MAX])
def test_an_id_with_an_epoch_that_no_writer_has_is_somebody_elses(epoch: int) -> None:
    name = str(ids.OrderId(epoch, "001", "b0", 7))
    world = started(row("sell", "90000.0", cl_ord_id=name))
    (order,) = world.live()
    assert (order.strategy, order.doomed) == (FOREIGN, "")
    world.push("executions", [row("sell", "90000.0", cl_ord_id=name.replace("7", "8"), order_id="OHAND2")])
    assert (world.state.session.newer_writer, world.out.epoch) == ("", 0)


def test_an_id_of_a_newer_writer_is_obeyed() -> None:
    world = started()
    world.push("executions", [row("sell", "90000.0", cl_ord_id=str(ids.OrderId(NOW_S + 10, "001", "b0", 7)))])
    assert "newer executor" in world.state.session.newer_writer


def test_once_a_newer_writer_was_seen_nothing_is_added_and_its_orders_are_left_to_it() -> None:
    # Its reports come one after another, and there is a pass after each, before the process has ended.
    world = started()
    world.push("executions", [row("sell", "90000.0", cl_ord_id=str(ids.OrderId(NOW_S + 10, "001", "b0", 7)))])
    world.target(buy())
    world.turn()
    assert [r.method for r in world.sent if "add" in r.method or "cancel_order" in r.method] == []


# --- A book that is not live stays one -------------------------------------------------------------------------------


def test_a_foreign_stop_hides_no_book_that_is_bad() -> None:
    world = started(row(**STOP))
    world.place(buy())
    world.wait(2, BookState.SILENT)
    assert world.taken("cancel_order") != []
