"""The simulated world in its short form: a few seeds, some tens of seconds of storm each, and the calm after it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from shared.config import unconfirmed
from shared.config.unconfirmed import Unconfirmed
from tests.simulation.world import World
from tests.system import ROOT

SEEDS = range(1, 9)
# Every switch of the exchange in its second position, and in its last.
OTHERWISE = [
    Unconfirmed(**{name: list(assumption.outcomes)[position] for name, _, assumption in unconfirmed.assumptions()})
    for position in (1, -1)
]


@pytest.mark.parametrize("seed", SEEDS)
def test_all_that_must_hold_holds_through_faults(seed: int) -> None:
    result = World(seed).run(40)
    again = f"python -m tests.simulation.run --seed {seed} --seeds 1 --seconds 40"
    assert result.violations == [], "\n".join([*result.violations, again])
    assert result.checks["at rest"] == 1


@pytest.mark.parametrize("seed", range(101, 103))
@pytest.mark.parametrize("otherwise", OTHERWISE, ids=["second", "last"])
def test_it_holds_too_where_kraken_is_otherwise_than_is_likely(otherwise: Unconfirmed, seed: int) -> None:
    result = World(seed, unconfirmed=otherwise).run(40)
    assert result.violations == []
    assert result.checks["at rest"] == 1


def test_a_seed_plays_the_same_run_in_every_process() -> None:
    # The order of a set of names differs from process to process: nothing may be decided by it.
    code = "from tests.simulation.world import World; print(World(9204).run(80).digest)"
    digests = set()
    for hash_seed in ("1", "2", "3"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
        ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
        digests.add(ran.stdout)
    assert len(digests) == 1
    assert "" not in digests
