"""A configuration in a folder of its own, and publishers that speak for processes that do not run.

They write msgpack by hand: what the commands and the monitor read is the wire, not our own structs.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgpack
import pytest
import yaml
import zmq

from shared import bus, config

ROOT = Path(__file__).resolve().parents[3]
REPEAT_S = 0.1


class World:
    """A project folder with its configuration, and fake processes on its bus."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "config" / "config.yaml"
        self.file.parent.mkdir(parents=True)
        self.monitor_port, self.simulator_port = free_port(), free_port()
        self.write()
        self.config = config.load(self.file, environ={})
        self._context: zmq.Context[Any] = zmq.Context()
        self._sockets: dict[str, zmq.Socket[bytes]] = {}
        self._messages: dict[str, tuple[str, dict[str, Any]]] = {}
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._repeat, daemon=True)
        self._thread.start()

    def write(self, **trading: Any) -> None:
        """Write the configuration."""
        self.file.write_text(
            yaml.safe_dump(
                {
                    "trading": {"pairs": ["BTC/USD"], **trading},
                    "monitor": {"port": self.monitor_port},
                    "simulator": {"port": self.simulator_port},
                }
            )
        )

    def say(self, process: str, topic: str, /, **fields: Any) -> None:
        """Publish a message as a process, again and again with rising numbers until the next one on the topic."""
        with self._lock:
            if process not in self._sockets:
                where = bus.address(self.config, str(self.config.bus[process]))
                Path(where.removeprefix("ipc://")).parent.mkdir(parents=True, exist_ok=True)
                made = self._context.socket(zmq.PUB)
                made.bind(where)
                self._sockets[process] = made
            self._messages[topic] = (process, fields)

    def said(self, topic: str) -> dict[str, Any]:
        """Return what is said on a topic now."""
        return self._messages[topic][1]

    def hush(self, topic: str) -> None:
        """Publish nothing more on a topic."""
        with self._lock:
            self._messages.pop(topic, None)

    def beat(self, process: str, pid: int = 4_000_000, state: str = "ready", **fields: Any) -> None:
        """Publish a process's heartbeat."""
        defaults: dict[str, Any] = {
            "process": process,
            "pid": pid,
            "host": socket.gethostname(),
            "version": "0",
            "state": state,
            "why": "",
            "uptime_s": 1.0,
            "loop_lag_ms": 0.5,
            "rss_mb": 30.0,
            "messages_in": 0,
            "messages_out": 0,
            "gaps": 0,
            "drops": 0,
        }
        self.say(process, f"heartbeat.{process}", **{**defaults, **fields})

    def orders(self, *orders: dict[str, Any]) -> None:
        """Publish the executor's own orders on BTC/USD."""
        self.say(
            "executor",
            "order.BTC/USD",
            symbol="BTC/USD",
            valid=True,
            price_precision=1,
            qty_precision=8,
            orders=list(orders),
        )

    def whole(self) -> None:
        """Publish a system in which all but the monitor is ready, with a live book, an open order and a position."""
        for name in self.config.process_names:
            if name != "monitor":
                self.beat(name)
        info = {"state": "live", "age_ms": 10, "checksums_ok": 5, "checksums_failed": 0}
        self.say("book", "book.status", books={"BTC/USD": info}, rust=False)
        self.say(
            "book",
            "book.BTC/USD",
            symbol="BTC/USD",
            state="live",
            price_precision=1,
            qty_precision=8,
            bids=[[1_000_000, 100]],
            asks=[[1_000_010, 100]],
        )
        self.say("collector", "feed.status", connected=True, connection=1, last_byte=1, system="online", reconnects=2)
        self.say("collector", "feed.instrument", pairs={}, assets={})
        self.orders(order("open"))
        self.say(
            "executor",
            "position.market_maker.BTC/USD",
            strategy="market_maker",
            symbol="BTC/USD",
            valid=True,
            qty_precision=8,
            position=150_000,
            account_position=150_000,
            fills=1,
        )
        self.say(
            "executor",
            "account",
            valid=True,
            balances={"USD": "99850.0"},
            equity="0.1",
            positions={"BTC/USD": "0.00150000"},
            assets={"BTC": {"position": "0.00150000", "worth": "150.00", "inventory": "1"}},
            rates={
                "BTC": {"rate": "100000.5", "valid": True, "way": ["BTC/USD"]},
                "USD": {"rate": "1", "valid": True, "way": []},
            },
            fees={"BTC/USD": {"maker": "0.0200", "taker": "0.1000"}},
            counters={"BTC/USD": 25.0},
            threshold=125.0,
        )

    def tradebyte(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "monitor", *words],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={**os.environ, "TRADEBYTE_CONFIG": str(self.file), **environment},
            timeout=60,
            check=False,
        )

    def close(self) -> None:
        """End the fake processes."""
        self._over.set()
        self._thread.join()
        self._context.destroy(linger=0)

    def _repeat(self) -> None:
        boot, seq = time.time_ns(), 0
        while not self._over.wait(REPEAT_S):
            seq += 1
            with self._lock:
                for topic, (process, fields) in self._messages.items():
                    header = {"v": 1, "src": process, "boot": boot, "seq": seq, "ts": time.time_ns()}
                    packed: bytes = msgpack.packb({**header, **fields})
                    self._sockets[process].send_multipart([topic.encode() + b"\0", packed])


def order(state: str) -> dict[str, Any]:
    """Return an order as it stands in ``order.<symbol>``."""
    return {
        "cl_ord_id": "T000001000b0000001",
        "order_id": "OABCDE-FGHIJ-KLMNOP",
        "strategy": "market_maker",
        "slot": "b0",
        "side": "buy",
        "price": 999_990,
        "qty": 100_000,
        "filled": 40_000,
        "state": state,
        "changed_ts": time.time_ns(),
    }


def free_port() -> int:
    """Return a TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Return a folder of its own with a bus."""
    made = World(tmp_path / "w")
    yield made
    made.close()
