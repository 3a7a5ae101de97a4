"""Doctor against a simulated exchange, with keys that are right, wrong, too weak and too strong."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.cli.doctor import exchange, keys, questions
from shared import config
from shared.config import Config
from tests.system import free_port

from .conftest import ROOT, World

pytestmark = pytest.mark.processes

SECRET = "c29tZS1zZWNyZXQ="
KEYS: dict[str, list[str]] = {
    "GOOD": ["query", "trade", "cancel", "websocket"],
    "STRONG": ["query", "trade", "cancel", "websocket", "withdraw"],
    "WEAK": ["query"],
    "BEHIND": ["query", "trade", "cancel", "websocket"],
    "HALT": ["cancel"],
}


class Exchange:
    """A simulator process, and configurations that talk to it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        (folder / "config").mkdir(parents=True)
        self.monitor_port = free_port()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "simulator", "--config", str(self.write("GOOD"))], cwd=ROOT
        )

    def write(self, key: str, secret: str = SECRET) -> Path:
        """Write the file of a configuration that trades with this key; return its path."""
        accounts = [
            {
                "name": "maker",
                "keys": [{"api_key": k, "api_secret": SECRET, "permissions": may} for k, may in KEYS.items()],
                "balances": {"USD": 100000},
            }
        ]
        file = self.folder / "config" / f"{key}.yaml"
        kraken = {"api_key": key, "api_secret": secret, "halt_key": "HALT", "halt_secret": SECRET}
        tree: dict[str, Any] = {"kraken": kraken, "simulator": {"port": self.port, "accounts": accounts}}
        # The default may be taken by a sandbox that runs on this machine.
        tree["monitor"] = {"port": self.monitor_port}
        file.write_text(yaml.safe_dump(tree))
        return file

    def with_key(self, key: str, secret: str = SECRET) -> Config:
        """Return a configuration that trades with this key."""
        return config.load(self.write(key, secret), environ={})

    def wait(self) -> None:
        """Wait until it answers."""
        end = time.monotonic() + 45
        while not questions.ask(self.with_key("WEAK")).time.is_good:
            assert self._process.poll() is None
            assert time.monotonic() < end, "the simulator does not answer"
            time.sleep(0.1)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(20)


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    made = Exchange(tmp_path_factory.mktemp("exchange"))
    try:
        made.wait()
        yield made
    finally:
        made.close()


def key(answers: questions.Answers) -> tuple[str, str, str]:
    assert answers.api_key is not None
    (finding,) = keys.executor_key(answers.api_key, "test", time.time())
    return finding.level, finding.text, finding.mend


def test_a_good_key_is_good_and_all_is_told(simulator: Exchange) -> None:
    answers = questions.ask(simulator.with_key("GOOD"))
    assert key(answers)[0] == "ok"
    assert answers.time.is_good
    assert answers.socket.is_good
    assert exchange.system_status(answers.status)[0].level == "ok"
    assert exchange.clock(answers.clock)[0].level == "ok"
    fees = exchange.maker_fees(None, answers.volume, answers.names)
    assert fees == dict.fromkeys(("BTC/USD", "ETH/USD", "SOL/USD"), ("0.2500", "0.4000"))
    assert answers.halt_key is not None
    assert keys.halt_key(answers.halt_key, "HALT", time.time())[0].level == "ok"
    assert answers.open_orders == questions.Answer({"open": {}})


@pytest.mark.parametrize(
    ("name", "secret", "text", "mend"),
    [
        ("NOBODY", SECRET, "EAPI:Invalid key", "set kraken.api_key"),
        ("GOOD", "AAAA", "EAPI:Invalid signature", "copy kraken.api_secret again"),
        ("WEAK", SECRET, "may not: create and modify orders, cancel orders, use WebSockets", "give it that right"),
        ("STRONG", SECRET, "may withdraw money", "take that right"),
    ],
)
def test_a_key_in_trouble_is_an_error_of_its_own(
    simulator: Exchange, name: str, secret: str, text: str, mend: str
) -> None:
    finding = key(questions.ask(simulator.with_key(name, secret)))
    assert finding[0] == "error"
    assert text in finding[1]
    assert mend in finding[2]


def test_asking_twice_within_a_second_is_no_nonce_behind(simulator: Exchange) -> None:
    good = simulator.with_key("GOOD")
    assert [key(questions.ask(good))[0] for _ in range(3)] == ["ok"] * 3


def test_a_nonce_behind_is_an_error_of_its_own(simulator: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    behind = simulator.with_key("BEHIND")
    assert key(questions.ask(behind))[0] == "ok"
    monkeypatch.setattr(questions, "nonces", lambda _now_ns: iter([5, 6, 7]))
    finding = key(questions.ask(behind))
    assert (finding[0], "EAPI:Invalid nonce" in finding[1], "clock was set back" in finding[2]) == ("error", True, True)


def test_a_secret_that_is_no_base64_is_told_without_it(simulator: Exchange) -> None:
    answers = questions.ask(simulator.with_key("GOOD", "not/base64!"))
    assert answers.api_key is not None
    assert "not base64" in answers.api_key.trouble
    assert "not/base64!" not in answers.api_key.trouble


def test_the_command_exits_with_1_when_the_key_is_wrong(simulator: Exchange, world: World) -> None:
    file = simulator.write("NOBODY")
    ran = world.tradebyte("doctor", "--json", "--config", str(file))
    report = json.loads(ran.stdout)
    assert ran.returncode == 1
    assert not report["ok"]
    (key_finding,) = [finding for finding in report["findings"] if finding["check"] == "api-key"]
    assert key_finding["level"] == "error"
    assert SECRET not in ran.stdout
    # Of the others only those of processes that do not run are wrong: the simulator is told to be ours.
    wrong = {finding["check"] for finding in report["findings"] if finding["level"] == "error"}
    assert wrong == {"api-key", "processes", "books"}


def test_a_wrong_configuration_is_one_object_too(world: World) -> None:
    world.write(max_order_size=-5)
    ran = world.tradebyte("doctor", "--json")
    assert ran.returncode == 78
    (finding,) = json.loads(ran.stdout)["findings"]
    assert (finding["check"], "max_order_size" in finding["text"]) == ("configuration", True)
    assert "max_order_size" in ran.stderr
