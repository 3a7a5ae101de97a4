"""The executor's shell: carries out what the core decided, in an order that a crash at any point survives.

Cancels and the switch leave first and wait for nothing (T9); then the journal, in one transaction; only when that is
on the disk leave adds and amends, each after a last look at the halt file (T10).
"""

from __future__ import annotations

import asyncio
from typing import Any

from executor.executor import Executor
from executor.journal import Journal, JournalError, Row
from executor.outbox import Request, RestCall
from executor.private import Private
from executor.registry import to_row
from executor.state import State
from shared import halt, limits
from shared.bus import Received
from shared.clock import SECOND, boot_ns, wall_ns
from shared.kraken import v2
from shared.messages import ProcessState
from shared.process import Process
from shared.starts import Held

SENDS_KEPT_S = 3600


class Shell:
    """Owns the sockets, the clock and the journal."""

    def __init__(self, process: Process, state: State, executor: Executor, journal: Journal) -> None:
        self.process, self.state, self.executor, self.journal = process, state, executor, journal
        self._unwritten: list[Row] = []
        self._halt_due = self._prune_due = 0
        self.private = Private(
            process.config, lambda: state.epoch, self._opened, self._frame, self._closed, self._newer_writer
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
        self.turn(now)
        self._say_state(now)
        if now >= self._prune_due:
            self._prune_due = now + SENDS_KEPT_S * SECOND
            self.journal.prune(wall_ns() - SENDS_KEPT_S * SECOND)

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
        self.executor.closed()
        self.turn(boot_ns())

    def _rest_answer(self, call: RestCall, result: Any) -> None:
        self.executor.rest_answer(call, result, boot_ns())
        self.turn(boot_ns())

    def _newer_writer(self, why: str) -> None:
        self.state.out.stop_held = f"a newer writer uses this API key: {why}"

    def _look_at_halt(self) -> None:
        halted = halt.is_halted(self.process.config.halt_file)
        if halted != self.state.halted:
            self.state.halted = halted
            self.process.log.warning("halted" if halted else "resumed", why=halt.reason(self.process.config.halt_file))

    # --- carrying out --------------------------------------------------------------------------------------------

    def turn(self, now: int) -> None:
        """A pass of the core, and all that it wants done."""
        state = self.state
        state.boot_to_wall = wall_ns() - now
        self.executor.turn(now)
        out = state.out
        requests, out.requests = out.requests, []
        self._send([request for request in requests if request.urgent])
        if out.epoch > state.epoch:
            state.epoch = self.journal.raise_epoch(out.epoch)
        self._write()
        self._send_if_safe([request for request in requests if not request.urgent])
        self._publish()
        for call in out.rest:
            self.private.start(call, self._rest_answer, self.executor.rest_failed)
        out.rest.clear()
        if out.halt:
            halt.halt(self.process.config.halt_file, out.halt)
            self.process.alert("critical", "halt", out.halt)
            out.halt = ""
            self._look_at_halt()
        if out.reconnect:
            self.private.socket.close(out.reconnect)
            out.reconnect = ""
        if out.stop_held:
            self.process.alert("critical", "newer-writer", out.stop_held)
            self.process.held(Held(f"{out.stop_held}; stop that one first"))

    def _write(self) -> None:
        state = self.state
        rows = [*self._unwritten, *state.out.rows]
        state.out.rows.clear()
        rows += [to_row(order, state.boot_to_wall) for order in self._changed()]
        if not rows:
            return
        try:
            self.journal.write(rows)
            self._unwritten = []
            state.journal_ok = True
        except JournalError as error:
            # Fills and orders wait in memory for the disk; while it lasts only cancels are sent.
            self._unwritten = rows[-limits.UNWRITTEN_ROWS :]
            if state.journal_ok:
                self.process.alert("critical", "journal", f"{error}; nothing is placed until it can be written")
            state.journal_ok = False

    def _changed(self) -> list[Any]:
        changed = list(self.state.registry.changed.values())
        self.state.registry.changed.clear()
        for order in changed:
            order.changed_ts = wall_ns()
        return changed

    def _send_if_safe(self, requests: list[Request]) -> None:
        why = ""
        if not self.state.journal_ok:
            why = "the journal cannot be written"
        elif requests and halt.is_halted(self.process.config.halt_file):
            why = "halted"
        if not why:
            self._send(requests)
            return
        for request in requests:
            self.executor.not_sent(request, why, boot_ns())

    def _send(self, requests: list[Request]) -> None:
        for request in requests:
            text = v2.request(request.method, request.params, request.req_id)
            if self.private.socket.send(text):
                self.executor.stream.in_flight.left(request, boot_ns())
            else:
                self.executor.not_sent(request, "no connection", boot_ns())

    def _publish(self) -> None:
        out = self.state.out
        for topic, message in out.messages:
            self.process.publish(topic, message)
        out.messages.clear()
        for told in out.told:
            getattr(self.process.log, told.level)(told.text, kind=told.kind)
            if told.alert:
                level = "critical" if told.level == "error" else "warning"
                self.process.alert(level, told.kind, told.text)
        out.told.clear()

    def _say_state(self, now: int) -> None:
        state, quoting = self.state, self.executor.quoting
        why = quoting.why_pull(now) or quoting.why_not_advance(now)
        if state.halted:
            self.process.state(ProcessState.HALTED, halt.reason(self.process.config.halt_file) or "halted")
        elif not state.view_is_valid(now):
            why = self.private.problem or why
            self.process.state(ProcessState.DEGRADED, why)
        else:
            self.process.state(ProcessState.DEGRADED if why else ProcessState.READY, why)
        self.process.details.update(
            epoch=state.epoch,
            open_orders=self.executor.own_live(),
            waiting=quoting.waiting,
            exchange_offset_ms=round(state.clock.offset_s * 1000 - state.boot_to_wall / 1e6, 1),
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
        self._write()
        await self.private.close()
        self.journal.close()
