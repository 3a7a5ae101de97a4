"""The shell that every process runs in: one loop around a core.

It takes the lock, counts the start and binds the bus. Then it turns: messages in, the process's own turn, heartbeat,
repeats, watchdog.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import NoReturn

import zmq

from shared import bus, halt, limits
from shared.bus.curve import start_auth
from shared.clock import MS, boot_ns
from shared.config import Config
from shared.errors import BusAddressInUse, Held
from shared.messages import Alert, LogLine, Message, ProcessState
from shared.process import holders, locks, logs, starts
from shared.process.beats import Beats
from shared.process.command_line import EXIT_HELD, EXIT_RESTART, refuse
from shared.process.effects import Effects
from shared.process.garbage import Garbage
from shared.process.lazy import Lazily
from shared.process.monitors import Memory, Performance, Watchdog, raise_descriptor_limit
from shared.process.spin import Spin
from shared.version import tradebyte_version

# Those on the way from a frame to an order.
SPINNING = frozenset({"collector", "book", "strategy", "executor"})


class Process:
    """One process of the system. Made once, run once."""

    def __init__(
        self,
        name: str,
        configuration: Config,
        wanted: list[str],
        lazily: Sequence[str] = (),
        *,
        is_needed_for_trading: bool = True,
    ) -> None:
        """Begin; topics that are wanted ``lazily`` wake nobody: they are read by turns, and before other messages."""
        self.name, self.config = name, configuration
        self.stopping = False
        self.hangup = False
        self._supervised = "SUPERVISOR_ENABLED" in os.environ
        self._parent = os.getppid()
        self._beats = Beats(name, boot_ns())
        self._state, self._why = ProcessState.STARTING, "starting"
        self._parent_due = 0
        self.drops = 0
        # How long it runs on when supervisord is gone: the simulator does, until the executor has pulled its orders.
        self.outlives_s = 0.0
        # How long it turns on when it is asked to stop, its heartbeat saying so.
        self.lingers_s = 0.0
        self._orphan_since = 0
        self.details: dict[str, object] = {}
        self._bad_logged: dict[str, float] = {}
        watched = configuration.monitor
        self.performance = Performance(
            watched.slow_operation_s,
            lambda what, seconds: self.log.warning("slow operation", operation=what, seconds=round(seconds, 3)),
        )
        self._memory = Memory(watched.memory_threshold_mb, watched.memory_limit_mb)
        self._memory_due = 0
        self._garbage = Garbage()
        self._spin = Spin(is_on=configuration.performance.spin and name.partition(".")[0] in SPINNING)
        self._restart = False
        os.chdir(configuration.root)
        self._lock = locks.take(configuration.run, name, waits=self._supervised)
        raise_descriptor_limit()
        self.start = starts.begin(configuration.run, name)
        self._publisher: bus.Publisher | None = None
        self._logs = logs.Logs(name, configuration, self._on_warning)
        self._watchdog = Watchdog(self._logs)
        self.log = logs.logger(name)
        self._wake, self._wake_writer = socket.socketpair()
        self._catch_signals()
        self.start.back_off(self.log.warning, lambda: self.stopping)
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context.instance()
        self._auth = start_auth(context, configuration)
        endpoint = bus.address(configuration, str(configuration.bus[name]))
        try:
            self._publisher = bus.Publisher(context, endpoint, name, self.start.boot, configuration.curve)
        except BusAddressInUse:
            port = int(endpoint.rpartition(":")[2])
            self.held(holders.port_taken(port, f"bus.{name}"))
        addresses, curve = bus.addresses(configuration), configuration.curve
        self.subscriber = bus.Subscriber(context, addresses, wanted, curve, self._on_bad)
        others = bus.Subscriber(context, addresses if lazily else [], lazily, curve, self._on_bad)
        self.lazy = Lazily(others, is_used=bool(lazily))
        self.log.info("started", pid=os.getpid(), version=tradebyte_version(), boot=self.start.boot)
        if self.start.is_crash_loop:
            self._report_crash_loop(halts=is_needed_for_trading)
        self._watchdog.turn(boot_ns())

    # --- for processes -------------------------------------------------------------------------------------------

    def publish(self, topic: str, message: Message) -> None:
        """Send a message on this process's endpoint."""
        self.publisher.publish(topic, message)

    @property
    def publisher(self) -> bus.Publisher:
        """Return this process's endpoint."""
        assert self._publisher is not None
        return self._publisher

    def state(self, state: ProcessState, why: str = "") -> None:
        """Set the state that heartbeats report; the first ``ready`` makes the start a success."""
        self.start.says(state)
        self._state, self._why = state, why

    def alert(self, level: str, kind: str, text: str) -> None:
        """Alert people: on the bus and in the log."""
        self.publish("alert", Alert(level=level, kind=kind, text=text))  # type: ignore[arg-type]
        (self.log.info if level == "info" else self.log.warning)("alert", kind=kind, text=text)

    def dispatch(self, wanted: Effects) -> None:
        """Carry out the effects that all cores have in common: messages, lines for the log, alerts."""
        for topic, message in wanted.messages:
            self.publish(topic, message)
        for entry in wanted.log:
            getattr(self.log, entry.level)(entry.text, kind=entry.kind)
            if entry.alert:
                self.alert("critical" if entry.level == "error" else "warning", entry.kind, entry.text)

    def held(self, why: Held) -> NoReturn:
        """Exit 75: another process holds what this one needs."""
        self.start.settle(ready=False)
        self.log.error("refused", why=str(why))
        refuse(EXIT_HELD, self.name, str(why))

    def stir(self) -> None:
        """Stay awake for a while, where the configuration asks for it: there was work."""
        self._spin.stir(boot_ns())

    # --- the loops -----------------------------------------------------------------------------------------------

    def run_polled(
        self,
        on_messages: Callable[[list[bus.Received]], None],
        on_turn: Callable[[int], None],
        turn_ms: int = 50,
    ) -> None:
        """Run the plain loop on decoded messages, until asked to stop."""

        def read() -> None:
            received = self.subscriber.drain()
            if received:
                with self.performance.timed("messages"):
                    on_messages(received)

        self.run_reading(read, on_turn, turn_ms)

    def run_reading(self, read: Callable[[], None], on_turn: Callable[[int], None], turn_ms: int = 50) -> None:
        """Run the plain loop, one Poller over SUB, XPUB and the signals' wake-up fd, until asked to stop.

        Messages are read as they come; a turn is made every ``turn_ms``, however many messages come between.
        """
        subscriber, publisher = self.subscriber.socket, self.publisher.socket
        poller = zmq.Poller()
        for readable in (subscriber, publisher, self._wake):
            poller.register(readable, zmq.POLLIN)
        due, spin = 0, self._spin
        self._garbage.begin(boot_ns())
        with self._crash_logged():
            end = 0
            while not self.stopping or boot_ns() < end:
                ready = dict(poller.poll(0 if spin.is_awake() else max(0, -(-(due - boot_ns()) // MS))))
                began = boot_ns()
                if subscriber in ready:
                    spin.stir(began)
                    read()
                if publisher in ready:
                    self.publisher.serve_subscriptions()
                if self._wake.fileno() in ready:
                    self._drain_wake()
                if self.stopping and not end:
                    end = began + int(self.lingers_s * 1e9)
                    self._state, self._why = ProcessState.STOPPING, "asked to stop"
                    due = 0
                now = boot_ns()
                if now >= due:
                    due = now + turn_ms * MS
                    with self.performance.timed("turn"):
                        on_turn(now)
                    self._turn(began)
                else:
                    self._beats.lag_ns = max(self._beats.lag_ns, now - began)
        self._end()

    def beat_soon(self) -> None:
        """Have the next turn send a heartbeat."""
        self._beats.soon()

    def run_async(
        self,
        main: Callable[[], Awaitable[None]],
        on_messages: Callable[[list[bus.Received]], None],
        on_turn: Callable[[int], None],
        on_stop: Callable[[], Awaitable[None]] | None = None,
        turn_ms: int = 50,
    ) -> None:
        """Run the loop of a process that holds a WebSocket, ``main`` beside bus and turns, until asked to stop."""
        import uvloop

        self._garbage.begin(boot_ns())
        with self._crash_logged():
            uvloop.run(self._async(main, on_messages, on_turn, on_stop, turn_ms))
        self._end()

    async def _async(
        self,
        main: Callable[[], Awaitable[None]],
        on_messages: Callable[[list[bus.Received]], None],
        on_turn: Callable[[int], None],
        on_stop: Callable[[], Awaitable[None]] | None,
        turn_ms: int,
    ) -> None:
        loop = asyncio.get_running_loop()
        stop: asyncio.Future[None] = loop.create_future()

        def fail(error: BaseException | None) -> None:
            if not stop.done():
                stop.set_exception(error or RuntimeError("main ended by itself"))

        def guarded(work: Callable[[], None]) -> Callable[[], None]:
            def run() -> None:
                try:
                    work()
                except Exception as error:  # noqa: BLE001 - handed to the loop, which ends the process with it
                    fail(error)

            return run

        def read_bus() -> None:
            received = self.subscriber.drain() if self.subscriber.has_waiting else []
            if received:
                self.stir()
                received = [*self.lazy.read(), *received]
                with self.performance.timed("messages"):
                    on_messages(received)
                # The fd is edge-triggered, and reading may have consumed the edge: read again until nothing is left.
                loop.call_soon(guarded(read_bus))

        def read_lazily() -> None:
            if received := self.lazy.read():
                on_messages(received)

        def turn() -> None:
            began = boot_ns()
            read_lazily()
            read_bus()
            with self.performance.timed("turn"):
                on_turn(boot_ns())
            self._turn(began)
            self._spin.keep(loop)
            if not self.stopping:
                loop.call_later(turn_ms / 1000, guarded(turn))
                for wait_s in self.lazy.more(turn_ms):
                    loop.call_later(wait_s, guarded(read_lazily))
            elif not stop.done():
                stop.set_result(None)

        loop.add_reader(int(self.subscriber.socket.getsockopt(zmq.FD)), guarded(read_bus))
        loop.add_reader(int(self.publisher.socket.getsockopt(zmq.FD)), guarded(self.publisher.serve_subscriptions))
        task = asyncio.ensure_future(main())
        task.add_done_callback(lambda done: None if done.cancelled() else fail(done.exception()))
        try:
            guarded(turn)()
            await stop
            self._state, self._why = ProcessState.STOPPING, "asked to stop"
            self._turn(boot_ns())
            if on_stop is not None:
                await on_stop()
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task

    def _turn(self, began: int) -> None:
        """Do the shell's part of a turn: subscriptions, watchdog, repeats, memory, heartbeat."""
        now = boot_ns()
        self._garbage.turn(now)
        self.publisher.serve_subscriptions()
        # The lag is the longest time for which the loop was busy.
        self._beats.lag_ns = max(self._beats.lag_ns, now - began)
        self._watchdog.turn(now)
        self.publisher.repeat(now)
        if now >= self._parent_due:
            self._parent_due = now + int(limits.PARENT_CHECK_S * 1e9)
            if self._supervised and os.getppid() != self._parent:
                self._orphaned(now)
        if now >= self._memory_due:
            self._memory_due = now + int(limits.MEMORY_CHECK_S * 1e9)
            self._check_memory(now)
            self._logs.turn()
        if self._beats.is_due(now, self._state, self._why):
            self._beat(now)

    def _orphaned(self, now: int) -> None:
        """Stop as by SIGTERM, since supervisord is gone; each process does so by itself."""
        if not self._orphan_since:
            self._orphan_since = now
            self.log.warning("supervisord is gone: stopping", in_s=self.outlives_s)
        self.stopping = self.stopping or now - self._orphan_since >= self.outlives_s * 1e9

    def _beat(self, now: int) -> None:
        beat = self._beats.next(
            now,
            self._state,
            self._why,
            memory=self._memory,
            counters=self.subscriber.counters.plus(self.lazy.subscriber.counters),
            sent=self.publisher.sent,
            drops=self.drops,
            details={**self.details, "operations": self.performance.summary()},
        )
        self.publish(f"heartbeat.{self.name}", beat)

    # --- beginning and end ---------------------------------------------------------------------------------------

    def _catch_signals(self) -> None:
        self._wake.setblocking(False)
        self._wake_writer.setblocking(False)
        signal.set_wakeup_fd(self._wake_writer.fileno(), warn_on_full_buffer=False)

        def on_signal(number: int, _frame: object) -> None:
            self.hangup = self.hangup or number == signal.SIGHUP
            self.stopping = True

        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, on_signal)

    def _drain_wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._wake.recv(64):
                pass

    def _report_crash_loop(self, *, halts: bool) -> None:
        text = f"{self.name} failed to start {self.start.failed} times in a row; see logs/{self.name}.log"
        self.alert("critical", "crash-loop", text)
        if halts:
            halt.halt_trading(self.config.halt_file, halt.Halt(halt.Cause.CRASH_LOOP, text))

    @contextlib.contextmanager
    def _crash_logged(self) -> Iterator[None]:
        try:
            yield
        except Exception:
            self.log.critical("crashed", exc_info=True)
            raise

    def _end(self) -> None:
        self.start.settle(ready=False)
        self._state, self._why = ProcessState.STOPPING, "asked to stop"
        self._beat(boot_ns())
        self._watchdog.end()
        self.log.info("stopped")
        time.sleep(0.02)  # LINGER is 0: the last heartbeat leaves before the socket closes
        self.publisher.socket.close()
        self.subscriber.socket.close()
        self.lazy.subscriber.socket.close()
        if self._auth is not None:
            self._auth.stop()
        self._lock.release()
        if self._restart:
            raise SystemExit(EXIT_RESTART)

    def _check_memory(self, now: int) -> None:
        warning, is_over = self._memory.check(now / 1e9)
        if warning:
            self.log.warning(warning)
        if is_over and not self._restart:
            # As by SIGHUP: the executor leaves its orders to the next start, which comes at once.
            self.alert("critical", "memory", f"{self.name} holds {self._memory.rss_mb:.0f} MB: restarting in order")
            self._restart = self.hangup = self.stopping = True

    # --- callbacks -----------------------------------------------------------------------------------------------

    def _on_warning(self, level: str, event: str, fields: dict[str, object]) -> None:
        if self._publisher is not None:
            self.publish(f"log.{self.name}", LogLine(level=level, event=event, fields=fields))

    def _on_bad(self, what: str, why: str, raw: bytes) -> None:
        now = time.monotonic()
        if now - self._bad_logged.get(what, -1e9) >= limits.BAD_MESSAGE_LOG_EVERY_S:
            self._bad_logged[what] = now
            self.log.warning("bus message skipped", what=what, why=why, first_bytes=raw.hex())
