"""Reads the bus in a thread of its own and keeps only the newest snapshot, so that a screen that stops costs nothing.

The shell around :class:`monitor.ui.snapshot.Watch`. However slow the view is, the bus is drained here. When the whole
process is stopped, ZeroMQ drops what its queues cannot hold; what was missed is counted.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import NoReturn

import structlog
from structlog.typing import EventDict

from monitor.model import halted
from monitor.model.past_fills import Reader as Journal
from monitor.model.picture import WANTED
from monitor.ui.snapshot import Snapshot, Watch, counted
from shared import bus, halt, limits
from shared.bus import Subscriber
from shared.clock import SECOND, boot_ns, wall_ns
from shared.config import Config


class Reading:
    """Reads until :meth:`end`, in the thread that calls :meth:`run`.

    ``look`` is called in that thread with the newest, at most every ``look_every_s`` and only while ``is_wanted``.
    """

    def __init__(
        self,
        config: Config,
        look_every_s: float,
        look: Callable[[Watch, Snapshot], None],
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        self._config = config
        self._is_wanted = is_wanted
        self._look_every_s, self._taken_over = look_every_s, look
        self._over = threading.Event()
        self._note = ""
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self) -> str:
        """Listen until the end; return why the reading ended by itself, empty after :meth:`end`."""
        structlog.configure(processors=[self._keep])
        try:
            asyncio.run(self._main())
        except Exception as error:  # noqa: BLE001 - the view shows it
            return f"{type(error).__name__}: {error}"
        return ""

    def end(self) -> None:
        """Tell the reading to end, from any thread."""
        self._over.set()

    async def _main(self) -> None:
        watch = Watch(self._config, boot_ns())
        journal = Journal(self._config, watch.picture, self._spawn)
        subscriber = bus.attach(self._config, WANTED)
        due = 0
        try:
            while not self._over.is_set():
                for received in subscriber.drain():
                    watch.take(received, boot_ns())
                    journal.take(received)
                now = boot_ns()
                if now >= due and self._is_wanted():
                    due = now + int(self._look_every_s * SECOND)
                    self._taken_over(watch, self._look(watch, subscriber, now))
                    journal.turn(now)
                await asyncio.sleep(min(limits.VIEW_DRAIN_EVERY_S, self._look_every_s))
        finally:
            subscriber.close()

    def _look(self, watch: Watch, subscriber: Subscriber, now: int) -> Snapshot:
        flattening = halt.is_halted(self._config.flatten_file)
        snapshot = watch.look(now, wall_ns(), halted.text(self._config), flattening=flattening)
        counters = subscriber.counters
        return counted(snapshot, counters.gaps + counters.untracked, self._note)

    def _spawn(self, work: Awaitable[None]) -> None:
        self._note = ""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _keep(self, _logger: object, _method: str, event: EventDict) -> NoReturn:
        """Keep a log line as a note: written, it would garble the screen."""
        self._note = f"{event.pop('event', '')}: {event.get('why', '')}"
        raise structlog.DropEvent


class Reader:
    """``latest`` is what to show, None before the first look; ``failed`` says why it has ended, if it has."""

    def __init__(self, config: Config) -> None:
        self._reading = Reading(config, limits.TOP_DRAW_EVERY_S, self._keep)
        self._thread = threading.Thread(target=self._run, name="bus", daemon=True)
        self.latest: Snapshot | None = None
        self.failed = ""

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """End the reading and release the bus."""
        self._reading.end()
        self._thread.join()

    def _run(self) -> None:
        self.failed = self._reading.run()

    def _keep(self, _watch: Watch, snapshot: Snapshot) -> None:
        self.latest = snapshot
