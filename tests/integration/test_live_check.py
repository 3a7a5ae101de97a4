"""``doctor --live-check`` against the simulator with each assumption in either position; it leaves nothing behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.process.account_lock import MachineLock, account_key
from tests.integration.simulator.running import MAKER, PEOPLE, ROOT, Running

# Each position of each switch that two orders far from the market can tell.
POSITIONS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "the other ones": {
        "batch_cancel_result": "count",
        "batch_cancel_least": 1,
        "batch_cancel_unknown": "refused",
        "rate_counter_name": "ratecounter",
        "validate_order_id": True,
        "too_many_decimals": "tick_size",
        "duplicate_subscribe": "acknowledged",
    },
    "the third ones": {"batch_cancel_result": "orders_cancelled"},
}
DEFAULTS = {
    "batch_cancel_result": "both",
    "batch_cancel_least": 2,
    "batch_cancel_unknown": "skipped",
    "rate_counter_name": "ratecount",
    "validate_order_id": False,
    "too_many_decimals": "invalid_price",
    "duplicate_subscribe": "refused",
}


@pytest.fixture
def exchange(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Running]:
    running = Running(tmp_path, unconfirmed=getattr(request, "param", {}))
    running.start()
    yield running
    running.stop()


def check(exchange: Running, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "monitor", "doctor", "--live-check", "--config", str(exchange.config), *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, capture_output=True, text=True, input=stdin, timeout=120, env=environment, check=False
    )


@pytest.mark.parametrize(
    ("exchange", "switches"),
    [(value, value) for value in POSITIONS.values()],
    ids=list(POSITIONS),
    indirect=["exchange"],
)
def test_it_says_which_position_the_exchange_is_in_and_leaves_nothing(
    exchange: Running, switches: dict[str, Any]
) -> None:
    done = check(exchange, "--yes", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["unconfirmed"] == {**DEFAULTS, **switches}
    assert (report["left"], report["unsafe"]) == ([], [])
    assert json.loads(Path(report["report"]).read_text())["findings"] == report["findings"]
    outcomes = {row["name"]: row["outcome"] for row in report["findings"]}
    assert outcomes["open order in a snapshot"] == outcomes["amend"] == outcomes["the switch"] == "confirmed"
    closed = exchange.ask("ClosedOrders", PEOPLE)["closed"]
    assert {row["cl_ord_id"] for row in closed.values()} == set(report["orders"])
    assert {row["status"] for row in closed.values()} == {"canceled"}


def test_without_the_typed_word_nothing_is_placed(exchange: Running) -> None:
    done = check(exchange, stdin="yes\n")
    assert done.returncode == 1
    assert "nothing was placed" in done.stderr
    assert exchange.ask("ClosedOrders", PEOPLE)["closed"] == {}


def test_it_refuses_while_an_executor_runs(exchange: Running) -> None:
    lock = MachineLock(account_key(exchange.url, MAKER[0]))
    try:
        done = check(exchange, "--yes", "--json")
    finally:
        lock.release()
    assert done.returncode == 75
    assert "executor" in done.stderr


def test_it_refuses_while_any_order_rests(exchange: Running) -> None:
    order = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "50000", "volume": "0.001"}
    exchange.ask("AddOrder", PEOPLE, **order)
    done = check(exchange, "--yes", "--json")
    assert done.returncode == 1
    assert "1 order rests" in json.loads(done.stdout)["error"]
    assert len(exchange.ask("OpenOrders", PEOPLE)["open"]) == 1
