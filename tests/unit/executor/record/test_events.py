"""The record of events: each kind as its cause makes it, its bound, its journal, and that no secret is ever in it."""

from __future__ import annotations

import json
import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from executor.effects import RestCall
from executor.orders.codec import from_row, to_row
from executor.record.journal import SCHEMA, Journal
from executor.record.lookup import Lookup
from executor.record.order_event import place
from executor.record.restore import restore
from executor.record.rows import EventRow
from shared import limits
from shared.clock import SECOND
from shared.messages import OrderState, Quote, Target
from tests.kit.executor.fills import trade
from tests.kit.executor.full_disk import FullDisk
from tests.kit.executor_world import BOOT_TO_WALL, KeepingHands, World, buy, configuration, sell

OLD_JOURNAL = Path(__file__).with_name("journal_schema_1.sql")


def history_of(world: World, order: Any, kind: str = "") -> list[dict[str, Any]]:
    """An order's events as data, with their kind and state."""
    return [
        {"kind": row.kind, "state": row.state, **json.loads(row.data)}
        for row in world.event_rows
        if row.cl_ord_id == order.cl_ord_id and kind in ("", row.kind)
    ]


def kinds(world: World, order: Any) -> list[str]:
    return [event["kind"] for event in history_of(world, order)]


# --- each kind -------------------------------------------------------------------------------------------------------


def test_an_add_tells_frame_book_target_plan_budget_and_bytes() -> None:
    world = World().ready()
    received, booked = world.now - 9_000_000, world.now - 8_000_000
    world.hear_bus()  # a newer book than the target's
    target = Target(
        strategy="market_maker",
        symbol="BTC/USD",
        price_precision=1,
        qty_precision=8,
        quotes=[buy()],
        decided=world.now,
        ttl_ms=3000,
        fills=4,
        received=received,
        booked=booked,
        exchange_ts=77,
        bid=839_990,
        ask=839_991,
        why="leaning",
    )
    world.executor.message(target, world.now)
    world.turn()
    (event,) = history_of(world, world.live()[0])
    assert (event["kind"], event["state"]) == ("decided", "sent")
    assert event["frame"] == {"received_ts": received + BOOT_TO_WALL, "exchange_ts": 77}
    assert event["book"] == {"booked_ts": booked + BOOT_TO_WALL, "bid": "83999.0", "ask": "83999.1"}
    wanted = {"ttl_ms": 3000, "fills": 4, "price": "83990.0", "qty": "0.00119047", "why": "leaning"}
    assert event["target"] == {"decided_ts": world.now + BOOT_TO_WALL, **wanted}
    assert event["plan"] == {"step": "add", "why": "the slot is empty"}
    assert event["budget"] == {"points": 1, "counter": 0, "held_back": 8, "threshold": 125}
    sent = json.loads(event["bytes"])
    assert (sent["method"], sent["params"]["token"]) == ("add_order", "(redacted)")
    assert sent["params"]["cl_ord_id"] == world.live()[0].cl_ord_id


def test_of_a_batch_each_order_has_its_own_part_and_its_own_answer() -> None:
    world = World().ready()
    world.target(buy(), sell())
    world.turn()
    orders = world.live()
    (request,) = world.taken("batch_add")
    placed = [{"order_id": "OA", "cl_ord_id": request.orders[0]}, {"success": False, "error": "EOrder:No"}]
    world.now += SECOND // 100
    world.answer(request, placed)
    for order in orders:
        event = history_of(world, order, "decided")[0]
        assert event["batch"] == 2
        assert [each["cl_ord_id"] for each in json.loads(event["bytes"])["params"]["orders"]] == [order.cl_ord_id]
    (good,), (bad,) = (history_of(world, order, "answer") for order in orders)
    assert (good["state"], good["order_id"], good["latency_ms"]) == ("open", "OA", 10.0)
    assert (bad["state"], bad["error"]) == ("refused", "EOrder:No")


def test_reports_and_fills_stand_once_each() -> None:
    world = World().ready()
    order = world.place(buy())[0]
    world.report("pending_new", order)
    world.report("new", order)
    for _ in range(2):
        trade(world, order, order.qty)
    world.report("filled", order, cum_qty=Decimal("0.00119047"))
    assert kinds(world, order) == ["decided", "answer", "report", "fill", "report"]
    fill, last = history_of(world, order)[-2:]
    assert (fill["exec_id"], fill["source"], fill["last_price"]) == ("T1", "update", "83990.0")
    assert (last["exec_type"], last["state"]) == ("filled", "filled")


