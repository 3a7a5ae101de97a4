"""The command for people, run as people and scripts run it, against processes that only speak."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from aiohttp import web

from executor.record.journal import Journal
from executor.record.rows import OrderRow
from shared import pausing

from .conftest import ROOT, World, order

pytestmark = pytest.mark.processes
Said = Callable[[str, str], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Said]:
    """Return a function that runs a command on a ``whole`` system without its monitor, or on ``nothing``.

    It listens for as long as something lacks: all of these do so at once.
    """
    worlds = {name: World(tmp_path_factory.mktemp(name) / "w") for name in ("whole", "nothing")}
    worlds["whole"].whole()
    commands = [
        ("whole", "status --json"),
        ("whole", "status"),
        ("whole", "position --json"),
        ("nothing", "status --json"),
        ("nothing", "position --json"),
    ]
    with ThreadPoolExecutor(len(commands)) as threads:
        running = {each: threads.submit(worlds[each[0]].tradebyte, *each[1].split()) for each in commands}
    yield lambda name, command: running[name, command].result()
    for world in worlds.values():
        world.close()


def test_status_json_has_the_promised_fields_with_the_monitor_dead(world: World, said: Said) -> None:
    ran = said("whole", "status --json")
    assert ran.returncode == 0, ran.stderr
    printed = json.loads(ran.stdout)
    assert (printed["halted"], printed["sandbox"], printed["open_orders"]) == (False, True, 1)
    assert printed["positions"] == {"BTC/USD": "0.00150000"}
    assert list(printed["processes"]) == world.config.process_names
    assert {"state", "pid", "boot", "uptime_s", "heartbeat_age_s", "rss_mb", "gaps", "drops"} <= set(
        printed["processes"]["book"]
    )
    assert {name: process["state"] for name, process in printed["processes"].items()} == {
        **dict.fromkeys(world.config.process_names, "ready"),
        "monitor": "dead",
    }
    book = printed["books"]["BTC/USD"]
    assert {
        "state": "live",
        "bid": "100000.0",
        "ask": "100001.0",
        "checksums_ok": 5,
        "checksums_failed": 0,
    }.items() <= (book.items())


def test_status_tells_rates_fees_and_connections(said: Said) -> None:
    printed = json.loads(said("whole", "status --json").stdout)
    assert printed["rates"]["pairs"]["BTC/USD"] == {"counter": 25.0, "threshold": 125.0, "left": 100.0}
    assert printed["fees"]["BTC/USD"]["break_even_bps"] == "2.00"
    assert (printed["connection"]["reconnects"], printed["stale"]) == (2, [])


def test_status_of_nothing_is_an_answer(said: Said) -> None:
    ran = said("nothing", "status --json")
    assert ran.returncode == 0, ran.stderr
    printed = json.loads(ran.stdout)
    assert {process["state"] for process in printed["processes"].values()} == {"dead"}
    assert printed["books"]["BTC/USD"]["state"] == "silent"
    assert (printed["open_orders"], printed["positions"]) == (0, {})


def test_status_for_people_has_no_colour_codes_in_a_pipe(said: Said) -> None:
    ran = said("whole", "status")
    assert "\x1b" not in ran.stdout
    assert "sandbox: 5 of 6 processes ready" in ran.stdout
    assert "BTC/USD" in ran.stdout


def test_tail_reads_the_bus_without_a_schema(world: World) -> None:
    frame = b'{"channel":"book"}'
    world.say("collector", "feed.book.BTC/USD", symbol="BTC/USD", frame=frame, nobody="knows this field", n=[1, None])
    ran = world.tradebyte("tail", "feed.book", "--json", "--count", "2")
    first, second = (json.loads(line) for line in ran.stdout.splitlines())
    assert first["topic"] == "feed.book.BTC/USD"
    assert (first["frame"], first["nobody"], first["n"]) == (frame.decode(), "knows this field", [1, None])
    assert second["seq"] == first["seq"] + 1


def test_tail_of_a_whole_topic_shows_no_longer_one(world: World) -> None:
    world.say("book", "book.BTC/USDT", symbol="BTC/USDT")
    world.say("book", "book.BTC/USD", symbol="BTC/USD")
    ran = world.tradebyte("tail", "book.BTC/USD", "--json", "-n", "5")
    assert {json.loads(line)["topic"] for line in ran.stdout.splitlines()} == {"book.BTC/USD"}


def test_tail_without_a_topic_leaves_raw_frames_out(world: World) -> None:
    world.say("collector", "feed.book.BTC/USD", symbol="BTC/USD")
    world.beat("book")
    world.beat("executor")
    ran = world.tradebyte("tail", "--json", "-n", "10")
    assert {json.loads(line)["topic"] for line in ran.stdout.splitlines()} == {"heartbeat.book", "heartbeat.executor"}


def test_tail_raw_shows_the_bytes(world: World) -> None:
    world.say("executor", "account", valid=True)
    name, packed = world.tradebyte("tail", "account", "--raw", "-n", "1").stdout.split()
    assert name == "account"
    assert b"\xa5valid\xc3" in bytes.fromhex(packed)


def test_tail_refuses_a_topic_that_cannot_be(world: World) -> None:
    ran = world.tradebyte("tail", "boook")
    assert ran.returncode == 2
    assert "boook" in ran.stderr
    assert "book.status" in ran.stderr


def test_orders_are_lines_with_decimal_text(world: World) -> None:
    world.orders(order("open"), {**order("refused"), "slot": "b1", "error": "EOrder:Post only order"})
    lines = [json.loads(line) for line in world.tradebyte("orders", "--json").stdout.splitlines()]
    assert [(each["slot"], each["live"], each["error"]) for each in lines] == [
        ("b0", True, ""),
        ("b1", False, "EOrder:Post only order"),
    ]
    assert (lines[0]["price"], lines[0]["qty"], lines[0]["filled"]) == ("99999.0", "0.00100000", "0.00040000")
    (live,) = world.tradebyte("orders", "--json", "--live").stdout.splitlines()
    assert json.loads(live)["slot"] == "b0"


def test_position_tells_what_the_executor_publishes(said: Said) -> None:
    printed = json.loads(said("whole", "position --json").stdout)
    assert printed["positions"] == {"BTC/USD": "0.00150000"}
    assert printed["strategies"]["market_maker"]["BTC/USD"]["fills"] == 1
    assert printed["balances"] == {"USD": "99850.0"}


def test_position_without_an_executor_fails_and_says_so(said: Said) -> None:
    ran = said("nothing", "position --json")
    assert ran.returncode == 1
    assert "executor" in ran.stderr
    assert ran.stdout == ""


def test_halt_is_done_once_the_executor_says_that_nothing_is_open(world: World) -> None:
    world.beat("executor", state="halted")
    world.orders(order("cancelled"))
    ran = world.tradebyte("halt", "--json", "--reason", "a test")
    assert ran.returncode == 0, ran.stderr
    printed = json.loads(ran.stdout)
    assert (printed["halted"], printed["open_orders"], printed["how"]) == (True, 0, "executor")
    assert "a test" in world.config.halt_file.read_text()


def test_an_order_of_somebody_else_keeps_no_halt_from_being_done(world: World) -> None:
    world.beat("executor", state="halted")
    world.orders(order("open") | {"strategy": "account"})
    printed = json.loads(world.tradebyte("halt", "--json").stdout)
    assert (printed["open_orders"], printed["how"]) == (0, "executor")


class FakeKraken:
    """Answers every call alike, and keeps what was asked."""

    def __init__(self, port: int, answer: dict[str, Any]) -> None:
        self.calls: list[tuple[str, str]] = []
        self.bodies: list[str] = []
        self._answer = answer
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._runner: web.AppRunner | None = None
        asyncio.run_coroutine_threadsafe(self._start(port), self._loop).result(10)

    async def _start(self, port: int) -> None:
        app = web.Application()
        app.router.add_post("/0/private/{call}", self._private)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()

    async def _private(self, request: web.Request) -> web.Response:
        self.calls.append((request.match_info["call"], request.headers["API-Key"]))
        self.bodies.append((await request.read()).decode())
        return web.json_response(self._answer)

    def close(self) -> None:
        assert self._runner is not None
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture
def kraken(world: World, request: pytest.FixtureRequest) -> Iterator[FakeKraken]:
    fake = FakeKraken(world.simulator_port, getattr(request, "param", {"error": [], "result": {"count": 3}}))
    yield fake
    fake.close()


def test_halt_cancels_with_the_halt_key_when_the_executor_is_dead(world: World, kraken: FakeKraken) -> None:
    ran = world.tradebyte("halt", "--json")
    assert ran.returncode == 0, ran.stderr
    printed = json.loads(ran.stdout)
    assert (printed["how"], printed["open_orders"], printed["cancelled"]) == ("rest", 0, 3)
    assert kraken.calls == [("CancelAll", world.config.kraken.halt_key)]


def journal(world: World, *orders: tuple[str, str, str]) -> None:
    """Write a journal in which these (cl_ord_id, order_id, strategy) are live."""
    made = Journal(world.config.data / "journal.sqlite")
    rest: dict[str, Any] = {"symbol": "BTC/USD", "slot": "B0", "side": "buy", "price": "1", "qty": "1", "filled": "0"}
    rest |= {"state": "open", "error": "", "amend": "", "stamps": "{}"}
    times: dict[str, Any] = dict.fromkeys(("deadline_ts", "created_ts", "touched_ts", "changed_ts"), 0)
    made.write(
        OrderRow(cl_ord_id=ours, order_id=theirs, strategy=strategy, is_live=True, **rest, **times)
        for ours, theirs, strategy in orders
    )
    made.close()


def test_halt_by_rest_cancels_ours_by_name_and_nothing_else(world: World, kraken: FakeKraken) -> None:
    orders = [("T00000100000000001", "O1", "market_maker"), ("T00000100000000002", "", "market_maker")]
    journal(world, *orders, ("by-hand", "O9", "account"))
    printed = json.loads(world.tradebyte("halt", "--json").stdout)
    assert (printed["how"], printed["cancelled"], printed["whole_account"]) == ("rest", 3, False)
    assert kraken.calls == [("CancelOrderBatch", world.config.kraken.halt_key)]
    request = json.loads(kraken.bodies[0])
    assert (request["orders"], request["cl_ord_ids"]) == (["O1"], ["T00000100000000002"])


def test_halt_by_rest_with_nothing_of_ours_open_asks_for_nothing(world: World, kraken: FakeKraken) -> None:
    journal(world)
    printed = json.loads(world.tradebyte("halt", "--json").stdout)
    assert (printed["how"], printed["cancelled"], kraken.calls) == ("rest", 0, [])


@pytest.mark.parametrize("kraken", [{"error": ["EOrder:Unknown order"]}], indirect=True)
def test_orders_that_have_ended_are_no_failure_of_a_halt(world: World, kraken: FakeKraken) -> None:
    journal(world, ("T00000100000000001", "O1", "market_maker"), ("T00000100000000002", "O2", "market_maker"))
    printed = json.loads(world.tradebyte("halt", "--json").stdout)
    assert (printed["how"], printed["cancelled"], printed["open_orders"]) == ("rest", 0, 0)
    assert [call for call, _ in kraken.calls] == ["CancelOrderBatch", "CancelOrder", "CancelOrder"]


def test_a_journal_that_cannot_be_read_lets_nothing_of_ours_rest(world: World, kraken: FakeKraken) -> None:
    world.config.data.mkdir()
    (world.config.data / "journal.sqlite").write_bytes(b"no database at all" * 100)
    printed = json.loads(world.tradebyte("halt", "--json").stdout)
    assert (printed["how"], printed["whole_account"]) == ("rest", True)
    assert [call for call, _ in kraken.calls] == ["CancelAll"]


def test_halt_cancels_when_the_executor_lives_but_does_not_answer(world: World, kraken: FakeKraken) -> None:
    world.beat("executor", state="ready")
    world.orders(order("open"))
    assert json.loads(world.tradebyte("halt", "--json").stdout)["how"] == "rest"
    assert len(kraken.calls) == 1


def test_halt_says_what_remains_when_nobody_can_cancel(world: World) -> None:
    world.beat("executor", state="ready")
    world.orders(order("open"))
    ran = world.tradebyte("halt", "--json")
    assert ran.returncode == 1
    printed = json.loads(ran.stdout)
    assert (printed["halted"], printed["how"], printed["open_orders"]) == (True, "switch", 1)
    assert printed["until"].endswith("Z")
    assert world.config.halt_file.exists()


@pytest.mark.parametrize("kraken", [{"error": ["EGeneral:Permission denied"]}], indirect=True)
def test_halt_for_people_names_the_refusal(world: World, kraken: FakeKraken) -> None:
    ran = world.tradebyte("halt")
    assert ran.returncode == 1
    assert "EGeneral:Permission denied" in ran.stderr
    assert len(kraken.calls) == 1


def test_a_second_halt_keeps_the_first_reason_and_resume_ends_it(world: World) -> None:
    world.beat("executor", state="halted")
    world.orders()
    world.tradebyte("halt", "--reason", "first")
    again = world.tradebyte("halt", "--json", "--reason", "second")
    assert "first" in json.loads(again.stdout)["why"]
    assert json.loads(world.tradebyte("status", "--json").stdout)["halted"] is True
    resumed = world.tradebyte("resume", "--json")
    assert json.loads(resumed.stdout)["was_halted"] is True
    assert not world.config.halt_file.exists()
    assert json.loads(world.tradebyte("resume", "--json").stdout)["was_halted"] is False


@pytest.mark.parametrize("command", ["halt", "resume", "restart all"])
def test_what_acts_refuses_without_a_configuration(world: World, command: str) -> None:
    ran = world.tradebyte(*command.split(), TRADEBYTE_CONFIG=str(world.folder / "none.yaml"))
    assert ran.returncode == 78
    assert "none.yaml: no such file" in ran.stderr
    assert ran.stdout == ""


def test_a_wrong_configuration_is_named_with_its_line(world: World) -> None:
    world.write(max_position=5)
    ran = world.tradebyte("status")
    assert ran.returncode == 78
    assert "config.yaml:" in ran.stderr
    assert "max_position" in ran.stderr


def test_restart_without_supervisord_says_so(world: World) -> None:
    ran = world.tradebyte("restart", "book")
    assert ran.returncode == 1
    assert "supervisord does not answer" in ran.stderr
    assert "make run" in ran.stderr


def test_only_an_executor_keeps_orders(world: World) -> None:
    ran = world.tradebyte("restart", "book", "--keep")
    assert ran.returncode == 2
    assert "executor" in ran.stderr


def test_going_live_is_nothing_for_the_sandbox(world: World) -> None:
    ran = world.tradebyte("doctor", "--go-live")
    assert ran.returncode == 78
    assert world.config.kraken.api_secret not in ran.stdout + ran.stderr
    assert world.config.kraken.api_key not in ran.stdout + ran.stderr


def test_tail_says_that_nothing_runs_instead_of_waiting_for_ever(world: World) -> None:
    ran = world.tradebyte("tail", "fill")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert f"nothing runs that could be heard; looked in {world.config.run}" in ran.stderr


def test_status_says_where_it_looked_when_nothing_of_the_folder_runs(world: World) -> None:
    ran = world.tradebyte("status")
    assert "nothing of this folder's runs" in ran.stderr
    assert str(world.config.run) in ran.stderr


def test_halt_finds_the_configuration_of_the_folder_above(world: World, kraken: FakeKraken) -> None:
    world.beat("executor", state="halted")
    world.orders()
    world.config.logs.mkdir(exist_ok=True)
    ran = subprocess.run(
        [sys.executable, "-m", "monitor", "halt", "--json"],
        cwd=world.config.logs,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert json.loads(ran.stdout)["how"] == "executor", ran.stderr
    assert world.config.halt_file.exists()


def test_pause_and_resume_of_one_pair(world: World) -> None:
    world.beat("executor", details={"paused": {"BTC/USD": "by a test"}})
    printed = json.loads(world.tradebyte("pause", "BTC/USD", "--json").stdout)
    assert printed == {"paused": "BTC/USD", "executor_answered": True}
    assert "no reason given" in pausing.paused(world.config)["BTC/USD"]
    assert "paused: BTC/USD (by a test" in world.tradebyte("status").stdout
    assert world.tradebyte("resume", "BTC/USD").stdout == "BTC/USD goes on\n"
    assert pausing.paused(world.config) == {}
    refused = world.tradebyte("pause", "XBT/USD")
    assert refused.returncode == 2
    assert "BTC/USD" in refused.stderr


def test_a_plain_resume_leaves_what_is_paused_alone(world: World) -> None:
    pausing.pause(world.config, "BTC/USD", "a test")
    world.tradebyte("resume")
    assert list(pausing.paused(world.config)) == ["BTC/USD"]


def test_the_version_is_told(world: World) -> None:
    assert world.tradebyte("--version").stdout.startswith("tradebyte ")


@pytest.mark.parametrize("command", ["doctor", "status"])
def test_a_terminal_that_knows_only_ascii_is_no_traceback(world: World, command: str) -> None:
    ran = world.tradebyte(command, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert "Traceback" not in ran.stderr
    assert ran.stdout
