"""The ground that all tests share: one hypothesis profile, so that every run draws the same examples."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

HERE: Final = Path(__file__).parent
# What takes longest begins first: of two workers, neither is to be left alone with it at the end.
LONGEST: Final = (
    "unit/test_rust_crate.py",
    "browser/test_web_page.py",
    "browser/test_web_system.py",
    "integration/monitor/test_api.py",
    "integration/monitor/test_monitor.py",
    "integration/monitor/test_top.py",
    "integration/test_process_shell.py",
    "simulation/test_world.py",
    "chaos/test_acts.py",
    "chaos/test_watchers.py",
    "integration/test_why.py",
    "integration/test_refusals.py",
    "integration/test_recording.py",
    "integration/monitor/test_desktop.py",
    "compat/test_python_kraken_sdk.py",
    "integration/simulator/test_simulator.py",
    "integration/test_flatten.py",
    "integration/monitor/test_top_reader.py",
    "integration/monitor/test_commands.py",
    "integration/test_replay.py",
)

settings.register_profile(
    "same", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("same")


def pytest_configure(config: pytest.Config) -> None:
    """xdist would begin with the files that have the most tests, and end with those whose one test takes longest."""
    config.option.loadscopereorder = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, the rest as it was found."""
    places = {HERE / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


@pytest.fixture(autouse=True)
def switches_of_this_clone() -> Iterator[None]:
    """A test that halts or flattens does so in a folder of its own: the next 'make run' here would begin halted."""
    switches = [HERE.parent / "data" / name for name in ("HALT", "FLATTEN")]
    before = {file for file in switches if file.exists()}
    yield
    left = [str(file) for file in switches if file.exists() and file not in before]
    assert not left, f"a test, or a system that runs from this clone, left {left}: delete it"
