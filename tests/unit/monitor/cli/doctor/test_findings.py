"""Findings of doctor: each trouble has a message of its own, with the mend."""

from __future__ import annotations

import os
import socket
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from monitor.cli.doctor import exchange, keys, local, questions, system
from monitor.cli.doctor.command import report, show
from monitor.cli.doctor.finding import Finding
from monitor.cli.doctor.questions import Answer, Answers, Clock
from monitor.errors import SupervisorAbsent
from monitor.model import status_details
from monitor.model.alerting.shortages import shortages
from monitor.model.status_object import MachineFigures
from monitor.model.view import View
from monitor.watchdog import machine, supervisor
from shared import config as configuration
from shared.config import Config, Kraken, Trading, check
from shared.config.monitor import Monitor
from shared.kraken.rest_names import RestNames
from shared.messages import Account, Fees
from shared.process import account_lock
from tests.kit.monitor.messages import FIGURES

RIGHTS = list(keys.NEEDED)
NOW_S = 1_800_000_000.0


@pytest.fixture
def config(tmp_path: Path) -> Config:
    made = Config(root=tmp_path)
    check(made, lambda _key: "test")
    return made


def live(tmp_path: Path, secret: str = "c29tZS1saXZlLXNlY3JldA==") -> Config:
    made = Config(
        kraken=Kraken(sandbox=False, api_key="LIVE-KEY-1234", api_secret=secret, halt_key="", halt_secret=""),
        trading=Trading(pairs=["BTC/USD"], inventory_base={"BTC": Decimal(1)}),
        root=tmp_path,
        source=tmp_path / "config.yaml",
    )
    check(made, lambda _key: "test")
    return made


def levels(findings: list[Finding]) -> list[str]:
    return [finding.level for finding in findings]


def key(*errors: str, trouble: str = "", **info: Any) -> Finding:
    (finding,) = keys.executor_key(Answer(info, errors, trouble), "1234", NOW_S)
    return finding


def test_a_key_with_what_it_takes_and_no_more_is_good() -> None:
    assert key(permissions=RIGHTS).level == "ok"


def test_a_wrong_key_a_wrong_secret_a_nonce_behind_and_a_weak_key_are_told_apart() -> None:
    troubles = ["EAPI:Invalid key", "EAPI:Invalid signature", "EAPI:Invalid nonce", "EGeneral:Permission denied"]
    findings = [key(trouble) for trouble in troubles]
    assert levels(findings) == ["error"] * 4
    assert len({finding.mend for finding in findings}) == 4
    assert all(finding.mend and trouble in finding.text for finding, trouble in zip(findings, troubles, strict=True))


def test_a_key_that_may_withdraw_is_refused() -> None:
    finding = key(permissions=[*RIGHTS, "withdraw-funds"])
    assert (finding.level, "may withdraw money" in finding.text) == ("error", True)


def test_a_key_that_is_too_weak_names_what_it_lacks() -> None:
    finding = key(permissions=[right for right in RIGHTS if right != "access-websockets"])
    assert finding.level == "error"
    assert finding.text.endswith("may not: use WebSockets")


@pytest.mark.parametrize(("days", "level", "word"), [(-1, "error", "expired on"), (3, "warning", "expires on")])
def test_a_key_that_expires_says_when(days: int, level: str, word: str) -> None:
    finding = key(permissions=RIGHTS, validUntil=str(NOW_S + days * 86_400))
    assert (finding.level, word in finding.text) == (level, True)


def test_an_exchange_that_does_not_tell_is_no_error() -> None:
    assert key("EGeneral:Unknown method").level == "warning"
    assert key(trouble="HTTP 404").level == "warning"
    assert key(permissions=["something else"]).level == "warning"


def test_the_halt_key_should_cancel_and_nothing_else() -> None:
    def halt(answer: Answer | None) -> list[str]:
        return levels(keys.halt_key(answer, "9", NOW_S))

    assert halt(Answer({"permissions": ["close-trades"]})) == ["ok"]
    assert halt(Answer({"permissions": ["query-funds"]})) == ["warning"]
    assert halt(Answer({"permissions": ["close-trades", "withdraw-funds"]})) == ["warning"]
    assert halt(Answer(errors=("EAPI:Invalid key",))) == ["warning"]
    assert halt(None) == ["warning"]


