"""Controls by POST: the same code as the commands, beside the loop and never on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import msgspec

from monitor import children
from monitor.api.queries import AcceptBody, AlertTestBody, EmptyBody, HaltBody, PauseBody, RestartBody, ResumeBody
from monitor.control import accepting, flattening, halting, restarting
from monitor.errors import (
    AcceptRefused,
    FlattenRefused,
    Problem,
    RestartRefused,
    SupervisorAbsent,
    SupervisorError,
    SupervisorTooSlow,
)
from monitor.model import halted
from monitor.model.status_object import Shown
from monitor.watchdog import supervisor
from monitor.watchdog.sinks.webhook import TEST_KIND
from shared import pausing
from shared.config import Config
from shared.errors import UnknownName
from shared.process.logs import logger

Result = TypeVar("Result")


class Halted(Shown, frozen=True, kw_only=True):
    """The result of a halt, as ``halt --json`` prints it; ``ok`` when nothing is open."""

    ok: bool
    text: str
    halted: bool
    open_orders: int | None
    how: str
    why: str
    cancelled: int | msgspec.UnsetType = msgspec.UNSET
    whole_account: bool | msgspec.UnsetType = msgspec.UNSET
    until: str | msgspec.UnsetType = msgspec.UNSET
    error: str | msgspec.UnsetType = msgspec.UNSET


class Resumed(Shown, frozen=True, kw_only=True):
    """Trading goes on; ``was`` is why it was halted. For a pair or strategy there is ``was_paused`` as well."""

    ok: bool
    text: str
    halted: bool
    was_halted: bool
    was: str
    was_paused: bool | msgspec.UnsetType = msgspec.UNSET


class Paused(Shown, frozen=True, kw_only=True):
    """A pair or strategy is paused; ``executor_answered`` once the executor has said so."""

    ok: bool
    text: str
    paused: str
    executor_answered: bool


class Accepted(Shown, frozen=True, kw_only=True):
    """Assets are quoted again; ``inventory`` is what is kept of each from now on."""

    ok: bool
    text: str
    inventory: dict[str, str]


class Flattening(Shown, frozen=True, kw_only=True):
    """The executor was asked to close these; ``/api/control`` shows its progress, and the halt after it."""

    ok: bool
    text: str
    positions: dict[str, str]


class Restarted(Shown, frozen=True, kw_only=True):
    """Programs and their new pids; empty where the monitor itself is among them, which answers before it goes."""

    ok: bool
    text: str
    restarted: dict[str, int]
    kept_orders: bool


class Tested(Shown, frozen=True, kw_only=True):
    """A test alert was published on the bus, in the log and to the views; ``text`` is what it says."""

    ok: bool
    text: str


class Controls:
    """The actions of the API; ``publish_alert`` takes level, kind and text."""

    def __init__(self, config: Config, publish_alert: Callable[[str, str, str], None]) -> None:
        self.config, self._publish_alert = config, publish_alert
        self._tasks: set[asyncio.Task[None]] = set()
        # Threads of its own: a halt never waits behind restarts that take long.
        self._switch = ThreadPoolExecutor(2, "switch")

    async def halt(self, body: HaltBody) -> Halted:
        """Pull every order; nothing is placed until resume."""
        result = await self._aside(lambda config: halting.halt(config, body.why), self._switch)
        return Halted(ok=result.open_orders == 0, text=halting.describe(result), **msgspec.structs.asdict(result))

    async def resume(self, body: ResumeBody) -> Resumed:
        """End a halt, or the pause of a pair or strategy."""
        if body.name:
            return await self._resume_one(body.name)
        was = await self._aside(halting.resume, self._switch)
        text = "was not halted" if was is None else f"resumed; it was halted: {was}"
        return Resumed(ok=True, text=text, halted=False, was_halted=was is not None, was=was or "")

    async def pause(self, body: PauseBody) -> Paused:
        """Pull the quotes of a pair or strategy; none is placed for it until resume."""
        try:
            answered = await self._aside(lambda config: halting.pause(config, body.name, body.why), self._switch)
        except UnknownName as unknown:
            raise _no_such_name(unknown) from None
        text = f"{body.name} is paused" + ("" if answered else "; the executor obeys as soon as it runs")
        return Paused(ok=True, text=text, paused=body.name, executor_answered=answered)

    async def _resume_one(self, name: str) -> Resumed:
        try:
            was_paused = await self._aside(lambda config: pausing.resume(config, name), self._switch)
        except UnknownName as unknown:
            raise _no_such_name(unknown) from None
        why = halted.text(self.config)
        text = f"{name} goes on" if was_paused else f"{name} was not paused"
        text += "; all trading is still halted" if why is not None else ""
        is_halted = why is not None
        return Resumed(ok=True, text=text, halted=is_halted, was_halted=is_halted, was=why or "", was_paused=was_paused)

    async def accept(self, body: AcceptBody) -> Accepted:
        """Take assets that are held as wanted, so that they are quoted again."""
        try:
            inventory = await self._aside(lambda config: accepting.accept(config, body.assets))
        except AcceptRefused as refused:
            mend = refused.mend or "GET /api/positions shows every asset"
            raise Problem(409, "not_accepted", refused.why, mend) from None
        text = "; ".join(f"{amount} {asset} is kept from now on" for asset, amount in inventory.items())
        return Accepted(ok=True, text=text, inventory=inventory)

    async def flatten(self, _body: EmptyBody) -> Flattening:
        """Ask the executor to flatten and answer at once: closing takes as long as the market takes."""
        try:
            closing = await self._aside(flattening.request)
        except FlattenRefused as refused:
            raise Problem(409, "not_now", refused.why, refused.mend) from None
        steps = "; ".join(flattening.describe(closing)) or "nothing is to be closed"
        positions = {symbol: format(position, "f") for symbol, position in closing.items()}
        return Flattening(ok=True, text=f"flattening, then halting: {steps}", positions=positions)

    async def alert_test(self, body: AlertTestBody) -> Tested:
        """Publish an alert that shows only that alerts come."""
        self._publish_alert("info", TEST_KIND, body.text)
        return Tested(ok=True, text=body.text)

    async def restart(self, body: RestartBody) -> Restarted:
        """Stop and start a process; the monitor itself by a process that outlives it."""
        try:
            programs = restarting.programs_of(self.config, body.process, keep=body.keep)
        except RestartRefused as refused:
            if body.keep and body.process != "executor":
                raise Problem(409, "nothing_to_keep", str(refused), "leave 'keep' away") from None
            raise Problem(404, "no_such_process", str(refused), "GET /api/processes lists them") from None
        try:
            if "monitor" in programs:
                await self._aside(lambda config: supervisor.supervisord_of(config).wake())
                await self._hand_over(body.process)
                text = f"{body.process}: being restarted, and the monitor is silent meanwhile; ask again in 5 s"
                return Restarted(ok=True, text=text, restarted={}, kept_orders=False)
            pids = await self._aside(lambda config: restarting.restart(config, programs, keep=body.keep))
        except SupervisorError as error:
            code, word = _http(error)
            raise Problem(code, word, error.why, error.mend or "see logs/supervisord.log") from None
        text = "; ".join(restarting.describe(pids, keep=body.keep))
        return Restarted(ok=True, text=text, restarted=pids, kept_orders=body.keep)

    async def _aside(self, act: Callable[[Config], Result], threads: ThreadPoolExecutor | None = None) -> Result:
        """Run an action in a thread, of ``threads`` or of the default pool. Raises :class:`Problem`."""
        if self.config.source is None:
            mend = "write config/config.yaml, or name it with --config, and restart the monitor"
            raise Problem(409, "no_configuration", "nothing is done on built-in defaults", mend)
        try:
            return await asyncio.get_running_loop().run_in_executor(threads, act, self.config)
        except OSError as error:
            mend = "see that the disk has room and data/ may be written; orders can be cancelled on Kraken's own site"
            raise Problem(500, "not_written", f"it could not be done: {error}", mend) from None

    async def _hand_over(self, name: str) -> None:
        """Let the command restart it, in a session of its own: supervisord ends only the monitor."""
        process = await asyncio.create_subprocess_exec(
            *children.command(self.config, "monitor", "restart", name),
            cwd=children.PROJECT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )

        async def reap() -> None:
            # The monitor still runs when the command has ended: it did not work.
            code = await process.wait()
            if code:
                logger("monitor").warning("the restart failed", process=name, exit_code=code)

        task = asyncio.ensure_future(reap())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _no_such_name(unknown: UnknownName) -> Problem:
    return Problem(404, "no_such_name", str(unknown), "GET /api/status has the pairs and the strategies")


def _http(error: SupervisorError) -> tuple[int, str]:
    """Return the HTTP status of supervisord's error, and the word for machines."""
    match error:
        case SupervisorAbsent():
            return 503, "no_supervisord"
        case SupervisorTooSlow():
            return 504, "too_slow"
        case _:
            return 409, "refused"
