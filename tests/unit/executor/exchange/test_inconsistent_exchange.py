"""Orders against an exchange that lags, refuses, and does what it refused: none is left without anybody managing it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from executor.effects import RestCall
from executor.orders import ids
from executor.orders.denial import Rule
from executor.orders.order import Finished, Order
from executor.orders.transitions import Ended, apply
from shared import limits
from shared.clock import SECOND, rfc3339
from shared.messages import OrderState
from tests.kit.executor.lives import next_life
from tests.kit.executor_world import ETH, World, buy, configuration, sell
from tests.kit.pairs import BTC


def open_row(order: Order, **more: Any) -> dict[str, Any]:
    """The order as a snapshot or its ``new`` report has it."""
    row = {
        "order_id": order.order_id or "OX",
        "cl_ord_id": order.cl_ord_id,
        "symbol": order.symbol,
        "side": order.side,
        "exec_type": "new",
        "order_status": "new",
        "order_qty": Decimal(order.qty).scaleb(-8),
        "limit_price": Decimal(order.price).scaleb(-1),
        "cum_qty": Decimal(0),
        "timestamp": rfc3339(0),
    }
    return {**row, **more}


def again(world: World, *orders: dict[str, Any]) -> None:
    """The connection ends, and the next one's snapshot shows these orders."""
    world.executor.closed(world.now)
    world.sent.clear()
    world.connect(orders=list(orders))


# --- A revived order does not hide behind its slot -------------------------------------------------------------------


def test_an_order_that_was_refused_and_placed_all_the_same_goes_although_its_slot_was_filled_again() -> None:
    world = World().ready()
    world.target(buy())
    world.turn()
    (add,) = world.taken("add_order")
    first = world.state.registry.find(add.orders[0])
    assert first is not None
    world.answer(add, error="EOrder:Insufficient funds")
    world.wait(1.5)
    (second,) = world.place(buy())
    world.push("executions", [open_row(first, order_id="O1")])
    world.turn()
    assert [request.params["order_id"] for request in world.taken("cancel_order")] == [["O1"]]
    assert second.state is OrderState.OPEN


# --- Absence is no proof of an end -----------------------------------------------------------------------------------


def lagging(acked_before_s: float) -> tuple[World, Order]:
    """An order acked so long before a snapshot was asked for, which lacks it."""
    world = World().ready()
    (order,) = world.place(buy())
    world.turn(acked_before_s)
    again(world)
    return world, order


def test_t17_a_snapshot_that_lags_an_ack_ends_nothing() -> None:
    world, order = lagging(0.001)
    assert order.state is OrderState.OPEN
    world.push("executions", [open_row(order)])
    world.wait(5)
    assert order.is_live


def test_t17_what_a_second_snapshot_lacks_too_has_ended() -> None:
    world, order = lagging(0.001)
    world.wait(4)
    assert "executions" in [request.params["channel"] for request in world.taken("subscribe")], (
        "another one is asked for"
    )
    world.push("executions", [], "snapshot")
    assert order.state is OrderState.CANCELLED


def test_t17_absence_ends_what_was_acked_well_before() -> None:
    _, order = lagging(5.0)
    assert order.state is OrderState.CANCELLED


