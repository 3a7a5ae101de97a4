"""The table of models by regime: what is in it, that a run goes on where it was stopped, and where it is written."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import product
from pathlib import Path

import pytest

from backtest.errors import DataError
from backtest.regimes import command
from backtest.regimes.trials import REGIMES, Earned, Trial


def earned(seed: int, *, model: str = "grid", turnover: str = "10000", pnl: str = "1") -> Earned:
    return Earned(
        Trial(model, "calm", seed, 1800.0, "BTC/USD"),
        fills=3, turnover=Decimal(turnover), pnl=Decimal(pnl), spread=Decimal(2), adverse=Decimal(-1), drift=Decimal(0),
        fees=Decimal(0), unexplained=Decimal(0), points=12.0, rejects=1, halted=False,
    )  # fmt: skip


def test_a_line_has_the_profit_over_the_turnover_its_interval_and_rates_an_hour() -> None:
    line = command.table([earned(1, pnl="1"), earned(2, pnl="3")], ["grid"])[-1]
    # 4 over 20,000 is 2 bp; the seeds' 1 and 3 bp have a standard deviation of √2, so 1.96 · √2 / √2.
    assert line == "| grid | calm | +2.00 ± 1.96 | +2.00 | -1.00 | +0.00 | +0.00 | 6 | 24 | 2 |"


def test_a_model_without_a_fill_says_so() -> None:
    assert "no fills" in command.table([earned(1, turnover="0")], ["grid"])[-1]


def test_runs_that_were_kept_are_read_again_and_one_cut_off_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "of" / "runs.jsonl"
    assert command.kept(path) == {}
    for seed in (1, 2):
        command.keep(path, earned(seed))
    with path.open("ab") as out:
        out.write(b'{"trial": {"mod')
    for _ in range(2):
        assert command.kept(path) == {each.trial: each for each in (earned(1), earned(2))}
    command.keep(path, earned(3))
    assert list(command.kept(path)) == [earned(seed).trial for seed in (1, 2, 3)]


def test_a_file_that_has_no_runs_is_left_alone_and_named(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    path.write_text("my notes\n")
    with pytest.raises(DataError, match="notes has no runs"):
        command.kept(path)
    assert path.read_text() == "my notes\n"


def test_kept_runs_are_not_made_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "runs.jsonl"
    arguments = ["--seeds", "1", "--hours", "0.5", "--models", "grid", "--keep", str(path), "--workers", "1"]
    for regime in REGIMES:
        command.keep(path, replace(earned(1), trial=Trial("grid", regime, 1, 1800.0, "BTC/USD")))
    command.main(arguments)
    out = capsys.readouterr().out
    assert [line.split(" | ")[1] for line in out.splitlines()[2:]] == list(REGIMES)


def test_the_first_seed_is_that_which_was_asked_for(tmp_path: Path) -> None:
    path, page = tmp_path / "runs.jsonl", tmp_path / "page.md"
    page.write_text(f"{command.BEGIN}\n{command.END}\n")
    for regime, seed in product(REGIMES, (7, 8)):
        command.keep(path, replace(earned(1), trial=Trial("grid", regime, seed, 1800.0, "BTC/USD")))
    seeds = ["--seeds", "2", "--first", "7", "--hours", "0.5", "--models", "grid", "--workers", "1"]
    command.main([*seeds, "--keep", str(path), "--page", str(page)])
    assert "regimes --seeds 2 --first 7 --hours 0.5 --pair BTC/USD --models grid`" in page.read_text()
    assert len(path.read_bytes().splitlines()) == 8, "a run was made that was there"


HOW = "Made by `tradebyte`, default settings of each model."


def test_the_table_replaces_the_one_between_the_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{command.BEGIN}\nold\n{command.END}\nafter\n")
    command.write(page, ["| new |"], "tradebyte")
    text = page.read_text()
    kept = text.replace(command.BEGIN, "").replace(command.END, "").split("\n")
    assert [line for line in kept if line] == ["before", HOW, "| new |", "after"]
    page.write_text("no marks")
    with pytest.raises(ValueError, match="no marks"):
        command.write(page, [], "")