def test_the_data_key_should_read_and_nothing_else_and_need_not_be() -> None:
    def data(answer: Answer | None) -> list[str]:
        return levels(keys.data_key(answer, "9", NOW_S))

    assert data(None) == []
    assert data(Answer({"permissions": ["access-websockets"]})) == ["ok"]
    assert data(Answer({"permissions": ["query-funds"]})) == ["warning"]
    assert data(Answer({"permissions": ["access-websockets", "modify-trades"]})) == ["warning"]
    assert data(Answer({"permissions": ["access-websockets"], "validUntil": str(NOW_S - 1)})) == ["warning"]
    assert data(Answer(errors=("EAPI:Invalid key",))) == ["warning"]
    assert data(Answer(trouble="HTTP 404")) == ["warning"]


@pytest.mark.parametrize("past_ns", [0, 1, 999_999_000])
def test_nonces_rise_and_leave_an_executor_that_starts_now_its_own(past_ns: int) -> None:
    now_s = 1_800_000_000
    made = list(islice(questions.nonces(now_s * 10**9 + past_ns), 3))
    assert made == sorted(set(made))
    assert made[-1] < now_s * 10**9 + 1  # the first of that executor


def test_whoever_trades_the_account_is_seen() -> None:
    # An account of this test's own: the sandbox's may be traded on this machine now.
    named = account_lock.account_key("http://127.0.0.1:1", f"key {os.getpid()}")
    assert not account_lock.is_account_held(named)
    lock = account_lock.MachineLock(named)
    assert account_lock.is_account_held(named)
    lock.release()
    assert not account_lock.is_account_held(named)


def answers(time: Answer, socket: Answer) -> Answers:
    return Answers(time, Answer({"status": "online"}), socket)


def test_a_sandbox_that_does_not_run_is_no_error(config: Config) -> None:
    down = answers(Answer(trouble="refused"), Answer(trouble="refused"))
    assert levels(exchange.connectivity(down, config, expected=False)) == ["warning"]
    assert levels(exchange.connectivity(down, config, expected=True)) == ["error", "error"]


def test_kraken_that_does_not_answer_is_an_error(tmp_path: Path) -> None:
    down = answers(Answer(trouble="TimeoutError"), Answer("open"))
    findings = exchange.connectivity(down, live(tmp_path), expected=False)
    assert levels(findings) == ["error", "ok"]
    assert "port 443" in findings[0].mend


@pytest.mark.parametrize(
    ("offset_s", "uncertain_s", "level"),
    [
        (0.1, 0.01, "ok"),
        (-0.3, 0.01, "warning"),
        (0.3, 0.1, "ok"),
        (1.9, 0.0, "warning"),
        (-3600.0, 0.5, "error"),
        (2.3, 0.5, "warning"),
    ],
)
def test_a_clock_is_judged_by_what_is_certain(offset_s: float, uncertain_s: float, level: str) -> None:
    (finding,) = exchange.clock(Clock(offset_s, uncertain_s))
    assert finding.level == level
    assert ("behind" in finding.text) == (offset_s < 0)


@pytest.mark.parametrize(("word", "level"), [("online", "ok"), ("maintenance", "error"), ("cancel_only", "error")])
def test_an_exchange_that_is_not_online_is_told(word: str, level: str) -> None:
    assert levels(exchange.system_status(Answer({"status": word}))) == [level]


def test_fees_come_from_the_executor_else_from_the_exchange() -> None:
    account = Account(valid=True, fees={"BTC/USD": Fees(maker="0.2500", taker="0.4000")})
    rate, maker = {"fee": "0.10"}, {"fee": "0.02"}
    volume = Answer({"fees": {"XXBTZUSD": rate, "USDTZUSD": rate}, "fees_maker": {"XXBTZUSD": maker}})
    # Ids follow no rule: the exchange's own list has them.
    rows = {"XXBTZUSD": {"altname": "XBTUSD", "wsname": "XBT/USD"}}
    names = RestNames(rows | {"USDTZUSD": {"altname": "USDTUSD", "wsname": "USDT/USD"}}, {})
    assert exchange.maker_fees(account, volume, names) == {"BTC/USD": ("0.2500", "0.4000")}
    fees_by_symbol = {"BTC/USD": ("0.02", "0.10"), "USDT/USD": ("0.10", "0.10")}
    assert exchange.maker_fees(None, volume, names) == fees_by_symbol
    assert exchange.maker_fees(None, Answer(errors=("EGeneral:Permission denied",)), names) == {}


