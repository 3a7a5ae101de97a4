"""Consent to trade live: a person's word, once per key, and never for a key that may withdraw."""

from __future__ import annotations

import stat
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import typer

from monitor.cli.doctor import command as doctor
from shared.config import Config, Kraken, Trading, check, consent_file

KEY, SECRET = "SOME-LIVE-KEY-1234567890-WXYZ", "c29tZS1saXZlLXNlY3JldA=="


@pytest.fixture
def config(tmp_path: Path) -> Config:
    made = Config(
        kraken=Kraken(sandbox=False, api_key=KEY, api_secret=SECRET, halt_key="", halt_secret=""),
        trading=Trading(pairs=["BTC/USD"], inventory_base={"BTC": Decimal(1)}),
        root=tmp_path,
    )
    check(made, lambda _key: "test")
    return made


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Type an answer, on a terminal, with a key that has these rights."""

    def set_up(answer: str, *rights: str) -> None:
        monkeypatch.setattr(doctor, "permissions", lambda _config: list(rights))
        monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
        monkeypatch.setattr("builtins.input", lambda _question: answer)

    return set_up


def consent(config: Config) -> None:
    doctor.consent(config, doctor.gathered(config))


def test_the_word_typed_is_consent_for_this_key(config: Config, person: Any) -> None:
    person("live", "query-funds", "modify-trades")
    consent(config)
    file = consent_file(config)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert KEY not in file.read_text()
    assert doctor.gathered(config).consented is True


@pytest.mark.parametrize("answer", ["", "yes", "LIVE!"])
def test_anything_else_is_none(config: Config, person: Any, answer: str) -> None:
    person(answer, "query-funds")
    with pytest.raises(typer.Exit):
        consent(config)
    assert not consent_file(config).exists()


def test_a_key_that_may_withdraw_is_refused(config: Config, person: Any, capsys: pytest.CaptureFixture[str]) -> None:
    person("live", "query-funds", "withdraw-funds")
    with pytest.raises(typer.Exit):
        consent(config)
    assert "may withdraw" in capsys.readouterr().err
    assert not consent_file(config).exists()


def test_no_secret_is_shown(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    summary = doctor.gathered(config)
    doctor.show_summary(summary)
    output = capsys.readouterr().out + str(summary)
    assert "WXYZ" in output
    assert KEY not in output
    assert SECRET not in output
    assert "EVERY order on the account" in output
