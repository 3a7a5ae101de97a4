"""The simulated world in its short form: some tens of seeds, a minute of storm each, and the calm after it."""

from __future__ import annotations

import pytest

from tests.simulation.world import World

SEEDS = range(1, 31)


@pytest.mark.parametrize("seed", SEEDS)
def test_all_that_must_hold_holds_through_a_minute_of_faults(seed: int) -> None:
    result = World(seed).run(60)
    again = f"python -m tests.simulation.run --seed {seed} --seeds 1 --seconds 60"
    assert result.violations == [], "\n".join([*result.violations, again])
    assert result.checks["at rest"] == 1
