"""Logs: one line an event, levels by module, floods counted, secrets never in them."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog

from shared import config as configuration, limits
from shared.config import Config, Kraken, check
from shared.config.secret import HIDDEN, Mask, secrets_of
from shared.errors import ConfigError
from shared.process import logs
from shared.process.flood import Flood
from tests.frames import ROOT

KEY, SECRET = "KEY-ABCDEFGHIJKLMNOPQRSTUVWXYZ-0123", "c2VjcmV0LXRoYXQtbXVzdC1ub3QtYmUtc2Vlbg=="


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Undo what a process sets up once and for all."""
    hook, handlers, level = sys.excepthook, logging.root.handlers[:], logging.root.level
    yield
    sys.excepthook, logging.root.handlers[:] = hook, handlers
    logging.root.setLevel(level)
    for name in ("asyncio", "websockets", "aiohttp.access", "executor", "strategy", "library"):
        logging.getLogger(name).setLevel(logging.NOTSET)
    structlog.reset_defaults()


class Written:
    """A process's log, and what it told the bus."""

    def __init__(self, folder: Path, name: str = "executor", **logging_: Any) -> None:
        config = Config(root=folder, kraken=Kraken(api_key=KEY, api_secret=SECRET))
        config.logging = msgspec.structs.replace(config.logging, **logging_)
        check(config, lambda _key: "test")
        self.told: list[tuple[str, str, dict[str, Any]]] = []
        self.logs = logs.Logs(name, config, lambda *told: self.told.append(told))
        self.log = logs.logger(name)
        self._file = config.logs / f"{name}.log"

    @property
    def text(self) -> str:
        return self._file.read_text()

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()


def test_an_event_is_one_line_with_time_level_and_fields(tmp_path: Path) -> None:
    written = Written(tmp_path)
    written.log.info("something\nhappened", symbol="BTC/USD", n=3)
    (line,) = written.lines
    assert line.startswith("timestamp='20")
    assert "level='info' event='something\\nhappened'" in line
    assert "symbol='BTC/USD' n=3" in line


def test_warnings_are_told_to_the_bus_and_nothing_below(tmp_path: Path) -> None:
    written = Written(tmp_path)
    written.log.info("a")
    written.log.warning("b", why="c")
    written.log.error("d")
    assert written.told == [("warning", "b", {"why": "c"}), ("error", "d", {})]


def test_a_librarys_line_takes_the_same_way(tmp_path: Path) -> None:
    written = Written(tmp_path)
    logging.getLogger("library").warning("broken %s", "pipe")
    (line,) = written.lines
    assert "level='warning' event='broken pipe' logger='library'" in line
    assert written.told == [("warning", "broken pipe", {"logger": "library"})]


# --- levels ----------------------------------------------------------------------------------------------------------


def test_a_module_may_have_a_level_of_its_own(tmp_path: Path) -> None:
    written = Written(tmp_path, levels={"executor": "debug", "library": "error"})
    written.log.debug("in detail")
    logs.logger("book").debug("too much")
    logging.getLogger("library.part").warning("not wanted")
    assert len(written.lines) == 1
    assert "in detail" in written.text


def test_the_level_of_strategy_is_that_of_every_strategy(tmp_path: Path) -> None:
    written = Written(tmp_path, "strategy.market_maker", levels={"strategy": "error"})
    written.log.warning("not wanted")
    assert written.lines == []


