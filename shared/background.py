"""Work in the background of an event loop that nobody awaits, but whose errors somebody hears."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine


class Background:
    """Tasks that are kept until they end (asyncio itself keeps only weak references to them)."""

    def __init__(self, failed: Callable[[BaseException], None]) -> None:
        """``failed`` gets the error that ended a task; it hears of no task that was cancelled."""
        self._failed = failed
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Run ``work`` in the running event loop; return its task, which may be cancelled."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._failed(error)