def test_an_amend_tells_what_it_changes_and_why_and_what_came_before() -> None:
    world = World().ready()
    order = world.place(buy())[0]
    world.wait(10)
    world.target(buy(839_800))
    world.turn()
    (request,) = world.taken("amend_order")
    world.answer(request)
    event = history_of(world, order, "decided")[-1]
    assert event["plan"] == {
        "step": "amend",
        "why": "the wanted price moved 100 ticks away from the market",
        "old_price": "83990.0",
        "old_qty": "0.00119047",
        "price": "83980.0",
        "qty": "0.00119047",
    }
    assert event["kept"]["targets"] == {"as wanted": 20}
    assert history_of(world, order, "answer")[-1]["method"] == "amend_order"


def test_a_refused_amend_tells_the_error_and_the_cancel_that_follows() -> None:
    world = World().ready()
    order = world.place(buy())[0]
    world.wait(10)
    world.target(buy(839_950))
    world.turn()
    world.answer(world.taken("amend_order")[0], error="EOrder:Post only order")
    world.turn(0.1)
    assert history_of(world, order, "answer")[-1]["error"] == "EOrder:Post only order"
    assert history_of(world, order, "decided")[-1]["plan"] == {
        "step": "cancel",
        "why": "amend refused: EOrder:Post only order",
    }


def test_a_cancel_tells_why_and_what_left_though_it_waits_for_nothing() -> None:
    world = World().ready()
    order = world.place(buy())[0]
    world.target()
    world.turn()
    event = history_of(world, order)[-1]
    assert event["plan"] == {"step": "cancel", "why": "not wanted any more"}
    assert json.loads(event["bytes"])["method"] == "cancel_order"
    assert event["state"] == "cancelling"
    world.answer(world.taken("cancel_order")[0])
    world.report("canceled", order, reason="User requested")
    assert kinds(world, order)[-2:] == ["answer", "report"]
    assert history_of(world, order)[-1]["reason"] == "User requested"


def test_a_cancel_that_was_not_ours_says_so() -> None:
    world = World().ready()
    order = world.place(buy())[0]
    world.report("canceled", order, reason="User requested")
    assert history_of(world, order)[-1]["by"] == "somebody else"


def test_a_denied_order_tells_the_rule() -> None:
    world = World(configuration(max_order_size=Decimal(50))).ready()
    world.target(buy())
    world.turn()
    (order,) = world.state.registry.visible("BTC/USD")
    (event,) = history_of(world, order)
    assert (event["kind"], event["state"]) == ("denied", "denied")
    assert "above max_order_size 50" in event["denied"]
    assert event["target"]["price"] == "83990.0"
    assert "bytes" not in event


def test_a_denied_amend_is_told_once_while_only_its_figures_change() -> None:
    world = World().ready()
    order = world.place(buy())[0]
    world.config.trading = msgspec.structs.replace(world.config.trading, max_order_size=Decimal(50))
    for step in range(1, 5):
        world.target(buy(839_900 - 100 * step))
        world.wait(10)
    (event,) = history_of(world, order, "denied")
    assert "above max_order_size" in event["denied"]
    assert event["state"] == "open"


def test_an_answer_that_does_not_come_leaves_the_outcome_unknown_and_the_history_settles_it() -> None:
    world = World().ready()
    world.target(buy())
    world.turn()
    order = world.live()[0]
    world.wait(4)
    (event,) = history_of(world, order, "no_answer")
    assert (event["state"], event["why"]) == ("unknown", "no answer within 3 s")
    world.push("executions", [], "snapshot")
    assert "after its deadline" in history_of(world, order, "not_in_snapshot")[0]["why"]
    world.executor.stream.reconcile.ask_history.append(order.cl_ord_id)
    call = RestCall(f"order {order.cl_ord_id}", "ClosedOrders", {})
    world.executor.rest_answer(call, {"closed": {}}, world.now)
    last = history_of(world, order)[-1]
    assert (last["kind"], last["shows"], last["state"]) == ("history", False, "never_placed")


def test_the_history_may_show_what_no_answer_did() -> None:
    world = World().ready()
    world.target(buy())
    world.turn()
    order = world.live()[0]
    world.executor.closed(world.now)
    assert history_of(world, order)[-1]["why"] == "the connection ended before its answer"
    world.executor.stream.reconcile.ask_history.append(order.cl_ord_id)
    answer = {"closed": {"OX": {"cl_ord_id": order.cl_ord_id, "status": "closed", "vol_exec": "0.00119047"}}}
    world.executor.rest_answer(RestCall(f"order {order.cl_ord_id}", "ClosedOrders", {}), answer, world.now)
    last = history_of(world, order)[-1]
    assert (last["shows"], last["status"], last["state"]) == (True, "closed", "filled")


