"""A running Kraken for other people's tests: ``with running_kraken() as kraken: ...``.

It is a process of its own on a free port of this machine, in a folder of its own that is gone afterwards. With pytest,
``pytest_plugins = ["simulator.pytest_plugin"]`` gives the same as the fixture ``kraken``.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from shared.config import SANDBOX_KEYS, VISITOR_KEYS
from simulator.errors import StartError

START_S, STOP_S = 30.0, 15.0
_ROOT = Path(__file__).resolve().parents[1]


class Kraken:
    """The exchange: its addresses, its keys as (key, secret), its faults and its clock.

    ``key`` is an ordinary account's at the entry fees, ``maker`` a market maker's (0.00 % maker), ``cancel_only`` may
    do what its name says. ``virtual`` time stands still until :meth:`advance`. Settings are those of ``simulator:`` in
    the configuration (``seed``, ``regime``, ``accounts``, ``one_way_delay_ms``, ``history_lag_s``, ...); what is not
    confirmed of Kraken is switched by ``unconfirmed={"filled_report": "in_the_trade"}``.
    """

    def __init__(
        self, folder: Path, *, virtual: bool = False, tls: bool = False, port: int | None = None, **settings: object
    ) -> None:
        self.folder = folder
        # A client with fixed host names needs port 443.
        self.port = _free_port() if port is None else port
        self.tls = tls
        self.key, self.maker, self.cancel_only = VISITOR_KEYS[0], SANDBOX_KEYS[0], SANDBOX_KEYS[2]
        self._arguments = [
            *(["--clock", "virtual"] if virtual else []),
            *(["--tls", str(folder / "tls")] if tls else []),
        ]
        config = folder / "config" / "config.yaml"
        config.parent.mkdir(parents=True, exist_ok=True)
        quick = {"one_way_delay_ms": 0.0, "history_lag_s": [0.0, 0.0]}
        written = {
            "kraken": {"sandbox": True},
            "simulator": {**quick, **settings, "port": self.port},
            "monitor": {"port": _free_port()},
        }
        config.write_text(yaml.safe_dump(written))
        self._config = config
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def rest_url(self) -> str:
        """Return the address in the place of ``https://api.kraken.com``."""
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        """Return the address in the place of ``wss://ws.kraken.com/v2``."""
        return f"{self._ws}/v2"

    @property
    def ws_auth_url(self) -> str:
        """Return the address in the place of ``wss://ws-auth.kraken.com/v2``."""
        return f"{self._ws}/auth/v2"

    @property
    def ws_v1_url(self) -> str:
        """Return the address in the place of ``wss://ws.kraken.com``."""
        return f"{self._ws}/"

    @property
    def ws_v1_auth_url(self) -> str:
        """Return the address in the place of ``wss://ws-auth.kraken.com``."""
        return f"{self._ws}/auth"

    @property
    def certificate(self) -> Path:
        """Return the certificate that clients have to trust with ``tls``."""
        return self.folder / "tls" / "simulator.pem"

    @property
    def _ws(self) -> str:
        return f"ws{'s' if self.tls else ''}://127.0.0.1:{self.port}"

    def fault(self, kind: str, **members: object) -> int:
        """Set a fault (docs/simulator.md); return its id."""
        return int(self._call("faults", "POST", {"kind": kind, **members})["ids"][0])

    def clear_faults(self) -> None:
        """Take every fault away; the exchange is online and on time again."""
        self._call("faults", "DELETE")

    def injected(self) -> dict[str, int]:
        """Return how many faults of each kind have struck."""
        return dict(self._call("faults", "GET")["counts"])

    def advance(self, seconds: float) -> None:
        """Let virtual time pass; what comes of it has been sent when this returns."""
        self._call("clock", "POST", {"ms": round(seconds * 1000, 3)})

    # Any: the JSON of control.py, which each caller reads a member of.
    def _call(self, what: str, method: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.rest_url}/simulator/{what}", data, method=method)
        trust = ssl.create_default_context(cafile=str(self.certificate)) if self.tls else None
        with urllib.request.urlopen(request, timeout=600, context=trust) as response:
            return json.load(response)

    def start(self) -> None:
        """Start it, or start it again with what its database holds; return when it answers."""
        with open(self.folder / "log", "ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "simulator", "--config", str(self._config), *self._arguments],
                cwd=_ROOT,
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH")))),
                },
                stdout=log,
                stderr=log,
            )
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            if self._process.poll() is not None:
                break
            time.sleep(0.02)
        self.kill()
        raise StartError("the simulator did not come up: " + (self.folder / "log").read_text()[-2000:])

    def kill(self) -> None:
        """Kill the process at once, as an outage that ``start`` ends."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Stop it in order."""
        self._end(signal.SIGTERM)

    def _end(self, number: int) -> None:
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(number)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def running_kraken(
    *, virtual: bool = False, tls: bool = False, port: int | None = None, **settings: object
) -> Iterator[Kraken]:
    """Return a :class:`Kraken` that runs for as long as the block does, on a free port unless one is named."""
    with tempfile.TemporaryDirectory(prefix="kraken-") as folder:
        kraken = Kraken(Path(folder), virtual=virtual, tls=tls, port=port, **settings)
        kraken.start()
        try:
            yield kraken
        finally:
            kraken.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
