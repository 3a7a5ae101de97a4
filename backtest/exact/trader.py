"""The executor of a backtest: the real core, dispatcher and journal on virtual time and a simulated connection."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from backtest.venue.kraken import Kraken
from backtest.venue.loop import FAR, Loop
from executor.dispatch import Dispatcher
from executor.effects import RestCall
from executor.executor import Executor
from executor.record.journal import Journal
from executor.record.restore import restore
from shared.clock import MS
from shared.config import Config
from shared.halt import Halt
from shared.messages import Message
from shared.process import effects

# Of the live process's loop: how long a turn waits at most.
TURN_NS = 20 * MS
CLOCK = "backtest"


class Timers:
    """When the loop makes the passes that no target and no frame calls for."""

    def due(self, at: int) -> int:
        """Return when a pass is made that is due at a time."""
        return at

    def moved(self, at: int) -> int:
        """Return when the pass is made after a book that moved at a time."""
        return at + TURN_NS


class Trader:
    """Wires the executor's core to the exchange; makes passes only when something calls for one.

    ``publish`` takes its messages. ``digest`` is of every request that left, with its time.
    """

    def __init__(self, loop: Loop, kraken: Kraken, config: Config, journal: Path) -> None:
        self.loop, self.kraken, self.config = loop, kraken, config
        self.journal = Journal(journal)
        self.state, known_ts = restore(config, self.journal, loop.now, kraken.boot_to_wall)
        self.executor = Executor(self.state, self.journal.find_order, known_ts, CLOCK)
        self.dispatcher = Dispatcher(self.state, self.executor, self.journal, self)
        self.publish: Callable[[Message], None] = lambda _: None
        self.on_log: Callable[[effects.LogEntry], None] = lambda _: None
        self.halted = ""
        self.timers = Timers()
        # Every request with its time since the begin, in ns.
        self.sent: list[tuple[int, str]] = []
        self.passes = 0
        self._digest = hashlib.sha256()
        self._begin = loop.now
        self._nonce = 0
        self._due = FAR
        kraken.on_frame = self._frame

    def start(self) -> None:
        """Connect to the exchange, and make the first pass."""
        self.kraken.connect()
        self.executor.token_requested(self.loop.now)
        self._rest("GetWebSocketsToken", {}, self._opened)
        self.turn()

    @property
    def digest(self) -> str:
        """Return the SHA-256 of all requests that left, with their times."""
        return self._digest.hexdigest()

    # --- passes --------------------------------------------------------------------------------------------------

    def take(self, message: Message) -> None:
        """Take a message of the bus: a target calls for a pass at once, a book for one within a turn."""
        if self.executor.message(message, self.loop.now):
            self.turn()
        elif self.state.market.has_moved:
            self._wake(self.timers.moved(self.loop.now))

    def hear(self, message: Message) -> None:
        """Take a message of the bus that says that the path is alive, and calls for nothing."""
        self.executor.message(message, self.loop.now)

    def turn(self) -> None:
        """Make a pass."""
        self.passes += 1
        self.dispatcher.turn(self.loop.now)
        self._due = FAR
        self._wake(self.timers.due(self.executor.next_due(self.loop.now)))

    def _wake(self, when: int) -> None:
        if when < self._due:
            self._due = when
            self.loop.at(when, self._woken, when)

    def _woken(self, when: int) -> None:
        if when == self._due:
            self.turn()

    def finish(self) -> None:
        """Write what is left."""
        self.dispatcher.finish()

    # --- the connection ------------------------------------------------------------------------------------------

    def _opened(self, result: object) -> None:
        assert isinstance(result, dict)
        self.executor.opened(result["token"], self.loop.now)
        self.turn()

    def _frame(self, text: str) -> None:
        self.executor.frame(text.encode(), self.loop.now)
        if text != '{"channel":"heartbeat"}':
            self.turn()

    def _rest(self, method: str, fields: dict[str, str], done: Callable[[object], None]) -> None:
        """Make a REST call; ``done`` takes its result at the time at which it arrives."""
        latency = self.kraken.latency

        def arrive() -> None:
            self._nonce += 1
            answer = self.kraken.rest(method, fields, self.state.life.epoch * 10**9 + self._nonce)
            if answer.error:
                self.on_log(effects.LogEntry("warning", "rest", f"{method}: {answer.error}"))
            else:
                self.loop.at(self.loop.now + latency.one_way(), done, answer.result)

        self.loop.at(self.loop.now + latency.one_way(), arrive)

    # --- the dispatcher's hands ----------------------------------------------------------------------------------

    def now(self) -> int:
        """Return the virtual time."""
        return self.loop.now

    def send(self, text: str) -> bool:
        """Send a request on the private connection."""
        after = self.loop.now - self._begin
        self.sent.append((after, text))
        self._digest.update(f"{after} {text}\n".encode())
        self.kraken.send(text)
        return True

    def call(self, call: RestCall) -> None:
        """Make a REST call of the core's."""

        def done(result: object) -> None:
            self.executor.rest_answer(call, result, self.loop.now)
            self.turn()

        self._rest(call.method, call.params, done)

    def is_halted(self) -> bool:
        """True once a limit has halted trading."""
        return bool(self.halted)

    def halt(self, halt: Halt) -> None:
        """Halt trading for the rest of the run."""
        self.halted = halt.words
        self.state.controls.read(halted=True, flattening=False, paused=frozenset())

    def end_flatten(self) -> None:
        """End a flatten: nothing asks for one here."""

    def dispatch(self, common: effects.Effects) -> None:
        """Publish messages, and hand on lines for the log."""
        for _, message in common.messages:
            self.publish(message)
        for entry in common.log:
            self.on_log(entry)

    def reconnect(self, why: str) -> None:
        """Report a connection that the core gives up; the simulated one does not end."""
        self.on_log(effects.LogEntry("error", "connection", why))

    def end(self, newer_writer: str) -> None:
        """Report another writer; a backtest has none."""
        self.on_log(effects.LogEntry("error", "newer-writer", newer_writer))
