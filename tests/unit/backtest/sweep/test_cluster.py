"""Tasks on a local Ray cluster of two nodes, one of which is killed in the middle: nothing is lost."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("ray", reason="needs the extra ray")
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

from ray.cluster_utils import Cluster as LocalCluster

from backtest.errors import DataError
from backtest.sweep.cluster import Cluster
from backtest.sweep.outcome import DayOutcome
from backtest.sweep.study import Values
from backtest.sweep.tasks import Conditions, EngineKind, Task, perform
from shared.clock import SECOND
from shared.config import Config
from tests.unit.backtest.sweep.studies import DATES, write_days

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]


@pytest.fixture
def local() -> Iterator[LocalCluster]:
    made = LocalCluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    yield made
    made.shutdown()


def test_a_node_killed_in_the_middle_loses_nothing(tmp_path: Path, local: LocalCluster) -> None:
    node = local.add_node(num_cpus=1)
    local.wait_for_nodes()
    folder = write_days(tmp_path, 2, seconds=20)
    conditions = Conditions(Config(), "market_maker", None, 10.0, "pro_rata", 10 * SECOND, 1)
    sets: list[dict[int, Values]] = [{n: {"edge_bps": 0.2 + n / 10}} for n in range(8)]
    tasks = [
        Task(EngineKind.SCREEN, 0, day, {"BTC/USD": str(folder / "BTC-USD" / f"{day}.parquet")}, each)
        for day in DATES[:2]
        for each in sets
    ]
    pool = Cluster(conditions, local.address)
    try:
        assert pool.size == 2
        outcomes: dict[tuple[str, int], dict[int, DayOutcome]] = {}
        for done in pool.results(tasks):
            if not outcomes:
                local.remove_node(node, allow_graceful=False)
            outcomes[done.task.day, min(done.task.sets)] = done.outcomes
    finally:
        pool.close()
    expected = {(task.day, min(task.sets)): perform(conditions, task).outcomes for task in tasks}
    assert outcomes == expected


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nowhere", "127.0.0.1:99999"])
def test_an_address_without_a_cluster_is_refused_at_once(address: str) -> None:
    with pytest.raises(DataError, match="Ray cluster"):
        Cluster(Conditions(Config(), "market_maker", None, 10.0, "pro_rata", SECOND, 1), address)
