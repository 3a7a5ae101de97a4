"""An inconsistent exchange as a client sees it: lagging snapshots, odd messages, the engine's own acts."""

from __future__ import annotations

import heapq
import json
from decimal import Decimal
from typing import Any

import pytest

from simulator.errors import FaultError
from simulator.faults.first_day import FirstDay
from simulator.faults.oddities import odd_members, odd_numbers, odd_rest_members, odd_rest_numbers
from tests.kit.simulator.faults import inject
from tests.unit.simulator.worlds import Client, TestWorld, call, limit

ORDER = {"symbol": "BTC/USD", "side": "buy", "order_type": "limit", "order_qty": 0.001, "limit_price": 80000.0}


def later(world: TestWorld, ms: float) -> None:
    """Let the exchange's timers run, and no market."""
    world.now += int(ms * 1e6)
    timers = world.world._timers
    world.world.now = world.now
    while timers and timers[0][0] <= world.now:
        heapq.heappop(timers)[2](world.now)
    world.world.flush(world.now)


def place(world: TestWorld, **changes: Any) -> str:
    (ack, *_) = world.private().call("add_order", **{**ORDER, **changes})
    return str(ack["result"]["order_id"])


def of_channel(client: Client, channel: str) -> list[dict[str, Any]]:
    return [frame for frame in client.since(0) if frame.get("channel") == channel]


def test_a_snapshot_that_lags_lacks_a_new_order_whose_report_follows() -> None:
    world = TestWorld()
    world.empty()
    old = place(world)
    later(world, 1000)
    inject(world, "snapshot_behind", channel="executions", ms=500)
    new = place(world, limit_price=79_000.0)
    later(world, 100)
    client = world.private()
    client.call("subscribe", channel="executions")
    (snapshot,) = of_channel(client, "executions")
    assert [row["order_id"] for row in snapshot["data"]] == [old]
    after = place(world, limit_price=78_000.0)
    assert len(of_channel(client, "executions")) == 1
    later(world, 600)
    rows = [row for row in client.reports() if row["exec_type"] == "new"]
    assert [row["order_id"] for row in rows] == [new, after]
    assert [frame["sequence"] for frame in of_channel(client, "executions")] == [1, 2, 3, 4, 5]


def test_a_snapshot_that_lags_shows_an_order_as_it_was_with_its_fill_and_end_to_come() -> None:
    world = TestWorld()
    world.empty()
    order_id = place(world)
    later(world, 1000)
    inject(world, "snapshot_behind", ms=500)
    world.exchange.add(world.account("visitor"), limit("sell", "0.001", "80000"), world.now)
    world.world.flush(world.now)
    client = world.private()
    client.call("subscribe", channel="executions", snap_trades=True)
    client.call("subscribe", channel="balances")
    (snapshot,) = of_channel(client, "executions")
    (row,) = snapshot["data"]
    assert (row["order_id"], row["order_status"], row["cum_qty"]) == (order_id, "new", 0)
    (balances,) = of_channel(client, "balances")
    assert {row["asset"]: row["balance"] for row in balances["data"]}["BTC"] == 1
    later(world, 600)
    assert [row["exec_type"] for row in client.reports()] == ["trade", "filled"]
    updates = [frame["data"][0] for frame in of_channel(client, "balances")[1:]]
    assert [row["asset"] for row in updates] == ["BTC", "USD"]


def test_a_balances_snapshot_comes_late_and_what_happened_meanwhile_after_it() -> None:
    world = TestWorld()
    world.empty()
    place(world)
    inject(world, "snapshot_late", channel="balances", ms=800)
    client = world.private()
    client.call("subscribe", channel="balances")
    client.call("subscribe", channel="executions")
    assert not of_channel(client, "balances")
    assert of_channel(client, "executions")
    world.exchange.add(world.account("visitor"), limit("sell", "0.001", "80000"), world.now)
    world.world.flush(world.now)
    later(world, 900)
    frames = of_channel(client, "balances")
    assert [frame["type"] for frame in frames] == ["snapshot", "update", "update"]
    assert [frame["sequence"] for frame in frames] == [1, 2, 3]


def test_the_feed_comes_before_the_ack_and_the_ack_before_the_feed() -> None:
    world = TestWorld()
    client = world.private()
    client.call("subscribe", channel="executions")
    inject(world, "answer_late", method="add_order", ms=300, count=1)
    before = len(client.frames)
    client.call("add_order", **ORDER)
    later(world, 400)
    kinds = [frame.get("method") or frame["channel"] for frame in client.since(before)]
    assert kinds == ["executions", "executions", "add_order"]
    inject(world, "delay_reports", ms=300, count=1)
    before = len(client.frames)
    client.call("add_order", **ORDER)
    assert [frame.get("method") for frame in client.since(before)] == ["add_order"]
    later(world, 400)
    assert len(client.since(before)) == 3


