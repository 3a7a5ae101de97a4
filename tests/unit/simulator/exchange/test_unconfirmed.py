"""Switches for what is not confirmed of Kraken: a client sees each of their positions."""

from __future__ import annotations

import typing
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from shared.config import unconfirmed
from shared.config.unconfirmed import Unconfirmed
from simulator import errors
from simulator.errors import KrakenError
from simulator.faults import instant
from simulator.keys import TOKEN_LIFE_NS
from simulator.rest import private as rest_private
from simulator.session import IDLE_NS
from simulator.wire import NS
from tests.unit.simulator.worlds import Client, TestWorld, call, limit

ORDER = {"symbol": "BTC/USD", "side": "buy", "order_type": "limit", "order_qty": 0.001, "limit_price": 60000.0}
CROSSING = {**ORDER, "limit_price": 90000.0, "post_only": True}
Seen = Callable[[TestWorld], Any]


def subscribed(world: TestWorld, key: str = "V1", **more: Any) -> Client:
    client = world.private(key)
    client.call("subscribe", channel="executions", **more)
    return client


def answer(frames: list[dict[str, Any]]) -> Any:
    """Return the error of the one answer among frames, else its result."""
    (frame,) = [frame for frame in frames if "success" in frame]
    return frame.get("error") or frame.get("result")


def exec_types(client: Client) -> list[str]:
    return [row["exec_type"] for row in client.reports()]


def without_symbol(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**ORDER, **changes}.items() if name != "symbol"}


def level3_numbers(world: TestWorld) -> Any:
    (_, snapshot) = world.private().call("subscribe", channel="level3", symbol=["BTC/USD"])
    return type(snapshot["data"][0]["bids"][0]["limit_price"])


def duplicate_subscribe(world: TestWorld) -> Any:
    public, old, private, old_private = world.public(), world.public_v1(), subscribed(world), world.private_v1()
    book = {"channel": "book", "symbol": ["BTC/USD"]}
    old_book = {"event": "subscribe", "pair": ["XBT/USD"], "subscription": {"name": "book"}}
    own = {"name": "ownTrades", "token": old_private.token}
    old_private.event("subscribe", subscription=own)
    old.raw(old_book)
    public.call("subscribe", **book)
    public.call("subscribe", channel="instrument")
    outcomes = [
        [frame.get("error") or frame.get("type") or frame["success"] for frame in frames]
        for frames in (
            public.call("subscribe", **book),
            public.call("subscribe", channel="instrument"),
            private.call("subscribe", channel="executions"),
        )
    ]
    return [*outcomes, len(old.raw(old_book)), old_private.event("subscribe", subscription=own)[0]["status"]]


def second_depth(world: TestWorld) -> Any:
    public, old = world.public(), world.public_v1()
    public.call("subscribe", channel="book", symbol=["BTC/USD"])
    (first, *more) = public.call("subscribe", channel="book", symbol=["BTC/USD"], depth=25)
    unsubscribed = answer(public.call("unsubscribe", channel="book", symbol=["BTC/USD"], depth=10))
    one = {"event": "subscribe", "pair": ["XBT/USD"], "subscription": {"name": "book"}}
    old.raw(one)
    frames = old.raw({**one, "subscription": {"name": "book", "depth": 25}})
    levels = [len(frame["data"][0]["bids"]) for frame in more]
    return first.get("error"), levels, unsubscribed, len(frames), frames[0]["status"]


def trade_snapshot(world: TestWorld) -> Any:
    world.run(20)
    frames = world.public().call("subscribe", channel="trade", symbol=["BTC/USD"])
    return answer(frames[:1])["snapshot"], len(frames)


def v1_trade_snapshot(world: TestWorld) -> Any:
    world.run(20)
    subscription = {"event": "subscribe", "pair": ["XBT/USD"], "subscription": {"name": "trade"}}
    return len(world.public_v1().raw(subscription))


def post_only_cross(world: TestWorld) -> Any:
    client = subscribed(world)
    first = answer(client.call("add_order", **CROSSING))
    batch = answer(client.call("batch_add", symbol="BTC/USD", orders=[without_symbol(), without_symbol(**CROSSING)]))
    return first if isinstance(first, str) else "taken", [row.get("error") for row in batch], exec_types(client)


