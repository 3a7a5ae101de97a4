"""Private WebSocket v2: channels, trading and their words (KRAKEN.md 3)."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from simulator import errors
from simulator.keys import TOKEN_LIFE_NS
from simulator.wire import NS, iso
from tests.unit.simulator.worlds import Client, TestWorld, limit

ORDER = {"symbol": "BTC/USD", "side": "buy", "order_type": "limit", "order_qty": 0.001, "limit_price": 80000.0}


def subscribed(world: TestWorld, key: str = "M1", **more: Any) -> Client:
    client = world.private(key)
    client.call("subscribe", channel="executions", **more)
    client.call("subscribe", channel="balances")
    return client


def exec_types(client: Client) -> list[str]:
    return [row["exec_type"] for row in client.reports()]


def test_tokens_are_asked_for_and_checked() -> None:
    world = TestWorld()
    client = world.private()
    (bad,) = client.call("subscribe", channel="executions", token="nonsense")
    assert (bad["error"], bad["status"], bad["channel"]) == (errors.INVALID_SESSION, "error", "executions")
    (absent,) = client.raw({"method": "add_order", "params": dict(ORDER)})
    assert absent["error"] == "Token(s) not found"
    (stranger,) = client.call("add_order", **ORDER, token="nonsense")
    assert stranger["error"] == errors.INVALID_SESSION
    (public,) = client.call("subscribe", channel="book", symbol=["BTC/USD"])
    assert public["error"].startswith("Public market data subscriptions are unavailable on this endpoint")


def test_a_token_ends_after_fifteen_minutes_unless_a_subscription_uses_it() -> None:
    world = TestWorld()
    used, unused = subscribed(world), world.private()
    world.now += TOKEN_LIFE_NS + NS
    assert used.call("add_order", **ORDER)[0]["success"]
    assert unused.call("add_order", **ORDER)[0]["error"] == errors.INVALID_SESSION
    used.session.close()
    assert used.call("add_order", **ORDER)[0]["error"] == errors.INVALID_SESSION


def test_an_order_lives_from_pending_to_filled_and_both_ledger_legs_are_told() -> None:
    world = TestWorld()
    world.empty()
    maker, visitor = subscribed(world), subscribed(world, "V1")
    (ack,) = [f for f in maker.call("add_order", **ORDER, cl_ord_id="mine", post_only=True) if "method" in f]
    assert ack["result"] == {"order_id": ack["result"]["order_id"], "cl_ord_id": "mine"}
    assert {"time_in", "time_out", "req_id"} <= set(ack)
    visitor.call("add_order", **{**ORDER, "side": "sell", "order_qty": 0.0015})
    assert exec_types(maker) == ["pending_new", "new", "trade", "filled"]
    assert exec_types(visitor) == ["pending_new", "new", "trade"]
    trade = maker.reports()[2]
    assert (trade["liquidity_ind"], trade["cl_ord_id"], trade["order_status"]) == ("m", "mine", "partially_filled")
    legs = [f["data"][0] for f in visitor.since(0) if f.get("channel") == "balances" and f["type"] == "update"]
    assert [(leg["asset"], leg["amount"], leg["fee"]) for leg in legs] == [
        ("BTC", Decimal("-0.001"), 0),
        ("USD", Decimal("80"), Decimal("0.32")),
    ]
    assert {leg["ref_id"] for leg in legs} == {visitor.reports()[2]["exec_id"]}
    assert legs[1]["balance"] == Decimal("100079.68")


def test_each_subscription_counts_from_one_without_gaps() -> None:
    world = TestWorld()
    client = subscribed(world)
    for _ in range(3):
        client.call("add_order", **ORDER)
    world.run(1)
    for channel in ("executions", "balances"):
        numbers = [f["sequence"] for f in client.since(0) if f.get("channel") == channel]
        assert numbers == list(range(1, len(numbers) + 1))
    second = subscribed(world)
    (snapshot,) = [f for f in second.since(0) if f.get("channel") == "executions"]
    assert (snapshot["sequence"], snapshot["type"], len(snapshot["data"])) == (1, "snapshot", 3)


def test_numbers_have_the_pairs_precision_in_every_report() -> None:
    world = TestWorld()
    client = subscribed(world)
    client.call("add_order", **ORDER)
    text = next(frame for frame in client.frames if '"pending_new"' in frame)
    assert '"order_qty":0.00100000' in text
    assert '"limit_price":80000.0,' in text


def test_a_crossing_post_only_order_is_accepted_then_cancelled() -> None:
    world = TestWorld()
    client = subscribed(world)
    frames = client.call("add_order", **{**ORDER, "limit_price": 90000.0}, post_only=True)
    assert [f["success"] for f in frames if "method" in f] == [True]
    assert exec_types(client) == ["pending_new", "canceled"]
    assert client.reports()[-1]["reason"] == "Post only order"


def test_an_amend_keeps_the_order_and_a_crossing_post_only_one_is_an_error() -> None:
    world = TestWorld()
    client = subscribed(world)
    client.call("add_order", **ORDER, cl_ord_id="mine")
    ack = client.call("amend_order", cl_ord_id="mine", limit_price=80001.5, order_qty=0.002, post_only=True)[0]
    assert ack["result"]["cl_ord_id"] == "mine"
    assert ack["result"]["amend_id"].startswith("T")
    amended = client.reports()[-1]
    assert (amended["exec_type"], amended["order_qty"], amended["limit_price"]) == (
        "amended",
        Decimal("0.002"),
        Decimal("80001.5"),
    )
    (refused,) = client.call("amend_order", cl_ord_id="mine", limit_price=90000.0, post_only=True)
    assert refused["error"] == errors.POST_ONLY
    (unknown,) = client.call("amend_order", cl_ord_id="other", limit_price=1.0)
    assert unknown["error"] == errors.UNKNOWN_ORDER


def test_cancels_answer_order_by_order_and_batches_by_count() -> None:
    world = TestWorld()
    client = subscribed(world)
    for name in ("a", "b", "c", "d"):
        client.call("add_order", **ORDER, cl_ord_id=name)
    frames = [f for f in client.call("cancel_order", cl_ord_id=["a", "zzz"]) if "method" in f]
    assert frames[0]["result"] == {"cl_ord_id": "a"}
    assert frames[1]["error"] == errors.UNKNOWN_ORDER
    (batch,) = [f for f in client.call("batch_cancel", orders=[], cl_ord_id=["b", "c", "zz"]) if "method" in f]
    assert batch["result"] == {"count": 2}
    (rest,) = [f for f in client.call("cancel_all") if "method" in f]
    assert rest["result"] == {"count": 1}
    assert client.reports()[-1]["reason"] == "User requested"


def test_a_batch_is_refused_whole_when_malformed_and_one_by_one_by_the_engine() -> None:
    world = TestWorld()
    client = subscribed(world)
    one = {key: value for key, value in ORDER.items() if key != "symbol"}
    small = {**one, "order_qty": 0.000001}
    (refused,) = client.call("batch_add", symbol="BTC/USD", orders=[one, small])
    assert refused["error"] == errors.ORDER_MINIMUM
    assert not world.account().orders
    big = {**one, "order_qty": 50.0, "cl_ord_id": "big"}
    (mixed,) = [
        f for f in client.call("batch_add", symbol="BTC/USD", orders=[{**one, "cl_ord_id": "ok"}, big]) if "method" in f
    ]
    assert mixed["success"]
    assert mixed["result"][0]["cl_ord_id"] == "ok"
    assert mixed["result"][1] == {"success": False, "error": errors.INSUFFICIENT_FUNDS, "cl_ord_id": "big"}


def test_deadlines_have_their_range_and_are_kept() -> None:
    world = TestWorld()
    client = subscribed(world)

    def answer(ahead_s: float) -> str:
        until = iso(world.now + int(ahead_s * NS))
        (ack,) = [f for f in client.call("add_order", **ORDER, deadline=until) if "method" in f]
        return str(ack.get("error", "ok"))

    assert [answer(2), answer(0.2), answer(61), answer(-1)] == [
        "ok",
        "EGeneral:Invalid arguments:deadline",
        "EGeneral:Invalid arguments:deadline",
        errors.DEADLINE_ELAPSED,
    ]
    params = {**ORDER, "token": client.token, "deadline": iso(world.now + NS)}
    request = client.session.read(json.dumps({"method": "add_order", "params": params}), world.now)
    client.session.handle(request, world.now + 2 * NS)
    assert client.since(0)[-1]["error"] == errors.DEADLINE_ELAPSED


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"limit_price": "80000.0"}, "Limit_price field must be a number_float"),
        ({"order_qty": True}, "Order_qty field must be a number_float"),
        ({"order_type": "hidden"}, "EGeneral:Invalid arguments:ordertype"),
        ({"order_type": "iceberg"}, "EGeneral:Invalid arguments:display_qty"),
        ({"display_qty": 0.0005}, "EGeneral:Invalid arguments:display_qty"),
        ({"order_type": "iceberg", "display_qty": 0.00001}, "EGeneral:Invalid arguments:display_qty"),
        ({"limit_price_type": "pct"}, "EGeneral:Invalid arguments:limit_price_type"),
        ({"side": "hold"}, "EGeneral:Invalid arguments:side"),
        ({"symbol": "XBT/USD"}, errors.UNKNOWN_PAIR),
        ({"cl_ord_id": "a" * 19}, "EGeneral:Invalid arguments:cl_ord_id"),
        ({"cl_ord_id": "a", "order_userref": 4}, "EGeneral:Invalid arguments:cl_ord_id and userref are mutually"
         " exclusive"),
        ({"order_userref": 2**31}, "EGeneral:Invalid arguments:userref"),
        ({"time_in_force": "gtd"}, "EGeneral:Invalid arguments:expire_time"),
        ({"colour": 1}, "Unsupported field: 'colour' for the given msg type: add_order"),
        ({"triggers": {}}, "EGeneral:Invalid arguments:triggers"),
    ],
)  # fmt: skip
def test_a_wrong_order_is_refused_in_krakens_words(change: dict[str, Any], error: str) -> None:
    (frame,) = TestWorld().private().call("add_order", **{**ORDER, **change})
    assert frame["error"] == error


@pytest.mark.parametrize("name", ["2c6be801-1f53-4f79-a0bb-4ea1c95dfae9", "2c6be8011f534f79a0bb4ea1c95dfae9", "T 1"])
def test_client_ids_of_every_documented_form_are_taken(name: str) -> None:
    (frame,) = TestWorld().private().call("add_order", **ORDER, cl_ord_id=name)
    assert frame["result"]["cl_ord_id"] == name


def test_validate_places_nothing() -> None:
    world = TestWorld()
    (frame,) = world.private().call("add_order", **ORDER, validate=True, order_userref=5)
    assert frame["result"] == {"order_userref": 5}
    assert not world.account().orders


def test_the_switch_answers_in_whole_seconds() -> None:
    world = TestWorld()
    client = subscribed(world)
    (ack,) = client.call("cancel_all_orders_after", timeout=60)
    assert set(ack["result"]) == {"currentTime", "triggerTime"}
    assert len(ack["result"]["triggerTime"]) == len("2023-09-21T15:51:09Z")
    assert client.call("cancel_all_orders_after", timeout=0)[0]["result"]["triggerTime"] == "0"
    for wrong in (-1, 86_400, 1.5, "60", None):
        assert not client.call("cancel_all_orders_after", timeout=wrong)[0]["success"]


def test_a_disconnect_cancels_nothing_and_its_switch_runs_on() -> None:
    world = TestWorld()
    client = subscribed(world)
    client.call("add_order", **ORDER)
    client.call("cancel_all_orders_after", timeout=5)
    client.session.close()
    world.after(3)
    assert len(world.account().orders) == 1
    world.after(3)
    assert not world.account().orders


def test_snapshot_fills_are_the_last_fifty_and_the_counter_is_told_when_asked() -> None:
    world = TestWorld()
    maker = world.account()
    world.empty()
    for _ in range(60):
        world.exchange.add(maker, limit("buy", "0.0001", "84000"), world.now)
        world.exchange.add(world.account("visitor"), limit("sell", "0.0001", "84000"), world.now)
        world.now += NS
    world.world.flush(world.now)
    client = world.private()
    ack, snapshot = client.call(
        "subscribe", channel="executions", snap_trades=True, snap_orders=False, ratecounter=True
    )
    assert ack["result"]["maxratecount"] == 125
    assert len({row["exec_id"] for row in snapshot["data"]}) == 50
    client.call("add_order", **ORDER)
    assert all("ratecount" in row for row in client.reports())


def test_order_status_false_leaves_out_the_steps_between() -> None:
    world = TestWorld()
    client = world.private()
    client.call("subscribe", channel="executions", order_status=False)
    client.call("add_order", **ORDER, cl_ord_id="a")
    client.call("amend_order", cl_ord_id="a", limit_price=79000.0)
    client.call("cancel_all")
    assert exec_types(client) == ["new", "canceled"]


def test_a_cancel_only_key_may_not_place_nor_look() -> None:
    world = TestWorld()
    client = world.private("M2")
    assert client.call("add_order", **ORDER)[0]["error"] == errors.PERMISSION_DENIED
    assert client.call("subscribe", channel="executions")[0]["error"] == errors.PERMISSION_DENIED
    assert client.call("cancel_all")[0]["result"] == {"count": 0}
