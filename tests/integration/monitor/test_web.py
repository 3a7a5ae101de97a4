"""``tradebyte web``: which port it takes, what it lets in, and that it ends with all that it started."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import yaml

from tests.system import ROOT, free_port, until

pytestmark = pytest.mark.processes
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("config", "run", "home"):
        (tmp_path / name).mkdir()
    return tmp_path


def command(folder: Path, web_port: int, *words: str) -> subprocess.Popen[str]:
    tree = {"monitor": {"port": free_port(), "web_port": web_port}}
    (folder / "config/config.yaml").write_text(yaml.safe_dump(tree))
    return subprocess.Popen(
        [sys.executable, "-m", "monitor", "web", "--config", str(folder / "config/config.yaml"), *words],
        cwd=folder,
        env={**os.environ, "HOME": str(folder / "home"), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def running(folder: Path, web_port: int) -> Iterator[tuple[subprocess.Popen[str], int, str]]:
    """Yield the command, the port it serves, and what it said."""
    process = command(folder, web_port)
    try:
        assert process.stdout is not None
        said = line = process.stdout.readline()
        while line and "http://" not in line:
            line = process.stdout.readline()
            said += line
        assert line, process.stderr and process.stderr.read()
        yield process, int(line.split(":")[-1].split()[0]), said
    finally:
        process.kill()
        process.wait()


def children(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def status(port: int, path: str, **headers: str) -> int:
    """Return what the page's server answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.putrequest("GET", path, skip_host=True)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly_and_leaves_nothing(folder: Path, number: signal.Signals) -> None:
    port = free_port()
    with running(folder, port) as (process, served, _):
        assert served == port
        started = children(process)
        process.send_signal(number)
        out, errors = process.communicate(timeout=20)
        assert (process.returncode, errors) == (0, "")
        assert "trading is as it was" in out
    assert not any(child.is_running() for child in started)
    assert list((folder / "home").iterdir()) == list((folder / "run").iterdir()) == []


def test_killed_it_takes_its_child_along(folder: Path) -> None:
    with running(folder, free_port()) as (process, _, _):
        started = children(process)
        assert started
        process.kill()
        until("the child is gone", lambda: not any(child.is_running() for child in started), 20)


def test_a_taken_port_is_said_and_a_free_one_is_used(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with running(folder, port) as (_, served, said):
            assert served != port
            assert said.startswith(f"Port {port} (monitor.web_port) is taken, so this page takes {served}.")


def test_a_port_that_was_asked_for_and_is_taken_is_an_error_with_its_mend(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = command(folder, free_port(), "--port", str(port))
        out, errors = process.communicate(timeout=60)
        assert (process.returncode, out) == (1, "")
        assert f"port {port} is taken; name another with --port" in errors


def test_it_listens_on_loopback_and_takes_no_other_sites_connection(folder: Path) -> None:
    with running(folder, free_port()) as (process, port, _):
        (child,) = children(process)
        listening = [at.laddr.ip for at in child.net_connections("tcp") if at.status == psutil.CONN_LISTEN]
        assert listening == ["127.0.0.1"]
        mine = f"127.0.0.1:{port}"
        shake = {name.replace("-", "_"): value for name, value in UPGRADE.items()}
        assert status(port, "/_stcore/stream", Host=mine, Origin=f"http://{mine}", **shake) == 101
        assert status(port, "/_stcore/stream", Host=mine, Origin="http://evil.example", **shake) == 403
        evil = f"evil.example:{port}"
        assert status(port, "/_stcore/stream", Host=evil, Origin=f"http://{evil}", **shake) == 403