def test_what_did_not_leave_says_so() -> None:
    world = World().ready()
    world.target(buy())
    wanted = world.executor.decide(world.now)
    (request,) = [r for r in wanted.requests if r.method == "add_order"]
    order = world.live()[0]
    world.executor.not_sent(request, "halted", world.now)
    last = history_of(world, order)[-1]
    assert (last["kind"], last["why"], last["state"]) == ("not_sent", "halted", "denied")


def test_an_order_found_at_a_start_says_by_which_start_and_by_what(tmp_path: Path) -> None:
    first = World().ready()
    placed = first.place(buy())[0]
    journal = Journal(tmp_path / "journal.sqlite")
    journal.write([to_row(placed, BOOT_TO_WALL), *first.event_rows])
    state, _ = restore(configuration(), journal, first.now, BOOT_TO_WALL)
    (row,) = (event.row() for event in state.out.pending.events)
    assert (row.kind, row.n, json.loads(row.data)["epoch"]) == ("restored", 2, state.life.epoch)

    world = World(started=first.now + 2 * SECOND)
    world.state.registry.add(from_row(to_row(placed, BOOT_TO_WALL), BOOT_TO_WALL))
    report = {"order_id": "OX", "cl_ord_id": placed.cl_ord_id, "exec_type": "new", "order_status": "new"}
    body = {**report, "symbol": "BTC/USD", "side": "buy", "limit_price": Decimal("83990.0")}
    world.hear_bus()
    world.connect(orders=[{**body, "order_qty": Decimal("0.00119047")}])
    (event,) = history_of(world, placed)
    assert (event["kind"], event["is_start"], event["state"]) == ("snapshot", True, "open")
    journal.close()


@pytest.mark.parametrize("ours", [True, False])
def test_an_order_that_the_journal_lacks_is_adopted(ours: bool) -> None:
    world = World()
    name = "TTP0LMQ001A1000008" if ours else "somebodys"
    report = {"order_id": "OX", "cl_ord_id": name, "order_status": "new", "symbol": "BTC/USD", "side": "buy"}
    world.hear_bus()
    world.connect(orders=[{**report, "limit_price": Decimal("1.0"), "order_qty": Decimal(1)}])
    rows = [(row.kind, json.loads(row.data)["ours"]) for row in world.event_rows]
    assert rows == [("adopted", ours)]


def test_a_fill_that_only_the_history_tells_is_told() -> None:
    world = World().ready()
    order = world.place(buy())[0]
    world.executor.backfill.pages = [("TradesHistory", "0", "1", 0)]
    time_s = world.exchange_ts / SECOND
    trade_told = {"ordertxid": order.order_id, "pair": "XXBTZUSD", "time": time_s, "type": "buy", "price": "83990.0"}
    result = {"count": 1, "trades": {"TX": {**trade_told, "vol": "0.00119047", "fee": "0.01"}}}
    world.executor.rest_answer(RestCall("page", "TradesHistory", {}), result, world.now)
    event = history_of(world, order)[-1]
    assert (event["kind"], event["source"], event["exec_id"]) == ("fill", "history", "TX")


# --- bounds and the journal ------------------------------------------------------------------------------------------


def test_an_order_amended_for_days_keeps_its_beginning_and_its_newest() -> None:
    places = [place(n) for n in range(100_000)]
    assert places[: limits.EVENTS_FIRST] == list(range(limits.EVENTS_FIRST))
    assert set(places) == set(range(limits.EVENTS_FIRST + limits.EVENTS_LAST))
    assert len(set(places[-limits.EVENTS_LAST :])) == limits.EVENTS_LAST


def test_ten_thousand_events_of_one_order_stay_few_in_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    journal = Journal(path)
    world = World().ready()
    order = world.place(buy())[0]
    for number in range(10_000):
        world.state.record(order, "report", world.now, {"number": number})
    journal.write(world.event_rows)
    journal.close()
    lookup = Lookup(path)
    kept = lookup.events(order.cl_ord_id)
    lookup.close()
    assert len(kept) == limits.EVENTS_FIRST + limits.EVENTS_LAST
    assert (kept[0].n, kept[-1].n) == (0, order.audit.events - 1)


