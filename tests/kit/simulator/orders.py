"""Orders and observers of the simulated exchange."""

from __future__ import annotations

from typing import Any

from tests.unit.simulator.worlds import Client, TestWorld

ORDER = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.001", "price": "60000"}


BTC: dict[str, Any] = {"symbol": "BTC/USD", "order_qty": 0.01}


def add(world: TestWorld, key: str = "M1", **params: Any) -> str:
    (ack, *_) = world.private(key).call("add_order", **params)
    assert ack["success"], ack
    return str(ack["result"]["order_id"])


def open_rows(world: TestWorld, key: str = "M1") -> dict[str, dict[str, Any]]:
    """Return the executions snapshot, by order."""
    (_, snapshot) = world.private(key).call("subscribe", channel="executions")
    return {row["order_id"]: row for row in snapshot["data"]}


def watcher(world: TestWorld) -> Client:
    client = world.private()
    client.call("subscribe", channel="executions")
    return client


def trade_at(world: TestWorld, ticks: int) -> None:
    """Reduce the crowd's book to one level at a price, and trade with it."""
    world.empty()
    venue = world.exchange.venues["BTC/USD"]
    lots = 10**6
    for side in ("buy", "sell"):
        price = ticks
        world.exchange.settle(venue.submit(venue.crowd_number(), 0, side, price, lots, world.now, "gtc"), world.now)
    assert venue.last_price == ticks
    world.world.flush(world.now)
