"""An executor's machine: the real core, the real carrier and the real journal, killed at any point and started anew."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from executor.carrier import Carrier
from executor.executor import Executor
from executor.journal import Journal, JournalError
from executor.outbox import RestCall, Told
from executor.restore import restore
from executor.rows import Row
from executor.state import State
from shared import limits
from shared.clock import SECOND
from shared.config import Config
from shared.kraken.reconnect import Reconnect
from shared.messages import Book, BookState, BookStatus, FeedStatus, Message, Position, Target
from tests.simulation.kraken import Kraken, Link
from tests.simulation.loop import Loop

TURN_S = 0.025


class Crash(BaseException):
    """The process is gone at this very point."""


class FlakyJournal(Journal):
    """The journal on a disk that is full at times, of a process that may die before and after each write."""

    def __init__(self, path: Path, host: Host) -> None:
        self._host = host
        super().__init__(path)

    def write(self, rows: Iterable[Row]) -> None:
        """As the journal's."""
        if self._host.disk_full:
            raise JournalError(f"{self.path} cannot be written: database or disk is full")
        self._host.point()
        super().write(rows)
        self._host.point()


class Host:
    """One process, its connection and its place on the bus; ``halted`` is the machine's halt file."""

    def __init__(
        self,
        name: str,
        loop: Loop,
        kraken: Kraken,
        config: Config,
        boot_to_wall: int,
        seed: int,
        path: Path,
        halt_file: list[str],
    ) -> None:
        self.name, self.loop, self.kraken, self.config, self.path = name, loop, kraken, config, path
        self.boot_to_wall = boot_to_wall
        self.halt_file = halt_file
        self.rng = Random(f"host {name} {seed}")
        self.disk_full = False
        self.network = True
        self.crash_in = -1
        self.frozen_until = 0
        self.running = False
        self.started = self.died = self.connected_at = 0
        self.stopped_for = ""
        self.life = 0
        self.heard: dict[tuple[str, str], Target] = {}
        self.known_ts = 0
        self.starts = self.crashes = 0
        self.epochs: set[int] = set()
        # Watchers.
        self.on_send: Callable[[Host, str], None] = lambda *_: None
        self.on_turn: Callable[[Host], None] = lambda *_: None
        self.on_raise: Callable[[Host, BaseException], None] = lambda *_: None
        self.on_position: Callable[[Position], None] = lambda *_: None
        self.on_told: Callable[[Host, Told], None] = lambda *_: None
        self.on_stopped: Callable[[Host], None] = lambda *_: None
        self.on_frame: Callable[[Host, str], None] = lambda *_: None
        self.link: Link | None = None

    # --- life ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """A start, after a crash or for the first time."""
        if self.running:
            return
        self.life += 1
        self.starts += 1
        try:
            self.journal = FlakyJournal(self.path, self)
            now = self.loop.now
            self.state, known_ts = restore(self.config, self.journal, now, self.boot_to_wall)
        except JournalError:
            self.loop.after(1.0, self.start)  # somebody makes room, and starts it again
            return
        except Crash:
            self.journal.close()
            self.died = self.loop.now
            self.loop.after(self.rng.uniform(0.1, 3.0), self.start)
            return
        self.state: State
        self.executor = Executor(self.state, self.journal.find_order, known_ts)
        self.carrier = Carrier(self.state, self.executor, self.journal, self)
        self.reconnect_core = Reconnect()
        self.running, self.started, self.stopped_for = True, now, ""
        self.heard, self.known_ts, self.newer_at, self.frames = {}, 0, 0, 0
        self.mids: dict[str, Decimal] = {}
        self.bad_since: dict[str, int] = {}
        self.feed_heard = self.books_heard = now
        self.epoch = self.state.epoch
        self._halt_due = self._nonce = self._nonce_epoch = 0
        self._rest: deque[tuple[str, dict[str, str], Callable[[Any, str], None]]] = deque()
        self._rest_busy = False
        self._tick(self.life)
        self._connect(self.life)

    def crash(self, restart_s: float | None) -> None:
        """The process is killed now."""
        if not self.running:
            return
        self.running = False
        self.crashes += 1
        self.died = self.loop.now
        self.life += 1
        self.crash_in = -1
        self.frozen_until = 0
        self.journal.close()
        link, self.link = self.link, None
        if link is not None:
            if self.rng.random() < 0.5:
                link.lose_sent(self.loop.now)
            link.client_open = False
            self.loop.after(self.kraken.delay() / SECOND, self._server_sees_end, link)
        if restart_s is not None:
            self.loop.after(restart_s, self.start)

    def freeze(self, seconds: float) -> None:
        """The process does nothing for a while; what comes waits."""
        self.frozen_until = max(self.frozen_until, self.loop.now + int(seconds * SECOND))

    def _is_frozen(self, action: Callable[..., None], *arguments: Any) -> bool:
        if self.loop.now < self.frozen_until:
            self.loop.at(self.frozen_until, action, *arguments)
            return True
        return False

    def _server_sees_end(self, link: Link) -> None:
        # What is on the way arrives first.
        self.loop.after(1.0, link.close_server)

    def point(self) -> None:
        """A point at which the process may die."""
        if self.crash_in > 0:
            self.crash_in -= 1
            if self.crash_in == 0:
                raise Crash

    def guard(self, action: Callable[..., None], *arguments: Any) -> None:
        """Runs something of the process's: it may die of an injected crash, and of nothing else (invariant 9)."""
        try:
            action(*arguments)
        except Crash:
            self.crash(self.rng.choice([0.1, 0.5, 2.0, 5.0, 20.0]))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what invariant 9 forbids
            self.on_raise(self, error)
            self.crash(1.0)

    # --- the shell's events --------------------------------------------------------------------------------------

    def _tick(self, life: int) -> None:
        if life != self.life or not self.running or self._is_frozen(self._tick, life):
            return
        self.loop.after(TURN_S, self._tick, life)
        if self.loop.now >= self._halt_due:
            self._halt_due = self.loop.now + int(limits.HALT_POLL_S * SECOND)
            self.state.halted = bool(self.halt_file)
        self.guard(self._turn)

    def _turn(self) -> None:
        self.on_turn(self)
        self.carrier.turn(self.loop.now)

    def bus(self, message: Message) -> None:
        """A message from the bus."""
        if not self.running or self._is_frozen(self.bus, message):
            return
        self._hear(message)

        def take() -> None:
            if self.executor.message(message, self.loop.now):
                self._turn()

        self.guard(take)

    def _hear(self, message: Message) -> None:
        """Keeps what the process was told, for the watch to judge it by."""
        if isinstance(message, Target):
            self.heard[message.strategy, message.symbol] = message
        elif isinstance(message, FeedStatus):
            self.feed_heard = self.loop.now
        elif isinstance(message, BookStatus):
            self.books_heard = self.loop.now
        elif isinstance(message, Book):
            if message.state is BookState.LIVE:
                self.bad_since.pop(message.symbol, None)
            else:
                self.bad_since.setdefault(message.symbol, self.loop.now)
            if message.bids and message.asks:
                self.mids[message.symbol] = Decimal(message.bids[0][0] + message.asks[0][0]) / 2

    def _connect(self, life: int) -> None:
        if life != self.life or not self.running or self.link is not None:
            return
        self.reconnect_core.attempting(self.loop.now / SECOND)
        self._began = self.loop.now
        if not self.network:
            self._again(life)
            return
        self.link = self.kraken.connect(self.name, self._frame, self._end)
        if self.link is None:
            self._again(life)
            return
        self.connected_at = self.loop.now
        link = self.link
        self.loop.after(self.kraken.delay() / SECOND, self._ask_token, link)

    def _again(self, life: int) -> None:
        self.reconnect_core.lasted((self.loop.now - self._began) / SECOND)
        wait = self.reconnect_core.delay_s(self.loop.now / SECOND, self.rng.random())
        self.loop.after(wait, self._connect, life)

    def _ask_token(self, link: Link) -> None:
        if not self.running or link is not self.link:
            return

        def answered(result: Any, error: str) -> None:
            if link is not self.link:
                return
            if error or not isinstance(result, dict):
                link.close_client()
                return
            self.connected_at = self.loop.now
            self.executor.opened(result["token"], self.loop.now)
            self._turn()

        self.executor.asks_token(self.loop.now)
        self._rest_call("GetWebSocketsToken", {}, answered)

    def _frame(self, link: Link, text: str, sent_ts: int) -> None:
        if not self.running or link is not self.link or self._is_frozen(self._frame, link, text, sent_ts):
            return

        def take() -> None:
            if text.startswith('{"channel":"executions"'):
                self.known_ts = max(self.known_ts, sent_ts)
            self.on_frame(self, text)
            self.executor.frame(text.encode(), self.loop.now)
            if text != '{"channel":"heartbeat"}':
                self._turn()

        self.guard(take)

    def _end(self, link: Link) -> None:
        """The connection is gone, and the process notices."""
        self.loop.after(self.kraken.delay() / SECOND, link.close_server)
        if not self.running or link is not self.link or self._is_frozen(self._end, link):
            return
        self.link = None
        life = self.life

        def gone() -> None:
            self.executor.closed(self.loop.now)
            self._turn()

        self.guard(gone)
        if life == self.life:
            self._again(life)

    # --- REST, one call after another ----------------------------------------------------------------------------

    def _rest_call(self, method: str, params: dict[str, str], done: Callable[[Any, str], None]) -> None:
        self._rest.append((method, params, done))
        self._rest_next()

    def _rest_next(self) -> None:
        if self._rest_busy or not self._rest or not self.running:
            return
        self._rest_busy = True
        method, params, done = self._rest.popleft()
        if self.state.epoch != self._nonce_epoch:
            self._nonce_epoch, self._nonce = self.state.epoch, 0
        self._nonce += 1
        nonce, life = self.state.epoch * 10**9 + self._nonce, self.life
        self.loop.after(self.kraken.delay() / SECOND, self._rest_arrive, method, params, nonce, done, life)

    def _rest_arrive(
        self, method: str, params: dict[str, str], nonce: int, done: Callable[[Any, str], None], life: int
    ) -> None:
        wait = self.kraken.delay() / SECOND
        try:
            if not self.network:
                raise ConnectionError("no network")
            result, error = self.kraken.rest(self.config.kraken.api_key, method, params, nonce)
        except ConnectionError as gone:
            result, error, wait = None, str(gone), limits.REST_TIMEOUT_S * self.rng.random()
        self.loop.after(wait, self._rest_done, result, error, done, life)

    def _rest_done(self, result: Any, error: str, done: Callable[[Any, str], None], life: int) -> None:
        if life != self.life or not self.running or self._is_frozen(self._rest_done, result, error, done, life):
            return
        self._rest_busy = False
        if error.startswith("EAPI:Invalid nonce"):
            self.state.out.stop_held = f"a newer writer uses this API key: {error}"
        self.guard(done, result, error)
        if life == self.life:
            self._rest_next()

    # --- the carrier's hands -------------------------------------------------------------------------------------

    def now(self) -> int:
        return self.loop.now

    def send(self, text: str) -> bool:
        if self.link is None or not self.link.client_open:
            return False
        self.point()
        self.epochs.add(self.state.epoch)
        self.on_send(self, text)
        self.link.send(text)
        self.point()
        return True

    def call(self, call: RestCall) -> None:
        def answered(result: Any, error: str) -> None:
            if error:
                self.executor.rest_failed(call, error, self.loop.now)
            else:
                self.executor.rest_answer(call, result, self.loop.now)
                self._turn()

        self._rest_call(call.method, call.params, answered)

    def is_halted(self) -> bool:
        return bool(self.halt_file)

    def halt(self, why: str) -> None:
        if not self.halt_file:
            self.halt_file.append(why)
        self.state.halted = True

    def publish(self, topic: str, message: Message) -> None:
        if isinstance(message, Position):
            self.on_position(message)

    def tell(self, told: Told) -> None:
        self.on_told(self, told)

    def reconnect(self, why: str) -> None:
        if self.link is not None:
            self.link.close_client()

    def newer_writer(self, why: str) -> None:
        self.stopped_for = why
        self.loop.at(self.loop.now, self._stop, self.life)

    def _stop(self, life: int) -> None:
        if life == self.life:
            self.crash(None)
            self.crashes -= 1
            self.on_stopped(self)