def test_the_journal_keeps_the_newest_events_of_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "EVENTS_KEPT", 10)
    journal = Journal(tmp_path / "journal.sqlite")
    journal.write(EventRow(f"T{number}", 0, 0, number, "report", "open", "{}") for number in range(25))
    monkeypatch.setattr(limits, "EVENTS_PRUNED", 8)

    def left() -> list[int]:
        return [row[0] for row in journal.connection.execute("SELECT event_ts FROM events ORDER BY id")]

    journal.prune_events()
    assert left() == list(range(8, 25))  # a few at a time
    for _ in range(3):
        journal.prune_events()
    assert left() == list(range(15, 25))
    journal.close()


def test_a_journal_of_schema_1_becomes_one_of_today_and_keeps_everything(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    old = sqlite3.connect(path)
    old.executescript(OLD_JOURNAL.read_text())
    tables = [row[0] for row in old.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    before = {table: old.execute(f"SELECT * FROM {table}").fetchall() for table in tables if table != "meta"}
    old.close()
    lookup = Lookup(path)  # asked before any executor has written to it
    assert lookup.events(before["orders"][0][0]) == []
    lookup.close()
    assert len(before["fills"]) > 3
    journal = Journal(path)
    assert journal.get("schema") == str(SCHEMA)
    for table, rows in before.items():
        assert journal.connection.execute(f"SELECT * FROM {table}").fetchall() == rows
    state, _ = restore(configuration(), journal, 1000 * SECOND, BOOT_TO_WALL)
    assert {row.kind for row in state.out.pending.events} == {"restored"}
    journal.write([event.row() for event in state.out.pending.events])
    journal.close()


class Counted(Journal):
    """A journal that counts its transactions."""

    writes = 0

    def write(self, rows: Any) -> None:
        self.writes += 1
        super().write(rows)


def test_events_alone_are_no_transaction_and_are_written_with_what_is(tmp_path: Path) -> None:
    world = World().ready()
    journal = Counted(tmp_path / "journal.sqlite")
    dispatcher = world.dispatcher(journal)
    order = world.place(buy())[0]
    world.write(dispatcher)
    before = journal.writes
    world.state.record(order, "report", world.now, {})
    world.write(dispatcher)
    assert journal.writes == before
    world.write(dispatcher, even_events=True)
    assert journal.writes == before + 1
    assert world.out.events == []
    assert journal.next_event(order.cl_ord_id) == 3
    journal.close()


def test_a_full_disk_keeps_fills_rather_than_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "EVENTS_WAITING", 5)
    world = World().ready()
    journal = FullDisk(tmp_path / "journal.sqlite")
    dispatcher = world.dispatcher(journal)
    order = world.place(buy())[0]
    trade(world, order, 10)
    journal.full = True
    for _ in range(50):
        world.state.record(order, "report", world.now, {})
        dispatcher.turn(world.now)
    assert len(world.out.events) <= 5
    journal.full = False
    dispatcher.turn(world.now)
    assert [fill.exec_id for fill in journal.fills()] == ["T1"]
    journal.close()


def test_no_token_is_in_any_event_or_anywhere_in_the_journal(tmp_path: Path) -> None:
    """TOKEN is what the world's connection is opened with; every request carries it."""
    world = World().ready()
    path = tmp_path / "journal.sqlite"
    journal = Journal(path)
    hands = KeepingHands(world)
    dispatcher = world.dispatcher(journal, hands)
    quotes: list[Quote] = [buy(), sell(), buy(839_800, slot="b1")]
    world.target(*quotes)
    dispatcher.turn(world.now)
    for order in world.live():
        world.report("new", order)
    for step in range(3):
        world.now += 11 * SECOND
        world.hear_bus()
        world.raw({"channel": "heartbeat"})
        world.state.session.switch.trigger_ts = world.exchange_ts + 15 * SECOND
        world.target(*(buy(839_700 - 100 * step), sell(840_300 + 100 * step)))
        dispatcher.turn(world.now)
        for order in world.live():
            order.amend = None
    world.state.controls.halted = True
    dispatcher.turn(world.now)
    world.write(dispatcher, even_events=True)
    sent = {json.loads(text)["method"] for text in hands.sent}
    assert {"batch_add", "amend_order", "cancel_order", "batch_cancel"} <= sent
    assert all("TOKEN" in text for text in hands.sent)
    assert journal.connection.execute("SELECT count(*) FROM events WHERE data LIKE '%(redacted)%'").fetchone()[0] > 5
    journal.close()
    assert b"TOKEN" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert OrderState.CANCELLING in {order.state for order in world.live()}
