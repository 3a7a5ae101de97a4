"""The faults of a first day with a real exchange: a seeded mix, never long, never all at once. No clock."""

from __future__ import annotations

from random import Random

from simulator.faults import instant
from simulator.faults.rules import INSTANT_KINDS
from simulator.wire import NS
from simulator.world import World

# Mean pause between faults, and before the first.
EVERY_S, FIRST_S = 20.0, 15.0
# A member of a fault, or what it is drawn from: a range of ms, or texts.
Member = str | float | bool | tuple[int, int] | tuple[str, ...]
# The faults that are drawn, each with its weight.
_MIX: tuple[tuple[int, dict[str, Member]], ...] = (
    (6, {"kind": "delay_reports", "ms": (100, 900), "count": 3}),
    (4, {"kind": "answer_late", "ms": (100, 1500), "count": 2}),
    (6, {"kind": "snapshot_behind", "ms": (100, 900), "seconds": 30}),
    (5, {"kind": "snapshot_late", "ms": (100, 2000), "seconds": 30, "channel": ("balances", "executions")}),
    (4, {"kind": "drop", "count": 1, "value": ("1001", "1006", "1011", "1012", "1013"), "path": ("private", "public")}),
    (5, {"kind": "refuse", "count": 1, "after": True, "method": ("add_order", "amend_order", "cancel_order"),
         "text": ("EService:Unavailable", "EService:Timeout", "EService:Busy")}),
    (3, {"kind": "refuse", "count": 2, "path": "rest", "text": ("EService:Busy", "EGeneral:Internal error")}),
    (3, {"kind": "answer_never", "count": 1, "method": ("add_order", "amend_order", "cancel_order")}),
    (3, {"kind": "repeat_reports", "count": 2}),
    (3, {"kind": "merge_reports", "count": 4}),
    (2, {"kind": "skip_sequence", "count": 1}),
    (4, {"kind": "odd_members", "path": "private", "count": 5, "value": ("unknown", "missing")}),
    (3, {"kind": "odd_numbers", "path": "private", "count": 5, "value": ("exponent", "text")}),
    (3, {"kind": "rest_broken", "count": 1, "value": ("500", "502", "503", "520")}),
    (2, {"kind": "rest_truncated", "count": 1}),
    (2, {"kind": "rest_slow", "count": 1, "ms": (500, 4000)}),
    (2, {"kind": "rest_cut", "count": 1}),
    (2, {"kind": "consolidate", "seconds": 120}),
    (2, {"kind": "rest_behind", "ms": (5_000, 30_000), "seconds": 60}),
    (2, {"kind": "expire_tokens"}),
    (3, {"kind": "engine_cancel", "share": 0.3,
         "text": ("Insufficient margin", "Market price protection", "Risk check failed", "")}),
    (1, {"kind": "stall", "count": 1, "ms": (500, 4000), "path": ("private", "public")}),
    (1, {"kind": "text", "count": 1, "path": "public"}),
)  # fmt: skip


class FirstDay:
    """Set faults on a world from its seed."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rng = Random(f"first day {world.seed}")
        self._kinds = [fields for _, fields in _MIX]
        self._weights = [weight for weight, _ in _MIX]
        world.later(world.now + int(FIRST_S * NS), self._trouble)

    def draw(self) -> dict[str, object]:
        """Return the members of the next fault."""
        fields = self.rng.choices(self._kinds, self._weights)[0]
        return {name: self._drawn(value) for name, value in fields.items()}

    def _drawn(self, value: Member) -> object:
        if not isinstance(value, tuple):
            return value
        low, high = value[0], value[-1]
        if isinstance(low, int) and isinstance(high, int):
            return float(self.rng.randint(low, high))
        return self.rng.choice(value)

    def _trouble(self, now: int) -> None:
        faults = self.world.faults
        faults.forget_spent(now)
        fault = faults.read(self.draw(), now)
        if fault.kind in INSTANT_KINDS:
            instant.carry_out(self.world, fault, now)
        else:
            faults.set(fault)
        self.world.later(now + int(self.rng.expovariate(1 / EVERY_S) * NS), self._trouble)
