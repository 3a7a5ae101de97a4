"""Carries out what the core decided, in an order that a crash at any point survives.

Cancels and the switch leave first and wait for nothing (T9); then the journal, in one transaction; only when that is
on the disk leave adds and amends, each after a last look at the halt file (T10). What only a process can do, its
sockets, clock and files, is in the :class:`Hands` it is given.
"""

from __future__ import annotations

from typing import Protocol

from executor.executor import Executor
from executor.orders.codec import to_row
from executor.outbox import DRY_RUN, Request, RestCall, Told
from executor.record.journal import Journal, JournalError
from executor.record.rows import Row
from executor.state import State
from shared import limits
from shared.halt import Halt
from shared.kraken import v2
from shared.messages import Message

# What may leave in a dry run; all else would act on the account.
READS = frozenset({"subscribe", "unsubscribe"})


class Hands(Protocol):
    """What the carrier needs done; none of it may raise."""

    def now(self) -> int:
        """ns of CLOCK_BOOTTIME."""

    def send(self, text: str) -> bool:
        """Hands a frame to the private connection; False without one."""

    def call(self, call: RestCall) -> None:
        """Starts a REST call of the core's."""

    def is_halted(self) -> bool:
        """Is the halt file there, at this moment."""

    def halt(self, why: Halt) -> None:
        """Turns the halt switch on."""

    def flattened(self) -> None:
        """Takes the wish to flatten away: it is done."""

    def publish(self, topic: str, message: Message) -> None:
        """A message for the bus."""

    def tell(self, told: Told) -> None:
        """A line for the log, an alert for the bus."""

    def reconnect(self, why: str) -> None:
        """Drops the private connection; a new one is made."""

    def newer_writer(self, why: str) -> None:
        """Another executor trades the account: this one ends."""


class Carrier:
    """Empties the outbox after each pass."""

    def __init__(self, state: State, executor: Executor, journal: Journal, hands: Hands) -> None:
        self.state, self.executor, self.journal, self.hands = state, executor, journal, hands
        self._unwritten: list[Row] = []
        self._write_due = 0  # when to try again after a failure: each try may hold up a pass

    def turn(self, now: int) -> None:
        """A pass of the core, and all that it wants done."""
        self.executor.turn(now)
        out, hands = self.state.out, self.hands
        requests, out.requests = out.requests, []
        self._send([request for request in requests if request.urgent])
        self._call([call for call in out.rest if call.urgent])
        named = self.state.epoch
        self._raise_epoch()
        self.write()
        self._send_if_safe([request for request in requests if not request.urgent], named)
        self._publish()
        self._call(list(out.rest))
        if out.halt:
            why, out.halt = out.halt, None
            hands.halt(why)
        if out.flattened:  # after the halt is on the disk: a crash in between flattens once more, and halts
            out.flattened = False
            hands.flattened()
        if out.reconnect:
            text, out.reconnect = out.reconnect, ""
            hands.reconnect(text)
        if out.stop_held:
            hands.newer_writer(out.stop_held)

    def write(self, *, even_events: bool = False) -> None:
        """Everything that is to be kept, in one transaction; what cannot be written waits in memory.

        Events alone are no reason to write: they wait for the next row of another kind, or for ``even_events``.
        """
        state = self.state
        self._unwritten += state.out.rows
        state.out.rows.clear()
        changed = state.registry.take_changed(self.hands.now() + state.boot_to_wall)
        self._unwritten += [to_row(order, state.boot_to_wall) for order in changed]
        events = state.out.events
        del self._unwritten[: -limits.UNWRITTEN_ROWS]
        del events[: -limits.EVENTS_WAITING]
        is_due = bool(self._unwritten) or (events and even_events) or len(events) >= limits.EVENTS_WAITING
        if not is_due or (self._must_wait() and not even_events):
            return
        began = self.hands.now()
        try:
            self.journal.write([*self._unwritten, *events])
        except JournalError as error:
            # Fills and orders wait in memory for the disk; while it lasts only cancels are sent.
            self._not_written(error, began)
        else:
            self._unwritten = []
            events.clear()
            state.journal_ok = True

    def _must_wait(self) -> bool:
        return not self.state.journal_ok and self.hands.now() < self._write_due

    def _raise_epoch(self) -> None:
        """A newer writer's orders were seen at the start: ours are to be newer, and none leaves under the old epoch."""
        state = self.state
        if state.out.epoch <= state.epoch or self._must_wait():
            return
        began = self.hands.now()
        try:
            state.epoch = self.journal.raise_epoch(state.out.epoch)
            state.journal_ok = True
        except JournalError as error:
            self._not_written(error, began)

    def _not_written(self, error: JournalError, began: int) -> None:
        now = self.hands.now()
        self._write_due = now + limits.JOURNAL_RETRY_TIMES * (now - began)
        if self.state.journal_ok:
            text = f"{error}; nothing is placed until it can be written"
            self.hands.tell(Told("error", "journal", text, alert=True))
        self.state.journal_ok = False

    def _send_if_safe(self, requests: list[Request], named: int) -> None:
        """Sends what places, unless halted, not on the disk, or ``named`` under an epoch that was outbid since."""
        for request in requests:
            why = ""
            if self.state.epoch != named:
                why = "another executor's epoch was outbid"
            elif not self.state.journal_ok:
                why = "the journal cannot be written"
            elif self.hands.is_halted():
                why = "halted"
            if why:
                self.executor.not_sent(request, why, self.hands.now())
            else:
                self._send([request])

    def _send(self, requests: list[Request]) -> None:
        for request in requests:
            if self.state.config.trading.dry_run and request.method not in READS:
                # No core asks for it; whatever might is stopped here, where every request passes.
                self.executor.not_sent(request, DRY_RUN, self.hands.now())
                self.hands.tell(Told("error", "dry-run", f"{request.method} on {request.symbol}: {DRY_RUN}"))
                continue
            text = v2.request(request.method, request.params, request.req_id)
            if self.hands.send(text):
                self.executor.stream.in_flight.left(request, self.hands.now())
            else:
                self.executor.not_sent(request, "no connection", self.hands.now())

    def _call(self, calls: list[RestCall]) -> None:
        for call in calls:
            self.state.out.rest.remove(call)
            self.hands.call(call)

    def _publish(self) -> None:
        out = self.state.out
        for topic, message in out.messages:
            self.hands.publish(topic, message)
        out.messages.clear()
        for told in out.told:
            self.hands.tell(told)
        out.told.clear()