def new_of_crossing_post_only(world: TestWorld) -> Any:
    client = subscribed(world)
    client.call("add_order", **CROSSING)
    return exec_types(client)


def taken_at_once(world: TestWorld) -> Any:
    client = subscribed(world)
    client.call("add_order", symbol="BTC/USD", side="buy", order_type="market", order_qty=0.0001)
    whole = exec_types(client)
    # What does not fill whole has to be told.
    client.call("add_order", **{**ORDER, "limit_price": float(world.touch()[1]) / 10, "order_qty": 1.0})
    return whole, exec_types(client)[len(whole) :][:2]


def filled_report(world: TestWorld) -> Any:
    client, old = subscribed(world), world.private_v1("V1")
    old.event("subscribe", subscription={"name": "openOrders", "token": old.token})
    client.call("add_order", symbol="BTC/USD", side="buy", order_type="market", order_qty=0.0001)
    last = [frame for frame in old.since(0) if isinstance(frame, list)][-1][0][0]
    reports = [(row["exec_type"], row["order_status"]) for row in client.reports()[2:]]
    return reports, next(iter(last.values()))["status"], world.account("visitor").orders


def triggered_status(world: TestWorld) -> Any:
    client = subscribed(world)
    params = {"symbol": "BTC/USD", "side": "sell", "order_type": "stop-loss", "order_qty": 0.001}
    client.call("add_order", **params, triggers={"price": 90000.0})
    return [row["order_status"] for row in client.reports() if row["exec_type"] == "status"]


def amend_of_post_only(world: TestWorld) -> Any:
    client = subscribed(world)
    client.call("add_order", **ORDER, cl_ord_id="a", post_only=True)
    amended = answer(client.call("amend_order", cl_ord_id="a", limit_price=90000.0))
    return amended if isinstance(amended, str) else exec_types(client)[-2:]


def cancel_over_rate(world: TestWorld) -> Any:
    client, account = subscribed(world), world.account("visitor")
    client.call("add_order", **ORDER, cl_ord_id="a")
    account.counter("BTC/USD").charge(account.tier.threshold, world.now)
    return answer(client.call("cancel_order", cl_ord_id=["a"]))


def arm_in_maintenance(world: TestWorld) -> Any:
    client = subscribed(world)
    client.call("add_order", **ORDER)
    client.call("cancel_all_orders_after", timeout=5)
    instant.set_system(world.world, "maintenance", world.now)
    disarmed = answer(client.call("cancel_all_orders_after", timeout=0))
    world.after(10)
    during = len(world.account("visitor").orders)
    instant.set_system(world.world, "online", world.now)
    world.after(0)
    return disarmed if isinstance(disarmed, str) else disarmed["triggerTime"], during, exec_types(client)[2:]


def rate_counter_name(world: TestWorld) -> Any:
    client = subscribed(world, ratecounter=True)
    client.call("add_order", **ORDER)
    return client.reports()[-1].keys() & {"ratecount", "ratecounter"}


def batch_add_failure(world: TestWorld) -> Any:
    client = subscribed(world)
    # Each has its funds, both together have not.
    orders = [without_symbol(order_qty=1.0, cl_ord_id=name) for name in ("a", "b")]
    placed = answer(client.call("batch_add", symbol="BTC/USD", orders=orders))
    fields = [{"ordertype": "limit", "type": "buy", "volume": "1", "price": "60000"}] * 2
    try:
        rows = [row.get("error") for row in call(world, "AddOrderBatch", pair="XBTUSD", orders=fields)["orders"]]
    except KrakenError as error:
        rows = [str(error)]
    return [row.get("error") for row in placed] if isinstance(placed, list) else placed, exec_types(client), rows


def batch_cancel_least(world: TestWorld) -> Any:
    client = subscribed(world)
    client.call("add_order", **ORDER, cl_ord_id="a")
    none = answer(client.call("batch_cancel", orders=[]))
    return none, answer(client.call("batch_cancel", orders=[], cl_ord_id=["a"]))


def batch_cancel_unknown(world: TestWorld) -> Any:
    client = subscribed(world)
    for name in ("a", "b"):
        client.call("add_order", **ORDER, cl_ord_id=name)
    canceled = answer(client.call("batch_cancel", orders=["nobody's"], cl_ord_id=["a", "b"]))
    return canceled, len(world.account("visitor").orders)