def test_break_even_is_the_maker_fee_in_basis_points() -> None:
    (good,) = exchange.fees({"BTC/USD": ("0.0200", "0.1000")})
    assert "break-even half-spread 2.00 bp" in good.text
    (dear,) = exchange.fees({"BTC/USD": ("0.2500", "0.4000")})
    assert (dear.level, "25.00 bp" in dear.text) == ("warning", True)
    assert levels(exchange.fees({})) == ["warning"]


def test_a_file_with_live_secrets_is_for_its_owner_only(tmp_path: Path) -> None:
    config = live(tmp_path)
    assert config.source is not None
    config.source.write_text(f"api_secret: {config.kraken.api_secret}")
    config.source.chmod(0o644)
    assert levels(local.configuration(config)) == ["ok", "warning"]
    assert config.kraken.api_secret not in str(local.configuration(config))
    config.source.chmod(0o600)
    assert levels(local.configuration(config)) == ["ok", "ok"]
    config.source.write_text("api_secret: ${KRAKEN_API_SECRET}")
    config.source.chmod(0o644)
    assert levels(local.configuration(config)) == ["ok", "ok"]


def test_a_webhooks_address_is_a_secret_in_the_sandbox_too(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text('monitor: {webhooks: [{url: "https://hooks.example/a-token"}]}')
    file.chmod(0o644)
    findings = local.configuration(configuration.load(file, environ={}))
    assert levels(findings) == ["ok", "warning"]
    assert "a-token" not in str(findings)
    file.write_text('monitor: {webhooks: [{url: "${HOOK}"}]}')
    findings = local.configuration(configuration.load(file, environ={"HOOK": "https://hooks.example/a-token"}))
    assert levels(findings) == ["ok", "ok"]


def test_a_folder_that_cannot_be_written_is_an_error(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    assert levels(local.folders(config)) == ["ok"]
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    (finding,) = local.folders(config)
    assert (finding.level, str(config.data) in finding.text) == ("error", True)


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({}, ["ok", "ok", "ok"]),
        ({"cpu_percent": 95.0}, ["warning", "ok", "ok"]),
        ({"memory_percent": 95.0}, ["ok", "warning", "ok"]),
        ({"disk_free_mb": 400}, ["ok", "ok", "warning"]),
        ({"disk_free_mb": 40}, ["ok", "ok", "error"]),
    ],
)
def test_the_machine_is_judged_by_the_thresholds(config: Config, changed: dict[str, float], wanted: list[str]) -> None:
    assert levels(local.resources(msgspec.convert(FIGURES | changed, MachineFigures), config)) == wanted


def test_the_machine_can_be_looked_at_before_its_folders_are_there(tmp_path: Path) -> None:
    figures = machine.Machine(tmp_path / "not" / "there").figures()
    assert figures.disk_free_mb > 0
    assert shortages(msgspec.convert(FIGURES, MachineFigures), Monitor()) == {}


def test_a_port_that_a_stranger_holds_is_an_error(config: Config) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        config.monitor = Monitor(port=port)
        finding = local.ports(config)[-1]
        assert (finding.level, f"port {port}" in finding.text, f"pid {os.getpid()}" in finding.text) == (
            "error",
            True,
            True,
        )
        config.run.mkdir()
        (config.run / "monitor.lock").write_text(f"pid {os.getpid()} in /somewhere")
        assert local.ports(config)[-1].level == "ok"


class FakeSupervisord(supervisor.Supervisor):
    """A supervisord that says what it is told to."""

    def __init__(self, states: dict[str, str] | None) -> None:
        super().__init__(Path("/nowhere"))
        self.states = states

    def every(self) -> list[supervisor.ProgramInfo]:
        if self.states is None:
            raise SupervisorAbsent("nobody there")
        return [
            supervisor.ProgramInfo(name=name, statename=state, pid=0, exitstatus=78)
            for name, state in self.states.items()
        ]