def test_t17_a_restart_within_a_second_keeps_what_its_snapshot_lags_behind() -> None:

    world = World().ready()
    (order,) = world.place(buy())
    order.changed_ts = world.now + world.state.life.boot_to_wall
    world, order = next_life(order, world.now + SECOND // 2, set())
    world.connect(orders=[])
    assert order.is_live


@pytest.mark.parametrize("was", [Finished.CANCELLED, Finished.NEVER_PLACED, Finished.REFUSED, Finished.EXPIRED])
@pytest.mark.parametrize("by", ["report", "snapshot", "trade"])
def test_t17_any_later_open_report_revives(was: Finished, by: str) -> None:
    world = World().ready()
    (order,) = world.place(buy())
    apply(order, Ended(was, ""), world.now)
    world.state.registry.note(order)
    if by == "snapshot":
        again(world, open_row(order))
    elif by == "report":
        world.push("executions", [open_row(order)])
    else:
        trade = {"exec_type": "trade", "exec_id": "T1", "last_qty": Decimal("0.0001"), "last_price": Decimal("83990.0")}
        world.push("executions", [open_row(order, **trade, order_status="partially_filled", cum_qty=Decimal("0.0001"))])
    assert order.state is OrderState.OPEN
    world.wait(1)
    assert any(order.cl_ord_id in request.orders for request in world.sent if "cancel" in request.method)


# --- What may not be amended less is cancelled -----------------------------------------------------------------------


@pytest.mark.parametrize("moved", [buy(price=827_400), buy(price=827_400, qty=90_000)], ids=["retreat", "both"])
def test_t5_a_retreat_beyond_the_price_band_is_cancelled_and_said(moved: Any) -> None:
    world = World().ready()
    (order,) = world.place(buy(price=838_300))
    world.wait(11)
    world.out.log.clear()
    world.target(moved)
    world.turn()
    assert world.taken("amend_order") == []
    assert [request.orders for request in world.taken("cancel_order")] == [[order.cl_ord_id]]
    assert "price band" in order.error
    assert any("price band" in entry.text for entry in world.out.log if entry.kind == "denied")


def test_t5_a_retreat_that_also_grows_beyond_a_limit_retreats_alone() -> None:
    world = World().ready()
    (order,) = world.place(buy(qty=50_000))
    world.wait(11)
    world.target(buy(price=839_000, qty=400_000))  # above max_order_size
    world.turn()
    (amend,) = world.taken("amend_order")
    assert (str(amend.params["limit_price"]), str(amend.params["order_qty"])) == ("83900.0", "0.00050000")
    assert order.is_live


def test_t5_an_advance_that_is_denied_leaves_the_order() -> None:
    world = World().ready()
    (order,) = world.place(buy(price=838_300))
    world.wait(11)
    world.target(buy(price=860_000))
    world.turn()
    assert (world.taken("amend_order"), world.taken("cancel_order")) == ([], [])
    assert order.is_live
    assert order.audit.denied is Rule.PRICE_BAND


def test_t5_over_the_gross_limit_a_retreat_that_also_reduces_is_cancelled() -> None:
    money = {"max_gross_position": Decimal(300), "max_position_size": Decimal(1000)}
    bases = {"BTC": Decimal(1), "ETH": Decimal(1)}
    world = World(configuration(pairs=["BTC/USD", "ETH/USD"], inventory_base=bases, **money))
    world.pairs = {"BTC/USD": BTC, "ETH/USD": ETH}
    world.ready()
    (order,) = world.place(buy(qty=111_000))
    row = {"ledger_id": "L", "ref_id": "R", "type": "deposit", "asset": "ETH", "fee": Decimal(0)}
    world.push("balances", [{**row, "amount": Decimal("0.0030"), "balance": Decimal("1.0030")}])
    world.wait(11)
    world.target(buy(price=835_000, qty=60_000))
    world.turn()
    sent = [request for request in world.sent if request.method in ("amend_order", "cancel_order")]
    assert [request.orders for request in sent] == [[order.cl_ord_id]]


def test_t5_while_no_amend_may_leave_a_retreat_is_cancelled_after_a_moment() -> None:
    world = World().ready()
    world.place(buy())
    world.wait(11)
    world.state.life.journal_ok = False

    def cancels(seconds: float) -> int:
        world.now += int(seconds * SECOND)
        world.raw({"channel": "heartbeat"})
        world.hear_bus()
        world.target(buy(price=839_000))
        world.turn()
        return len(world.taken("cancel_order"))

    assert [cancels(0.1), cancels(0.5), cancels(0.5)] == [0, 0, 1]


def test_t8_orders_of_others_need_no_reserve() -> None:
    world = World(configuration(max_open_orders=100)).ready()
    world.place(buy())
    row = {"symbol": "BTC/USD", "side": "buy", "order_type": "limit", "exec_type": "new", "order_status": "new"}
    for n in range(15):
        numbers = {"order_qty": Decimal("0.00005"), "limit_price": Decimal(70_000) - n}
        world.push("executions", [{**row, **numbers, "order_id": f"OHAND{n}"}])
    world.wait(11)
    world.target(buy(price=838_000))
    world.turn()
    assert len(world.taken("amend_order")) == 1


# --- Cancels have three ways -----------------------------------------------------------------------------------------


def test_t8_several_are_pulled_by_their_order_ids() -> None:
    world = World().ready()
    orders = world.place(buy(), sell())
    world.target()
    world.turn()
    (batch,) = world.taken("batch_cancel")
    assert batch.params["orders"] == [order.order_id for order in orders]
    assert "cl_ord_id" not in batch.params


def test_an_order_without_an_order_id_is_cancelled_alone_by_its_client_id() -> None:
    world = World().ready()
    orders = world.place(buy(), sell(), buy(839_800, slot="b1"))
    orders[0].order_id = ""
    world.target()
    world.turn()
    (batch,) = world.taken("batch_cancel")
    (single,) = world.taken("cancel_order")
    assert batch.params["orders"] == [order.order_id for order in orders[1:]]
    assert single.params["cl_ord_id"] == [orders[0].cl_ord_id]


def rest_cancels(world: World) -> list[RestCall]:
    calls = [call for call in world.out.calls if call.method == "CancelOrder"]
    world.out.calls[:] = [call for call in world.out.calls if call not in calls]
    return calls


def test_a_refused_batch_is_taken_apart_then_goes_by_rest_then_is_left_to_the_switch() -> None:
    world = World().ready()
    orders = world.place(buy(), sell())
    world.target()
    world.turn()
    (batch,) = world.taken("batch_cancel")
    world.answer(batch, error="EGeneral:Invalid arguments:orders")
    world.turn()
    singles = world.taken("cancel_order")
    assert [request.params["order_id"] for request in singles] == [[order.order_id] for order in orders]
    for request in singles:
        world.answer(request, error="EGeneral:Permission denied")
    world.turn()
    calls = rest_cancels(world)
    assert [(call.params, call.urgent) for call in calls] == [({"txid": order.order_id}, True) for order in orders]
    world.taken("cancel_all_orders_after")
    for call in calls:
        world.executor.rest_failed(call, "EGeneral:Permission denied", world.now)
    assert any("the switch is left to pull" in entry.text and entry.alert for entry in world.out.log)
    world.wait(12)
    assert world.taken("cancel_all_orders_after") == [], "it is not armed again, so that Kraken pulls"


def test_a_cancel_that_fails_for_ever_is_tried_again_slower_each_time() -> None:
    world = World().ready()
    world.place(buy())
    world.target()
    tries = 0
    for _ in range(240):
        world.now += SECOND // 4
        world.raw({"channel": "heartbeat"})
        world.hear_bus()
        world.turn()
        for request in world.taken("cancel_order"):
            tries += 1
            world.answer(request, error="EGeneral:Invalid arguments")
        for call in rest_cancels(world):
            tries += 1
            world.executor.rest_failed(call, "EGeneral:Invalid arguments", world.now)
    assert 8 <= tries <= 14  # in a minute: three at once, and then 1, 2, 4 and 8 s apart


def test_once_it_is_gone_the_switch_is_armed_again() -> None:
    world = World().ready()
    (order,) = world.place(buy())
    order.cancel.failures = limits.CANCEL_FAILURES
    world.target(buy(), sell())
    world.turn(6)
    assert world.taken("cancel_all_orders_after") == []
    assert world.taken("add_order") == [], "nothing is placed that perhaps could not be pulled"
    world.report("canceled", order, reason="CancelAllOrdersAfter Timeout")
    world.turn()
    assert len(world.taken("cancel_all_orders_after")) == 1


def test_a_cancel_without_an_answer_goes_another_way() -> None:
    world = World().ready()
    (order,) = world.place(buy())
    world.target()
    world.wait(2)
    assert len(world.taken("cancel_order")) == 1
    world.wait(2)
    assert len(world.taken("cancel_order")) == 1
    world.wait(4)
    assert [call.params for call in rest_cancels(world)] == [{"txid": order.order_id}]


def test_what_we_cancelled_keeps_our_reason() -> None:
    world = World().ready()
    (order,) = world.place(buy())
    world.target()
    world.turn()
    ours = order.error
    world.report("canceled", order, reason="User requested", order_status="canceled")
    assert order.state is OrderState.CANCELLED
    assert order.error == ours == "not wanted any more"


# --- Adds that are refused, or taken away ----------------------------------------------------------------------------


def test_a_batch_that_is_refused_whole_is_placed_one_by_one() -> None:
    world = World().ready()
    world.target(buy(), sell())
    world.turn()
    (batch,) = world.taken("batch_add")
    world.answer(batch, error="EGeneral:Invalid arguments:cl_ord_id")
    world.turn()
    singles = world.taken("add_order")
    assert [request.params["side"] for request in singles] == ["buy", "sell"]
    world.answer(singles[0], error="EGeneral:Invalid arguments:price")
    world.answer(singles[1], {"order_id": "O1", "cl_ord_id": singles[1].orders[0]})
    world.wait(1.5)
    assert [request.params["side"] for request in world.taken("add_order")] == ["buy"], "only the one at fault waits"
    assert world.taken("batch_add") == []


@pytest.mark.parametrize("reasons", [["Insufficient margin"], ["Out of funds at 1", "Out of funds at 2"], [""]])
def test_what_the_engine_takes_away_for_any_reason_is_placed_again_slower_each_time(reasons: list[str]) -> None:
    world = World().ready()
    world.target(buy())
    adds = 0
    for n in range(100):
        world.now += SECOND // 10
        world.raw({"channel": "heartbeat"})
        world.hear_bus()
        world.target(buy())
        world.turn()
        world.armed()
        for request in world.taken("add_order"):
            adds += 1
            world.answer(request, {"order_id": f"O{n}", "cl_ord_id": request.orders[0]})
            why = {"reason": reasons[adds % len(reasons)], "order_status": "canceled", "exec_type": "canceled"}
            world.push("executions", [{"order_id": f"O{n}", "cl_ord_id": request.orders[0], **why}])
    assert adds == 4  # at once, and after 1, 2 and 4 s


# --- Rate limits and uncertain errors --------------------------------------------------------------------------------


def amending(price: int) -> tuple[World, Order, Any]:
    world = World().ready()
    (order,) = world.place(buy())
    world.wait(11)
    world.target(buy(price=price))
    world.turn()
    (amend,) = world.taken("amend_order")
    return world, order, amend


def test_a_rate_limit_teaches_the_counter_and_a_refused_advance_is_kept_and_waits() -> None:
    world, order, amend = amending(839_950)
    world.answer(amend, error="EOrder:Rate limit exceeded")
    assert world.state.budget.value("BTC/USD", world.now) == pytest.approx(125)
    world.wait(3)
    assert (world.taken("amend_order"), world.taken("cancel_order"), order.state) == ([], [], OrderState.OPEN)
    world.wait(8)
    assert len(world.taken("amend_order")) == 1, "when the counter has decayed it is asked for again"


def test_a_refused_retreat_is_pulled_by_a_batch_which_is_taken_above_the_threshold() -> None:
    world, order, amend = amending(839_000)
    world.answer(amend, error="EOrder:Rate limit exceeded")
    world.turn()
    (batch,) = world.taken("batch_cancel")
    assert batch.params["orders"] == [order.order_id]


def test_a_refused_add_waits_for_the_counter() -> None:
    world = World().ready()
    world.target(buy())
    world.turn()
    world.answer(world.taken("add_order")[0], error="EOrder:Rate limit exceeded")
    world.wait(3)
    assert world.taken("add_order") == []
    world.wait(2)
    assert len(world.taken("add_order")) == 1


@pytest.mark.parametrize(("count_max", "threshold", "decay"), [(60, 60, 1.0), (125, 125, 2.34), (180, 125, 2.34)])
def test_the_decay_follows_what_kraken_allows(count_max: int, threshold: float, decay: float) -> None:
    world = World()
    world.hear_bus()
    world.executor.opened("TOKEN", world.now)
    world.collect()
    for request in world.taken("subscribe"):
        world.answer(request, {"channel": request.params["channel"], "maxratecount": count_max})
    budget = world.state.budget
    assert (budget.threshold, budget.decay) == (threshold, decay)
    budget.charge("BTC/USD", 50, world.now)
    assert budget.value("BTC/USD", world.now + 10 * SECOND) == pytest.approx(50 - 10 * decay)


UNCERTAIN = [
    "EService:Unavailable",
    "EService:Busy",
    "EService:Timeout",
    "EGeneral:Internal error",
    "EGeneral:Internal error[7]",
    "EDatabase:Internal error",
]


@pytest.mark.parametrize("error", UNCERTAIN)
@pytest.mark.parametrize("where", ["add", "batch", "in its batch"])
def test_an_error_that_kraken_also_gives_for_what_it_did_leaves_the_outcome_unknown(error: str, where: str) -> None:
    world = World().ready()
    world.target(*([buy()] if where == "add" else [buy(), sell()]))
    world.turn()
    (add,) = [*world.taken("add_order"), *world.taken("batch_add")]
    if where == "in its batch":
        world.answer(add, [{"success": False, "error": error}, {"order_id": "O2", "cl_ord_id": add.orders[1]}])
    else:
        world.answer(add, error=error)
    order = world.state.registry.find(add.orders[0])
    assert order is not None
    assert order.state is OrderState.UNKNOWN


# --- An order's age --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["ack", "report"])
def test_an_amend_renews_the_age_that_a_cancel_is_paid_by(by: str) -> None:
    world, order, amend = amending(839_950)
    if by == "ack":
        world.answer(amend, {"amend_id": "A", "order_id": order.order_id})
    else:
        row = {"exec_type": "amended", "limit_price": Decimal("83995.0"), "order_qty": Decimal("0.00119047")}
        world.push("executions", [{"order_id": order.order_id, **row}])
    world.turn(1)
    before = world.state.budget.value("BTC/USD", world.now)
    world.target()
    world.turn()
    assert len(world.taken("cancel_order")) == 1
    assert world.state.budget.value("BTC/USD", world.now) == pytest.approx(before + 8)


def test_a_cancel_on_the_heels_of_an_amend_is_paid_as_of_a_new_order() -> None:
    world, _, _ = amending(839_950)
    before = world.state.budget.value("BTC/USD", world.now)
    world.target()
    world.turn()
    assert len(world.taken("cancel_order")) == 1
    assert world.state.budget.value("BTC/USD", world.now) == pytest.approx(before + 8)


def test_t17_the_switch_stays_armed_until_a_snapshot_that_lags_no_more_shows_nothing_of_ours() -> None:
    # Another executor, of another journal, placed an order just before: the first snapshot lacks it.
    world = World()
    world.hear_bus()
    world.connect()
    world.turn()
    world.armed()
    world.state.controls.halted = True
    world.wait(4.5)
    world.taken("subscribe")
    world.wait(1)
    (again,) = world.taken("subscribe")
    assert again.params["channel"] == "executions"
    name = str(ids.OrderId(world.state.life.epoch - 100, "001", "b0", 1))
    row = {"order_id": "OLATE", "cl_ord_id": name, "exec_type": "pending_new", "symbol": "BTC/USD"}
    more = {"side": "buy", "order_qty": Decimal("0.001"), "limit_price": Decimal("83990.0"), "order_status": "new"}
    world.push("executions", [{**row, **more}], "snapshot")
    world.turn()
    assert [request.params["timeout"] for request in world.taken("cancel_all_orders_after")] == [15]
    (order,) = world.live()
    world.report("canceled", order, order_status="canceled", reason="User requested")
    world.turn()
    assert [request.params["timeout"] for request in world.taken("cancel_all_orders_after")] == [0]
