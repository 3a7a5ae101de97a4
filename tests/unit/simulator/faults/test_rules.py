"""Every fault does what it says, and what was injected can be read back."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from simulator import errors
from simulator.errors import FaultError
from simulator.faults import instant
from simulator.faults.rules import INJECTED_MAX, PROXY_TEXT, Faults
from simulator.wire import NS, iso
from tests.kit.simulator.faults import inject
from tests.kit.simulator.followers import Follower, OldFollower, subscribe
from tests.unit.simulator.worlds import START, Client, TestWorld, call, limit, market

ORDER = {"symbol": "BTC/USD", "side": "buy", "order_type": "limit", "order_qty": 0.001, "limit_price": 80000.0}


def trader(world: TestWorld) -> Client:
    client = world.private()
    client.call("subscribe", channel="executions")
    return client


def sequences(client: Client) -> list[int]:
    return [f["sequence"] for f in client.since(0) if f.get("channel") == "executions"]


def test_a_dropped_connection_ends_at_its_next_message() -> None:
    world = TestWorld()
    client = world.public()
    ended: list[bool] = []
    client.session.hang_up = lambda: ended.append(True)
    inject(world, "drop", path="public", count=1)
    before = len(client.frames)
    client.session.beat(world.now)
    assert (ended, len(client.frames)) == ([True], before)
    client.session.beat(world.now)
    assert len(client.frames) == before + 1
    assert world.world.faults.counts == {"drop": 1}


def test_a_stalled_connection_says_nothing_and_then_everything_in_order() -> None:
    world = TestWorld()
    client = world.public()
    client.call("subscribe", channel="book", symbol=["BTC/USD"])
    follower = Follower(10, client.frames[-1])
    before = len(client.frames)
    inject(world, "stall", path="public", ms=3000, count=1)
    world.run(2.5)
    assert len(client.frames) == before
    world.run(1)
    assert len(client.frames) > before + 20
    for text in client.frames[before:]:
        follower.take(text)


def test_a_lagging_public_feed_is_late_by_its_own_timestamps_with_every_checksum_good() -> None:
    world = TestWorld()
    client = world.public()
    client.call("subscribe", channel="book", symbol=["BTC/USD"])
    follower = Follower(10, client.frames[-1])
    number = inject(world, "lag_public", ms=26_000)
    before = len(client.frames)
    world.run(25)
    assert len(client.frames) == before
    world.run(5)
    assert len(client.frames) > before
    world.world.faults.clear(number)
    world.run(30)
    for text in client.frames[before:]:
        follower.take(text)


def test_foreign_text_and_garbage_come_in_between() -> None:
    world = TestWorld()
    client = world.public()
    inject(world, "text", count=1)
    inject(world, "garbage", count=2)
    client.session.beat(world.now)
    client.session.beat(world.now)
    assert PROXY_TEXT in client.frames
    assert client.frames.count('{"channel":"heartbeat"}') == 2
    assert len(client.frames) == 1 + 2 + 1 + 2


@pytest.mark.parametrize("old", [False, True])
def test_a_corrupted_checksum_is_one_that_does_not_fit(old: bool) -> None:
    world = TestWorld()
    client = world.public_v1() if old else world.public()
    if old:
        follower: Any = OldFollower(10, json.dumps(subscribe(client, "book", depth=10)[1]))
    else:
        client.call("subscribe", channel="book", symbol=["BTC/USD"])
        follower = Follower(10, client.frames[-1])
    before = len(client.frames)
    inject(world, "corrupt_checksum", symbol="BTC/USD", count=1)
    world.run(1)
    bad = 0
    for text in client.frames[before:]:
        try:
            follower.take(text)
        except AssertionError:
            bad += 1
    assert bad == 1


def test_private_reports_are_dropped_with_a_gap_that_shows() -> None:
    world = TestWorld()
    client = trader(world)
    inject(world, "drop_reports", channel="executions", count=1)
    client.call("add_order", **ORDER)
    assert sequences(client) == [1, 3]


def test_private_reports_are_repeated() -> None:
    world = TestWorld()
    client = trader(world)
    inject(world, "repeat_reports", count=1)
    client.call("add_order", **ORDER)
    assert sequences(client) == [1, 2, 2, 3]


def test_private_reports_are_reordered() -> None:
    world = TestWorld()
    client = trader(world)
    inject(world, "reorder_reports", count=1)
    client.call("add_order", **ORDER)
    assert sequences(client) == [1, 3, 2]


def test_a_reordered_report_without_a_follower_leaves_after_a_second() -> None:
    world = TestWorld()
    client = trader(world)
    client.call("add_order", **ORDER)
    inject(world, "reorder_reports", count=1)
    client.call("cancel_all")
    assert sequences(client) == [1, 2, 3]
    world.run(1.1)
    assert sequences(client) == [1, 2, 3, 4]


def test_private_reports_are_delayed_in_order_while_answers_are_not() -> None:
    world = TestWorld()
    client = trader(world)
    inject(world, "delay_reports", ms=2000, count=1)
    frames = client.call("add_order", **ORDER)
    assert [f.get("method") for f in frames] == ["add_order"]
    world.run(2.1)
    assert sequences(client) == [1, 2, 3]


def test_sequence_numbers_are_skipped() -> None:
    world = TestWorld()
    client = trader(world)
    inject(world, "skip_sequence", count=1)
    client.call("add_order", **ORDER)
    assert sequences(client) == [1, 3, 4]


def test_a_request_is_refused_with_any_text_and_nothing_is_done() -> None:
    world = TestWorld()
    client = trader(world)
    inject(world, "refuse", method="add_order", text="EGeneral:Internal error", count=1)
    (answer,) = client.call("add_order", **ORDER)
    assert (answer["error"], answer["success"], answer["req_id"]) == ("EGeneral:Internal error", False, 9)
    assert not world.account().orders
    assert client.call("add_order", **ORDER)[0]["success"]


def test_a_request_is_refused_after_it_was_done() -> None:
    world = TestWorld()
    client = trader(world)
    inject(world, "refuse", method="add_order", text="EService:Busy", after=True, count=1)
    answers = [f for f in client.call("add_order", **ORDER) if "method" in f]
    assert [answer["error"] for answer in answers] == ["EService:Busy"]
    assert len(world.account().orders) == 1


def test_an_answer_comes_late_or_never_while_the_work_is_done() -> None:
    world = TestWorld()
    client = trader(world)
    inject(world, "answer_never", method="add_order", count=1)
    frames = client.call("add_order", **ORDER)
    assert [f.get("channel") for f in frames] == ["executions", "executions"]
    inject(world, "answer_late", method="add_order", ms=1500, count=1)
    frames = client.call("add_order", **ORDER)
    assert not [f for f in frames if "method" in f]
    world.run(1.6)
    assert client.since(0)[-1]["method"] == "add_order"
    assert len(world.account().orders) == 2


def test_filters_and_shares_decide_what_is_struck() -> None:
    world = TestWorld()
    maker, visitor = trader(world), world.private("V1")
    inject(world, "refuse", account="visitor", text="EGeneral:Internal error")
    assert maker.call("add_order", **ORDER)[0]["success"]
    assert not visitor.call("add_order", **ORDER)[0]["success"]
    world.world.faults.clear()
    inject(world, "refuse", method="ping", share=0.5, text="no")
    refused = sum("error" in maker.raw({"method": "ping"})[0] for _ in range(100))
    assert 30 < refused < 70


def test_a_rule_ends_with_its_seconds() -> None:
    world = TestWorld()
    client = world.public()
    inject(world, "refuse", seconds=5)
    assert "error" in client.raw({"method": "ping"})[0]
    world.now += 6 * NS
    assert "error" not in client.raw({"method": "ping"})[0]


def test_tokens_are_expired_and_the_socket_that_used_one_is_told() -> None:
    world = TestWorld()
    client = trader(world)
    inject(world, "expire_tokens", account="maker")
    assert client.call("add_order", **ORDER)[0]["error"] == errors.INVALID_SESSION


def test_histories_are_behind_while_the_exchange_is_not() -> None:
    world = TestWorld(history_lag_s=(0.0, 0.0))
    world.exchange.add(world.account(), market("buy", "0.001"), world.now)
    world.after(1)
    inject(world, "rest_behind", ms=60_000)

    def trades() -> int:
        return int(call(world, "TradesHistory", "M1")["count"])

    assert trades() == 0
    assert call(world, "Balance", "M1")["XXBT"] == "1.0010000000"
    world.after(60)
    assert trades() == 1


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("cancel_only", "EService:Market in cancel_only mode"),
        ("post_only", "EService:Market in post_only mode"),
        ("maintenance", "EService:Unavailable"),
    ],
)
def test_a_status_is_told_to_everyone_and_kept(status: str, error: str) -> None:
    world = TestWorld()
    client, public, old = trader(world), world.public(), world.public_v1()
    client.call("add_order", **ORDER)
    inject(world, "status", value=status)
    assert public.since(0)[-1]["data"][0]["system"] == status
    assert old.since(0)[-1]["status"] == status
    assert client.call("add_order", **ORDER)[0]["error"] == error
    cancelled = client.call("cancel_all")[0]
    assert cancelled["success"] == (status != "maintenance")
    before = world.exchange.venues["BTC/USD"].trade_id
    world.run(5)
    assert world.exchange.venues["BTC/USD"].trade_id == before, "nothing is matched"
    instant.calm(world.world, world.now)
    assert public.since(0)[-1]["data"][0]["system"] == "online"
    world.run(10)
    assert world.exchange.venues["BTC/USD"].trade_id > before


def test_in_maintenance_nothing_is_said_of_any_order() -> None:
    world = TestWorld()
    client = trader(world)
    inject(world, "status", value="maintenance")
    gone = "OAAAAA-AAAAA-AAAAAA"
    for method, params in (
        ("cancel_order", {"order_id": [gone]}),
        ("batch_cancel", {"orders": [gone, "7"]}),
        ("amend_order", {"order_id": gone, "order_qty": 1.0}),
        ("edit_order", {"order_id": gone, "symbol": "BTC/USD", "order_qty": 1.0}),
    ):
        assert client.call(method, **params)[0].get("error") == "EService:Unavailable", method


def test_maintenance_is_announced_begins_and_ends_and_a_switch_armed_across_it_fires() -> None:
    world = TestWorld()
    client, public = trader(world), world.public()
    client.call("add_order", **ORDER)
    client.call("cancel_all_orders_after", timeout=15)
    inject(world, "maintenance", ms=10_000, seconds=20)
    (notice,) = public.since(0)[-1]["data"][0]["upcoming_maintenance"]
    assert set(notice) == {"start_time", "end_time"}
    world.run(12)
    assert public.since(0)[-1]["data"][0]["system"] == "maintenance"
    world.run(10)
    assert world.account().orders
    world.run(10)
    element = public.since(0)[-1]["data"][0]
    assert (element["system"], element["upcoming_maintenance"]) == ("online", [])
    assert not world.account().orders


def test_a_pair_changes_its_status_and_minimums_and_instrument_subscribers_hear_it() -> None:
    world = TestWorld()
    public = world.public()
    public.call("subscribe", channel="instrument")
    inject(world, "pair", symbol="BTC/USD", value="limit_only", qty_min="0.01")
    frame = public.since(0)[-1]
    assert (frame["type"], frame["data"]["assets"]) == ("update", [])
    (pair,) = frame["data"]["pairs"]
    assert (pair["status"], pair["qty_min"]) == ("limit_only", Decimal("0.01"))
    client = trader(world)
    (minimum,) = client.call("add_order", **ORDER)
    assert minimum["error"] == errors.ORDER_MINIMUM
    (only,) = client.call("add_order", symbol="BTC/USD", side="buy", order_type="market", order_qty=0.02)
    assert only["error"] == "EService:Market in limit_only mode"


def test_new_price_decimals_cancel_the_orders_and_begin_a_new_book() -> None:
    world = TestWorld()
    client, public = trader(world), world.public()
    public.call("subscribe", channel="instrument")
    public.call("subscribe", channel="book", symbol=["BTC/USD"])
    client.call("add_order", **ORDER)
    inject(world, "pair", symbol="BTC/USD", price_precision=2)
    assert client.reports()[-1]["exec_type"] == "canceled"
    snapshot = [text for text in public.frames if '"channel":"book"' in text][-1]
    follower = Follower(10, snapshot)
    assert len(follower.best("bids")[0][0].split(".")[1]) == 2
    mark = len(public.frames)
    world.run(3)
    for text in public.frames[mark:]:
        follower.take(text)
    (ack, *_) = client.call("add_order", **{**ORDER, "limit_price": 80000.25})
    assert ack["success"]
    row = call(world, "OpenOrders", "M1")["open"]
    assert row[ack["result"]["order_id"]]["descr"]["price"] == "80000.25"
    stored = world.store.history.orders_by_id(world.account().index, [ack["result"]["order_id"]])
    assert stored[0].pair.price_precision == 2


def test_own_orders_are_filled_in_part_behind_what_stands_before_them() -> None:
    world = TestWorld()
    bid, _ = world.touch()
    order = world.exchange.add(world.account(), limit("buy", "0.01", f"{(bid - 30) / 10:.1f}"), world.now)
    inject(world, "partial_fill", account="maker", share=0.4)
    assert order.filled == 400_000
    assert order.status == "partially_filled"
    assert world.touch()[0] <= bid - 30


def test_a_clock_that_is_off_moves_every_time_and_breaks_no_timer() -> None:
    world = TestWorld()
    client = trader(world)
    client.call("cancel_all_orders_after", timeout=60)
    client.call("add_order", **ORDER)
    inject(world, "clock", ms=-30_000)
    assert world.world.clock_offset_ns == -30 * NS
    world.now -= 30 * NS
    pong = client.raw({"method": "ping"})[0]
    assert pong["time_out"] == iso(START - 30 * NS)
    before = world.exchange.venues["BTC/USD"].trade_id
    world.run(20)
    assert world.exchange.venues["BTC/USD"].trade_id > before, "the market goes on"
    assert world.account().orders
    world.run(45)
    assert not world.account().orders


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "nothing"},
        {},
        [],
        {"kind": "refuse", "share": 2},
        {"kind": "stall", "ms": 1e12},
        {"kind": "refuse", "unknown": 1},
        {"kind": "refuse", "text": "x" * 2000},
    ],
)
def test_a_wrong_fault_is_refused(fields: Any) -> None:
    with pytest.raises(FaultError):
        Faults(1).read(fields, 0)


@pytest.mark.parametrize(
    ("kind", "members"),
    [
        ("status", {"value": "nothing"}),
        ("pair", {"symbol": "XXX/USD"}),
        ("pair", {"symbol": "BTC/USD", "value": "nothing"}),
        ("pair", {"symbol": "BTC/USD", "price_precision": 40}),
        ("pair", {"symbol": "BTC/USD", "qty_min": "x"}),
        ("partial_fill", {}),
    ],
)
def test_a_wrong_act_changes_nothing(kind: str, members: dict[str, Any]) -> None:
    world = TestWorld()
    with pytest.raises(FaultError):
        inject(world, kind, **members)
    assert not world.world.faults.counts


def test_rules_and_their_record_are_bounded_and_readable() -> None:
    faults = Faults(1)
    for _ in range(100):
        faults.set(faults.read({"kind": "refuse"}, 0))
    with pytest.raises(FaultError, match="at most"):
        faults.set(faults.read({"kind": "refuse"}, 0))
    for at in range(2 * INJECTED_MAX):
        assert faults.strike("refuse", at, "ping", method="ping")
    summary = json.loads(json.dumps(faults.summary()))
    assert len(summary["injected"]) == INJECTED_MAX
    assert summary["counts"] == {"refuse": 2 * INJECTED_MAX}
    assert summary["set"][0]["kind"] == "refuse"
    assert faults.clear(1) == 1
    assert faults.clear() == 99


def test_the_same_seed_strikes_the_same_requests() -> None:
    def struck(seed: int) -> list[bool]:
        faults = Faults(seed)
        faults.set(faults.read({"kind": "refuse", "share": 0.3}, 0))
        return [faults.strike("refuse", at) is not None for at in range(50)]

    assert struck(1) == struck(1)
    assert struck(1) != struck(2)


def test_an_order_of_a_pair_whose_limits_change_is_still_that_pairs() -> None:
    world = TestWorld()
    client = trader(world)
    client.call("add_order", **ORDER)
    (order,) = world.account().orders.values()
    inject(world, "pair", symbol="BTC/USD", qty_min="0.0002")
    fields = {"order_id": order.order_id, "order_qty": 0.002, "limit_price": 80000.0}
    (answer,) = [each for each in client.call("edit_order", symbol="BTC/USD", **fields) if "success" in each]
    assert answer["success"], answer
