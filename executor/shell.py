"""The executor's shell: the bus, the private connection, the clock and the files around core and dispatcher."""

from __future__ import annotations

import asyncio
from typing import Any  # Any: Kraken's answers, read by the core that made the call

from executor.dispatch import Dispatcher
from executor.effects import RestCall
from executor.errors import JournalError
from executor.exchange.connection import Private
from executor.executor import Executor
from executor.halt_switch import HaltSwitch
from executor.hands import ProcessHands
from executor.record.archive import archive
from executor.record.journal import Journal
from executor.record.restore import SENDS_KEPT_S
from executor.state import State
from shared import halt, limits, pausing
from shared.bus import Received
from shared.clock import MS, SECOND, boot_ns, wall_ns
from shared.messages import ProcessState
from shared.process.loop import Process

TURN_MS = 20
HEARTBEAT = b'{"channel":"heartbeat"}'
# A pass is made so often whatever happens: a silence is noticed by nothing else.
IDLE_PASS_MS = 100


class Shell:
    """Wires the parts together, and hands what happens to the core as events, each followed by a pass."""

    def __init__(self, process: Process, state: State, executor: Executor, journal: Journal) -> None:
        self.process, self.state, self.executor, self.journal = process, state, executor, journal
        self._paused: dict[str, str] = {}
        self._files_due = self._prune_due = self._events_due = 0
        self._pass_due = 0
        self.private = Private(process.config, lambda: state.life.epoch, self)
        self.switch = HaltSwitch(process.config.halt_file, lambda text: process.alert("critical", "halt", text))
        self.dispatcher = Dispatcher(state, executor, journal, ProcessHands(process, self.private, self.switch))

    def turn(self, now: int) -> None:
        """Make a pass of the core, and carry out its effects."""
        self.state.life.set_clock(wall_ns() - now)
        was_halted = self.state.controls.halted
        self.dispatcher.turn(now)
        self._pass_due = min(self.executor.next_due(now), now + IDLE_PASS_MS * MS)
        if self.state.controls.halted and not was_halted:
            self._log_halt()

    # --- the bus and the clock -----------------------------------------------------------------------------------

    def on_messages(self, received: list[Received]) -> None:
        """Take in messages from the bus."""
        now = boot_ns()
        urgent = [self.executor.message(item.message, now) for item in received]
        if any(urgent):
            self.turn(now)

    def on_turn(self, now: int) -> None:
        """Poll the files; make a pass if a book moved or one is due; prune the journal when that is due."""
        if now >= self._files_due:
            self._files_due = now + int(limits.HALT_POLL_S * SECOND)
            self.read_switches()
            self._read_accept()
        if self.state.market.has_moved or now >= self._pass_due:
            self.turn(now)
            self.say_state(now)
        if now >= self._prune_due:
            self._prune_due = now + SENDS_KEPT_S * SECOND
            self._keep_bounded()
        if now >= self._events_due:
            self._events_due = now + int(limits.EVENTS_PRUNE_S * SECOND)
            self._keep_events_bounded()

    # --- the private connection (see executor.exchange.connection.Listener) --------------------------------------

    def token_requested(self) -> None:
        """Count the call for a token."""
        self.executor.token_requested(boot_ns())

    def opened(self, token: str) -> None:
        """Begin a private connection."""
        self.process.log.info("private connection", url=self.private.socket.url)
        self.executor.opened(token, boot_ns())
        self.turn(boot_ns())

    async def run(self) -> None:
        """Hold the private connection, until cancelled."""
        await self.private.socket.run()

    def frames(self, frames: list[bytes]) -> None:
        """Take in the private frames of one read; a pass follows all of them."""
        now = boot_ns()
        for raw in frames:
            self.executor.frame(raw, now)
        if any(raw != HEARTBEAT for raw in frames):
            self.turn(now)
        self.process.stir()

    def closed(self, why: str) -> None:
        """End the private connection."""
        self.process.log.warning("private connection lost, connecting again", why=why)
        self.executor.closed(boot_ns())
        self.turn(boot_ns())

    def rest_answer(self, call: RestCall, result: Any) -> None:
        """Take in a REST call's answer."""
        self.executor.rest_answer(call, result, boot_ns())
        self.turn(boot_ns())

    def rest_failed(self, call: RestCall, why: str) -> None:
        """Take in that a REST call had no usable answer."""
        self.executor.rest_failed(call, why, boot_ns())

    def newer_writer(self, why: str) -> None:
        """Give way to another executor that uses the API key."""
        text = f"a newer writer uses this API key: {why}"
        self.state.session.give_way(text)
        self.state.out.give_way(text)

    # --- the files -----------------------------------------------------------------------------------------------

    def read_switches(self) -> None:
        """Read halt, pauses and flatten from their files."""
        config, controls = self.process.config, self.state.controls
        self.switch.retry()
        halted, was_halted = self.switch.is_on(), controls.halted
        paused = pausing.paused(config)
        if paused.keys() != controls.paused:
            self.process.log.warning("paused", names=", ".join(paused) or "nothing any more")
        self._paused = paused
        # The halt is read first: a flatten that ends one writes its own file before it removes the halt's.
        # So at least one of both is seen, and nothing is quoted in between.
        flattening = halt.is_halted(config.flatten_file)
        controls.read(halted=halted, flattening=flattening, paused=frozenset(paused))
        if halted != was_halted:
            self._log_halt()

    def _log_halt(self) -> None:
        self.process.log.warning("halted" if self.state.controls.halted else "resumed", why=self.switch.reason)

    def _read_accept(self) -> None:
        """Accept the assets that a person named in the file, once the account is known.

        The file is removed when the journal has it.
        """
        file = self.process.config.accept_file
        now = boot_ns()
        if not halt.is_halted(file) or not self.state.session.is_view_valid(now):
            return
        for asset in halt.reason(file).split():
            self.executor.accept(asset, now)
        self.turn(now)
        if self.state.life.journal_ok:
            halt.resume(file)

    # --- the journal's size --------------------------------------------------------------------------------------

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
        """Prune a few events, and often, so that no pass waits for many."""
        try:
            self.journal.prune_events()
        except JournalError as error:
            self.process.log.warning("events not pruned, trying again", why=str(error))

    # --- state ---------------------------------------------------------------------------------------------------

    def say_state(self, now: int) -> None:
        """Report in the heartbeat how trading stands."""
        state, session, socket = self.state, self.state.session, self.private.socket
        closed = self.executor.closed_gate(now)
        why = closed.text if closed is not None else ""
        if state.controls.halted:
            self.process.state(ProcessState.HALTED, self.switch.reason or "halted")
        elif not session.is_view_valid(now):
            self.process.state(ProcessState.DEGRADED, self.private.problem or why)
        else:
            why = why or self.executor.trouble
            self.process.state(ProcessState.DEGRADED if why else ProcessState.READY, why)
        self.process.drops = socket.dropped
        is_time_known = bool(session.clock.now_ts(now))
        offset_ms = round(session.clock.offset_s * 1000 - state.life.boot_to_wall / 1e6, 1)
        self.process.details.update(
            epoch=state.life.epoch,
            open_orders=self.executor.guard.own_live(),
            waiting=self.executor.backoff.reasons(),
            rest_counter=round(session.rest.value(now / SECOND), 1),
            rest_counter_max=state.budget.tier.rest_max,
            paused=self._paused,
            connected=socket.connected,
            connection_problem=self.private.problem,
            connection_attempts=socket.reconnect.attempts,
            exchange_offset_ms=offset_ms if is_time_known else None,
            counts=dict(state.out.counts),
        )

    # --- the end -------------------------------------------------------------------------------------------------

    async def stop(self) -> None:
        """Pull everything and disarm (SIGTERM), or leave the orders to the next start or the switch (SIGHUP)."""
        if not self.process.hangup:
            await self._pull()
        self.dispatcher.finish()
        await self.private.close()
        await asyncio.sleep(0)  # a pass that follows the last frames is made before the journal closes
        self.journal.close()

    async def _pull(self) -> None:
        guard = self.executor.guard
        self.state.controls.stop()
        until = boot_ns() + int(limits.STOP_PULL_S * SECOND)
        while boot_ns() < until and self.state.session.connected and guard.own_live():
            self.turn(boot_ns())
            await asyncio.sleep(0.01)
        if not guard.own_live() and self.state.session.connected:
            guard.disarm(boot_ns())
            self.turn(boot_ns())
            await asyncio.sleep(0.1)
        left = guard.own_live()
        self.process.log.info("stopped with orders left" if left else "all orders pulled", left=left)
