"""The application on a port of its own: what is described is what is answered, and what is asked badly is refused."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import schemathesis
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from monitor.api import openapi
from monitor.api.app import application, listen
from monitor.api.controls import Controls
from monitor.api.routes import ACTIONS, READS
from monitor.api.site import SECTIONS, Site
from monitor.model.picture import Picture
from shared import halt as switch, limits
from shared.clock import boot_ns, wall_ns
from shared.config import Config, check
from shared.messages import Account, Alert, LogLine, Orders, OrderState
from tests.kit.monitor.merge_patch import merged
from tests.kit.monitor.messages import fill, profit
from tests.kit.monitor.view import PAIR, beat, book, book_status, order, take

TOKEN = "the-token-of-these-tests"
# The alerts that it was asked to tell.
TOLD: list[tuple[str, str, str]] = []


@dataclass
class Served:
    """A running application."""

    port: int
    picture: Picture

    def ask(self, path: str, method: str = "GET", body: Any = None, **headers: str) -> tuple[int, Any]:
        """Return status and body, JSON decoded."""
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                code, raw, kind = answer.status, answer.read(), answer.headers["Content-Type"]
        except urllib.error.HTTPError as error:
            code, raw, kind = error.code, error.read(), error.headers["Content-Type"]
        return code, json.loads(raw) if kind.startswith("application/json") else raw.decode()


def picture_of_everything() -> Picture:
    """Return a picture in which nothing is empty."""
    config = Config()
    check(config, lambda _key: "test")
    picture = Picture(config)
    now, wall = boot_ns(), wall_ns()
    for name in config.process_names:
        take(picture, f"heartbeat.{name}", beat(name, details={"memory_percent": 1.5}), now)
    take(picture, "book.status", book_status(ts=wall), now)
    take(picture, f"book.{PAIR}", book(), now)
    take(picture, f"order.{PAIR}", Orders(symbol=PAIR, valid=True, price_precision=1, orders=[order(OrderState.OPEN)]))
    take(
        picture, "account", Account(valid=True, balances={"USD": "1"}, positions={PAIR: "1"}, profits={PAIR: profit()})
    )
    take(picture, f"fill.{PAIR}", fill(1))
    take(picture, "alert", Alert(level="info", kind="k", text="t", src="book", ts=wall))
    take(picture, "log.book", LogLine(level="warning", event="e", src="book", fields={"a": None}, ts=wall))
    picture.turn(now, wall)
    return picture


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    picture = picture_of_everything()
    config = picture.config
    site = Site(config, picture, lambda: b"tradebyte_up 1\n")
    listening = listen("127.0.0.1", 0)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> web.AppRunner:
        controls = Controls(config, lambda level, kind, text: TOLD.append((level, kind, text)))
        runner = web.AppRunner(application(site, controls, TOKEN), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        await web.SockSite(runner, listening).start()
        return runner

    runner = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    yield Served(listening.getsockname()[1], picture)
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


@pytest.fixture(scope="module")
def described(served: Served) -> Any:
    return served.ask("/openapi.json")[1]


def test_a_test_alert_is_told_as_asked(served: Served) -> None:
    code, answer = served.ask("/api/alert-test", "POST", {"text": "hello"}, Authorization=f"Bearer {TOKEN}")
    assert (code, answer) == (200, {"ok": True, "text": "hello"})
    assert TOLD[-1] == ("info", "test", "hello")


QUERIES = {
    "/api/fills": ["", f"?symbol={PAIR}&limit=1"],
    "/api/logs": ["", "?process=book&level=warning&limit=5"],
    "/api/history": ["", f"?series=mid.{PAIR},equity&points=10&since_ts=5"],
}


@pytest.mark.parametrize("path", [read.path for read in READS] + ["/health"])
def test_every_answer_is_as_described(served: Served, described: Any, path: str) -> None:
    for query in QUERIES.get(path, [""]):
        code, answer = served.ask(path + query)
        schema = described["paths"][path]["get"]["responses"][str(code)]["content"]["application/json"]["schema"]
        jsonschema.validate(answer, schema | {"components": described["components"]})
        assert answer


def test_the_description_names_every_route_and_nothing_else(described: Any) -> None:
    reads = {read.path for read in READS} | {"/", "/health", "/metrics", "/openapi.json", "/stream"}
    assert set(described["paths"]) == reads | {action.path for action in ACTIONS}


@pytest.fixture(scope="module")
def schema(served: Served) -> Any:
    return schemathesis.openapi.from_url(f"http://127.0.0.1:{served.port}/openapi.json")


# Where nothing may be said along, nothing can be said wrongly. /health means its 503.
OPERATIONS = [
    (path, method, mode)
    for path, methods in openapi.document("0")["paths"].items()
    for method, operation in methods.items()
    for mode in schemathesis.GenerationMode
    if path not in ("/stream", "/health") and (mode.is_positive or {"parameters", "requestBody"} & set(operation))
]


@pytest.mark.parametrize(("path", "method", "mode"), OPERATIONS)
def test_whatever_is_asked_is_answered_as_described(
    schema: Any, path: str, method: str, mode: schemathesis.GenerationMode
) -> None:
    cases = schema[path][method].as_strategy(generation_mode=mode)

    @given(cases)
    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    def ask(case: Any) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {TOKEN}"})

    ask()


@pytest.mark.parametrize(
    ("path", "code", "error"),
    [
        ("/api/nothing", 404, "not_found"),
        ("/api/fills?limit=0", 400, "bad_query"),
        ("/api/fills?limit=many", 400, "bad_query"),
        ("/api/fills?symbol=DOGE/USD", 404, "no_such_pair"),
        ("/api/logs?level=loud", 400, "bad_query"),
        ("/api/logs?process=nobody", 404, "no_such_process"),
        ("/api/history?series=nothing", 404, "no_such_series"),
        ("/api/history?series=equity&points=2", 400, "bad_query"),
        ("/api/history?since_ts=nan", 400, "bad_query"),
        ("/stream", 400, "bad_request"),
    ],
)
def test_a_bad_question_is_told_what_is_wrong_and_what_to_do(served: Served, path: str, code: int, error: str) -> None:
    status, body = served.ask(path)
    assert (status, body["error"]) == (code, error)
    assert set(body) == {"error", "text", "mend"}
    assert body["text"]
    assert body["mend"]


@pytest.mark.parametrize("act", [action.path for action in ACTIONS])
def test_nothing_is_done_without_the_token_or_from_a_page_of_another_site(served: Served, act: str) -> None:
    assert served.ask(act, "POST", {})[0] == 401
    assert served.ask(act, "POST", {}, Authorization="Bearer wrong")[0] == 401
    right = {"Authorization": f"Bearer {TOKEN}"}
    assert served.ask(act, "POST", {}, Origin="http://evil.example", **right)[0] == 403
    assert served.ask(act, "POST", {}, Host="evil.example", **right)[0] == 403
    assert served.ask(act, "GET")[0] == 405


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"stranger": 1}', b'{"why": 5}', b"\xff"])
def test_a_body_that_cannot_be_read_halts_nothing(served: Served, body: bytes) -> None:
    code, answer = served.ask("/api/halt", "POST", body, Authorization=f"Bearer {TOKEN}")
    assert (code, answer["error"]) == (400, "bad_body")


def test_a_body_beyond_the_bound_is_refused(served: Served) -> None:
    body = json.dumps({"why": "x" * limits.API_BODY_BYTES}).encode()
    assert served.ask("/api/halt", "POST", body, Authorization=f"Bearer {TOKEN}")[0] == 413


def test_nothing_is_done_on_built_in_defaults(served: Served) -> None:
    code, answer = served.ask("/api/halt", "POST", {"why": "w"}, Authorization=f"Bearer {TOKEN}")
    assert (code, answer["error"]) == (409, "no_configuration")


def test_a_halt_ends_a_flatten_whose_file_is_still_there(tmp_path: Path) -> None:
    config = Config(root=tmp_path)
    check(config, lambda _key: "test")
    site = Site(config, Picture(config), bytes)
    switch.halt(config.flatten_file, "flatten")
    assert (site.control().flattening, site.control().halted) == (True, False)
    switch.halt(config.halt_file, "done")
    assert (site.control().flattening, site.control().halted) == (False, True)


def test_reads_too_are_not_for_rebound_names(served: Served) -> None:
    for path in ("/api/status", "/metrics", "/health", "/"):
        assert served.ask(path, Host="evil.example")[0] == 403


def test_the_first_page_lists_what_there_is(served: Served) -> None:
    code, page = served.ask("/")
    assert code == 200
    assert all(
        path in page for path in [*(read.path for read in READS), *(action.path for action in ACTIONS), "/stream"]
    )


@contextlib.contextmanager
def wanting(served: Served, *sections: str) -> Iterator[Any]:
    """Return a client of some sections."""
    with connect(f"ws://127.0.0.1:{served.port}/stream", max_size=None, proxy=None) as client:
        client.send(json.dumps({"sections": list(sections)}))
        yield client


def test_it_sends_each_section_whole_and_then_what_changed(served: Served) -> None:
    with wanting(served, "control", "fills", "alerts") as client:
        first = [json.loads(client.recv(10)) for _ in range(3)]
        assert [message["section"] for message in first] == ["fills", "alerts", "control"]
        assert all(message["seq"] == 1 and "data" in message for message in first)
        number = len(first[0]["data"]["fills"]) + 100
        take(served.picture, f"fill.{PAIR}", fill(number))
        news = json.loads(client.recv(10))
    assert (news["section"], news["seq"]) == ("fills", 2)
    section = news["data"] if "data" in news else merged(first[0]["data"], news["merge"])
    assert section == served.ask("/api/fills")[1]


def test_without_a_word_of_the_client_it_sends_every_section(served: Served) -> None:
    with connect(f"ws://127.0.0.1:{served.port}/stream", max_size=None, proxy=None) as client:
        seen: set[str] = set()
        while seen != set(SECTIONS):
            seen.add(json.loads(client.recv(10))["section"])


@pytest.mark.parametrize("first", ["[]", '{"sections": ["secrets"]}', "{", '{"sections": 1}'])
def test_a_first_message_that_is_not_understood_ends_it(served: Served, first: str) -> None:
    with connect(f"ws://127.0.0.1:{served.port}/stream", proxy=None) as client:
        client.send(first)
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(10)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008


def test_pages_of_other_sites_get_no_stream(served: Served) -> None:
    assert refusal(served, origin="http://evil.example") == 403


def test_clients_are_bounded_and_room_is_made_when_one_goes(served: Served) -> None:
    with contextlib.ExitStack() as clients:
        for _ in range(limits.STREAM_CLIENTS):
            clients.enter_context(wanting(served, "control"))
        assert refusal(served) == 503
    end = time.monotonic() + 30
    while refusal(served) is not None:
        assert time.monotonic() < end
        time.sleep(0.05)


def refusal(served: Served, **headers: Any) -> int | None:
    """Return the HTTP status that one more client is refused with, None when it is let in."""
    try:
        with connect(f"ws://127.0.0.1:{served.port}/stream", proxy=None, **headers):
            return None
    except InvalidStatus as refused:
        return int(refused.response.status_code)
