"""``tradebyte web``: the page for a browser, in a process of its own until Ctrl-C."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from types import FrameType
from typing import Annotated

import typer

from monitor import children
from monitor.api.loopback import OPENER
from monitor.cli.common import ConfigOption, fail, load
from monitor.errors import PageEnded
from monitor.web import options
from shared import limits
from shared.config import Config

HOST = "127.0.0.1"

PortOption = Annotated[
    int | None,
    typer.Option("--port", min=1, max=65535, help="Instead of monitor.web_port; must be free.", show_default=False),
]


def web(config: ConfigOption = None, port: PortOption = None) -> None:
    """Show everything in a browser, on this machine only, until Ctrl-C: quotes, orders, profit, latency, controls.

    Closing it, or killing it, never touches trading.
    """
    settings = load(config, required=True)
    chosen = choose_port(settings, port)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _end)
    try:
        serve(settings, chosen)
    except PageEnded:
        print("\nThe page is closed; trading is as it was.", flush=True)


def choose_port(config: Config, wanted: int | None) -> int:
    """Return the port to listen on: the wanted one, else the configured one, else a free one, which is said."""
    port = wanted or config.monitor.web_port
    if is_free(port):
        return port
    if wanted is not None:
        fail(f"port {port} is taken; name another with --port, or leave --port out and a free one is taken")
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        free = int(probe.getsockname()[1])
    print(f"Port {port} (monitor.web_port) is taken, so this page takes {free}.", flush=True)
    return free


def is_free(port: int) -> bool:
    """True if nobody listens on the port and this user may."""
    with socket.socket() as probe:
        # As servers bind: a port in TIME_WAIT counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def serve(config: Config, port: int) -> None:
    """Run the page until a signal ends it, which raises :class:`PageEnded`."""
    child = subprocess.Popen(
        [sys.executable, "-m", "monitor.web", str(os.getpid()), *options.flags(HOST, port)],
        env=environment(config),
        cwd=config.run if config.run.is_dir() else config.root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        # Ctrl-C in a terminal reaches the whole group; this process hands it on once.
        start_new_session=True,
    )
    try:
        if not answers(child, port):
            fail("the page did not start; what went wrong is above ('make setup' puts missing packages in place)")
        print(f"TradeByte's page: http://{HOST}:{port}    (Ctrl-C ends it; trading goes on)", flush=True)
        child.wait()
        fail(f"the page's process ended by itself (exit code {child.returncode}); start it again")
    finally:
        stop(child)


def environment(config: Config) -> dict[str, str]:
    """Return the child's environment: the configuration in force, and where the code is."""
    # STREAMLIT_ variables of other projects must not change what this page does.
    mine = {name: value for name, value in children.environment().items() if not name.startswith("STREAMLIT_")}
    return mine | {"TRADEBYTE_CONFIG": str(config.source), "PYTHONDONTWRITEBYTECODE": "1"}


def answers(child: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until the page is served; return false if the child ended or took too long."""
    end = time.monotonic() + limits.WEB_START_S
    while child.poll() is None and time.monotonic() < end:
        with (
            suppress(OSError),
            OPENER.open(f"http://{HOST}:{port}/_stcore/health", timeout=limits.WEB_FETCH_TIMEOUT_S) as response,
        ):
            return bool(response.status == 200)
        time.sleep(0.1)
    return False


def stop(child: subprocess.Popen[bytes]) -> None:
    """End the child, gently and then not."""
    if child.poll() is not None:
        return
    child.terminate()
    try:
        child.wait(limits.WEB_STOP_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _end(_number: int, _frame: FrameType | None) -> None:
    raise PageEnded
