"""The simulated world in its short form: some tens of seeds, a minute of storm each, and the calm after it."""

from __future__ import annotations

import pytest

from tests.simulation.world import World

SEEDS = range(1, 25)


@pytest.mark.parametrize("seed", SEEDS)
def test_all_that_must_hold_holds_through_a_minute_of_faults(seed: int) -> None:
    result = World(seed).run(50)
    again = f"python -m tests.simulation.run --seed {seed} --seeds 1 --seconds 50"
    assert result.violations == [], "\n".join([*result.violations, again])
    assert result.checks["at rest"] == 1
