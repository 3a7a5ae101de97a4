"""``config show`` tells what is in force, and no secret."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from monitor.cli.app import app, command_first
from shared import config as configuration
from shared.config.secret import secrets_of

LIVE = """
kraken: {sandbox: false, api_key: LIVE-KEY-ABCDEFGH-1234, api_secret: bGl2ZS1zZWNyZXQtdmFsdWU=, halt_key: ""}
trading: {pairs: [BTC/USD], inventory_base: {BTC: 0.5}, max_daily_loss: 12.5}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "config.yaml"
    made.write_text(LIVE)
    return made


def test_it_is_the_file_with_every_default_and_the_environment(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "debug")
    ran = CliRunner().invoke(app, ["config", "show", "--config", str(file)])
    assert ran.exit_code == 0
    head, _, written = ran.output.partition("\n")
    assert str(file) in head
    tree = yaml.safe_load(written)
    assert tree["trading"]["inventory_base"] == {"BTC": "0.5"}
    assert tree["trading"]["max_gross_position"] == "3000"
    assert tree["kraken"]["rest_url"] == "https://api.kraken.com"
    assert tree["strategies"]["market_maker"]["class"] == "strategy.market_maker:MarketMaker"
    assert tree["logging"]["level"] == "debug"
    assert "root" not in tree


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_no_secret_is_in_it(file: Path, options: list[str]) -> None:
    output = CliRunner().invoke(app, ["config", "show", "--config", str(file), *options]).output
    secrets = secrets_of(configuration.load(file, environ={}))
    assert secrets
    assert not [secret for secret in secrets if secret in output]
    assert "***1234" in output
    if options:
        assert json.loads(output)["kraken"]["api_secret"] == "***"


def test_what_it_prints_is_a_configuration_again(file: Path, tmp_path: Path) -> None:
    output = CliRunner().invoke(app, ["config", "show", "--config", str(file)]).output
    again = configuration.parse(output, tmp_path / "again.yaml", tmp_path, {})
    assert again.trading == configuration.load(file, environ={}).trading


def test_the_file_may_be_named_before_the_command() -> None:
    assert command_first(["--config", "c", "config", "show", "--json"]) == ["config", "show", "--json", "--config", "c"]