def test_supervisords_programs_are_looked_through(config: Config) -> None:
    names = ["simulator", "collector", "book", "strategy", "executor", "monitor"]
    assert levels(local.programs(config, FakeSupervisord(None))) == ["warning"]
    assert levels(local.programs(config, FakeSupervisord(dict.fromkeys(names, "RUNNING")))) == ["ok"]
    (finding,) = local.programs(config, FakeSupervisord(dict.fromkeys(names, "RUNNING") | {"executor": "EXITED"}))
    assert (finding.level, "executor.out.log" in finding.mend) == ("error", True)
    (finding,) = local.programs(config, FakeSupervisord(dict.fromkeys(names[1:], "RUNNING")))
    assert "no program simulator" in finding.text


def test_without_rust_the_twins_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert local.rust(running=True).level == "ok"
    assert local.rust(running=False).level == "warning"
    assert "make rust" in local.rust(running=False).mend


def test_a_strategys_settings_are_looked_at_and_named_with_file_line_and_key(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    text = "strategies:\n  market_maker:\n    settings:\n      {0}\n"
    for setting, said in (
        ("levels: 0", "config.yaml:4: strategies.market_maker.settings.levels: levels must be 1 to 20, found 0"),
        ("levls: 2", "config.yaml:4: unknown key 'strategies.market_maker.settings.levls'; did you mean 'levels'?"),
        ("size: much", "config.yaml:4: strategies.market_maker.settings.size: "),
    ):
        file.write_text(text.format(setting))
        finding = local.strategies(configuration.load(file, environ={}))
        assert (finding.level, said in finding.text) == ("error", True), finding.text
    file.write_text(text.format("levels: 2"))
    assert local.strategies(configuration.load(file, environ={})).level == "ok"


def test_a_damaged_journal_is_an_error(config: Config) -> None:
    assert local.journal(config).level == "ok"
    config.data.mkdir()
    (config.data / "journal.sqlite").write_bytes(b"no database at all" * 100)
    assert local.journal(config).level == "error"


def test_nothing_running_is_an_error_and_so_is_one_that_is_dead(config: Config) -> None:
    status = status_details.status(View(config), config, 0, 0, None)
    assert levels(system.processes(status)) == ["error"]
    ready = {name: replace(process, state="ready") for name, process in status.processes.items()}
    assert levels(system.processes(replace(status, processes=ready))) == ["ok"]
    dead = replace(ready["book"], state="dead", why="last heard 9 s ago")
    (finding,) = system.processes(replace(status, processes=ready | {"book": dead}))
    assert (finding.level, "tradebyte restart book" in finding.mend) == ("error", True)


def test_a_halt_keeps_it_from_trading() -> None:
    assert levels(system.halted(None)) == ["ok"]
    (finding,) = system.halted("a loss")
    assert (finding.level, "resume" in finding.mend) == ("error", True)


def test_orders_of_others_are_counted_and_what_the_switch_does_is_said(config: Config) -> None:
    rows = {"O1": {"cl_ord_id": "T00000100000000001"}, "O2": {}, "O3": {"cl_ord_id": "mine"}}
    (finding,) = system.others(View(config), Answer({"open": rows}))
    assert finding.text.startswith("2 orders on the account are not ours")
    assert "pulls EVERY order" in finding.mend
    assert levels(system.others(View(config), Answer({"open": {}}))) == ["ok"]


def test_the_report_counts_and_the_table_reads_aloud(capsys: pytest.CaptureFixture[str]) -> None:
    from monitor.cli.common import console

    findings = [Finding("disk", "ok", "fine"), Finding("halt", "error", "halted [by me]", "resume")]
    counts = report(findings)
    assert (counts.ok, counts.errors, counts.warnings) == (False, 1, 0)
    assert msgspec.to_builtins(counts.findings[1]) == {
        "check": "halt",
        "level": "error",
        "text": "halted [by me]",
        "mend": "resume",
    }
    show(findings, console())
    output = capsys.readouterr().out
    assert "error   halt: halted [by me]\n        to do: resume" in output
    assert "1 of these keep it from trading" in output
