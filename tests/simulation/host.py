"""An executor's machine: the real core, dispatcher and journal, killed at any point and started again."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from backtest.venue.loop import Loop
from executor.dispatch import Dispatcher
from executor.effects import RestCall
from executor.errors import JournalError
from executor.executor import Executor
from executor.record.restore import restore
from executor.state import State
from shared import limits
from shared.clock import SECOND
from shared.config import Config
from shared.halt import Halt
from shared.kraken.reconnect import Reconnect
from shared.messages import Account, Book, BookState, BookStatus, FeedStatus, Message, Position, Target
from shared.process import effects
from shared.process.effects import LogEntry
from tests.simulation.disk import Crash, Files, FlakyJournal
from tests.simulation.kraken import Kraken
from tests.simulation.link import Link
from tests.simulation.mids import Mids
from tests.simulation.rest_queue import RestQueue

TURNS_S = (0.025, 0.05, 0.1)


class Host:
    """One process, its connection and its place on the bus; ``files`` are a person's halt, flatten and accept files."""

    def __init__(
        self,
        name: str,
        loop: Loop,
        kraken: Kraken,
        config: Config,
        boot_to_wall: int,
        seed: int,
        path: Path,
        files: Files,
    ) -> None:
        self.name, self.loop, self.kraken, self.config, self.path = name, loop, kraken, config, path
        self.boot_to_wall = boot_to_wall
        self.files = files
        self.rng = Random(f"host {name} {seed}")
        self.turn_s = self.rng.choice(TURNS_S)
        self.disk_full = False
        self.write_s = 0.0  # what a write takes on a slow disk
        self.writes = 0  # tried in this pass
        self.blocked_until = 0
        self.network = True
        self.crash_in = -1
        self.frozen_until = 0
        self.state: State  # of the life that runs, or ran last
        self.running = False
        self.started = self.died = self.connected_at = 0
        self.stopped_for = ""
        self.life = 0
        self.heard: dict[tuple[str, str], Target] = {}
        self.known_ts = self.balances_ts = 0  # up to when the exchange has told of executions and of balances
        self.starts = self.crashes = 0
        self.epochs: set[int] = set()
        # Watchers.
        self.on_send: Callable[[Host, str], None] = lambda *_: None
        self.on_start: Callable[[Host], None] = lambda *_: None
        self.on_turn: Callable[[Host], None] = lambda *_: None
        self.on_raise: Callable[[Host, BaseException], None] = lambda *_: None
        self.on_position: Callable[[Position], None] = lambda *_: None
        self.on_log: Callable[[Host, LogEntry], None] = lambda *_: None
        self.on_flattened: Callable[[Host], None] = lambda *_: None
        self.on_accepted: Callable[[Host, list[str]], None] = lambda *_: None
        self.on_stopped: Callable[[Host], None] = lambda *_: None
        self.on_frame: Callable[[Host, str], None] = lambda *_: None
        self.link: Link | None = None
        self.account: Account | None = None  # as last published
        self.said: deque[str] = deque(maxlen=3)

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
        self.on_start(self)
        self.executor = Executor(self.state, self.journal.find_order, known_ts)
        self.dispatcher = Dispatcher(self.state, self.executor, self.journal, self)
        self.reconnect_core = Reconnect()
        self.running, self.started, self.stopped_for = True, now, ""
        self.heard, self.known_ts, self.balances_ts, self.newer_at, self.frames = {}, 0, 0, 0, 0
        self.mids = Mids()
        self.live_at: dict[str, int] = {}
        self.bad_since: dict[str, int] = {}
        self.feed_heard = self.books_heard = now
        self.epoch = self.state.life.epoch
        self._halt_due = 0
        self._rest = RestQueue(self)
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
        self.frozen_until = self.blocked_until = 0
        self.journal.close()
        link, self.link = self.link, None
        if link is not None:
            if self.rng.random() < 0.5:
                link.lose_sent(self.loop.now)
            link.client_open = False
            self.loop.after(self.kraken.delay() / SECOND, self._server_sees_end, link)
        if restart_s is not None:
            self.loop.after(restart_s, self.start)

    def block(self, seconds: float) -> None:
        """Make the pass wait for the disk: its next actions come later, and what arrives waits."""
        if seconds:
            self.blocked_until = max(self.loop.now, self.blocked_until) + int(seconds * SECOND)
            self.frozen_until = max(self.frozen_until, self.blocked_until)

    def freeze(self, seconds: float) -> None:
        """Freeze the process for a while; what arrives waits."""
        self.frozen_until = max(self.frozen_until, self.loop.now + int(seconds * SECOND))

    def is_frozen(self, action: Callable[..., None], *arguments: Any) -> bool:
        """True if the process is frozen: the action is then done when it thaws."""
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
        """Run a part of the process: it may die of an injected crash, and of nothing else (invariant 9)."""
        try:
            action(*arguments)
        except Crash:
            self.crash(self.rng.choice([0.1, 0.5, 2.0, 5.0, 20.0]))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what invariant 9 forbids
            self.on_raise(self, error)
            self.crash(1.0)

    # --- the shell's events --------------------------------------------------------------------------------------

    def _tick(self, life: int) -> None:
        if life != self.life or not self.running or self.is_frozen(self._tick, life):
            return
        self.loop.after(self.turn_s, self._tick, life)
        if self.loop.now >= self._halt_due:
            self._halt_due = self.loop.now + int(limits.HALT_POLL_S * SECOND)
            halted, flattening = bool(self.files.halt), bool(self.files.flatten)
            self.state.controls.read(halted=halted, flattening=flattening, paused=frozenset())
            self.guard(self._accept)
        if life == self.life:
            self.guard(self._turn)

    def _accept(self) -> None:
        """Accept the assets in the file, once the account is known; the file is removed when the journal has it."""
        if self.files.accept and self.state.session.is_view_valid(self.loop.now):
            for asset in self.files.accept:
                self.executor.accept(asset, self.loop.now)
            self._turn()
            if self.state.life.journal_ok:
                self.on_accepted(self, list(self.files.accept))
                self.files.accept.clear()

    def _turn(self) -> None:
        self.writes = 0
        self.on_turn(self)
        self.dispatcher.turn(self.loop.now)

    def bus(self, message: Message) -> None:
        """A message from the bus."""
        if not self.running or self.is_frozen(self.bus, message):
            return
        self._hear(message)

        def take() -> None:
            if self.executor.message(message, self.loop.now):
                self._turn()

        self.guard(take)

    def _hear(self, message: Message) -> None:
        """Keep what the process heard, for the watch to judge it by."""
        if isinstance(message, Target):
            self.heard[message.strategy, message.symbol] = message
        elif isinstance(message, FeedStatus):
            self.feed_heard = self.loop.now
        elif isinstance(message, BookStatus):
            self.books_heard = self.loop.now
        elif isinstance(message, Book):
            if message.state is BookState.LIVE:
                self.live_at[message.symbol] = self.loop.now
                self.bad_since.pop(message.symbol, None)
            else:
                self.bad_since.setdefault(message.symbol, self.loop.now)
            if message.bids and message.asks:
                price = Decimal(message.bids[0][0] + message.asks[0][0]) / 2
                self.mids.hear(message.symbol, price.scaleb(-message.price_precision), self.loop.now)

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

        self.executor.token_requested(self.loop.now)
        self._rest.call("GetWebSocketsToken", {}, answered)

    def _frame(self, link: Link, text: str, sent_ts: int) -> None:
        if not self.running or link is not self.link or self.is_frozen(self._frame, link, text, sent_ts):
            return

        def take() -> None:
            if text.startswith('{"channel":"executions"'):
                self.known_ts = max(self.known_ts, sent_ts)
            elif text.startswith('{"channel":"balances"'):
                self.balances_ts = max(self.balances_ts, sent_ts)
            self.on_frame(self, text)
            self.executor.frame(text.encode(), self.loop.now)
            if text != '{"channel":"heartbeat"}':
                self._turn()

        self.guard(take)

    def _end(self, link: Link) -> None:
        """The connection is gone, and the process notices."""
        self.loop.after(self.kraken.delay() / SECOND, link.close_server)
        if not self.running or link is not self.link or self.is_frozen(self._end, link):
            return
        self.link = None
        life = self.life

        def gone() -> None:
            self.executor.closed(self.loop.now)
            self._turn()

        self.guard(gone)
        if life == self.life:
            self._again(life)

    # --- the dispatcher's hands -------------------------------------------------------------------------------------

    def now(self) -> int:
        return max(self.loop.now, self.blocked_until)

    def send(self, text: str) -> bool:
        if self.link is None or not self.link.client_open:
            return False
        self.point()
        self.epochs.add(self.state.life.epoch)
        self.on_send(self, text)
        if self.loop.now < self.blocked_until:
            self.loop.at(self.blocked_until, self._send_late, self.link, self.life, text)
        else:
            self.link.send(text)
        self.point()
        return True

    def _send_late(self, link: Link, life: int, text: str) -> None:
        if life == self.life and link is self.link and link.client_open:
            link.send(text)

    def call(self, call: RestCall) -> None:
        def answered(result: Any, error: str) -> None:
            if error:
                self.executor.rest_failed(call, error, self.loop.now)
            else:
                self.executor.rest_answer(call, result, self.loop.now)
                self._turn()

        self._rest.call(call.method, call.params, answered)

    def is_halted(self) -> bool:
        return bool(self.files.halt)

    def halt(self, halt: Halt) -> None:
        if not self.files.halt:
            self.files.halt.append(halt.words)

    def end_flatten(self) -> None:
        self.files.flatten.clear()
        self.on_flattened(self)

    def dispatch(self, common: effects.Effects) -> None:
        for _, message in common.messages:
            if isinstance(message, Position):
                self.on_position(message)
            elif isinstance(message, Account):
                self.account = message
        for entry in common.log:
            self.said.append(entry.text)
            self.on_log(self, entry)

    def reconnect(self, why: str) -> None:
        if self.link is not None:
            self.link.close_client()

    def end(self, newer_writer: str) -> None:
        self.stopped_for = newer_writer
        self.loop.at(self.loop.now, self._stop, self.life)

    def _stop(self, life: int) -> None:
        if life == self.life:
            self.crash(None)
            self.crashes -= 1
            self.on_stopped(self)
