"""Tasks on a Ray cluster, whose nodes may die: what ran there is carried out again.

Every node needs this project installed and the days at the same paths (a shared folder, ``s3://`` or ``gs://``).
"""

from __future__ import annotations

import logging
import os
import re
import socket
from collections.abc import Iterable, Iterator

# Ray reports its use to its makers unless it is told not to, before it is imported.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import ray

from backtest.errors import DataError
from backtest.sweep.tasks import Conditions, Done, Task, perform

ANSWER_S = 5.0


class Cluster:
    """Carries out tasks on the cluster at an address. Raises DataError if none answers there."""

    def __init__(self, conditions: Conditions, address: str) -> None:
        _knock(address)
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        self.size = max(1, int(sum(node["Resources"].get("CPU", 0) for node in ray.nodes() if node["Alive"])))
        # Sent once; each node keeps it.
        self._conditions = ray.put(conditions)
        # A task that raises fails the study, as on one machine; one whose node died runs again, however often.
        self._perform = ray.remote(max_retries=-1, retry_exceptions=False)(perform)

    def results(self, tasks: Iterable[Task]) -> Iterator[Done]:
        """Yield the tasks' results as they come; raises what a task raised."""
        waiting = [self._perform.remote(self._conditions, task) for task in tasks]
        while waiting:
            finished, waiting = ray.wait(waiting)
            for reference in finished:
                done = ray.get(reference)
                assert isinstance(done, Done)
                yield done

    def close(self) -> None:
        """Leave the cluster; it drops what this driver submitted."""
        ray.shutdown()


def _knock(address: str) -> None:
    """Try the port of an address: Ray itself would try for minutes. Raises DataError."""
    named = re.fullmatch(r"(?:ray://)?\[?([^/]+?)\]?:(\d{1,5})", address)
    if named is None:
        raise DataError(f"{address!r} is no address of a Ray cluster such as 10.0.0.1:6379")
    try:
        socket.create_connection((named.group(1), int(named.group(2))), ANSWER_S).close()
    except (OSError, OverflowError) as error:
        raise DataError(f"no Ray cluster answers at {address} ({error}); 'ray start --head' starts one") from error
