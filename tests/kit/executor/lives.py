"""The executor's next life on the journal of the last."""

from __future__ import annotations

from executor.orders.codec import from_row, to_row
from executor.orders.order import Order
from tests.kit.executor_world import BOOT_TO_WALL, World


def next_life(order: Order, started: int, known: set[str], boot_to_wall: int = BOOT_TO_WALL) -> tuple[World, Order]:
    """A new executor that has the order of its journal."""
    world = World(started=started)
    world.state.life.boot_to_wall = boot_to_wall
    world.known |= known
    restored = from_row(to_row(order, BOOT_TO_WALL), boot_to_wall)
    world.state.registry.add(restored)
    world.hear_bus()
    return world, restored
