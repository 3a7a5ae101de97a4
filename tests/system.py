"""The whole system in a folder of its own: own ports, own supervisord, own account; for tests of real processes.

Everything it starts it ends by pid, also when a test fails.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp  # noqa: F401 - a clear error where the environment is not set up
import psutil
import yaml

from monitor.errors import SupervisorAbsent, SupervisorRefused
from monitor.watchdog import supervisor
from shared import bus, config
from shared.kraken import counters
from shared.kraken.rest_names import RestNames
from shared.messages import Heartbeat, Message, Orders, OrderState, Position, Target

ROOT = Path(__file__).resolve().parents[1]
COMPONENTS = ("simulator", "collector", "book", "strategy", "executor", "relay", "monitor")


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eager(tree: dict[str, Any]) -> None:
    """Quotes so near to the mid that the market's next trades take them: a test need not wait for a fill."""
    tree["strategies"]["market_maker"]["settings"]["edge_bps"] = 0.3


def until(what: str, true: Callable[[], Any], seconds: float, every: float = 0.05) -> Any:
    """Waits until ``true()`` is truthy and returns it; fails, saying what did not happen, after a generous bound."""
    end = time.monotonic() + seconds
    while True:
        value = true()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"did not happen within {seconds:.0f} s: {what}")
        time.sleep(every)


