"""A clock that a fault puts off, an hour either way: every time that is told moves, and no timer notices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulator.faults import instant
from simulator.keys import TOKEN_LIFE_NS
from simulator.session import IDLE_NS
from simulator.wire import NS, iso, iso_seconds, micros
from tests.unit.simulator.worlds import START, TestWorld, call, limit, market

TIMES = {"opentm", "lastupdated", "time"}
ORDER = {"symbol": "BTC/USD", "side": "buy", "order_type": "limit", "order_qty": 0.001, "limit_price": 60000.0}
OFFSETS = pytest.mark.parametrize("offset", [3600 * NS, -3600 * NS], ids=["an hour ahead", "an hour behind"])


def put_off(world: TestWorld, offset_ns: int) -> None:
    """Set the fault, as a client of ``/simulator/faults`` does."""
    instant.carry_out(
        world.world, world.world.faults.read({"kind": "clock", "ms": offset_ns / 1e6}, world.now), world.now
    )
    world.now += offset_ns


def answered(frames: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the answer among the frames."""
    return next(frame for frame in frames if "success" in frame)


@OFFSETS
def test_a_good_till_date_order_lives_as_long_as_without(offset: int) -> None:
    world = TestWorld()
    world.exchange.add(world.account(), limit(tif="gtd", expire_ns=START + 60 * NS), world.now)
    put_off(world, offset)
    world.after(59)
    assert world.account().orders
    world.after(2)
    assert not world.account().orders


@OFFSETS
def test_the_dead_mans_switch_runs_on(offset: int) -> None:
    world = TestWorld()
    client = world.private()
    client.call("cancel_all_orders_after", timeout=60)
    client.call("add_order", **ORDER)
    put_off(world, offset)
    world.after(59)
    assert world.account().orders
    world.after(2)
    assert not world.account().orders


@OFFSETS
def test_a_token_is_good_for_as_long(offset: int) -> None:
    world = TestWorld()
    client = world.private()
    put_off(world, offset)
    world.now += TOKEN_LIFE_NS - NS
    assert answered(client.call("cancel_all"))["success"]
    world.now += 2 * NS
    assert answered(client.call("cancel_all"))["error"] == "ESession:Invalid session"


@OFFSETS
def test_a_fault_ends_when_it_would_have(offset: int) -> None:
    world = TestWorld()
    faults = world.world.faults
    faults.set(faults.read({"kind": "refuse", "seconds": 600}, world.now))
    put_off(world, offset)
    assert faults.strike("refuse", world.now + 599 * NS)
    assert not faults.strike("refuse", world.now + 601 * NS)


@OFFSETS
def test_a_quiet_connection_is_closed_when_it_would_have_been(offset: int) -> None:
    world = TestWorld()
    client = world.public()
    put_off(world, offset)
    assert client.session.beat(world.now + IDLE_NS)
    assert not client.session.beat(world.now + IDLE_NS + NS)


@OFFSETS
def test_announced_maintenance_comes_and_goes_in_time_and_is_told_so(offset: int) -> None:
    world = TestWorld()
    fault = world.world.faults.read({"kind": "maintenance", "ms": 60_000, "seconds": 60}, world.now)
    instant.carry_out(world.world, fault, world.now)
    put_off(world, offset)
    assert iso(START + offset + 60 * NS) in world.public().frames[0]
    states = []
    for seconds in (31, 30, 30, 30):
        world.run(seconds)
        states.append(world.exchange.state.system)
    assert states == ["online", "maintenance", "maintenance", "online"]


@OFFSETS
def test_ages_and_counters_go_by_the_time_that_passed(offset: int) -> None:
    world = TestWorld()
    account = world.account()
    order = world.exchange.add(account, limit(), world.now)
    world.after(46)
    put_off(world, offset)
    world.exchange.cancel(account, order, world.now)
    assert account.counter("BTC/USD").now(world.now) == 2


@OFFSETS
def test_the_counters_of_messages_and_calls_run_down(offset: int) -> None:
    world = TestWorld()
    client, key = world.public(), world.world.keys["M1"]
    while client.session.charge(world.now):
        pass
    key.counter.charge(key.counter.maximum, world.now)
    put_off(world, offset)
    assert not client.session.charge(world.now)
    assert not key.counter.fits(1, world.now)
    world.now += 2 * NS
    assert client.session.charge(world.now)
    assert key.counter.fits(1, world.now)


@OFFSETS
def test_a_fill_shows_in_the_history_when_it_would_have(offset: int) -> None:
    world = TestWorld(history_lag_s=(5.0, 5.0))

    def count(method: str) -> int:
        result = call(world, method, "M1")
        return int(result["count"])

    world.exchange.add(world.account(), market("buy", "0.001"), world.now)
    world.after(10)
    world.exchange.add(world.account(), market("buy", "0.001"), world.now)
    world.world.flush(world.now)
    counts = count("TradesHistory"), count("ClosedOrders"), count("Ledgers")
    put_off(world, offset)
    world.after(4)
    assert (count("TradesHistory"), count("ClosedOrders"), count("Ledgers")) == counts
    world.after(2)
    assert count("TradesHistory") > counts[0]
    assert count("ClosedOrders") == counts[1] + 1
    assert count("Ledgers") > counts[2]


