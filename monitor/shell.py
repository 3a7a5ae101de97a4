"""The monitor process: picture, health and API wired to the bus, the pids, supervisord and HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Awaitable, Sequence

import zmq

from monitor.api import app as api
from monitor.api.metrics import Metrics
from monitor.api.site import Site
from monitor.errors import SupervisorError
from monitor.model import halted
from monitor.model.alerting.alerts import Begin, End, Say
from monitor.model.past_fills import Reader
from monitor.model.picture import WANTED, Picture
from monitor.model.status_object import Status
from monitor.watchdog import supervisor
from monitor.watchdog.health import Action, Health, Restart
from monitor.watchdog.machine import Machine
from monitor.watchdog.merged_log import MergedLog
from monitor.watchdog.pids import Pids
from monitor.watchdog.sinks.webhook import Webhooks
from shared import bus
from shared.bus import Received
from shared.clock import SECOND, boot_ns, wall_ns
from shared.messages import Alert, BookStatus, Control, Heartbeat, ProcessState
from shared.process import holders
from shared.process.command_line import load_config, parser
from shared.process.loop import Process

LOOK_EVERY_NS = SECOND
# Views show the bus as it was so long ago at most.
TURN_MS = 100
# What the monitor is to hear at once. The rest, which is mostly shown, it reads by turns: that need not wake it.
PROMPT = ["heartbeat", "log", "alert", "control"]
SHOWN = [kind for kind in WANTED if kind not in PROMPT]
# All that the relay says itself; the rest comes from the publishers.
FROM_RELAY = ("heartbeat.relay", "log.relay", "alert")


class Monitor:
    """Wires picture and health to the bus, the pids, supervisord and HTTP."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.config = process.config
        self.picture = Picture(self.config)
        host = socket.gethostname()
        others = [name for name in self.config.process_names if name != process.name]
        self.health = Health(others, host)
        self.pids = Pids(others, host, self._ended)
        self.merged = MergedLog(self.config.logs, self.config.process_names)
        self.supervisor = supervisor.supervisord_of(self.config)
        self.halted = halted.text(self.config)
        self.machine = Machine(self.config.data)
        metrics = Metrics(self.config, self.picture.view, self.picture.latency, self.status)
        self.webhooks = Webhooks(self.config)
        self.site = Site(self.config, self.picture, metrics.text)
        self.journal = Reader(self.config, self.picture, self._spawn)
        self._relay = self._hear_relay()
        self._look_due = 0
        self._published: str | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        monitor = self.config.monitor
        try:
            self.listening = api.listen(monitor.host, monitor.port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            process.held(holders.port_taken(monitor.port, "monitor.port"))

    def _hear_relay(self) -> bus.Subscriber | None:
        """Return a subscriber to what the relay itself says; what others say comes from them, and counts once."""
        if self.config.relay is None:
            return None
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context.instance()
        endpoint = bus.address(self.config, self.config.relay)
        made = bus.Subscriber(context, [endpoint], FROM_RELAY, self.config.curve)
        made.tracker = self.process.subscriber.tracker
        return made

    def status(self) -> Status:
        """Return the status object of now."""
        return self.picture.status(boot_ns(), wall_ns(), self.halted)

    async def main(self) -> None:
        """Serve HTTP, and post to webhooks, until cancelled."""
        runner = await api.serve(self.listening, self.site, self.process.alert)
        self.process.state(ProcessState.READY)
        try:
            await self.webhooks.run()
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    def on_messages(self, received: list[Received]) -> None:
        """Take in what the bus brought."""
        now = boot_ns()
        for item in received:
            self.picture.take(item, now)
            self.merged.take(item)
            self.journal.take(item)
            if isinstance(item.message, Heartbeat):
                self._do(self.health.heard(item.message, now))
                self.pids.hold(item.message)
            elif isinstance(item.message, BookStatus):
                self.health.path_news(now)
            elif isinstance(item.message, Alert):
                self.webhooks.take(item.message)

    def on_turn(self, now: int) -> None:
        """Hear the relay, check the halt switch, and who has been silent for too long."""
        if self._relay is not None:
            self.on_messages(self._relay.drain())
        self.halted = halted.text(self.config)
        why = self.halted or ""
        if why != self._published:
            self._published = why
            self.process.publish("control", Control(halted=self.halted is not None, why=why))
        self._do(self.health.turn(now, self.halted))
        if now >= self._look_due:
            self._look_due = now + LOOK_EVERY_NS
            self.process.details["machine"] = self.machine.figures()
            self.process.details["webhooks"] = self.webhooks.figures()
            self._do(self.picture.turn(now, wall_ns(), self.webhooks.troubles()))
            self.journal.turn(now)

    async def on_stop(self) -> None:
        """Let go of every pid."""
        self.pids.release_all()

    def _ended(self, process: str, pid: int) -> None:
        """Tell supervisord, which looks once a second, to look now: a process has ended."""
        self._spawn(asyncio.to_thread(self._wake))
        self._do(self.health.ended(process, pid, boot_ns()))

    def _wake(self) -> None:
        # Without supervisord (processes run in the foreground) there is no one to wake.
        with contextlib.suppress(SupervisorError):
            self.supervisor.wake()

    def _do(self, actions: Sequence[Action]) -> None:
        for action in actions:
            match action:
                case Say():
                    self.process.alert(action.level, action.kind, action.text)
                case Begin():
                    self._do(self.picture.alerts.begin(action, boot_ns()))
                case End():
                    self._do(self.picture.alerts.end(action, boot_ns()))
                case Restart():
                    self._spawn(self._restart(action))

    async def _restart(self, restart: Restart) -> None:
        program = supervisor.program_of(self.config, restart.process)
        try:
            await asyncio.to_thread(supervisor.restart, self.supervisor, program)
        except SupervisorError as error:
            self.process.log.warning("supervisord did not restart it: killing it", process=program, why=str(error))
            self.pids.kill(restart.process, restart.pid)

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def main() -> None:
    """Run until asked to stop."""
    options = parser("monitor", "Watches every process; with a command it is 'tradebyte' (see 'tradebyte --help').")
    process = Process("monitor", load_config("monitor", options.parse_args().config), PROMPT, SHOWN)
    monitor = Monitor(process)
    process.run_async(monitor.main, monitor.on_messages, monitor.on_turn, monitor.on_stop, turn_ms=TURN_MS)
