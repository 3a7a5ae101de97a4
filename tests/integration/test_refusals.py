"""What does not start says why, and by whom it is held; two copies run side by side."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.system import COMPONENTS, System, eager, running, until

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(tmp_path_factory.mktemp("first")) as system:
        yield system


@pytest.mark.parametrize("component", COMPONENTS)
def test_live_trading_without_what_it_takes_exits_78(tmp_path: Path, component: str) -> None:
    def live(tree: dict[str, Any]) -> None:
        tree["kraken"]["sandbox"] = False

    refused = System(tmp_path, live).run(component)
    assert refused.returncode == 78
    assert "config.yaml" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_bad_input_21_a_second_copy_in_the_same_folder_is_refused_with_75_and_by_whom(first: System) -> None:
    for component in COMPONENTS:
        refused = first.run(component)
        name = "strategy.market_maker" if component == "strategy" else component
        beat = until(f"{name} is heard", partial(first.heartbeat, name), 10)
        assert refused.returncode == 75
        assert f"pid {beat.pid}" in refused.stderr


def test_bad_input_20_a_port_in_use_or_the_same_account_is_refused_with_75_and_by_whom(
    first: System, tmp_path: Path
) -> None:
    def same_ports(tree: dict[str, Any]) -> None:
        tree["simulator"]["port"] = first.tree["simulator"]["port"]
        tree["monitor"]["port"] = first.tree["monitor"]["port"]

    second = System(tmp_path, same_ports)
    for component in ("simulator", "monitor", "executor"):
        refused = second.run(component)
        holder = until(f"{component} is heard", partial(first.heartbeat, component), 10)
        assert refused.returncode == 75, component
        assert f"pid {holder.pid}" in refused.stderr, component


def test_a_second_copy_with_other_ports_and_folders_trades_beside_the_first(first: System, tmp_path: Path) -> None:
    # In a folder whose name supervisord's syntax and a shell's would take apart; beside the test's own, not in it: a
    # socket's path holds 107 characters, the process id that supervisord adds included.
    with running(tmp_path.parent / """a "b"'s c""", eager) as second:
        until("fills in the second copy", second.fills, 60)
        assert second.lines("fills")
        second.until_quoting(30)
        first.until_quoting(30)


def test_a_configuration_that_is_wrong_is_not_started_again(tmp_path: Path) -> None:
    def misspelt(tree: dict[str, Any]) -> None:
        tree["trading"]["max_positon_size"] = 5

    system = System(tmp_path, misspelt)
    try:
        system.start()
        until(
            "every program has exited",
            lambda: system.states() == dict.fromkeys(COMPONENTS, "EXITED"),
            30,
        )
        log = (tmp_path / "logs/supervisord.log").read_text()
        assert log.count("spawned:") == len(COMPONENTS)
        said = (tmp_path / "logs/executor.out.log").read_text()
        assert "did you mean 'max_position_size'?" in said
    finally:
        system.stop()
