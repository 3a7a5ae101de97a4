"""Carries out the core's effects, in an order that survives a crash at any point.

Cancels and the switch leave first and wait for nothing (T9). Then the journal is written, in one transaction. Adds and
amends leave only when that is on the disk, each after a last look at the halt file (T10). Nothing else is in their way:
the events of ``why`` are written by the next pass that sends none. Sockets, clock and files are
behind :class:`Hands`. Only here do requests get the connection's token.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from executor.effects import DRY_RUN, Effects, Request, RestCall
from executor.errors import JournalError
from executor.executor import Executor
from executor.orders.codec import to_row
from executor.record.journal import Journal
from executor.record.order_event import Event
from executor.record.rows import Row
from executor.state import State
from shared import limits
from shared.halt import Halt
from shared.kraken import v2
from shared.process import effects
from shared.process.effects import LogEntry

# Methods that may leave in a dry run; all others would act on the account.
READS = frozenset({"subscribe", "unsubscribe"})


class Hands(Protocol):
    """The sockets, clock and files of a process, as the dispatcher uses them. No method may raise."""

    def now(self) -> int:
        """Return ns of CLOCK_BOOTTIME."""

    def send(self, text: str) -> bool:
        """Hand a frame to the private connection; False without one."""

    def call(self, call: RestCall) -> None:
        """Start a REST call."""

    def is_halted(self) -> bool:
        """True if the halt file is there, at this moment."""

    def halt(self, halt: Halt) -> None:
        """Turn the halt switch on."""

    def end_flatten(self) -> None:
        """Remove the flatten file: every position is closed."""

    def dispatch(self, common: effects.Effects) -> None:
        """Publish messages and write lines to the log."""

    def reconnect(self, why: str) -> None:
        """Drop the private connection; a new one is made."""

    def end(self, newer_writer: str) -> None:
        """End this process: another executor trades the account."""


class Dispatcher:
    """Carries out the effects of each pass."""

    def __init__(self, state: State, executor: Executor, journal: Journal, hands: Hands) -> None:
        self.state, self.executor, self.journal, self.hands = state, executor, journal, hands
        self._rows: list[Row] = []  # not on the disk yet
        self._events: list[Event] = []
        self._outbid = 0  # the lowest epoch that we must have
        self._write_due = 0  # when to try again after a failure: each try may hold up a pass

    def turn(self, now: int) -> None:
        """Make a pass of the core, and carry out its effects: its requests before the rest of it is made."""
        self._carry_out(self.executor.decide(now))
        self._carry_out(self.executor.tell(now))

    def _carry_out(self, wanted: Effects) -> None:
        hands = self.hands
        self._send(request for request in wanted.requests if request.urgent)
        self._call(call for call in wanted.calls if call.urgent)
        decided_under = self.state.life.epoch
        self._raise_epoch(wanted.epoch)
        self.keep(wanted)
        waiting = [request for request in wanted.requests if not request.urgent]
        self.write(with_events=not waiting)
        self._send_if_safe(waiting, decided_under)
        hands.dispatch(wanted)
        self._call(call for call in wanted.calls if not call.urgent)
        if wanted.halt:
            self.state.controls.halt()
            hands.halt(wanted.halt)
        if wanted.flattened:  # the halt is on the disk by now: after a crash in between the next start halts as well
            hands.end_flatten()
        if wanted.reconnect:
            hands.reconnect(wanted.reconnect)
        if wanted.newer_writer:
            hands.end(wanted.newer_writer)

    def finish(self) -> None:
        """Write everything that is left, events too, as the process ends."""
        left = self.state.out.take()
        self.keep(left)
        self.hands.dispatch(left)
        self.write(even_events=True)

    def write(self, *, with_events: bool = True, even_events: bool = False) -> None:
        """Write all waiting rows in one transaction; if that fails they go on waiting in memory.

        Events alone do not cause a write: they wait for the next row of another kind, or for ``even_events``. Not
        ``with_events`` they wait in any case, until there are too many.
        """
        life = self.state.life
        changed = self.state.registry.take_changed(life.wall_ts(self.hands.now()))
        self._rows += [to_row(order, life.boot_to_wall) for order in changed]
        del self._rows[: -limits.UNWRITTEN_ROWS]
        del self._events[: -limits.EVENTS_WAITING]
        are_many = len(self._events) >= limits.EVENTS_WAITING
        events = self._events if with_events or are_many else []
        is_due = bool(self._rows) or (events and even_events) or are_many
        if not is_due or (self._must_wait() and not even_events):
            return
        began = self.hands.now()
        try:
            self.journal.write([*self._rows, *(event.row() for event in events)])
        except JournalError as error:
            # Fills and orders wait in memory; until they are written only cancels are sent.
            self._not_written(error, began)
        else:
            self._rows = []
            self._events = [] if events else self._events
            life.set_journal(is_writable=True)

    def keep(self, wanted: Effects) -> None:
        """Take the rows and events of a pass, which wait here until they are on the disk."""
        self._rows += wanted.rows
        self._events += wanted.events

    def _must_wait(self) -> bool:
        return not self.state.life.journal_ok and self.hands.now() < self._write_due

    def _raise_epoch(self, epoch: int) -> None:
        """Outbid a newer writer whose orders were seen at the start; nothing leaves under the old epoch."""
        life = self.state.life
        self._outbid = max(self._outbid, epoch)
        if self._outbid <= life.epoch or self._must_wait():
            return
        began = self.hands.now()
        try:
            life.outbid(self.journal.raise_epoch(self._outbid))
            life.set_journal(is_writable=True)
        except JournalError as error:
            self._not_written(error, began)

    def _not_written(self, error: JournalError, began: int) -> None:
        now = self.hands.now()
        self._write_due = now + limits.JOURNAL_RETRY_TIMES * (now - began)
        if self.state.life.journal_ok:
            text = f"{error}; nothing is placed until it can be written"
            self._tell(LogEntry("error", "journal", text, alert=True))
        self.state.life.set_journal(is_writable=False)

    def _send_if_safe(self, requests: list[Request], decided_under: int) -> None:
        """Send adds and amends, unless halted, not journaled, or decided under an epoch that was raised since."""
        for request in requests:
            why = ""
            if self.state.life.epoch != decided_under:
                why = "another executor's epoch was outbid"
            elif not self.state.life.journal_ok:
                why = "the journal cannot be written"
            elif self.hands.is_halted():
                why = "halted"
            if why:
                self.executor.not_sent(request, why, self.hands.now())
            else:
                self._send([request])

    def _send(self, requests: Iterable[Request]) -> None:
        for request in requests:
            if self.state.config.trading.dry_run and request.method not in READS:
                # No core sends one in a dry run. This is the last check, where every request passes.
                self.executor.not_sent(request, DRY_RUN, self.hands.now())
                self._tell(LogEntry("error", "dry-run", f"{request.method} on {request.symbol}: {DRY_RUN}"))
                continue
            params = {**request.params, "token": self.state.session.token}
            if self.hands.send(v2.request(request.method, params, request.req_id)):
                self.executor.sent(request, self.hands.now())
            else:
                self.executor.not_sent(request, "no connection", self.hands.now())

    def _tell(self, entry: LogEntry) -> None:
        self.hands.dispatch(effects.Effects(log=[entry]))

    def _call(self, calls: Iterable[RestCall]) -> None:
        for call in calls:
            self.hands.call(call)
