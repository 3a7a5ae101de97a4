"""The API over a whole running system: live data, changes, controls, and a client that never reads."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import stat
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from websockets.sync.client import connect

from shared import limits
from tests.kit.monitor.merge_patch import merged
from tests.system import System, eager, running, until

pytestmark = pytest.mark.processes
LONGEST_S = 45


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(tmp_path_factory.mktemp("api"), eager) as made:
        yield made


def ask(system: System, path: str, method: str = "GET", body: Any = None, token: str = "") -> tuple[int, Any]:
    """Return status and JSON; status 0 while nobody answers."""
    url = f"http://127.0.0.1:{system.config.monitor.port}{path}"
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
    except OSError:
        return 0, None


def get(system: System, path: str) -> Any:
    code, body = ask(system, path)
    assert code == 200, body
    return body


def token(system: System) -> str:
    return (system.folder / "run/api-token").read_text().strip()


@contextlib.contextmanager
def stream(system: System, *sections: str) -> Iterator[Any]:
    url = f"ws://127.0.0.1:{system.config.monitor.port}/stream"
    with connect(url, max_size=None, proxy=None) as client:
        client.send(json.dumps({"sections": list(sections)}))
        yield client


@dataclass(frozen=True)
class Deaf:
    """A client that never reads, and the pid of the monitor that it connected to."""

    socket: socket.socket
    monitor: int


@pytest.fixture(scope="module", autouse=True)
def deaf(system: System) -> Iterator[Deaf]:
    """Yield a client that never reads, from the beginning: it takes half a minute until it is closed."""
    port = system.config.monitor.port
    with socket.socket() as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        made.connect(("127.0.0.1", port))
        key = base64.b64encode(b"0123456789abcdef").decode()
        made.sendall(
            f"GET /stream HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        yield Deaf(made, system.pid("monitor"))


def test_every_get_has_live_data_as_described(system: System) -> None:
    until("a fill", lambda: get(system, "/api/fills")["fills"], LONGEST_S)
    until("a market trade", lambda: any(get(system, "/api/trades").values()), LONGEST_S)
    described = get(system, "/openapi.json")
    for path, methods in described["paths"].items():
        if not path.startswith("/api/") or "get" not in methods:
            continue
        schema = methods["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        jsonschema.validate(get(system, path), schema | {"components": described["components"]})
    assert all(process["state"] == "ready" for process in get(system, "/api/processes").values())
    assert all(book["mid"] and book["bids"] and book["asks"] for book in get(system, "/api/books").values())
    assert any(order["is_live"] for order in get(system, "/api/orders")["orders"])
    until("samples of every hop", lambda: all(hop["count"] for hop in get(system, "/api/latency")["hops"]), LONGEST_S)
    names = get(system, "/api/history")["names"]

    def sampled() -> bool:
        series = get(system, f"/api/history?series={','.join(names)}")["series"]
        return all(series[name] for name in names if name.startswith(("mid.", "rss_mb.", "pnl.")) or name == "equity")

    until("samples of every series", sampled, LONGEST_S)


def test_what_streams_is_what_get_gives(system: System) -> None:
    with stream(system, "books", "fills", "control") as client:
        values: dict[str, Any] = {}
        kinds: set[tuple[str, str]] = set()
        end = time.monotonic() + LONGEST_S
        while ("books", "merge") not in kinds or len(values) < 3:
            assert time.monotonic() < end, kinds
            message = json.loads(client.recv(10))
            kind = "data" if "data" in message else "merge"
            name = message["section"]
            kinds.add((name, kind))
            values[name] = message["data"] if kind == "data" else merged(values[name], message["merge"])
    assert list(values["books"]) == list(get(system, "/api/books"))
    assert values["control"] == get(system, "/api/control")


def test_the_token_lets_halt_which_leaves_nothing_open_and_lets_resume(system: System) -> None:
    assert stat.S_IMODE((system.folder / "run/api-token").stat().st_mode) == 0o600
    assert ask(system, "/api/halt", "POST", {"why": "w"})[0] == 401
    assert ask(system, "/api/halt", "POST", {"why": "w"}, "wrong")[0] == 401
    assert not get(system, "/api/control")["halted"]
    system.until_quoting(LONGEST_S)
    code, answer = ask(system, "/api/halt", "POST", {"why": "for a test"}, token(system))
    # It answers when the executor has: whatever rests now rests after the halt.
    assert system.exchange("OpenOrders")["open"] == {}
    assert (code, answer["ok"], answer["how"], answer["open_orders"]) == (200, True, "executor", 0)
    assert answer["why"].endswith(": for a test")
    assert get(system, "/api/control")["halted"]
    code, answer = ask(system, "/api/flatten", "POST", {}, token(system))
    assert (code, answer["error"]) == (409, "not_now")
    code, answer = ask(system, "/api/resume", "POST", {}, token(system))
    assert (code, answer["was_halted"], get(system, "/api/control")["halted"]) == (200, True, False)
    system.until_quoting(LONGEST_S)


def test_a_client_that_never_reads_is_survived_and_closed(system: System, deaf: Deaf) -> None:
    with stream(system, "processes") as client:
        for _ in range(5):
            client.recv(10)
    # SO_ERROR tells of a reset without reading anything.
    until(
        "it is closed",
        lambda: deaf.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR),
        2 * limits.STREAM_SILENT_S,
    )
    assert system.pid("monitor") == deaf.monitor


def test_fills_of_before_come_from_the_journal_when_the_monitor_starts_anew(system: System) -> None:
    until("a fill", lambda: get(system, "/api/fills")["fills"], LONGEST_S)
    before = get(system, "/api/fills?limit=5000")["fills"]
    pid = system.kill("monitor")
    until(
        "it is back", lambda: system.pid("monitor") not in (0, pid) and ask(system, "/api/fills")[0] == 200, LONGEST_S
    )
    until(
        "fills of before",
        lambda: (
            {fill["exec_id"] for fill in before}
            <= {fill["exec_id"] for fill in get(system, "/api/fills?limit=5000")["fills"]}
        ),
        LONGEST_S,
    )
    assert before[0] in get(system, "/api/fills?limit=5000")["fills"]
    (first, *_) = get(system, "/api/history?series=fees")["series"]["fees"]
    assert first[0] == pytest.approx(before[0]["ts"], abs=1e-3)


def test_processes_are_restarted_and_so_is_the_monitor_itself(system: System) -> None:
    before = system.pid("strategy")
    code, answer = ask(system, "/api/restart", "POST", {"process": "strategy"}, token(system))
    assert (code, answer["ok"], answer["restarted"]["strategy"]) == (200, True, system.pid("strategy"))
    assert answer["restarted"]["strategy"] != before
    assert ask(system, "/api/restart", "POST", {"process": "nobody"}, token(system))[0] == 404
    assert ask(system, "/api/restart", "POST", {"process": "book", "keep": True}, token(system))[0] == 409
    before = system.pid("monitor")
    assert ask(system, "/api/restart", "POST", {"process": "monitor"}, token(system))[0] == 200
    until("a new monitor", lambda: system.pid("monitor") not in (0, before), LONGEST_S)
    until("it answers", lambda: ask(system, "/api/control")[0] == 200, LONGEST_S)


def test_flatten_by_post_closes_everything_and_halts(system: System) -> None:
    system.until_quoting(LONGEST_S)
    code, answer = ask(system, "/api/flatten", "POST", {}, token(system))
    assert (code, answer["ok"]) == (200, True)
    until("it is halted", lambda: get(system, "/api/control")["halted"], 90)
    assert not get(system, "/api/control")["flattening"]
    assert Path(system.folder / "data/HALT").exists()
    assert system.exchange("OpenOrders")["open"] == {}
