"""The trading rules T1 to T16, each against the executor's core."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from executor.orders import ids
from shared.clock import MS, SECOND, parse_rfc3339, rfc3339
from shared.messages import BookState, OrderState, Target
from tests.kit.executor.fills import trade
from tests.kit.executor_world import World, buy, configuration, params_of, sell


def test_t1_after_a_fill_nothing_is_added_on_its_side_until_a_newer_target() -> None:
    world = World().ready()
    order = world.place(buy())[0]
    trade(world, order, order.qty)
    world.report("filled", order)
    world.target(buy(), sell(), fills=0)  # decided before the fill was known
    world.turn()
    assert [request.params["side"] for request in world.taken("add_order")] == ["sell"]
    world.target(buy(), sell(), fills=1)
    world.turn()
    assert [request.params["side"] for request in world.taken("add_order")] == ["buy"]


def test_t1_on_the_filled_side_a_quote_may_still_retreat() -> None:
    world = World().ready()
    orders = world.place(buy(), buy(839_800, slot="b1"))
    trade(world, orders[0], orders[0].qty)
    world.wait(11)
    world.target(buy(), buy(839_700, slot="b1"), fills=0)
    world.turn()
    assert [str(request.params["limit_price"]) for request in world.taken("amend_order")] == ["83970.0"]
    assert world.taken("add_order") == []


def from_elsewhere(world: World, late_ms: float, *, delay_ms: float = 1.0) -> bool:
    """A target decided on another machine ``delay_ms`` ago, whose wall clock is ``late_ms`` behind ours."""
    ts = world.now + world.state.life.boot_to_wall - int((late_ms + delay_ms) * MS)
    decided = 7 * SECOND  # of a clock that is not ours
    message = Target(
        strategy="market_maker",
        symbol="BTC/USD",
        price_precision=1,
        qty_precision=8,
        quotes=[buy()],
        decided=decided,
        ttl_ms=3000,
        fills=0,
        clock="another machine",
        ts=ts,
    )
    return world.executor.message(message, world.now)


@pytest.mark.parametrize(("late_ms", "taken"), [(0, True), (-200, True), (240, True), (-260, False), (400, False)])
def test_t2_a_target_from_another_machine_holds_by_its_ts_where_the_clocks_agree(late_ms: float, taken: bool) -> None:
    world = World().ready()
    assert from_elsewhere(world, late_ms) is taken
    world.turn()
    assert bool(world.taken("add_order")) is taken


def test_t2_a_target_from_another_machine_expires_by_its_ts() -> None:
    world = World().ready()
    world.place(buy())
    assert from_elsewhere(world, 0)
    assert from_elsewhere(world, 0, delay_ms=2500)  # held up on its way, on clocks that are known to agree
    for _ in range(4):
        world.turn(0.1)
        world.hear_bus()
    assert world.taken("cancel_order") == []
    world.turn(0.2)
    assert len(world.taken("cancel_order")) == 1


def test_t2_when_its_clock_goes_astray_its_last_good_target_runs_out_and_a_person_is_told() -> None:
    world = World().ready()
    world.place(buy())
    from_elsewhere(world, 0)
    pulled = 0
    for _ in range(70):
        world.turn(0.1)
        world.hear_bus()
        from_elsewhere(world, 600)
        pulled += len(world.taken("cancel_order"))
    assert pulled == 1
    entries = [entries for entries in world.out.log if entries.kind == "clock"]
    assert entries[0].alert
    assert "another machine" in entries[0].text
    assert "keep both clocks by NTP" in entries[0].text


def test_t2_a_target_that_is_not_said_again_expires_and_its_quotes_are_pulled() -> None:
    world = World().ready()
    world.place(buy())
    for _ in range(29):
        world.turn(0.1)
        world.hear_bus()
    assert world.taken("cancel_order") == []
    world.turn(0.2)
    assert len(world.taken("cancel_order")) == 1


def test_t3_every_add_carries_a_deadline_before_the_switch_fires() -> None:
    world = World().ready()
    world.target(buy())
    world.turn()
    add = world.taken("add_order")[0]
    deadline = parse_rfc3339(params_of(add)["deadline"])
    assert deadline <= world.exchange_ts + 2 * SECOND
    assert deadline <= world.state.session.switch.trigger_ts - 2 * SECOND
    assert deadline >= world.exchange_ts + SECOND


def test_t3_nothing_is_added_when_the_switch_would_fire_too_soon() -> None:
    world = World().ready()
    world.turn(12.5)  # armed for 15 s, not confirmed again
    world.hear_bus()
    world.target(buy())
    world.turn()
    assert world.taken("add_order") == []


@pytest.mark.parametrize("armed", [True, False])
def test_t3_quotes_are_pulled_at_once_while_time_is_uncertain_only_without_an_armed_switch(armed: bool) -> None:
    world = World().ready()
    world.place(buy())
    world.wait(20)
    world.state.session.clock._high += 2 * SECOND
    if not armed:
        world.state.session.switch.trigger_ts = 0
    world.hear_bus()
    world.target(buy())
    world.turn()
    assert len(world.taken("cancel_order")) == (0 if armed else 1)


def test_t4_nothing_is_added_before_the_first_confirmed_arming() -> None:
    world = World()
    world.hear_bus()
    world.connect()
    world.target(buy())
    world.turn()
    assert world.taken("add_order") == []
    world.armed()
    world.turn()
    assert len(world.taken("add_order")) == 1


@pytest.mark.parametrize("trouble", ["silent", "journal", "not reconciled"])
def test_t4_an_unhealthy_executor_does_not_arm_again(trouble: str) -> None:
    world = World().ready()
    if trouble == "silent":
        world.state.session.heard = world.now - 4 * SECOND
        world.now += 6 * SECOND
    else:
        world.now += 6 * SECOND
        world.state.session.heard = world.now
    world.state.life.journal_ok = trouble != "journal"
    if trouble == "not reconciled":
        world.push("balances", world.balances(USD="99995.0000"), "snapshot")
        world.turn()
        world.taken("cancel_all_orders_after")
        world.now += 6 * SECOND
        world.state.session.heard = world.now
    world.turn()
    assert world.taken("cancel_all_orders_after") == []


def test_t5_every_add_and_amend_is_post_only() -> None:
    world = World().ready()
    world.place(buy())
    world.wait(11)
    world.target(buy(839_950), sell())
    world.turn()
    add, amend = world.taken("add_order")[0], world.taken("amend_order")[0]
    assert add.params["post_only"] is True
    assert amend.params["post_only"] is True
    assert add.params["fee_preference"] == "quote"


@pytest.mark.parametrize(
    "error",
    ["EOrder:Post only order", "EService:Deadline elapsed", "EOrder:Insufficient funds"],
)
def test_t5_a_refused_amend_leaves_the_old_price_live_so_it_is_cancelled(error: str) -> None:
    world = World().ready()
    world.place(buy())
    world.wait(11)
    world.target(buy(839_950))
    world.turn()
    world.answer(world.taken("amend_order")[0], error=error)
    world.turn()
    assert len(world.taken("cancel_order")) == 1


def test_t5_a_refused_price_waits_for_the_touch_to_clear_it_and_at_least_a_second() -> None:
    world = World().ready()
    order = world.place(buy(840_000))[0]
    world.ask = 840_000
    world.report("canceled", order, reason="Post only order")
    assert order.state is OrderState.REFUSED

    def adds(seconds: float) -> int:
        world.now += int(seconds * SECOND)
        world.hear_bus()
        world.target(buy(840_000))
        world.turn()
        world.armed()
        return len(world.taken("add_order"))

    world.bid = 839_999
    assert adds(0.5) == 0
    assert adds(1.0) == 0  # a second passed, the touch still stands in the way
    world.bid, world.ask = 840_000, 840_001
    assert adds(0.1) == 1


def test_t5_a_refused_price_is_placed_again_where_a_side_of_the_book_is_empty() -> None:
    world = World().ready()
    order = world.place(buy(840_000))[0]
    world.report("canceled", order, reason="Post only order")
    world.now += 2 * SECOND
    world.hear_bus()
    world.executor.message(msgspec.structs.replace(world.state.market.books["BTC/USD"], asks=[]), world.now)
    world.target(buy(840_000))
    world.turn()
    assert len(world.taken("add_order")) == 1


def test_t5_the_price_of_a_refused_amend_waits_for_the_touch_and_not_the_one_that_it_rested_at() -> None:
    world = World().ready()
    order = world.place(buy(839_900))[0]
    world.wait(11)
    world.target(buy(839_990))
    world.turn()
    world.answer(world.taken("amend_order")[0], error="EOrder:Post only order")
    world.turn()
    world.report("canceled", order, reason="User requested")
    world.bid, world.ask = 839_989, 839_990
    world.wait(3)
    assert world.taken("add_order") == []
    world.bid, world.ask = 839_990, 839_991
    world.wait(1)
    assert [request.params["limit_price"] for request in world.taken("add_order")] == [Decimal("83999.0")]


def test_an_order_that_an_amend_did_not_find_is_not_amended_again_before_a_snapshot_shows_it() -> None:
    world = World().ready()
    order = world.place(buy(839_900))[0]
    world.wait(11)
    world.target(buy(839_800))
    world.turn()
    world.answer(world.taken("amend_order")[0], error="EOrder:Unknown order")
    for _ in range(10):
        world.target(buy(839_800))
        world.turn(0.1)
    assert world.taken("amend_order") == []
    world.taken("subscribe")
    world.wait(3)
    assert any(request.params["channel"] == "executions" for request in world.taken("subscribe"))
    row = {"order_id": order.order_id, "cl_ord_id": order.cl_ord_id, "exec_type": "new", "order_status": "new"}
    world.push("executions", [row], "snapshot")
    world.hear_bus()
    world.target(buy(839_800))
    world.turn()
    assert len(world.taken("amend_order")) == 1


def test_t6_amends_send_filled_and_remaining_and_count_at_their_worst_until_settled() -> None:
    world = World().ready()
    order = world.place(buy(qty=119_047))[0]
    trade(world, order, 80_000)
    world.wait(11)
    world.target(buy(839_950, 119_047), fills=1)
    world.turn()
    amend = world.taken("amend_order")[0]
    assert amend.params["order_qty"] == Decimal(80_000 + 119_047).scaleb(-8)
    assert order.worst_remaining == 119_047
    assert set(order.prices) == {839_900, 839_950}


def test_t7_an_add_that_would_cross_our_own_order_at_any_of_its_prices_is_denied() -> None:
    world = World().ready()
    order = world.place(sell(840_050))[0]
    world.wait(11)
    world.bid, world.ask = 840_300, 840_400
    world.hear_bus()
    world.target(sell(840_500), buy(840_100))
    world.turn()
    assert len(world.taken("amend_order")) == 1  # the retreat leaves
    assert world.taken("add_order") == []  # the advance waits for its confirmation
    world.report("amended", order, limit_price=Decimal("84050.0"), order_qty=Decimal("0.00119047"))
    world.wait(1.5)
    assert len(world.taken("add_order")) == 1


def test_t8_what_pulling_everything_would_cost_is_held_back() -> None:
    world = World().ready()
    world.state.budget.charge("BTC/USD", 125 - 8 - 1 + 0.5, world.now)
    world.target(buy())
    world.turn()
    assert world.taken("add_order") == []
    world.turn(1.1)
    world.hear_bus()
    world.target(buy())
    world.turn()
    assert len(world.taken("add_order")) == 1


def test_t8_several_are_pulled_in_one_batch() -> None:
    world = World().ready()
    world.place(buy(), buy(839_800, slot="b1"), sell())
    world.state.controls.halted = True
    world.turn()
    assert len(world.taken("batch_cancel")[0].orders) == 3


def test_t9_cancels_wait_for_neither_budget_nor_journal() -> None:
    world = World().ready()
    world.place(buy())
    world.state.life.journal_ok = False
    world.state.budget.charge("BTC/USD", 500, world.now)
    world.target()
    world.turn()
    (request,) = world.taken("batch_cancel")  # which Kraken takes above the threshold
    assert request.urgent


def test_t10_halted_pulls_and_places_nothing() -> None:
    world = World().ready()
    world.place(buy())
    world.state.controls.halted = True
    world.target(buy(), sell())
    world.turn()
    assert len(world.taken("cancel_order")) == 1
    assert world.taken("add_order") == []


@pytest.mark.parametrize("system", ["cancel_only", "post_only", "maintenance"])
def test_t12_any_status_but_online_pulls_and_the_way_back_takes_5_s(system: str) -> None:
    world = World().ready()
    order = world.place(buy())[0]
    world.system = system
    world.turn(1.1)
    world.hear_bus()
    world.target(buy())
    world.turn()
    assert len(world.taken("cancel_order")) == 1
    world.report("canceled", order, reason="User requested")
    world.system = "online"
    world.hear_bus()
    world.state.market.feed = type(world.state.market.feed)(  # type: ignore[misc]
        connected=True, connection=1, last_byte=world.now, system="online", online_since=world.now
    )
    world.target(buy())
    world.turn()
    assert world.taken("add_order") == []


def test_t3_in_maintenance_the_switch_is_neither_armed_nor_disarmed() -> None:
    world = World().ready()
    world.turn()
    for system, is_asked in (("maintenance", False), ("online", True)):
        world.raw({"channel": "status", "type": "update", "data": [{"system": system}]})
        world.now += 6 * SECOND
        world.raw({"channel": "heartbeat"})
        world.turn()
        assert bool(world.taken("cancel_all_orders_after")) is is_asked


def announced(world: World, begins_s: float, lasts_s: float) -> None:
    """A status with a notice of maintenance, in seconds from now."""
    begin = world.exchange_ts + int(begins_s * SECOND)
    notice = {"start_time": rfc3339(begin), "end_time": rfc3339(begin + int(lasts_s * SECOND))}
    world.raw({"channel": "status", "data": [{"system": "online", "upcoming_maintenance": [notice]}]})


def switched(world: World) -> list[int]:
    return [params_of(request)["timeout"] for request in world.taken("cancel_all_orders_after")]


def test_t4_around_announced_maintenance_quotes_go_and_then_the_switch_is_disarmed() -> None:
    world = World().ready()
    order = world.place(buy())[0]
    announced(world, 120, 60)
    world.wait(80)
    assert world.taken("cancel_order") == []  # there is time
    world.wait(15)
    assert len(world.taken("cancel_order")) >= 1
    assert 0 not in switched(world)  # not while an order rests
    world.report("canceled", order, reason="User requested")
    world.target(buy())
    world.turn()
    assert switched(world) == [0]
    world.wait(20)
    assert (switched(world), world.taken("add_order")) == ([], [])


@pytest.mark.parametrize("comes", [True, False])
def test_t4_after_announced_maintenance_nothing_is_added_before_the_switch_is_armed_again(comes: bool) -> None:
    world = World().ready()
    announced(world, 10, 60)
    world.target(buy())
    world.wait(20)
    if comes:
        world.raw({"channel": "status", "data": [{"system": "maintenance", "upcoming_maintenance": []}]})
        world.wait(45)
        assert world.taken("add_order") == []
        world.executor.closed(world.now)  # the news that it is over is lost with the connection
        world.wait(10)
        world.raw({"channel": "status", "data": [{"system": "online", "upcoming_maintenance": []}]})
        world.connect()
    else:
        world.wait(49)
        assert world.taken("add_order") == []
        world.now += 3 * SECOND  # its announced end, and nothing came
    switched(world)
    world.raw({"channel": "heartbeat"})
    world.hear_bus()
    world.target(buy())
    world.turn()
    assert world.taken("add_order") == []
    world.armed()
    world.turn()
    assert len(world.taken("add_order")) == 1


@pytest.mark.parametrize("notice", ["soon", {}, {"start_time": 5}, {"start_time": "tomorrow"}, None])
def test_a_notice_of_maintenance_that_cannot_be_read_is_told_and_survived(notice: object) -> None:
    world = World().ready()
    world.raw({"channel": "status", "data": [{"system": "online", "upcoming_maintenance": [notice]}]})
    assert any(entry.alert and "unreadable notice" in entry.text for entry in world.out.log)
    assert len(world.place(buy())) == 1


def test_t13_beyond_a_limit_only_what_reduces_is_sent() -> None:
    world = World().ready()
    world.state.account.ledger.holdings["BTC"].balance = Decimal("1.0125")  # about 1050 USD over the base
    world.state.account.ledger.holdings["BTC"].settled = Decimal("1.0125")
    world.target(buy(), sell())
    world.turn()
    assert [request.params["side"] for request in world.taken("add_order")] == ["sell"]


def test_t13_a_daily_loss_at_its_limit_halts() -> None:
    world = World(configuration(max_daily_loss=Decimal(50))).ready()
    order = world.place(buy())[0]
    trade(world, order, order.qty)
    world.turn(1.1)
    assert not world.halt
    world.bid, world.ask = 340_000, 340_001
    world.hear_bus()
    world.turn(1.1)
    assert "max_daily_loss" in world.halt


def test_t14_a_leg_that_rounds_to_nothing_has_no_entry_and_is_still_explained() -> None:
    world = World().ready()
    order = world.place(buy())[0]
    qty, price = Decimal("0.00000001"), Decimal("83990.0")  # 0.0008399 USD: an entry; the fee 0.00000084: none
    world.report("trade", order, exec_id="T1", symbol="BTC/USD", side="buy", last_qty=qty, last_price=price, fees=[])
    assert world.state.account.ledger.difference
    holdings = world.state.account.ledger.holdings
    common = {"ref_id": "T1", "type": "trade", "fee": Decimal(0)}
    world.push(
        "balances",
        [{**common, "ledger_id": "L1", "asset": "BTC", "amount": qty, "balance": holdings["BTC"].balance + qty}],
    )
    paid = Decimal("-0.0008")
    world.push(
        "balances",
        [{**common, "ledger_id": "L2", "asset": "USD", "amount": paid, "balance": holdings["USD"].balance + paid}],
    )
    assert world.state.account.ledger.difference == ""
    assert holdings["USD"].rounding == Decimal("0.0000399")


def test_t15_a_new_journal_opens_at_its_first_balances_and_counts_no_fill_before_it() -> None:
    world = World()
    world.hear_bus()
    old = {"order_id": "OLD", "exec_id": "TOLD", "exec_type": "trade", "symbol": "BTC/USD", "side": "buy"}
    world.connect(fills=[{**old, "last_qty": Decimal("0.1"), "last_price": Decimal(80000)}])
    world.turn()
    assert world.state.account.tallies == {}
    assert world.state.is_reconciled


def test_t15_a_start_asks_rest_for_nothing_when_fills_and_balances_agree() -> None:
    world = World().ready()
    world.turn(20)
    assert world.out.calls == []


def test_t15_a_difference_that_lasts_asks_for_fills_and_then_for_ledger_entries() -> None:
    world = World().ready()
    world.push("balances", world.balances(USD="99995.0000"), "snapshot")
    calls = []
    for _ in range(40):
        world.turn(0.5)
        world.hear_bus()
        world.raw({"channel": "heartbeat"})
        if any(request.params.get("channel") == "balances" for request in world.taken("subscribe")):
            world.push("balances", world.balances(USD="99995.0000"), "snapshot")
        for call in world.out.calls:
            calls.append(call.method)
            result = {"trades": {}, "count": 0} if call.method == "TradesHistory" else {"ledger": {}, "count": 0}
            world.executor.rest_answer(call, result, world.now)
        world.out.calls.clear()
    assert calls[:2] == ["TradesHistory", "Ledgers"]


def test_t16_orders_and_fills_that_are_not_ours_count_and_are_left_alone() -> None:
    world = World()
    world.hear_bus()
    foreign = {
        "order_id": "OFOREIGN",
        "exec_type": "new",
        "order_status": "new",
        "symbol": "BTC/USD",
        "side": "buy",
        "limit_price": Decimal("83000.0"),
        "order_qty": Decimal("0.01"),
        "timestamp": "2026-01-01T00:00:00.000000Z",
    }
    world.connect(orders=[foreign])
    world.turn()
    world.armed()
    world.hear_bus()
    world.target(buy(), buy(839_800, slot="b1"), sell())
    world.turn()
    assert [order.strategy for order in world.live() if order.order_id == "OFOREIGN"] == ["account"]
    # 830 USD of somebody else's bid leave room for one of ours below 1000.
    request = world.taken("batch_add")[0]
    assert [order["side"] for order in params_of(request)["orders"]] == ["buy", "sell"]
    world.state.controls.halted = True
    world.turn()
    assert world.taken("cancel_order") == []


def test_ids_tell_epoch_strategy_slot_and_counter() -> None:
    made = ids.OrderId(1_795_000_000, "00A", "b0", 35)
    assert len(str(made)) == 18
    assert ids.parse(str(made)) == made
    assert ids.parse("TOO-SHORT") is None
    assert ids.parse("T" + "a" * 17) is None


@pytest.mark.parametrize("state", [BookState.SYNCING, BookState.RESYNCING, BookState.SILENT])
def test_invariant_3_no_quote_rests_for_a_second_on_a_book_that_is_not_live(state: BookState) -> None:
    world = World().ready()
    world.place(buy())
    world.now += 2 * SECOND
    pulled = 0
    for _ in range(9):
        world.hear_bus(state)
        world.target(buy())
        world.turn(0.1)
        pulled += len(world.taken("cancel_order"))
    assert pulled == 1


def test_own_orders_that_the_book_does_not_know_of_make_it_distrusted_for_a_while() -> None:
    world = World().ready()
    order = world.place(buy(839_990))[0]
    world.bid = 839_980  # the book shows a touch below our own bid
    world.wait(1.5)
    assert world.taken("cancel_order") == []  # our order may be newer than the book
    world.wait(1.0)
    assert len(world.taken("cancel_order")) == 1
    world.report("canceled", order, reason="User requested")
    world.wait(3)
    assert world.taken("add_order") == []
    world.bid = 839_990
    world.wait(3)
    assert len(world.taken("add_order")) == 1