@pytest.mark.parametrize("text", ["EService:Unavailable", "EService:Timeout", "EService:Busy"])
def test_what_is_refused_as_unavailable_may_rest_all_the_same(text: str) -> None:
    world = TestWorld()
    client = world.private()
    client.call("subscribe", channel="executions")
    inject(world, "refuse", method="add_order", text=text, after=True, count=1)
    (answer, *reports) = client.call("add_order", **ORDER)
    assert answer["error"] == text
    assert [frame["data"][0]["exec_type"] for frame in reports] == ["pending_new", "new"]
    assert len(world.account().orders) == 1


def test_fills_and_ends_leave_in_one_message() -> None:
    world = TestWorld()
    world.empty()
    client = world.private()
    client.call("subscribe", channel="executions")
    place(world)
    inject(world, "merge_reports")
    before = len(client.frames)
    for qty in ("0.0004", "0.0006"):
        world.exchange.add(world.account("visitor"), limit("sell", qty, "80000"), world.now)
    world.world.flush(world.now)
    later(world, 1)
    (frame,) = client.since(before)
    assert [row["exec_type"] for row in frame["data"]] == ["trade", "trade", "filled"]


def test_the_engine_cancels_and_restates_for_its_own_reasons() -> None:
    world = TestWorld()
    world.empty()
    client = world.private()
    client.call("subscribe", channel="executions")
    order_id = place(world)
    inject(world, "restate", text="Position limit")
    row = client.reports()[-1]
    assert (row["exec_type"], row["reason"], row["order_qty"]) == ("restated", "Position limit", Decimal("0.0005"))
    assert world.account().orders[order_id].remaining == 50_000
    assert world.exchange.venues["BTC/USD"].book.bids.qty[800_000] == 50_000
    inject(world, "engine_cancel", text="Risk check failed", account="maker")
    row = client.reports()[-1]
    assert (row["exec_type"], row["reason"]) == ("canceled", "Risk check failed")
    assert not world.account().orders


def test_numbers_come_as_text_or_with_an_exponent_and_mean_the_same() -> None:
    world = TestWorld()
    place(world)
    plain = world.private()
    plain.call("subscribe", channel="executions")
    (expected,) = of_channel(plain, "executions")
    for how in ("exponent", "text"):
        inject(world, "odd_numbers", value=how)
        client = world.private()
        client.call("subscribe", channel="executions")
        (frame,) = of_channel(client, "executions")
        (row,) = frame["data"]
        if how == "text":
            assert row["limit_price"] == "80000.0"
            assert Decimal(row["order_qty"]) == Decimal("0.001")
        else:
            assert frame == expected
            assert '"limit_price":8.00000E+4' in client.frames[-1]
        world.world.faults.clear()


def test_a_text_that_holds_a_number_is_left_alone() -> None:
    text = '{"reason":"a,1.50,b","x":1.50,"y":[2.5,-0.1]}'
    assert odd_numbers(text, "text") == '{"reason":"a,1.50,b","x":"1.50","y":["2.5","-0.1"]}'


def test_members_are_added_that_nobody_knows_and_optional_ones_are_left_out() -> None:
    world = TestWorld()
    place(world)
    inject(world, "odd_members", value="unknown")
    client = world.private()
    client.call("subscribe", channel="executions")
    (frame,) = of_channel(client, "executions")
    assert "x_unknown" in frame
    assert "x_unknown" in frame["data"][0]
    world.world.faults.clear()
    inject(world, "odd_members", value="missing")
    client = world.private()
    client.call("subscribe", channel="executions")
    (frame,) = of_channel(client, "executions")
    row = frame["data"][0]
    assert {"order_id", "symbol", "order_qty", "limit_price", "exec_type", "order_status"} <= set(row)
    assert not {"fee_usd_equiv", "avg_price", "order_userref", "fee_ccy_pref"} & set(row)


@pytest.mark.parametrize("text", ["{}", '{"a":1}', '{"data":[{"a":1},{"b":2}]}', "[]"])
def test_odd_members_leave_json_that_can_be_read(text: str) -> None:
    for how in ("unknown", "missing"):
        json.loads(odd_members(text, how))


def test_history_rows_of_one_order_are_consolidated() -> None:
    world = TestWorld(history_lag_s=(0.0, 0.0))
    world.empty()
    for price in ("80000", "80001"):
        world.exchange.add(world.account(), limit("sell", "0.0005", price), world.now)
    world.exchange.add(world.account("visitor"), limit("buy", "0.001", "80001"), world.now)
    world.world.flush(world.now)
    assert len(call(world, "TradesHistory")["trades"]) == 2
    inject(world, "consolidate")
    answer = call(world, "TradesHistory")
    (row,) = answer["trades"].values()
    assert (answer["count"], row["vol"], row["price"]) == (1, "0.00100000", "80000.5")
    assert Decimal(row["cost"]) == Decimal("80.0005")


@pytest.mark.parametrize("code", ["1001", "1011", "1012", "1013"])
def test_a_connection_is_closed_with_a_code(code: str) -> None:
    world = TestWorld()
    client = world.public()
    codes: list[int] = []
    client.session.close_with = codes.append
    inject(world, "drop", path="public", count=1, value=code)
    client.session.beat(world.now)
    assert codes == [int(code)]