@OFFSETS
def test_an_order_that_fills_on_both_sides_of_it_shows_once_it_would_have(offset: int) -> None:
    world = TestWorld(history_lag_s=(5.0, 5.0))
    order = world.exchange.add(world.account(), limit(price=f"{world.touch()[0] / 10:.1f}"), world.now)
    instant.carry_out(
        world.world, world.world.faults.read({"kind": "partial_fill", "share": 0.5}, world.now), world.now
    )
    visible = order.visible_ns - world.now
    put_off(world, offset)
    assert order.visible_ns - world.now == visible


@OFFSETS
@pytest.mark.parametrize("kind", ["stall", "delay_reports"])
def test_what_is_late_is_as_late_as_it_was_to_be(offset: int, kind: str) -> None:
    world = TestWorld()
    client = world.private()
    client.call("subscribe", channel="executions")
    mark = len(client.reports())
    world.world.faults.set(world.world.faults.read({"kind": kind, "ms": 2000, "count": 1}, world.now))
    client.call("add_order", **ORDER)
    put_off(world, offset)
    # Told after the fault, but behind what is late.
    client.call("cancel_all")
    world.run(1.9)
    assert len(client.reports()) == mark
    world.run(0.2)
    assert [row["exec_type"] for row in client.reports()[mark:]] == ["pending_new", "new", "canceled"]
    client.call("add_order", **ORDER)
    assert len(client.reports()) == mark + 5


@OFFSETS
def test_the_market_goes_on_and_times_are_off(offset: int) -> None:
    world = TestWorld()
    put_off(world, offset)
    assert world.public().raw({"method": "ping"})[0]["time_out"] == iso(START + offset)
    before = world.exchange.venues["BTC/USD"].trade_id
    world.run(20)
    assert world.exchange.venues["BTC/USD"].trade_id > before


@OFFSETS
def test_prices_are_kept_for_a_restart(offset: int) -> None:
    world = TestWorld()
    world.run(1)
    put_off(world, offset)
    before = world.store.venue("BTC/USD")
    world.exchange.venues["BTC/USD"].last_price += 50
    world.after(1.5)
    assert world.store.venue("BTC/USD") != before


@OFFSETS
def test_version_1_tells_the_time_that_is_off_in_every_private_message(offset: int) -> None:
    world = TestWorld()
    client = world.private_v1()
    client.event("subscribe", subscription={"name": "openOrders", "token": client.token})
    client.event("subscribe", subscription={"name": "ownTrades", "token": client.token})
    order = {"pair": "XBT/USD", "type": "buy", "ordertype": "limit", "volume": "0.001", "price": "60000"}
    (before,) = [frame["txid"] for frame in client.event("addOrder", **order) if "txid" in frame]
    put_off(world, offset)
    now, past = micros(START + offset), micros(START)
    mark = len(client.frames)
    (after,) = [frame["txid"] for frame in client.event("addOrder", **order) if "txid" in frame]
    client.event("addOrder", **{**order, "ordertype": "market"})
    client.event("cancelAll")
    rows = [(frame[1], row) for frame in client.since(mark) if isinstance(frame, list) for row in frame[0]]
    times = [row[name] for _, each in rows for row in each.values() for name in TIMES & row.keys()]
    assert {channel for channel, _ in rows} == {"openOrders", "ownTrades"}
    assert set(times) == {now}
    assert next(next(iter(row)) for _, row in rows if "opentm" in next(iter(row.values()))) == after
    switch = client.event("cancelAllOrdersAfter", timeout=60)[-1]
    assert switch["currentTime"] == iso_seconds((START + offset) // NS)
    # What was told before the fault stays as it was told; a deadline is taken by the clock that is off.
    client.event("addOrder", **order, deadline=iso(world.now + 10 * NS))
    again = world.private_v1()
    open_orders = again.event("subscribe", subscription={"name": "openOrders", "token": again.token})[-1][0]
    assert [order["opentm"] for row in open_orders for order in row.values()] == [now]
    (row,) = world.store.history.orders_by_id(world.account().index, [before])
    assert micros(row.opened_ns) == past


@OFFSETS
def test_a_restart_ends_it_and_what_is_timed_keeps_its_distance(offset: int, tmp_path: Path) -> None:
    path = tmp_path / "sim.sqlite"
    world = TestWorld(path)
    client = world.private()
    client.call("add_order", **ORDER)
    world.exchange.add(world.account(), limit(tif="gtd", expire_ns=START + 60 * NS), world.now)
    put_off(world, offset)
    world.exchange.add(world.account("visitor"), limit(), world.now)
    world.exchange.add(world.account(), limit(price="70000", tif="gtd", expire_ns=world.now + 90 * NS), world.now)
    client.call("cancel_all_orders_after", timeout=120)
    key = world.world.keys["M1"]
    world.world.charge(key, 20, world.now)
    charged = world.account().counter("BTC/USD").now(world.now)
    world.world.flush(world.now)
    world.store.close()
    again = TestWorld(path, START + NS)
    assert again.world.keys["M1"].counter.now(again.now) == 20 - 0.5
    assert again.account().counter("BTC/USD").now(again.now) == pytest.approx(charged - 2.34)
    assert len(again.account().orders) == 3
    again.after(60)
    assert len(again.account().orders) == 2
    again.after(30)
    assert len(again.account().orders) == 1
    again.after(30)
    assert not again.account().orders
    assert len(again.account("visitor").orders) == 1
    assert {order.touched_ns for order in again.account("visitor").orders.values()} == {START}
