"""The configuration: what is wrong is named with file, line and mend."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from shared import config
from shared.config import ConfigError


def load(tmp_path: Path, text: str, environ: dict[str, str] | None = None) -> config.Config:
    folder = tmp_path / "config"
    folder.mkdir(exist_ok=True)
    (folder / "config.yaml").write_text(text)
    return config.load(folder / "config.yaml", environ=environ or {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "config.yaml:1: the file is empty"),
        ("- a\n", "config.yaml:1: expected top keys"),
        ("trading:\n  pairs: [\n", "config.yaml:3: not valid YAML"),
        ("trading:\n  max_positon_size: 5\n",
         "2: unknown key 'trading.max_positon_size'; did you mean 'max_position_size'?"),
        ("tradin:\n  pairs: []\n", "config.yaml:1: unknown key 'tradin'; did you mean 'trading'?"),
        ("trading:\n  max_position_size: much\n", "config.yaml:2: trading.max_position_size"),
        ("trading:\n  max_position_size: -1\n", "config.yaml:2: trading.max_position_size: must be above 0, found -1"),
        ("trading:\n  tier: gold\n",
         "config.yaml:2: trading.tier: must be one of starter, intermediate, pro, found 'gold'"),
        ("monitor:\n  alerts:\n    latency:\n      above_ms: {fast: 1}\n",
         "4: monitor.alerts.latency.above_ms: Invalid enum value 'fast', must be one of exchange_to_collector, "),
        ("simulator:\n  unconfirmed: {filled_report: seperate}\n",
         "unconfirmed.filled_report: must be one of separate, in_the_trade, found 'seperate'"),
        ("simulator:\n  unconfirmed: {batch_cancel_least: 3}\n",
         "unconfirmed.batch_cancel_least: must be one of 2, 1, 0, found 3"),
        ("simulator:\n  unconfirmed: {filed_report: separate}\n",
         "unknown key 'simulator.unconfirmed.filed_report'; did you mean 'filled_report'?"),
        ("kraken:\n  sandbox: true\n  ws_url: wss://ws.kraken.com/v2\n",
         "config.yaml:3: kraken.ws_url: sandbox is true but ws.kraken.com"),
        ("kraken:\n  api_key: ${NOT_SET}\n", "config.yaml:2: kraken.api_key: environment variable NOT_SET is not set"),
        ("kraken:\n  sandbox: false\n", "config.yaml:1: trading.inventory_base"),
        ("kraken:\n  sandbox: false\ntrading:\n  inventory_base: {BTC: 0}\n", "kraken.api_key: sandbox is false"),
        ("simulator:\n  host: 0.0.0.0\n", "config.yaml:2: simulator.host"),
        ("bus:\n  collector: tcp://10.0.0.1:5000\n", "bus.collector: tcp beyond loopback needs bus.curve"),
        ("bus:\n  colector: ipc://x\n", "config.yaml:2: bus.colector: no such process; did you mean collector?"),
        ("strategies:\n  m:\n    class: nonsense\n", "config.yaml:3: strategies.m.class: must be module:Class"),
        ("root: /\n", "config.yaml:1: unknown key 'root'"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_with_line_and_mend(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "kraken:\n  api_secret: [s3cr3t]\n",
        "kraken:\n  api_secret: s3cr3t\nmonitor:\n  alerts:\n    latency:\n      above_ms: {fast: 1}\n",
        "kraken:\n  api_secret: s3cr3t\nmonitor:\n  alerts:\n    latency:\n      above_ms: {1: 1}\n",
        "kraken: [{api_secret: s3cr3t}]\n",
    ],
)
def test_a_secret_is_not_shown_in_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert "s3cr3t" not in str(caught.value)


def test_variables_are_taken_from_the_environment(tmp_path: Path) -> None:
    found = load(tmp_path, 'kraken:\n  api_key: "${KEY}"\n', {"KEY": "abc"})
    assert found.kraken.api_key == "abc"


def test_numbers_are_read_as_written(tmp_path: Path) -> None:
    assert load(tmp_path, "trading:\n  min_order_size: 10.1\n").trading.min_order_size == Decimal("10.1")


def test_relative_places_count_from_the_project(tmp_path: Path) -> None:
    assert load(tmp_path, "trading: {}\n").data == tmp_path / "data"


def test_a_named_file_that_is_missing_is_refused_and_so_is_none_for_a_command_that_acts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError):
        config.load(tmp_path / "no.yaml", environ={})
    with pytest.raises(ConfigError):
        config.load(environ={}, required=True)
    assert config.load(environ={}).kraken.sandbox


def test_live_trading_wants_consent_for_the_key(tmp_path: Path) -> None:
    text = "kraken:\n  sandbox: false\n  api_key: A\n  api_secret: Qg==\ntrading:\n  inventory_base: {BTC: 0}\n"
    found = load(tmp_path, text)
    assert found.kraken.rest_url == config.LIVE_REST
    with pytest.raises(ConfigError, match="doctor --go-live"):
        config.require_consent(found)
    config.consent_file(found).parent.mkdir(parents=True)
    config.consent_file(found).touch()
    config.require_consent(found)


def test_the_simulator_listens_beyond_loopback_only_when_told_so_and_is_reached_by_loopback(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="could trade the made-up accounts"):
        load(tmp_path, "simulator:\n  host: 0.0.0.0\n")
    found = load(tmp_path, "simulator:\n  host: 0.0.0.0\n  beyond_loopback: true\n")
    assert found.kraken.rest_url == "http://127.0.0.1:8180"