def test_a_value_that_makes_no_sense_is_refused() -> None:
    faults = TestWorld().world.faults
    for kind in ("odd_numbers", "odd_members", "drop", "rest_broken"):
        with pytest.raises(FaultError, match="value is one of"):
            faults.read({"kind": kind, "value": "nonsense"}, 0)


def test_a_first_day_draws_the_same_mix_of_the_same_seed_and_every_kind_of_it() -> None:
    drawn = []
    for _ in range(2):
        day = FirstDay(TestWorld(seed=5).world)
        drawn.append([day.draw() for _ in range(1000)])
    assert drawn[0] == drawn[1]
    faults = TestWorld().world.faults
    kinds = {faults.read(fields, 0).kind for fields in drawn[0]}
    assert {"snapshot_behind", "refuse", "odd_numbers", "engine_cancel", "rest_cut", "consolidate"} <= kinds


def test_a_first_day_never_piles_up_and_the_market_goes_on() -> None:
    world = TestWorld()
    FirstDay(world.world)
    client = world.private()
    client.call("subscribe", channel="executions")
    world.run(600)
    faults = world.world.faults
    assert len(faults.rules) < 50
    assert faults._ids > 10
    assert len(world.exchange.venues["BTC/USD"].tape) > 100


def test_one_fill_comes_in_two_messages_and_is_one_fill() -> None:
    world = TestWorld()
    client = world.private()
    client.call("subscribe", channel="executions")
    inject(world, "split_trades")
    place(world, order_type="market", limit_price=None)
    fills = [row for row in client.reports() if row["exec_type"] == "trade"]
    first, second = fills[:2]
    assert first["exec_id"] == second["exec_id"]
    assert (first["last_qty"], first["last_price"]) == (second["last_qty"], second["last_price"])
    assert not {"fees", "cost", "cum_qty", "cum_cost", "avg_price", "fee_usd_equiv"} & set(first)
    assert {"fees", "cost", "cum_qty"} <= set(second)
    numbers = [frame["sequence"] for frame in of_channel(client, "executions")]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(world.account().fills) == len({row["exec_id"] for row in fills})


@pytest.mark.parametrize(
    "method", ["Balance", "OpenOrders", "TradesHistory", "Ledgers", "AssetPairs", "Ticker", "Depth"]
)
def test_rest_bodies_are_odd_and_mean_the_same(method: str) -> None:
    world = TestWorld(history_lag_s=(0.0, 0.0))
    call(world, "AddOrder", pair="XBTUSD", type="buy", ordertype="limit", volume="0.001", price="60000")
    call(world, "AddOrder", pair="XBTUSD", type="buy", ordertype="market", volume="0.001")
    world.world.flush(world.now)
    fields = {"pair": "XBTUSD"} if method in ("Ticker", "Depth") else {}
    text = json.dumps({"error": [], "result": call(world, method, **fields)}, separators=(",", ":"))

    def numbers(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: numbers(item) for name, item in value.items() if name != "x_unknown"}
        if isinstance(value, list):
            return [numbers(item) for item in value]
        try:
            return Decimal(str(value))
        except ArithmeticError:
            return value

    for how in ("text", "exponent"):
        odd = odd_rest_numbers(text, how)
        assert numbers(json.loads(odd)) == numbers(json.loads(text))
    assert "E-" in odd or "E+" in odd
    unknown = json.loads(odd_rest_members(text, "unknown"))
    assert "x_unknown" in unknown
    assert "x_unknown" not in unknown["result"]
    assert numbers(unknown) == numbers(json.loads(text))
    assert set(json.loads(odd_rest_members(text, "missing"))["result"]) == set(json.loads(text)["result"])


def test_markets_come_back_from_a_maintenance_by_steps() -> None:
    world = TestWorld()
    public = world.public()
    inject(world, "maintenance", ms=1_000, seconds=10, value="phased")
    seen = []
    for _ in range(32):
        later(world, 1_000)
        seen.append(world.exchange.state.system)
    assert [status for at, status in enumerate(seen) if not at or seen[at - 1] != status] == [
        "maintenance", "cancel_only", "post_only", "online",
    ]  # fmt: skip
    states = [frame["data"][0]["system"] for frame in public.since(0) if frame.get("channel") == "status"]
    assert states[-4:] == ["maintenance", "cancel_only", "post_only", "online"]


def test_a_void_session_id_ends_trading_until_a_new_token() -> None:
    world = TestWorld()
    client = world.private()
    client.call("subscribe", channel="executions")
    inject(world, "expire_tokens", account="maker")
    (refused,) = client.call("add_order", **ORDER)
    assert refused["error"] == "ESession:Invalid session"
    client.token = world.world.make_token(world.world.keys["M1"], world.now)
    assert client.call("add_order", **ORDER)[0]["success"]