def batch_cancel_result(world: TestWorld) -> Any:
    client = subscribed(world)
    for name in ("a", "b"):
        client.call("add_order", **ORDER, cl_ord_id=name)
    (frame,) = [f for f in client.call("batch_cancel", orders=[], cl_ord_id=["a", "b"]) if "success" in f]
    return {name: value for name, value in frame.items() if not name.startswith("time")}


def validate_order_id(world: TestWorld) -> Any:
    checked = answer(subscribed(world).call("add_order", **ORDER, validate=True))
    return checked.keys(), world.account("visitor").orders


def rest_echo_cl_ord_id(world: TestWorld) -> Any:
    fields = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.001", "price": "60000"}
    return call(world, "AddOrder", **fields, cl_ord_id="mine").get("cl_ord_id")


def too_many_decimals(world: TestWorld) -> Any:
    return answer(subscribed(world).call("add_order", **{**ORDER, "limit_price": 60000.01}))


def rest_idle_fields(world: TestWorld) -> Any:
    plain = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.001", "price": "60000"}
    outcomes: list[int | str] = []
    for changes in (
        {"price2": "61000"},
        {"trigger": "last"},
        {"ordertype": "stop-loss", "price2": "1"},
        {"price2": "0", "trigger": ""},
    ):
        try:
            outcomes.append(len(call(world, "AddOrder", **{**plain, **changes})["txid"]))
        except KrakenError as error:
            outcomes.append(str(error).rpartition(":")[2])
    return outcomes


def fee_preference(world: TestWorld) -> Any:
    client = subscribed(world)
    for side, price in (("buy", 60000.0), ("sell", 100000.0)):
        client.call("add_order", **{**ORDER, "side": side, "limit_price": price})
        client.call("add_order", **{**ORDER, "side": side, "limit_price": price}, fee_preference="quote")
    orders = call(world, "OpenOrders")["open"].values()
    reports = [row["fee_ccy_pref"] for row in client.reports() if row["exec_type"] == "pending_new"]
    return reports, [order["oflags"] for order in reversed(orders)]


def base_fee(world: TestWorld) -> Any:
    client = subscribed(world)
    client.call("subscribe", channel="balances")
    order = {"symbol": "BTC/USD", "order_type": "market", "order_qty": 0.001, "fee_preference": "base"}
    charged = []
    for side in ("buy", "sell"):
        mark = len(client.frames)
        client.call("add_order", side=side, **order)
        frames = client.since(mark)
        fees = [row["fees"] for f in frames if f.get("channel") == "executions" for row in f["data"] if "fees" in row]
        legs = [f["data"][0] for f in frames if f.get("channel") == "balances"]
        charged.append((fees[0][0]["asset"], [(leg["asset"], leg["fee"] > 0) for leg in legs[:2]]))
    paid = sum(leg["amount"] - leg["fee"] for f in client.since(0) if f.get("channel") == "balances"
               for leg in f["data"] if leg["asset"] == "BTC" and f["type"] == "update")  # fmt: skip
    # The snapshot of a later subscription tells the same fees.
    _, snapshot = world.private("V1").call("subscribe", channel="executions", snap_orders=False, snap_trades=True)
    assert [row["fees"][0]["asset"] for row in reversed(snapshot["data"])] == [asset for asset, _ in charged]
    return charged, paid


def fee_rounding(world: TestWorld) -> Any:
    client = subscribed(world)
    world.empty()
    fees = []
    # Of these 0.4 % are 0.03360336 and 0.03367728 dollars.
    for qty in ("0.00010001", "0.00010023"):
        world.exchange.add(world.account(), limit("sell", qty, "84000"), world.now)
        world.exchange.add(world.account("visitor"), limit("buy", qty, "84000"), world.now)
        world.world.flush(world.now)
        fee = next(row for row in reversed(client.reports()) if "fees" in row)["fees"][0]["qty"]
        fees.append("more" if fee > Decimal(qty) * 336 else "less")
    return fees


