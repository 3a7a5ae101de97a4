"""The systems that are measured, each as processes of its own: this platform, and the plain chains."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from benchmarks.chain.pairs import asset_pairs, listed
from benchmarks.chain.private_stub import BALANCE

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "run" / "chain"
STOP_S = 10.0
OURS = "TradeByte"
FOUR, ONE = "plain chain, four processes", "plain chain, one process"
FLOOR = "bytes handed on, four processes"


@dataclass(slots=True)
class Exchange:
    """Where the stubs listen; ``quoted`` are the pairs that get orders."""

    public: str
    private: str
    symbols: list[str]
    quoted: list[str]


@dataclass(slots=True)
class Processes:
    """Processes that end with the block that started them."""

    running: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, *arguments: str, folder: Path = ROOT, log: Path | None = None) -> subprocess.Popen[str]:
        """Start a Python process, with pipes unless its output goes to a file."""
        out = open(log, "w", encoding="utf-8") if log else subprocess.PIPE  # noqa: SIM115 - the process has it
        process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=out if log else None,
            text=True,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self.running.append(process)
        return process

    def stop(self) -> None:
        """End them all, the newest first."""
        for process in reversed(self.running):
            process.send_signal(signal.SIGTERM)
        for process in self.running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_S)
            process.kill()
            process.wait()


@contextlib.contextmanager
def processes() -> Iterator[Processes]:
    """Give a place for processes that end with the block."""
    started = Processes()
    try:
        yield started
    finally:
        started.stop()


def start(name: str, exchange: Exchange, started: Processes, rule: str, *, spin: bool) -> dict[str, int]:
    """Start a system against the stubs; return its processes' ids.

    ``rule`` is a class of benchmarks.chain.rule, ``spin`` our setting performance.spin.
    """
    folder = FOLDER / name.replace(" ", "_").replace(",", "")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if name == OURS:
        return _ours(folder, exchange, started, rule, spin=spin)
    roles = {"single": [exchange.public, exchange.private, *exchange.quoted]}
    module = "benchmarks.chain.bare" if name == FLOOR else "benchmarks.chain.plain"
    if name in (FOUR, FLOOR):
        roles = {
            "orders": [str(folder), exchange.private, *exchange.symbols],
            "strategy": [str(folder)],
            "book": [str(folder)],
            "feed": [str(folder), exchange.public, *exchange.symbols],
        }
    return {
        role: started.start("-m", module, role, *rest, log=folder / f"{role}.log").pid for role, rest in roles.items()
    }


def _ours(folder: Path, exchange: Exchange, started: Processes, rule: str, *, spin: bool) -> dict[str, int]:
    port = free_port()
    (folder / "config").mkdir()
    pairs = {pair.symbol: pair for pair in listed(len(exchange.symbols))}
    file = folder / "pairs.json"
    file.write_text(asset_pairs(len(exchange.symbols)), encoding="utf-8")
    bases = {pair.base.name for pair in pairs.values()}
    config = {
        "kraken": {
            "rest_url": f"http://127.0.0.1:{port}",
            "ws_url": exchange.public,
            "ws_auth_url": exchange.private,
        },
        "performance": {"spin": spin},
        "trading": {
            "pairs": exchange.quoted,
            "record_depth": 10,
            "max_position_size": 10**9,
            "max_gross_position": 10**9,
            "max_order_size": 10**6,
            "min_order_size": 1,
            "max_open_orders": 10_000,
            "max_orders_per_minute": 10**6,
            "max_daily_loss": 10**9,
            "price_band_percent": 50,  # of the cheapest pairs the spread is some percent
            "inventory_base": dict.fromkeys(sorted(bases), BALANCE),
            "tier": "pro",
        },
        "strategies": {"join": {"class": f"benchmarks.chain.rule:{rule}", "settings": {}}},
        "simulator": {"port": port, "regime": "halted", "asset_pairs": "pairs.json", "pairs": [*exchange.quoted]},
    }
    path = folder / "config" / "config.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    modules = {
        "simulator": ["-m", "simulator"],
        "executor": ["-m", "benchmarks.chain.executor"],
        "strategy": ["-m", "strategy"],
        "book": ["-m", "book"],
        "collector": ["-m", "collector"],
    }
    return {
        name: started.start(*module, "--config", str(path), folder=folder, log=folder / f"{name}.out").pid
        for name, module in modules.items()
    }


def free_port() -> int:
    """Return a port of loopback that nothing uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_s(pids: Sequence[int]) -> float:
    """Return the CPU time that processes have used, in seconds."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def wait_for(what: str, is_done: object, seconds: float = 30.0) -> None:
    """Wait until something holds. Raises TimeoutError that names it."""
    assert callable(is_done)
    until = time.monotonic() + seconds
    while not is_done():
        if time.monotonic() > until:
            raise TimeoutError(f"{what} within {seconds:.0f} s; see {FOLDER}")
        time.sleep(0.05)
