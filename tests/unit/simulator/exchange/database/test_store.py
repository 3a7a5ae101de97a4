"""A kill is an outage, not a new world: what was committed is there at the next start (virtual time, a real file)."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from simulator.errors import KrakenError
from simulator.wire import NS
from tests.unit.simulator.worlds import TestWorld, limit, market


def killed(world: TestWorld, path: Path, down_s: float, seed: int = 8) -> TestWorld:
    """Return a world as it comes up after a kill: nothing of the old one is told or asked."""
    return TestWorld(path, world.now + int(down_s * NS), seed)


def test_orders_balances_fills_and_counters_survive(tmp_path: Path) -> None:
    path = tmp_path / "sim.sqlite"
    world = TestWorld(path)
    maker = world.account()
    order = world.exchange.add(maker, limit(cl_ord_id="mine"), world.now)
    world.exchange.amend(maker, order, None, world_price(world, -100), False, world.now)
    world.exchange.add(maker, market("buy", "0.01"), world.now)
    world.world.flush(world.now)
    after = killed(world, path, 1)
    again = after.account()
    assert list(again.orders) == [order.order_id]
    restored = again.by_client["mine"]
    assert (restored.price, restored.remaining, restored.amended, restored.opened_ns) == (
        order.price,
        order.remaining,
        True,
        order.opened_ns,
    )
    assert after.exchange.venues["BTC/USD"].engine.order(order.number) is not None
    assert again.balances == maker.balances
    assert [fill.exec_id for fill in again.fills] == [fill.exec_id for fill in maker.fills]
    # Add, amend at once, add: 1 + 4 + 1 points, a second of decay later.
    assert 3 < again.counter("BTC/USD").now(after.now) < 4
    assert after.exchange.state.serial >= world.exchange.state.serial


def world_price(world: TestWorld, offset: int) -> Decimal:
    return Decimal(world.touch()[0] + offset) / 10


def test_a_database_of_before_keeps_the_worth_of_its_costs_and_fees(tmp_path: Path) -> None:
    path = tmp_path / "sim.sqlite"
    world = TestWorld(path)
    world.exchange.add(world.account("visitor"), market("buy", "0.01"), world.now)
    world.world.flush(world.now)
    # As it was: cost and fee in units of the dollar, of four decimals.
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for table in ("orders", "trades"):
            db.execute(f"UPDATE {table} SET cost = 8400500, fee = 33602")
        db.execute("PRAGMA user_version=0")
        (held,) = db.execute("SELECT amount FROM balances WHERE account=2 AND asset='USD'").fetchone()
    for again in (killed(world, path, 1), killed(world, path, 2)):
        visitor = again.account("visitor")
        assert {(fill.cost, fill.fee) for fill in visitor.fills} == {(84005000, 336020)}
        (order,) = again.store.history.closed(visitor.index, 0, 2**62, 2**62, 0)[0]
        assert (order.cost, order.fee, order.pair.cost(order.cost)) == (84005000, 336020, "840.05000")
        assert visitor.balances["USD"] == held


def test_the_fresh_crowd_neither_crosses_nor_jumps_the_restored_orders(tmp_path: Path) -> None:
    for distance in (0, 3, 50, 400):
        path = tmp_path / f"{distance}.sqlite"
        world = TestWorld(path)
        bid, ask = world.touch()
        maker = world.account()
        buys = world.exchange.add(maker, limit("buy", "0.001", f"{(bid - distance) / 10:.1f}"), world.now)
        sells = world.exchange.add(maker, limit("sell", "0.001", f"{(ask + distance) / 10:.1f}"), world.now)
        world.world.flush(world.now)
        after = killed(world, path, 30)
        assert len(after.account().orders) == 2
        new_bid, new_ask = after.touch()
        assert new_bid < new_ask
        assert buys.price is not None
        assert sells.price is not None
        engine = after.exchange.venues["BTC/USD"].engine
        for order, price in ((buys, buys.price), (sells, sells.price)):
            assert engine.queue(order.side, price)[-1] == order.number, "the crowd stands before it"
        assert not after.account().fills


def test_the_switch_runs_on_while_the_exchange_is_down(tmp_path: Path) -> None:
    path = tmp_path / "sim.sqlite"
    world = TestWorld(path)
    maker = world.account()
    order = world.exchange.add(maker, limit(), world.now)
    world.exchange.arm(maker, 10, world.now)
    world.world.flush(world.now)
    early = killed(world, path, 5)
    assert len(early.account().orders) == 1
    assert early.account().trigger_ns == maker.trigger_ns
    late = killed(world, path, 12)
    assert not late.account().orders
    (row,) = late.store.history.orders_by_id(maker.index, [order.order_id])
    assert (row.status, row.reason) == ("canceled", "CancelAllOrdersAfter Timeout")
    assert late.account().trigger_ns == 0


def test_balances_are_seeded_once_and_ids_and_trade_ids_never_repeat(tmp_path: Path) -> None:
    path = tmp_path / "sim.sqlite"
    world = TestWorld(path)
    world.run(20)
    world.exchange.add(world.account(), market("buy", "0.1"), world.now)
    world.world.flush(world.now)
    last = world.exchange.venues["BTC/USD"].trade_id
    after = killed(world, path, 1)
    assert after.account().balances["BTC"] == 11 * 10**9
    assert after.exchange.venues["BTC/USD"].trade_id >= last
    assert abs(after.exchange.venues["BTC/USD"].last_price - world.exchange.venues["BTC/USD"].last_price) < 2000
    deposits, count = after.store.history.ledger(after.account().index, 0, 2**62, 2**62, 0, "deposit", [])
    assert count == len(deposits) == 4


def test_histories_lag_by_what_was_drawn_and_then_show_everything(tmp_path: Path) -> None:
    world = TestWorld(tmp_path / "sim.sqlite", history_lag_s=(2.0, 4.0))
    maker = world.account()
    world.exchange.add(maker, market("buy", "0.01"), world.now)
    world.world.flush(world.now)
    fills = len(maker.fills)
    forever = 2**62

    def seen(after_s: float) -> tuple[int, int, int]:
        now = world.now + int(after_s * NS)
        return (
            world.store.history.fills(maker.index, 0, forever, now, 0)[1],
            world.store.history.closed(maker.index, 0, forever, now, 0)[1],
            world.store.history.ledger(maker.index, 0, forever, now, 0, "trade", [])[1],
        )

    assert seen(1.9) == (0, 0, 0)
    assert seen(4.1) == (fills, 1, 2 * fills)


def test_pages_are_fifty_newest_first_and_bounded_by_time() -> None:
    world = TestWorld(history_lag_s=(0.0, 0.0))
    world.empty()
    maker, visitor = world.account(), world.account("visitor")
    times = []
    for _ in range(70):
        world.exchange.add(maker, limit("buy", "0.0001", "84000"), world.now)
        world.exchange.add(visitor, limit("sell", "0.0001", "84000"), world.now)
        times.append(world.now)
        world.now += NS
    world.world.flush(world.now)
    first, count = world.store.history.fills(maker.index, 0, 2**62, world.now, 0)
    second, _ = world.store.history.fills(maker.index, 0, 2**62, world.now, 50)
    assert (len(first), len(second), count) == (50, 20, 70)
    assert [fill.ns for fill in [*first, *second]] == times[::-1]
    some, count = world.store.history.fills(maker.index, times[9], times[19], world.now, 0)
    assert (count, some[0].ns, some[-1].ns) == (10, times[19], times[10])


def test_the_counters_of_rest_calls_survive(tmp_path: Path) -> None:
    path = tmp_path / "sim.sqlite"
    world = TestWorld(path)
    key = world.world.keys["V1"]
    for _ in range(5):
        world.world.charge(key, 4, world.now)
    with pytest.raises(KrakenError, match="EAPI:Rate limit exceeded"):
        world.world.charge(key, 1, world.now)
    after = killed(world, path, 4)
    assert after.world.keys["V1"].counter.now(after.now) == 18
    assert after.world.keys["M1"].counter.now(after.now) == 0


def test_an_id_made_up_for_a_validation_is_no_order_s_after_a_restart_either(tmp_path: Path) -> None:
    path = tmp_path / "sim.sqlite"
    world = TestWorld(path)
    made_up = {world.exchange.unused_id() for _ in range(5)}
    world.store.close()
    again = TestWorld(path)
    orders = {again.exchange.add(again.account(), limit(), again.now).order_id for _ in range(5)}
    assert not made_up & orders
