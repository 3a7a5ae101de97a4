"""Faults put into the simulator as a person would."""

from __future__ import annotations

from typing import Any

from simulator.faults import instant
from simulator.faults.rules import INSTANT_KINDS
from tests.unit.simulator.worlds import TestWorld


def inject(world: TestWorld, kind: str, **members: Any) -> int:
    fault = world.world.faults.read({"kind": kind, **members}, world.now)
    if kind in INSTANT_KINDS:
        instant.carry_out(world.world, fault, world.now)
    else:
        world.world.faults.set(fault)
    return fault.id
