"""The executor's shell: sockets, clock, files and the bus around the core and its carrier."""

from __future__ import annotations

import asyncio
from typing import Any

from executor.dispatch import Carrier
from executor.exchange.connection import Private
from executor.executor import Executor
from executor.outbox import RestCall, Told
from executor.record.archive import archive
from executor.record.journal import Journal, JournalError
from executor.record.restore import SENDS_KEPT_S
from executor.state import State
from shared import halt, limits, pausing
from shared.bus import Received
from shared.clock import SECOND, boot_ns, wall_ns
from shared.messages import Message, ProcessState
from shared.process.locks import Held
from shared.process.loop import Process


class Shell:
    """Owns the sockets, the clock and the journal."""

    def __init__(self, process: Process, state: State, executor: Executor, journal: Journal) -> None:
        self.process, self.state, self.executor, self.journal = process, state, executor, journal
        self.carrier = Carrier(state, executor, journal, self)
        self._paused: dict[str, str] = {}
        self._halt_due = self._prune_due = self._events_due = 0
        # A halt that the disk has not taken yet, with its reason, and what stood in the way.
        self._halt_unwritten: halt.Halt | None = None
        self._halt_problem = ""
        self.private = Private(
            process.config,
            lambda: state.epoch,
            lambda: executor.asks_token(boot_ns()),
            self._opened,
            self._frame,
            self._closed,
            self._newer_writer,
        )

    # --- events --------------------------------------------------------------------------------------------------

    def on_messages(self, received: list[Received]) -> None:
        """Messages from the bus."""
        now = boot_ns()
        urgent = [self.executor.message(item.message, now) for item in received]
        if any(urgent):
            self.turn(now)

    def on_turn(self, now: int) -> None:
        """The clock's turn."""
        if now >= self._halt_due:
            self._halt_due = now + int(limits.HALT_POLL_S * SECOND)
            self._look_at_halt()
            self._look_at_accept()
        self.turn(now)
        self._say_state(now)
        if now >= self._prune_due:
            self._prune_due = now + SENDS_KEPT_S * SECOND
            self._keep_bounded()
        if now >= self._events_due:
            self._events_due = now + int(limits.EVENTS_PRUNE_S * SECOND)
            self._keep_events_bounded()

    def _keep_bounded(self) -> None:
        try:
            self.journal.prune(wall_ns() - SENDS_KEPT_S * SECOND)
            moved = archive(self.journal, wall_ns())
        except JournalError as error:
            self.process.log.warning("journal not archived, trying again in an hour", why=str(error))
        else:
            if moved:
                self.process.log.info("journal archived", rows=moved)

    def _keep_events_bounded(self) -> None:
        """Often and little: a pass never waits for many."""
        try:
            self.journal.prune_events()
        except JournalError as error:
            self.process.log.warning("events not pruned, trying again", why=str(error))

    def _opened(self, token: str) -> None:
        self.process.log.info("private connection", url=self.private.socket.url)
        self.executor.opened(token, boot_ns())
        self.turn(boot_ns())

    def _frame(self, raw: bytes) -> None:
        now = boot_ns()
        self.executor.frame(raw, now)
        if raw != b'{"channel":"heartbeat"}':
            self.turn(now)

    def _closed(self, why: str) -> None:
        self.process.log.warning("private connection lost, connecting again", why=why)
        self.executor.closed(boot_ns())
        self.turn(boot_ns())

    def _rest_answer(self, call: RestCall, result: Any) -> None:
        self.executor.rest_answer(call, result, boot_ns())
        self.turn(boot_ns())

    def _newer_writer(self, why: str) -> None:
        self.state.out.stop_held = f"a newer writer uses this API key: {why}"

    def _write_halt(self) -> None:
        try:
            if self._halt_unwritten is not None:
                halt.halt_trading(self.process.config.halt_file, self._halt_unwritten)
        except OSError as error:
            if self._halt_problem != str(error):
                self._halt_problem = str(error)
                text = f"data/HALT cannot be written ({error}): halted all the same, but not over a restart"
                self.process.alert("critical", "halt", text)
        else:
            self._halt_unwritten, self._halt_problem = None, ""

    def _look_at_halt(self) -> None:
        if self._halt_unwritten:
            self._write_halt()
        halted = bool(self._halt_unwritten) or halt.is_halted(self.process.config.halt_file)
        paused = pausing.paused(self.process.config)
        if paused.keys() != self.state.paused:
            self.state.paused = frozenset(paused)
            self.process.log.warning("paused", names=", ".join(paused) or "nothing any more")
        self._paused = paused
        # After the halt: a flatten that ends one is there before that goes, and nothing is quoted in between.
        self.state.flattening = halt.is_halted(self.process.config.flatten_file)
        if halted != self.state.halted:
            self.state.halted = halted
            self.process.log.warning("halted" if halted else "resumed", why=halt.reason(self.process.config.halt_file))

    def _look_at_accept(self) -> None:
        """A person took assets as they are: obeyed once the account is known, and the file goes when that is kept."""
        file = self.process.config.accept_file
        now = boot_ns()
        if not halt.is_halted(file) or not self.state.view_is_valid(now):
            return
        for asset in halt.reason(file).split():
            self.executor.accept(asset, now)
        self.turn(now)
        if self.state.journal_ok:
            halt.resume(file)

    def turn(self, now: int) -> None:
        """A pass of the core, and all that it wants done."""
        self.state.boot_to_wall = wall_ns() - now
        self.carrier.turn(now)

    # --- the carrier's hands -------------------------------------------------------------------------------------

    def now(self) -> int:
        """ns of CLOCK_BOOTTIME."""
        return boot_ns()

    def send(self, text: str) -> bool:
        """Hands a frame to the socket."""
        return self.private.socket.send(text)

    def call(self, call: RestCall) -> None:
        """Starts a REST call."""
        self.private.start(call, self._rest_answer, lambda c, why: self.executor.rest_failed(c, why, boot_ns()))

    def is_halted(self) -> bool:
        """True while the halt file is there, or should be."""
        return bool(self._halt_unwritten) or halt.is_halted(self.process.config.halt_file)

    def halt(self, why: halt.Halt) -> None:
        """Write the halt file; where it cannot be written, halted all the same, and tried again."""
        if not self._halt_unwritten:
            self.process.alert("critical", "halt", why.words)
        self._halt_unwritten = why
        self._look_at_halt()

    def flattened(self) -> None:
        """Removes the file that asked for it."""
        halt.resume(self.process.config.flatten_file)

    def publish(self, topic: str, message: Message) -> None:
        """A message for the bus."""
        self.process.publish(topic, message)

    def tell(self, told: Told) -> None:
        """A line for the log, and an alert where it is one."""
        getattr(self.process.log, told.level)(told.text, kind=told.kind)
        if told.alert:
            self.process.alert("critical" if told.level == "error" else "warning", told.kind, told.text)

    def reconnect(self, why: str) -> None:
        """Drops the connection; the socket makes a new one."""
        self.private.socket.close(why)

    def newer_writer(self, why: str) -> None:
        """Ends with the exit code of a lock that is held."""
        self.process.alert("critical", "newer-writer", why)
        self.process.held(Held(f"{why}; stop that one first"))

    # --- state ---------------------------------------------------------------------------------------------------

    def _say_state(self, now: int) -> None:
        state, quoting = self.state, self.executor.quoting
        why = quoting.gates.why_pull(now) or quoting.gates.why_not_advance(now)
        if state.halted:
            self.process.state(ProcessState.HALTED, halt.reason(self.process.config.halt_file) or "halted")
        elif not state.view_is_valid(now):
            why = self.private.problem or why
            self.process.state(ProcessState.DEGRADED, why)
        else:
            why = why or self.executor.trouble
            self.process.state(ProcessState.DEGRADED if why else ProcessState.READY, why)
        self.process.drops = self.private.socket.dropped
        self.process.details.update(
            epoch=state.epoch,
            open_orders=self.executor.own_live(),
            waiting=quoting.waits.shown,
            rest_counter=round(state.rest.value(now / SECOND), 1),
            rest_counter_max=state.budget.tier.rest_max,
            paused=self._paused,
            connected=self.private.socket.connected,
            connection_problem=self.private.problem,
            connection_attempts=self.private.socket.reconnect.attempts,
            exchange_offset_ms=round(state.clock.offset_s * 1000 - state.boot_to_wall / 1e6, 1)
            if state.clock.now_ts(now)
            else None,
        )

    # --- the end -------------------------------------------------------------------------------------------------

    async def stop(self) -> None:
        """SIGTERM pulls everything and disarms; SIGHUP leaves the orders to the next start, or to the switch."""
        if not self.process.hangup:
            self.state.stopping = True
            until = boot_ns() + int(limits.STOP_PULL_S * SECOND)
            while boot_ns() < until and self.state.connected and self.executor.own_live():
                self.turn(boot_ns())
                await asyncio.sleep(0.01)
            if not self.executor.own_live() and self.state.connected:
                self.executor.disarm(boot_ns())
                self.turn(boot_ns())
                await asyncio.sleep(0.1)
            left = self.executor.own_live()
            self.process.log.info("stopped with orders left" if left else "all orders pulled", left=left)
        self.carrier.write(even_events=True)
        await self.private.close()
        self.journal.close()
