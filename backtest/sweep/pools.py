"""Where tasks run: processes of this machine. What is submitted comes back in any order."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import active_children, get_context
from typing import Protocol

from backtest.sweep.tasks import Conditions, Done, Task, perform


class Pool(Protocol):
    """Carries out tasks; ``size`` is how many at a time."""

    size: int

    def results(self, tasks: Iterable[Task]) -> Iterator[Done]:
        """Yield the tasks' results as they come."""

    def close(self) -> None:
        """End what still runs."""


class Processes:
    """Processes of this machine; each imports everything once and plays many tasks."""

    def __init__(self, conditions: Conditions, workers: int) -> None:
        self.size = workers
        self._conditions = conditions
        # A fresh interpreter each: the driver has threads (Arrow's) that a fork would copy in the middle of anything.
        self._pool = ProcessPoolExecutor(workers, get_context("spawn"), _ignore_interrupts)

    def results(self, tasks: Iterable[Task]) -> Iterator[Done]:
        """Yield the tasks' results as they come; raises what a task raised."""
        waiting: set[Future[Done]] = {self._pool.submit(perform, self._conditions, task) for task in tasks}
        while waiting:
            finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                yield future.result()

    def close(self) -> None:
        """End the workers, and with them what they have in hand: it is played again when the study goes on."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for worker in active_children():
            worker.terminate()


def _ignore_interrupts() -> None:
    """Leave Ctrl-C to the driver, which ends the workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
