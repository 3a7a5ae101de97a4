"""A simulator for each test that asks for one; none is left behind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.testing import Kraken, running_kraken
from tests.integration.simulator.running import Running


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Running]:
    running = Running(tmp_path)
    running.start()
    try:
        yield running
    finally:
        running.kill()


@pytest.fixture
def kraken() -> Iterator[Kraken]:
    with running_kraken() as running:
        yield running


@pytest.fixture
def book_s() -> float:
    """Return how long to follow books at least, in seconds: minutes in ``make compat``, nothing in ``make test``."""
    return 60 * float(os.environ.get("MINUTES", "0"))