def token_sharing(world: TestWorld) -> Any:
    first, other = subscribed(world), world.private("V1")

    def other_may() -> bool:
        return bool(other.call("cancel_all", token=first.token)[0]["success"])

    # The two connections of a world have the same number, which is what tells them apart here.
    other.session.connection_id = first.session.connection_id + 1
    fresh = other_may()
    world.now += TOKEN_LIFE_NS + NS
    assert first.call("cancel_all")[0]["success"], "its own connection keeps it, as documented"
    return fresh, other_may()


def quiet_close(world: TestWorld) -> Any:
    with_one, without = subscribed(world).session, world.public().session
    with_one.beat(world.now)
    return with_one.beat(world.now + IDLE_NS + NS), without.beat(world.now + IDLE_NS + NS)


def history_call_points(world: TestWorld) -> Any:
    costs = {name: call.cost(world.world) for name, call in rest_private.METHODS.items()}
    return {name: costs[name] for name in ("TradesHistory", "Ledgers", "QueryLedgers", "ClosedOrders", "AddOrder")}


def rest_unset_userref(world: TestWorld) -> Any:
    fields = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.001", "price": "60000"}
    call(world, "AddOrder", **fields, cl_ord_id="mine")
    call(world, "AddOrder", **fields)
    call(world, "AddOrder", **fields, userref="7")
    return [row["userref"] for row in call(world, "OpenOrders")["open"].values()]


def asset_pairs_fees(world: TestWorld) -> Any:
    row = call(world, "AssetPairs", pair="XBTUSD")["XXBTZUSD"]
    return [len(row[name]) for name in ("fees", "fees_maker")]


def v1_new_names(world: TestWorld) -> Any:
    subscription = {"pair": ["BTC/USD"], "subscription": {"name": "spread"}}
    said = world.public_v1().event("subscribe", **subscription)[0]
    order = {"type": "buy", "ordertype": "limit", "volume": "0.001", "price": "60000"}
    done = world.private_v1("V1").event("addOrder", pair="BTC/USD", **order)[0]
    return said["status"], said["pair"], done["status"]


def v1_text_reqid(world: TestWorld) -> Any:
    (pong,) = world.public_v1().event("ping", reqid="mine")
    return pong.get("reqid")


