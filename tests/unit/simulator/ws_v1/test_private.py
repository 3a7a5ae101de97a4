"""Private WebSocket version 1: the channels' lives, trading, refusals, and faults in between."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.simulator.worlds import Client, TestWorld, limit, market

ORDER = {"pair": "XBT/USD", "type": "buy", "ordertype": "limit", "volume": "0.001", "price": "60000"}
UNKNOWN = {"errorMessage": "EOrder:Unknown order", "event": "cancelOrderStatus", "status": "error"}


def subscribe(client: Client, name: str, **options: Any) -> list[Any]:
    return client.event("subscribe", subscription={"name": name, "token": client.token, **options})


def rows(frames: list[Any], channel: str) -> list[tuple[str, dict[str, Any], int]]:
    """Return id, row and sequence of each thing that a channel told."""
    return [
        (name, row, frame[2]["sequence"])
        for frame in frames
        if isinstance(frame, list) and frame[1] == channel
        for item in frame[0]
        for name, row in item.items()
    ]


def test_an_order_is_told_from_pending_to_closed_in_contiguous_numbers() -> None:
    world = TestWorld(history_lag_s=(0.0, 0.0))
    client = world.private_v1("V1")
    ack, snapshot = subscribe(client, "openOrders")
    assert ack == {
        "channelName": "openOrders",
        "event": "subscriptionStatus",
        "status": "subscribed",
        "subscription": {"name": "openOrders"},
    }
    assert snapshot == [[], "openOrders", {"sequence": 1}]
    answered, *_ = (row for row in client.event("addOrder", **ORDER, reqid=4) if isinstance(row, dict))
    assert answered["descr"] == "buy 0.00100000 XBTUSD @ limit 60000.0"
    assert (answered["status"], answered["reqid"]) == ("ok", 4)
    client.event("cancelOrder", txid=[answered["txid"]])
    world.exchange.add(world.account("visitor"), market("buy", "0.001"), world.now)
    world.world.flush(world.now)
    updates = rows(client.since(0), "openOrders")
    assert [sequence for *_, sequence in updates] == list(range(2, 2 + len(updates)))
    mine = [row for name, row, _ in updates if name == answered["txid"]]
    assert [row.get("status") for row in mine] == ["pending", "open", "canceled"]
    assert mine[0]["descr"]["order"] == "buy 0.00100000 XBT/USD @ limit 60000.00000"
    assert mine[0]["vol"] == "0.00100000"
    assert mine[2]["cancel_reason"] == "User requested"
    bought = [row for name, row, _ in updates if name != answered["txid"]]
    assert [row.get("status", "fill") for row in bought][:3] == ["pending", "open", "fill"]
    assert bought[-1]["status"] == "closed"
    assert bought[-1]["vol_exec"] == "0.00100000"


def test_snapshots_show_open_orders_and_the_last_trades_newest_first() -> None:
    world = TestWorld(history_lag_s=(0.0, 0.0))
    account = world.account("visitor")
    for side in ("buy", "sell"):
        world.after(1)
        world.exchange.add(account, market(side, "0.001"), world.now)
    resting = world.exchange.add(account, limit("buy", "0.001", "60000", userref=5), world.now)
    world.world.flush(world.now)
    client = world.private_v1("V1")
    (order,) = rows(subscribe(client, "openOrders", ratecounter="true"), "openOrders")
    assert (order[0], order[1]["status"], order[1]["userref"]) == (resting.order_id, "open", 5)
    trades = rows(subscribe(client, "ownTrades"), "ownTrades")
    sides = [row["type"] for _, row, _ in trades]
    assert (sides[0], sides[-1]) == ("sell", "buy")
    before = len(client.frames)
    client.event("cancelAll")
    counted = rows(client.since(before), "openOrders")
    assert [type(row["ratecount"]) for _, row, _ in counted] == [int]
    other = world.private_v1("V1")
    assert len(subscribe(other, "ownTrades", snapshot=False)) == 1
    assert subscribe(other, "openOrders")[0]["subscription"] == {"name": "openOrders"}


def test_it_amends_edits_and_pulls_by_the_switch() -> None:
    world = TestWorld()
    client = world.private_v1("V1")
    subscribe(client, "openOrders")
    client.event("addOrder", **ORDER, cl_ord_id="mine")
    *_, amended = client.event("amendOrder", cl_ord_id="mine", volume="0.002", limit_price="60001")
    ((_, row, _),) = rows([amended], "openOrders")
    assert (row["vol"], row["descr"]["price"], row["misc"]) == ("0.00200000", "60001.00000", "amended")
    (placed, *_) = client.event("addOrder", **ORDER)
    (edited, *_) = client.event("editOrder", orderid=placed["txid"], pair="XBT/USD", price="9000", newuserref="6")
    assert edited["descr"] == "order edited price = 9000.00000000"
    assert edited["originaltxid"] == placed["txid"]
    (armed,) = client.event("cancelAllOrdersAfter", timeout=60)
    assert armed["event"] == "cancelAllOrdersAfterStatus"
    before = len(client.frames)
    world.after(62)
    ended = rows(client.since(before), "openOrders")
    assert [row["cancel_reason"] for _, row, _ in ended] == ["CancelAllOrdersAfter Timeout"] * 2
    assert client.event("cancelAll") == [{"event": "cancelAllStatus", "status": "ok", "count": 0}]
    assert client.event("cancelOrder", txid=["OAAAAA-AAAAA-AAAAAA"]) == [UNKNOWN]


@pytest.mark.parametrize(
    ("event", "members", "error"),
    [
        ("addOrder", {**ORDER, "volume": "0.00001"}, "EOrder:Order minimum not met"),
        ("addOrder", {**ORDER, "pair": "XBTUSD"}, "Currency pair not in ISO 4217-A3 format XBTUSD"),
        ("addOrder", {**ORDER, "close[ordertype]": "limit"}, "EGeneral:Invalid arguments:close[ordertype]"),
        ("addOrder", {**ORDER, "token": "x"}, "ESession:Invalid session"),
        ("cancelOrder", {}, "EGeneral:Invalid arguments:txid"),
        ("nothing", {}, "Unsupported event"),
    ],
)
def test_refusals_carry_kraken_s_texts(event: str, members: dict[str, Any], error: str) -> None:
    world = TestWorld()
    (answer,) = world.private_v1("V1").event(event, **members)
    assert answer["errorMessage"] == error
    assert answer["event"] == ("error" if event == "nothing" else f"{event}Status")
    assert not world.account("visitor").orders


def test_subscriptions_are_refused_by_name_token_and_permission() -> None:
    world = TestWorld()
    client = world.private_v1("V1")
    assert subscribe(client, "openOrders", token="x")[0]["errorMessage"] == "ESession:Invalid session"
    assert "Public market data" in subscribe(client, "book")[0]["errorMessage"]
    assert subscribe(client, "level3")[0]["errorMessage"] == "Subscription name invalid"
    subscribe(client, "openOrders")
    assert subscribe(client, "openOrders")[0]["errorMessage"] == "Already subscribed"
    gone = client.event("unsubscribe", subscription={"name": "openOrders", "token": client.token})
    assert gone[0]["status"] == "unsubscribed"
    assert not client.session.subscribed
    assert len(client.event("addOrder", **ORDER)) == 1
    may_cancel = world.private_v1("M2")
    assert subscribe(may_cancel, "openOrders")[0]["errorMessage"] == "EGeneral:Permission denied"
    assert may_cancel.event("addOrder", **ORDER)[0]["errorMessage"] == "EGeneral:Permission denied"


def test_faults_strike_its_reports() -> None:
    world = TestWorld()
    client = world.private_v1("V1")
    subscribe(client, "openOrders")
    faults = world.world.faults
    for kind in ("skip_sequence", "drop_reports"):
        faults.set(faults.read({"kind": kind, "channel": "openOrders", "count": 1}, world.now))
    client.event("addOrder", **ORDER)
    assert [sequence for *_, sequence in rows(client.since(0), "openOrders")] == [4]
    client.session.close()
    assert not world.world.hub._private
