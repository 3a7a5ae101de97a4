"""A real ``python -m simulator`` on a free port in its own folder, and small clients of it."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Coroutine
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import websockets
import yaml

from shared.config import SANDBOX_KEYS, VISITOR_KEYS
from shared.kraken.signing import sign

ROOT = Path(__file__).resolve().parents[3]
MAKER, PEOPLE, HALT = SANDBOX_KEYS
VISITOR = VISITOR_KEYS[0]
START_S = 30.0
EX_HELD = 75


def looped(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run an async test in a loop of its own."""

    @functools.wraps(test)
    def run(*arguments: Any, **named: Any) -> None:
        asyncio.run(test(*arguments, **named))

    return run


def free_port() -> int:
    """Return a port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Running:
    """The process. ``kill`` is as hard as it gets; ``start`` after it is a restart on the same port and database."""

    def __init__(self, folder: Path, arguments: tuple[str, ...] = (), **settings: Any) -> None:
        self.arguments = arguments
        self.port = free_port()
        self.folder = folder
        self.config = folder / "config" / "config.yaml"
        self.config.parent.mkdir(parents=True, exist_ok=True)
        written = {
            "kraken": {"sandbox": True},
            "simulator": {"port": self.port, "one_way_delay_ms": 1.0, "history_lag_s": [0.0, 0.0], **settings},
            "monitor": {"port": free_port()},
        }
        self.config.write_text(yaml.safe_dump(written))
        self.process: subprocess.Popen[bytes] | None = None
        self._nonces = count(time.time_ns())

    @property
    def url(self) -> str:
        """Return its HTTP address."""
        return f"http://127.0.0.1:{self.port}"

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start a process without waiting for it."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        log = open(self.folder / "stderr", "ab")  # noqa: SIM115 - the process keeps it
        with log:
            return subprocess.Popen(
                [sys.executable, "-m", "simulator", "--config", str(self.config), *self.arguments],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
            )

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.process = self.spawn()
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            assert self.process.poll() is None, (self.folder / "stderr").read_text()
            time.sleep(0.02)
        raise AssertionError("the simulator did not come up")

    def kill(self) -> None:
        """Kill it (SIGKILL), by pid."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Stop it (SIGTERM); return the exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, number: int) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def control(self, what: str, method: str = "GET", body: Any = None, query: str = "") -> Any:
        """Make a call of the simulator's own, ``faults`` or ``clock``; return its answer."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/simulator/{what}{query}", data, method=method)
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.load(response)

    def get(self, method: str, **query: Any) -> Any:
        """Make a public call; return the whole envelope."""
        with urllib.request.urlopen(f"{self.url}/0/public/{method}?{urlencode(query)}", timeout=10) as response:
            return json.load(response)

    def post(
        self,
        method: str,
        key: tuple[str, str] = MAKER,
        *,
        nonce: int | str | None = None,
        as_json: bool = False,
        signature: str | None = None,
        **fields: Any,
    ) -> Any:
        """Make a signed private call; return the whole envelope."""
        used = str(next(self._nonces) if nonce is None else nonce)
        request = self._signed(method, key, used, signature, fields, as_json=as_json)
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)

    def _signed(
        self,
        method: str,
        key: tuple[str, str],
        nonce: str,
        signature: str | None,
        fields: dict[str, Any],
        *,
        as_json: bool = False,
    ) -> urllib.request.Request:
        sent = {"nonce": nonce, **fields}
        body = (json.dumps(sent) if as_json else urlencode(sent)).encode()
        path = f"/0/private/{method}"
        return urllib.request.Request(
            self.url + path,
            body,
            {
                "API-Key": key[0],
                "API-Sign": sign(key[1], path, nonce, body) if signature is None else signature,
                "Content-Type": "application/json" if as_json else "application/x-www-form-urlencoded",
            },
        )

    def file(self, method: str, key: tuple[str, str] = MAKER, **fields: Any) -> bytes:
        """Make a signed private call that answers a file; return its bytes."""
        with urllib.request.urlopen(
            self._signed(method, key, str(next(self._nonces)), None, fields), timeout=10
        ) as answer:
            body: bytes = answer.read()
            return body

    def ask(self, method: str, key: tuple[str, str] = MAKER, **fields: Any) -> Any:
        """Make a private call that has to succeed; return its result."""
        answer = self.post(method, key, **fields)
        assert answer["error"] == [], answer
        return answer["result"]

    @contextlib.asynccontextmanager
    async def private(self, key: tuple[str, str] = MAKER) -> AsyncIterator[Socket]:
        """Open a private WebSocket with a fresh token."""
        token = await asyncio.to_thread(self.ask, "GetWebSocketsToken", key)
        async with websockets.connect(f"ws://127.0.0.1:{self.port}/auth/v2", max_size=None) as connection:
            yield Socket(connection, token["token"])

    @contextlib.asynccontextmanager
    async def public(self) -> AsyncIterator[Socket]:
        """Open a public WebSocket."""
        async with websockets.connect(f"ws://127.0.0.1:{self.port}/v2", max_size=None) as connection:
            yield Socket(connection, "")


class Socket:
    """A WebSocket client that remembers everything it was sent."""

    def __init__(self, connection: Any, token: str) -> None:
        self.connection = connection
        self.token = token
        self.frames: list[dict[str, Any]] = []
        self.texts: list[str] = []
        self._ids = count(1)

    async def receive(self) -> dict[str, Any]:
        """Return the next frame."""
        text = await asyncio.wait_for(self.connection.recv(), 20)
        self.texts.append(text)
        frame: dict[str, Any] = json.loads(text, parse_float=Decimal)
        self.frames.append(frame)
        return frame

    async def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Receive until a frame is the wanted one."""
        while True:
            frame = await self.receive()
            if wanted(frame):
                return frame

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a request; return its answer."""
        req_id = next(self._ids)
        if self.token:
            params = {"token": self.token, **params}
        await self.connection.send(json.dumps({"method": method, "params": params, "req_id": req_id}))
        return await self.until(lambda frame: frame.get("req_id") == req_id)

    async def ended(self) -> None:
        """Receive until the connection is closed."""
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                await self.receive()

    async def execution(self, kind: str) -> dict[str, Any]:
        """Receive until an execution of a kind."""
        frame = await self.until(
            lambda f: f.get("channel") == "executions" and f["type"] == "update" and f["data"][0]["exec_type"] == kind
        )
        row: dict[str, Any] = frame["data"][0]
        return row