CROSSED = ["pending_new", "canceled"]
REFUSED = errors.ALREADY_SUBSCRIBED
ARGUMENTS = "EGeneral:Invalid arguments:orders"
BATCH = {"method": "batch_cancel", "req_id": 9, "success": True}
EXPECTED: dict[Seen, dict[Any, Any]] = {
    duplicate_subscribe: {
        "refused": [[REFUSED], [REFUSED], [REFUSED], 1, "error"],
        "acknowledged": [[True, "snapshot"]] * 3 + [2, "subscribed"],
    },
    second_depth: {
        "refused": (REFUSED, [], {"channel": "book", "depth": 10, "symbol": "BTC/USD"}, 1, "error"),
        "replaces": (None, [25], errors.NOT_SUBSCRIBED, 2, "subscribed"),
    },
    trade_snapshot: {False: (False, 1), True: (True, 2)},
    v1_trade_snapshot: {True: 2, False: 1},
    post_only_cross: {
        "canceled": ("taken", [None, None], [*CROSSED, "pending_new", "new", *CROSSED]),
        "refused": (errors.POST_ONLY, [None, errors.POST_ONLY], ["pending_new", "new"]),
    },
    new_of_crossing_post_only: {False: CROSSED, True: ["pending_new", "new", "canceled"]},
    taken_at_once: {
        "announced": (["pending_new", "new", "trade", "filled"], ["pending_new", "new"]),
        "unannounced": (["trade", "filled"], ["pending_new", "new"]),
    },
    filled_report: {
        "separate": ([("trade", "partially_filled"), ("filled", "filled")], "closed", {}),
        "in_the_trade": ([("trade", "filled")], "closed", {}),
    },
    triggered_status: {"triggered": ["triggered"], "new": ["new"]},
    amend_of_post_only: {"takes": ["trade", "filled"], "refused": errors.POST_ONLY},
    cancel_over_rate: {"refused": errors.ORDER_RATE_LIMIT, "accepted": {"cl_ord_id": "a"}},
    arm_in_maintenance: {"refused": (errors.UNAVAILABLE, 1, ["canceled"]), "taken": ("0", 1, [])},
    rate_counter_name: {"ratecount": {"ratecount"}, "ratecounter": {"ratecounter"}},
    batch_add_failure: {
        "per_order": (
            [None, errors.INSUFFICIENT_FUNDS], ["pending_new", "new"], [errors.INSUFFICIENT_FUNDS] * 2,
        ),
        "whole": (errors.INSUFFICIENT_FUNDS, [], [errors.INSUFFICIENT_FUNDS]),
    },
    batch_cancel_least: {
        2: (ARGUMENTS, ARGUMENTS), 1: (ARGUMENTS, {"count": 1}), 0: ({"count": 0}, {"count": 1}),
    },
    batch_cancel_unknown: {"skipped": ({"count": 2}, 0), "refused": (errors.UNKNOWN_ORDER, 2)},
    batch_cancel_result: {
        "both": {**BATCH, "result": {"count": 2}, "orders_cancelled": 2},
        "count": {**BATCH, "result": {"count": 2}}, "orders_cancelled": {**BATCH, "orders_cancelled": 2},
    },
    validate_order_id: {False: (set(), {}), True: ({"order_id"}, {})},
    rest_echo_cl_ord_id: {True: "mine", False: None},
    too_many_decimals: {
        "invalid_price": "EOrder:Invalid price:XBT/USD price can only be specified up to 1 decimals.",
        "tick_size": "EOrder:Tick size check failed",
    },
    rest_idle_fields: {"refused": ["price2", "trigger", "price2", 1], "ignored": [1] * 4},
    fee_preference: {
        "quote": (["fciq"] * 4, ["fciq"] * 4),
        "by_side": (["fciq", "fciq", "fcib", "fciq"], ["fciq", "fciq", "fcib", "fciq"]),
    },
    base_fee: {
        "quote": ([("USD", [("BTC", False), ("USD", True)]), ("USD", [("BTC", False), ("USD", True)])], 0),
        "base": (
            [("BTC", [("BTC", True), ("USD", False)]), ("USD", [("BTC", False), ("USD", True)])],
            Decimal("-0.000004"),
        ),
    },
    fee_rounding: {"half_up": ["less", "more"], "up": ["more", "more"], "down": ["less", "less"]},
    token_sharing: {"any": (True, True), "fresh": (True, False), "none": (False, False)},
    quiet_close: {"unsubscribed": (True, False), "silent": (False, False)},
    rest_unset_userref: {"zero": [7, 0, 0], "null_beside_cl_ord_id": [7, 0, None]},
    asset_pairs_fees: {"empty": [0, 0], "shown": [10, 10]},
    v1_new_names: {"taken": ("subscribed", "XBT/USD", "ok"), "refused": ("error", "BTC/USD", "error")},
    level3_numbers: {"number": Decimal, "text": str},
    v1_text_reqid: {"echoed": "mine", "dropped": None},
    history_call_points: {
        n: {"TradesHistory": n, "Ledgers": n, "QueryLedgers": n, "ClosedOrders": 1, "AddOrder": 0} for n in (4, 2)
    },
}  # fmt: skip
SEEN = {seen.__name__: seen for seen in EXPECTED}
POSITIONS = [(name, value) for name, _, assumption in unconfirmed.assumptions() for value in assumption.outcomes]


@pytest.mark.parametrize(("name", "value"), POSITIONS, ids=[f"{name}-{value}" for name, value in POSITIONS])
def test_a_client_sees_each_position_of_each_switch(name: str, value: Any) -> None:
    seen = SEEN[name]
    assert seen(TestWorld(unconfirmed=Unconfirmed(**{name: value}))) == EXPECTED[seen][value]


def test_each_fact_is_said_once_with_its_default_first() -> None:
    hints = typing.get_type_hints(Unconfirmed)
    for name, default, assumption in unconfirmed.assumptions():
        allowed = (True, False) if hints[name] is bool else typing.get_args(hints[name])
        assert next(iter(assumption.outcomes)) == default, name
        assert set(assumption.outcomes) == set(allowed), name
        assert len(assumption.outcomes) > 1, name
    assert len(SEEN) == len(msgspec.structs.fields(Unconfirmed))