def is_running(process: psutil.Process) -> bool:
    """It has not ended; one that nobody has waited for yet has."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


class System:
    """One running copy. ``change`` may edit the configuration's tree before it is written."""

    def __init__(self, folder: Path, change: Callable[[dict[str, Any]], None] = lambda _tree: None) -> None:
        self.folder = folder
        tree = yaml.safe_load((ROOT / "config/config.yaml").read_text())
        tree["simulator"]["port"], tree["monitor"]["port"] = free_port(), free_port()
        change(tree)
        self.tree = tree
        for name in ("config/supervisor.d", "run", "logs", "data"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self.write_config()
        shutil.copy(ROOT / "supervisord.conf", folder)
        with contextlib.suppress(FileExistsError):
            (folder / ".venv").symlink_to(Path(sys.prefix), target_is_directory=True)
        self._supervisord: subprocess.Popen[bytes] | None = None
        self._reader: bus.Subscriber | None = None
        tier = counters.TIERS[tree["simulator"]["accounts"][0]["tier"]]
        self._rest = counters.Counter(tier.rest_max - 1, tier.rest_decay)
        self.last: dict[str, Message] = {}
        self.heard_at: dict[str, float] = {}

    def write_config(self) -> None:
        """Writes the configuration as ``tree`` has it now."""
        (self.folder / "config/config.yaml").write_text(yaml.safe_dump(self.tree))

    @property
    def config(self) -> config.Config:
        """The configuration as written."""
        return config.load(self.folder / "config/config.yaml", environ={})

    @property
    def environment(self) -> dict[str, str]:
        """Without what would lead a process to another copy."""
        names = ("TRADEBYTE_CONFIG", "SUPERVISOR_ENABLED", "PYTHONPATH")
        return {name: value for name, value in os.environ.items() if name not in names}

    # --- processes -----------------------------------------------------------------------------------------------

    def start(self) -> System:
        """supervisord in the foreground of a child process."""
        with open(self.folder / "logs/supervisord.out", "ab") as out:
            self._supervisord = subprocess.Popen(
                [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(self.folder / "supervisord.conf")],
                cwd=self.folder,
                env=self.environment,
                stdout=out,
                stderr=out,
            )
        # Being asked, it starts its programs now instead of at its first look after a second.
        until("supervisord answers", self.states, 30)
        return self

    def ctl(self, *words: str) -> str:
        """supervisorctl's output."""
        command = [sys.executable, "-m", "supervisor.supervisorctl", "-c", "supervisord.conf", *words]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, timeout=60, check=False
        )
        return done.stdout.decode()

    def run(self, *words: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """``python -m WORDS`` in this copy's folder."""
        return subprocess.run(
            [sys.executable, "-m", *words],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def tradebyte(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The command for people."""
        return self.run("monitor", *words)

    def json(self, *words: str) -> Any:
        """A command's one JSON object."""
        done = self.tradebyte(*words, "--json")
        assert done.stdout, f"tradebyte {' '.join(words)} printed nothing: {done.stderr}"
        return json.loads(done.stdout)

    def lines(self, *words: str) -> list[Any]:
        """A command's JSON objects, one a line."""
        return [json.loads(line) for line in self.tradebyte(*words, "--json").stdout.splitlines()]

    @property
    def supervisor(self) -> supervisor.Supervisor:
        """Its supervisord, which runs whatever the configuration says."""
        return supervisor.Supervisor(self.folder / "run/supervisor.sock")

    def pid(self, program: str) -> int:
        """A program's pid, 0 while it has none."""
        try:
            return self.supervisor.info(program).pid
        except (SupervisorAbsent, SupervisorRefused):
            return 0

    def states(self) -> dict[str, str]:
        """supervisord's word on each program, such as RUNNING; nothing while it does not answer."""
        try:
            return {info.name: info.statename for info in self.supervisor.every()}
        except SupervisorAbsent:
            return {}

    def kill(self, program: str) -> int:
        """``kill -9``, as a crash; returns the pid."""
        pid = until(f"{program} has a pid", lambda: self.pid(program), 10)
        os.kill(pid, signal.SIGKILL)
        return int(pid)

    def stop(self, *, gently: bool = True) -> None:
        """Ends all of it, gently and then not; or by ``kill -9`` of everything at once, supervisord first."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        process, self._supervisord = self._supervisord, None
        if process is None:
            return
        children = []
        with contextlib.suppress(psutil.Error):
            children = psutil.Process(process.pid).children(recursive=True)
        if gently:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
        process.kill()
        process.wait()
        for child in children:
            with contextlib.suppress(psutil.Error):
                child.kill()
        until("all of it is gone", lambda: not any(map(is_running, children)), 10)

    # --- the bus -------------------------------------------------------------------------------------------------

    def listen(self) -> None:
        """Takes in what the bus says; ``last`` has the newest message of each topic."""
        if self._reader is None:
            wanted = ["heartbeat", "order", "target", "position", "account", "book", "book.status", "control", "alert"]
            self._reader = bus.attach(self.config, wanted)
        for received in self._reader.drain():
            self.last[received.topic] = received.message
            self.heard_at[received.topic] = time.monotonic()

    def heartbeat(self, process: str) -> Heartbeat | None:
        """The newest heartbeat of a process."""
        self.listen()
        message = self.last.get(f"heartbeat.{process}")
        return message if isinstance(message, Heartbeat) else None

    def fills(self) -> int:
        """Return how many fills the executor has told of; ``lines("fills")`` has each."""
        self.listen()
        return sum(said.fills for said in self.last.values() if isinstance(said, Position))

    def not_quoting(self, since_ns: int = 0) -> str:
        """Why the system does not quote, or an empty text: every process is ready and heard, each pair has a target
        decided after ``since_ns`` (CLOCK_BOOTTIME) and an order of ours that the exchange has confirmed."""
        self.listen()
        for name in self.config.process_names:
            beat = self.last.get(f"heartbeat.{name}")
            if not isinstance(beat, Heartbeat) or time.monotonic() - self.heard_at[f"heartbeat.{name}"] > 2:
                return f"{name} is not heard"
            if beat.state != "ready":
                return f"{name} is {beat.state}: {beat.why}"
        for symbol in self.config.trading.pairs:
            orders = self.last.get(f"order.{symbol}")
            if not isinstance(orders, Orders) or not orders.valid:
                return f"{symbol}: orders are not known"
            if not any(order.state is OrderState.OPEN for order in orders.orders):
                return f"{symbol}: no order is open"
            names = [name for name in self.config.strategies if symbol in self.config.strategy_pairs(name)]
            for name in names:
                target = self.last.get(f"target.{name}.{symbol}")
                if not isinstance(target, Target) or target.decided <= since_ns or not target.quotes:
                    return f"{symbol}: no new target of {name}"
        return ""

    def until_quoting(self, seconds: float, since_ns: int = 0) -> float:
        """Waits until it quotes; returns how long that took."""
        began = time.monotonic()
        try:
            until("the system quotes", lambda: not self.not_quoting(since_ns), seconds)
        except AssertionError as error:
            raise AssertionError(f"{error} ({self.not_quoting(since_ns)})") from None
        return time.monotonic() - began

    # --- the exchange, as another client sees it -----------------------------------------------------------------

    def exchange(self, method: str, **params: str) -> Any:
        """A REST call with the key for people and checks, within the pace of the key's counter."""
        import asyncio

        from shared.kraken.rest import Rest

        key = self.config.simulator.accounts[0].keys[1]
        cost = counters.REST_HISTORY if method == "TradesHistory" else counters.REST_CALL
        until("the key's counter has room", lambda: self._rest.room(time.monotonic()) >= cost, 60)
        self._rest.charge(cost, time.monotonic())

        async def call() -> Any:
            rest = Rest(self.config.kraken.rest_url, key.api_key, key.api_secret, "tests")
            try:
                if method == "Assets":
                    return await rest.public(method)
                return await rest.private(method, params, time.time_ns())
            finally:
                await rest.close()

        return asyncio.run(call())

    def exchange_trades(self) -> dict[str, dict[str, Any]]:
        """Every trade of the account, by exec id."""
        trades: dict[str, dict[str, Any]] = {}
        end = str(time.time() + 60)
        while True:
            page = self.exchange("TradesHistory", ofs=str(len(trades)), end=end)
            trades |= page["trades"]
            if not page["trades"] or len(trades) >= page["count"]:
                return trades

    def differences_when_halted(self) -> list[str]:
        """Halts, and compares."""
        self.json("halt")
        return self.differences()

    def differences(self) -> list[str]:
        """Return what exchange and journal disagree on; the system should be halted and quiet. Empty: nothing."""
        time.sleep(self.config.simulator.history_lag_s[1] + 1)  # by so much TradesHistory lags
        wrong = []
        trades = self.exchange_trades()
        fills = {fill["exec_id"]: fill for fill in self.lines("fills")}
        wrong += [f"fill {exec_id} is not in the journal" for exec_id in trades.keys() - fills.keys()]
        wrong += [f"fill {exec_id} is not at the exchange" for exec_id in fills.keys() - trades.keys()]
        for exec_id in trades.keys() & fills.keys():
            trade, fill = trades[exec_id], fills[exec_id]
            ours = (Decimal(fill["price"]), Decimal(fill["qty"]), fill["side"], fill["order_id"])
            theirs = (Decimal(trade["price"]), Decimal(trade["vol"]), trade["type"], trade["ordertxid"])
            if ours != theirs:
                wrong.append(f"fill {exec_id}: {ours} here, {theirs} at the exchange")
        listed = RestNames({}, self.exchange("Assets"))
        theirs_now = {listed.asset(asset): Decimal(amount) for asset, amount in self.exchange("Balance").items()}
        account = json.loads(self.tradebyte("tail", "account", "--count", "1", "--json").stdout)
        ours_now = {asset: Decimal(amount) for asset, amount in account["balances"].items()}
        if theirs_now != ours_now:
            wrong.append(f"balances: {ours_now} here, {theirs_now} at the exchange")
        known = {order["order_id"] for order in self.lines("orders")}
        resting = self.exchange("OpenOrders")["open"]
        wrong += [f"order {order_id} rests unknown" for order_id in resting.keys() - known]
        return wrong


@contextlib.contextmanager
def running(folder: Path, change: Callable[[dict[str, Any]], None] = lambda _tree: None) -> Iterator[System]:
    """A system that runs and quotes, and is gone afterwards."""
    system = System(folder, change)
    try:
        system.start().until_quoting(60)
        yield system
    finally:
        # Nobody looks at it any more, so nobody waits for it.
        system.stop(gently=False)
