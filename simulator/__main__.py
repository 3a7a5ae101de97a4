"""The simulator's process: ``python -m simulator [run | calibrate | replay FILE | style FILE | pairs COUNT]``."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from pathlib import Path

from aiohttp import web

from shared.config import Simulator
from shared.errors import ConfigError
from shared.messages import ProcessState
from shared.process import command_line, holders
from shared.process.loop import Process
from simulator import options
from simulator.control import Control
from simulator.errors import InputError, OptionError, RecordingError
from simulator.exchange.database.store import Store
from simulator.exchange.engine import load_engine
from simulator.faults.first_day import FirstDay
from simulator.market import recorded
from simulator.market.calibration import calibrate, fit
from simulator.pairs.listing import listed_settings
from simulator.pairs.made import made_pairs
from simulator.rest.shell import BODY_BYTES_MAX, Rest, contained
from simulator.websocket import Delays, VirtualClock, WebSockets
from simulator.wire import NS
from simulator.world import World

SLEEP_MIN_S, SLEEP_MAX_S = 0.0005, 0.05


class App:
    """Wire the world to its sockets and its clock."""

    def __init__(self, shell: Process, settings: Simulator, seed: int | None, chosen: options.Chosen) -> None:
        self.shell = shell
        self.clock = clock = chosen.clock
        self.tls = chosen.tls
        self.listener = self._listen(settings.host, settings.port)
        self.store = Store(shell.config.root / settings.database)
        self.world = World(settings, self.store, load_engine(), self.clock(), seed, recording=chosen.recording)
        if "first_day" in settings.faults:
            FirstDay(self.world)
        self.virtual = isinstance(clock, VirtualClock)
        delays = Delays(settings.one_way_delay_ms, self.world.seed, none=self.virtual)
        self.sockets = WebSockets(self.world, self.clock, delays)
        self.rest = Rest(self.world, self.clock, delays)
        self.control = Control(self.world, self.clock, self.sockets)
        self.runner: web.AppRunner | None = None

    def _listen(self, host: str, port: int) -> socket.socket:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(128)
        except OSError:
            listener.close()
            self.shell.held(holders.port_taken(port, "simulator.port"))
        listener.setblocking(False)
        return listener

    async def main(self) -> None:
        """Serve, and let the market live."""
        application = web.Application(client_max_size=BODY_BYTES_MAX, middlewares=[contained])
        application.router.add_get("/", self.sockets.public_v1)
        application.router.add_get("/auth", self.sockets.private_v1)
        application.router.add_get("/v2", self.sockets.public)
        application.router.add_get("/auth/v2", self.sockets.private)
        application.router.add_route("*", "/0/public/{method}", self.rest.public)
        application.router.add_post("/0/private/{method:.+}", self.rest.private)
        application.router.add_routes(self.control.routes())
        self.runner = web.AppRunner(application, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await self.runner.setup()
        if not self.virtual:
            # Do what fell due while the exchange was down before the first answer.
            self.world.step(self.clock())
        await web.SockSite(self.runner, self.listener, ssl_context=self.tls).start()
        self.shell.state(ProcessState.READY)
        self.shell.log.info("listening", port=self.listener.getsockname()[1], seed=self.world.seed)
        if self.virtual:
            # Time passes by request alone (control.py).
            await asyncio.Event().wait()
        beats = asyncio.ensure_future(self.sockets.beat())
        try:
            while not beats.done():
                due = self.world.step(self.clock())
                wait = (due - self.clock()) / NS
                await asyncio.sleep(min(max(wait, SLEEP_MIN_S), SLEEP_MAX_S))
            beats.result()
        finally:
            beats.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beats

    def turn(self, _now: int) -> None:
        """Update the counts that the heartbeat carries."""
        self.shell.drops = self.sockets.dropped
        self.shell.details = {"connections": len(self.sockets.sessions), "orders": len(self.world.exchange.orders)}

    async def stop(self) -> None:
        """Close the sockets and the database."""
        await self.sockets.close()
        if self.runner is not None:
            await self.runner.cleanup()
        self.world.flush(self.clock())
        self.store.close()


def main() -> None:
    """Run until asked to stop."""
    given = options.parse()
    try:
        chosen = options.choose(given)
    except OptionError as error:
        command_line.refuse(command_line.EXIT_CONFIG, "simulator", str(error))
    if given.command == "calibrate":
        seed = 1 if given.seed is None else given.seed
        try:
            raise SystemExit(calibrate.main(given.seconds, seed, given.page, given.seeds, given.captures))
        except RecordingError as error:
            command_line.refuse(command_line.EXIT_CONFIG, "simulator", f"--captures {given.captures}: {error}")
    if given.command == "style":
        try:
            text, met = fit.fitted(recorded.read(Path(given.file)))
        except InputError as error:
            command_line.refuse(command_line.EXIT_CONFIG, "simulator", f"style {given.file}: {error}")
        print(text)
        raise SystemExit(0 if met else 1)
    if given.command == "pairs":
        print(json.dumps({"error": [], "result": made_pairs(int(given.file))}))
        return
    configuration = command_line.load_config("simulator", given.config)
    try:
        settings = listed_settings(configuration)
    except ConfigError as error:
        command_line.refuse(command_line.EXIT_CONFIG, "simulator", str(error))
    shell = Process("simulator", configuration, [])
    shell.outlives_s = 5.0  # the executor pulls its orders first, also when supervisord is gone
    app = App(shell, settings, given.seed, chosen)
    shell.run_async(app.main, _ignore, app.turn, app.stop)


def _ignore(_messages: object) -> None:
    """Take no message: the simulator listens to nothing on the bus."""


if __name__ == "__main__":
    main()