def test_the_environments_log_level_wins(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("logging: {level: info}")
    assert configuration.load(file, environ={"LOG_LEVEL": "DEBUG"}).logging.level == "debug"
    assert configuration.load(file, environ={"LOG_LEVEL": "warn"}).logging.level == "warning"
    assert configuration.load(file, environ={"LOG_LEVEL": ""}).logging.level == "info"
    with pytest.raises(ConfigError, match="LOG_LEVEL is 'loud'; allowed: debug, info, warning, error"):
        configuration.load(file, environ={"LOG_LEVEL": "loud"})


# --- floods ----------------------------------------------------------------------------------------------------------


def test_the_first_of_a_kind_are_let_through_and_the_rest_counted() -> None:
    flood = Flood()
    most = limits.LOG_SAME_IN_WINDOW
    assert [flood.allows("a", 0.0) for _ in range(most + 5)] == [True] * most + [False] * 5
    assert flood.allows("b", 0.0)
    assert list(flood.over(limits.LOG_WINDOW_S - 1)) == []
    assert list(flood.over(limits.LOG_WINDOW_S)) == [("a", 5)]
    assert flood.allows("a", limits.LOG_WINDOW_S)
    assert list(flood.over(10 * limits.LOG_WINDOW_S)) == []


def test_the_kinds_that_are_tracked_are_bounded() -> None:
    flood = Flood()
    assert all(flood.allows(kind, 0.0) for kind in range(3 * limits.LOG_KINDS_TRACKED))
    assert len(flood._seen) == limits.LOG_KINDS_TRACKED


def test_a_flood_is_counted_and_told_once_its_minute_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(logs, "monotonic", lambda: now[0])
    written = Written(tmp_path)
    for number in range(100):
        written.log.warning("bad frame", number=number)
        logging.getLogger("library").warning("slow %s", number)
    assert len(written.lines) == len(written.told) == 2 * limits.LOG_SAME_IN_WINDOW
    written.logs.turn()
    assert len(written.lines) == 2 * limits.LOG_SAME_IN_WINDOW
    now[0] = limits.LOG_WINDOW_S
    written.logs.turn()
    kept = 100 - limits.LOG_SAME_IN_WINDOW
    assert f"event='bad frame: {logs.HELD_BACK}' times={kept}" in written.lines[-2]
    assert f"event='slow %s: {logs.HELD_BACK}' times={kept}" in written.lines[-1]


def test_alerts_of_different_kinds_are_no_flood(tmp_path: Path) -> None:
    written = Written(tmp_path)
    for number in range(3 * limits.LOG_SAME_IN_WINDOW):
        written.log.warning("alert", kind=f"kind {number}")
    assert len(written.lines) == 3 * limits.LOG_SAME_IN_WINDOW


# --- secrets ---------------------------------------------------------------------------------------------------------


def test_every_key_of_the_configuration_is_secret() -> None:
    config = Config(kraken=Kraken(api_key=KEY, api_secret=SECRET))
    check(config, lambda _key: "test")
    secrets = secrets_of(config)
    assert {KEY, SECRET, config.kraken.halt_secret} <= set(secrets)
    assert {key.api_secret for account in config.simulator.accounts for key in account.keys} <= set(secrets)


def test_secrets_are_in_no_field_and_no_traceback(tmp_path: Path) -> None:
    written = Written(tmp_path)
    written.log.info(f"using {KEY}", headers={"API-Key": KEY, "n": [SECRET]}, secret=SECRET)
    written.log.warning(f"refused {KEY}", why=ValueError(SECRET))
    logging.getLogger("library").error("sent %s", SECRET)
    try:
        raise RuntimeError(f"no such key: {KEY} {SECRET}")
    except RuntimeError:
        written.log.critical("crashed", exc_info=True)
        logging.getLogger("library").exception("failed")
    everything = written.text + str(written.told)
    assert KEY not in everything
    assert SECRET not in everything
    assert everything.count(HIDDEN) >= 8
    assert "RuntimeError" in written.text
    assert len(written.lines) == 5


def test_secrets_are_not_in_what_ends_a_process(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Written(tmp_path)
    error = RuntimeError(f"signing with {SECRET}")
    sys.excepthook(RuntimeError, error, None)
    assert f"RuntimeError: signing with {HIDDEN}" in capsys.readouterr().err


def test_a_secret_is_hidden_also_where_it_was_quoted() -> None:
    secret = "it's\\a secret"
    assert Mask([secret])(f"{secret} {secret!r}").count(HIDDEN) == 2


@pytest.mark.parametrize(
    "module", ["collector.__main__", "book.__main__", "strategy.__main__", "executor.shell", "monitor.shell"]
)
def test_no_process_loads_what_would_colour_its_log(module: str) -> None:
    code = f"import sys, {module}; print('rich' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ran.stdout == "False\n"
