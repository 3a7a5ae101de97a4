"""Faults that the simulated world found in the executor, each as the smallest case of it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from executor.account.ledger import Entry, Ledger, Trade
from executor.orders.codec import from_row, to_row
from shared import limits
from shared.clock import SECOND
from shared.messages import OrderState
from tests.kit.executor.full_disk import FullDisk
from tests.kit.executor_world import BOOT_TO_WALL, KeepingHands, World, buy, sell


def test_a_connection_that_went_dead_without_a_word_is_dropped() -> None:
    world = World().ready()
    world.turn(6.1)
    assert "nothing heard" in world.out.reconnect


@pytest.mark.parametrize("name", ["ratecount", "ratecounter"])
def test_kraken_stating_a_higher_counter_is_believed(name: str) -> None:
    world = World().ready()
    order = world.place(buy())[0]
    world.report("new", order, **{name: Decimal("101.50")})
    assert world.state.budget.value("BTC/USD", world.now) == pytest.approx(101.5)
    world.report("new", order, **{name: Decimal("3.00")})
    assert world.state.budget.value("BTC/USD", world.now) == pytest.approx(101.5)


def test_a_cancel_that_a_crash_kept_from_the_journal_counts_at_its_worst() -> None:
    first = World().ready()
    row = to_row(first.place(buy())[0], BOOT_TO_WALL)
    world = World(started=first.now + 2 * SECOND)
    world.state.registry.add(from_row(row, BOOT_TO_WALL))
    world.hear_bus()
    world.connect()  # the snapshot lacks it: cancelled by us, perhaps
    assert world.state.budget.value("BTC/USD", world.now) == pytest.approx(8.0)


def test_an_order_that_somebody_else_cancelled_is_not_placed_again_at_once() -> None:
    world = World().ready()
    order = world.place(buy())[0]
    world.report("canceled", order, reason="User requested")
    world.target(buy())
    world.turn()
    assert order.state is OrderState.CANCELLED
    assert world.taken("add_order") == []
    world.wait(1.5)
    assert len(world.taken("add_order")) == 1


def test_a_full_disk_while_the_epoch_is_raised_is_survived(tmp_path: Path) -> None:
    world = World().ready()
    journal = FullDisk(tmp_path / "journal.sqlite")
    hands = KeepingHands(world)
    dispatcher = world.dispatcher(journal, hands)
    journal.full = True
    world.state.out.outbid(wanted := world.state.life.epoch + 5)
    dispatcher.turn(world.now)
    assert not world.state.life.journal_ok
    assert [entry.kind for entry in hands.log if entry.level == "error"] == ["journal"]
    journal.full = False
    dispatcher.turn(world.now)
    assert world.state.life.journal_ok
    assert world.state.life.epoch == wanted
    journal.close()


def test_asking_to_disarm_counts_as_disarmed_whatever_the_answer() -> None:
    world = World().ready()
    world.state.controls.halted = True
    world.turn(0.1)
    (disarm,) = world.taken("cancel_all_orders_after")
    assert disarm.params["timeout"] == 0
    world.state.controls.halted = False
    world.target(buy())
    world.turn(0.1)
    assert world.taken("add_order") == []
    assert world.taken("cancel_all_orders_after") == []  # an arming now might be overtaken
    world.answer(disarm, {"currentTime": "", "triggerTime": "0"})
    world.turn(0.1)
    world.armed()
    world.target(buy())
    world.turn(0.1)
    assert len(world.taken("add_order")) == 1


def test_an_arming_answered_after_a_disarming_was_asked_says_nothing() -> None:
    world = World().ready()
    world.turn(2.6)
    world.raw({"channel": "heartbeat"})
    world.turn(2.6)
    (arming,) = world.taken("cancel_all_orders_after")
    world.raw({"channel": "heartbeat"})
    world.state.controls.halted = True
    world.turn(0.1)
    world.answer(arming, {"currentTime": "", "triggerTime": "2030-01-01T00:00:00Z"})
    assert not world.state.session.switch.is_armed(world.exchange_ts)


def test_an_arming_and_a_disarming_that_leave_at_once_count_as_disarmed() -> None:
    world = World().ready()
    order = world.place(buy())[0]
    world.state.session.switch.lost()
    world.turn(0.1)
    (arming,) = world.taken("cancel_all_orders_after")
    world.state.controls.halted = True
    world.report("canceled", order, reason="User requested")
    world.turn()  # in the same moment
    (disarming,) = world.taken("cancel_all_orders_after")
    assert (arming.params["timeout"], disarming.params["timeout"]) == (15, 0)
    world.answer(arming, {"currentTime": "", "triggerTime": "2030-01-01T00:00:00Z"})
    assert not world.state.session.switch.is_armed(world.exchange_ts)


def entry(ledger_id: str, ref_id: str, change: str, kind: str = "trade", ts: int = 0) -> Entry:
    return Entry(ledger_id, ref_id, "USD", kind, Decimal(change), Decimal(0), Decimal(0), ts)


def ledger() -> Ledger:
    made = Ledger(lambda _: False, lambda exec_id: {"USD"} if exec_id == "SETTLED" else set())
    made.set_decimals({"USD": 4})
    made.open({"USD": Decimal(100)}, ts=1000 * SECOND)
    return made


def test_the_deposit_that_a_journal_opened_with_is_not_counted_again_when_rest_shows_it() -> None:
    made = ledger()
    assert not made.entry(entry("L1", "R1", "100", "deposit", ts=900 * SECOND), live=False)
    assert made.entry(entry("L2", "R2", "5", "deposit", ts=1100 * SECOND), live=False)
    assert made.holdings["USD"].settled == 105


def test_an_entry_that_rest_shows_of_a_leg_that_a_snapshot_settled_changes_nothing() -> None:
    made = ledger()
    made.fill(Trade("T1", {"USD": Decimal(-10)}, {}))
    made.snapshot({"USD": Decimal(90)})
    assert not made.entry(entry("L1", "T1", "-10"), live=False)
    assert made.difference == ""


def test_an_entry_journaled_before_its_fill_settles_the_fill_after_a_restart() -> None:
    made = ledger()
    made.fill(Trade("SETTLED", {"USD": Decimal(-10)}, {}))
    assert made.holdings["USD"].open_legs == {}


def test_the_ledger_remembers_no_more_than_its_bound() -> None:
    made = ledger()
    for n in range(3 * limits.LEDGER_RECENT):
        made.entry(entry(f"L{n}", f"T{n}", "-1"), live=True)
    assert max(len(made._seen._keys), len(made._early._keys)) == limits.LEDGER_RECENT


def test_balances_that_fills_do_not_explain_are_asked_for_again_before_rest_is() -> None:
    world = World().ready()
    world.taken("subscribe")
    world.push("balances", world.balances(USD="99995.0000"), "snapshot")
    for _ in range(6):
        world.turn(0.5)
    assert [request.params["channel"] for request in world.taken("subscribe")] == ["balances"]
    world.push("balances", world.balances(), "snapshot")
    world.turn(0.1)
    assert world.state.is_reconciled
    assert world.out.calls == []


def test_a_gap_in_the_reports_stops_advances_until_a_new_snapshot_is_read() -> None:
    world = World().ready()
    world.taken("subscribe")
    world.sequences["executions"] += 1  # one report was lost
    world.push("executions", [])
    world.target(buy())
    world.turn()
    assert world.taken("add_order") == []
    assert [request.params["channel"] for request in world.taken("subscribe")] == ["executions"]
    world.push("executions", [], "snapshot")
    world.target(buy())
    world.turn()
    assert len(world.taken("add_order")) == 1


def test_a_batch_of_cancels_refused_for_one_order_is_taken_apart_at_once() -> None:
    world = World().ready()
    world.place(buy(), buy(839_800, slot="b1"), sell())
    world.state.controls.halted = True
    world.turn()
    (batch,) = world.taken("batch_cancel")
    world.answer(batch, error="EOrder:Unknown order")
    world.turn()
    singles = world.taken("cancel_order")
    assert [request.orders for request in singles] == [[name] for name in batch.orders]
    world.answer(singles[0], error="EOrder:Unknown order")
    world.turn()
    assert (world.taken("batch_cancel"), world.taken("cancel_order")) == ([], [])


def test_a_last_trade_that_says_filled_itself_ends_the_order() -> None:
    world = World().ready()
    (order,) = world.place(buy())
    trade = {"symbol": "BTC/USD", "side": "buy", "last_price": Decimal("83990.0"), "liquidity_ind": "m",
             "fees": [], "timestamp": "2026-01-01T00:00:00.000000Z"}  # fmt: skip
    world.report("trade", order, **trade, exec_id="T1", last_qty=Decimal("0.0005"), order_status="partially_filled")
    assert order.is_live
    world.report("trade", order, **trade, exec_id="T2", last_qty=Decimal("0.00069047"), order_status="filled")
    assert order.state is OrderState.FILLED


def test_history_is_asked_from_when_balances_were_last_heard_and_not_from_when_they_last_agreed() -> None:
    world = World().ready()
    world.balances = lambda **_: [{"asset": "BTC", "balance": Decimal("1")}]  # type: ignore[method-assign]
    heard_s = world.exchange_ts / SECOND
    world.wait(300)  # all agrees, and nobody knows that a message about a withdrawal was lost right after the first
    world.take()
    world.sequences["balances"] += 1
    world.push("balances", [])
    for _ in range(2):  # it asks for balances once more before it asks for history
        world.push("balances", [{"asset": "BTC", "balance": Decimal("0.9")}], "snapshot")
        world.wait(6)
    ((_, start_s, _, _),) = world.executor.backfill.pages
    assert float(start_s) < heard_s
