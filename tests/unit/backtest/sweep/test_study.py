"""A study's file is read whole, and what is wrong in it is named by file, line and key."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from backtest.errors import DataError
from backtest.sweep.days import files_by_day, splits
from backtest.sweep.study import Choice, Data, FloatRange, IntRange, WalkForward, read
from shared.config import Config
from shared.errors import ConfigError
from tests.system import ROOT
from tests.unit.backtest.sweep.studies import DATES, STUDY, write_days

TEXT = STUDY.format(data="somewhere", more="")


def read_text(tmp_path: Path, text: str) -> object:
    file = tmp_path / "study.yaml"
    file.write_text(text)
    return read(file, Config())


def test_a_study_is_read_with_its_defaults(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(TEXT)
    study = read(tmp_path / "study.yaml", Config())
    assert study.strategy == "market_maker"
    assert study.ranges == {
        "edge_bps": FloatRange(low=0.05, high=3.5, log=True),
        "levels": IntRange(low=1, high=3),
        "sides": Choice(values=["both", "buy"]),
    }
    assert study.constraints.min_fills == 1


@pytest.mark.parametrize(
    ("old", "new", "line", "text"),
    [
        ("trials: 12", "trails: 12", 8, "unknown key 'trails'; did you mean 'trials'?"),
        ("low: 0.05", "low: 4", 3, "ranges.edge_bps: low 4 must be below high 3.5"),
        ("low: 0.05", "low: 0", 3, "low must be above 0 with log"),
        ("kind: int", "kind: whole", 4, "ranges.levels"),
        ("values: [both, buy]", "values: [both]", 5, "ranges.sides: values: name two or more"),
        ("edge_bps:", "edge_bp:", 3, "did you mean 'edge_bps'?"),
        ("objective: pnl", "objective: profit", 6, "objective"),
        ("trials: 12", "trials: 1", 1, "trials must be 2 to 1000000"),
        ("sampler: random", "strategy: nobody", 7, "no 'nobody' in the configuration; there is: market_maker"),
        ("sampler: random", "walk_forward: {train_days: 0, test_days: 1}", 7, "must be 1 or more"),
        ("sampler: random", "screen: {queue: best}", 7, "screen.queue"),
        ("sampler: random", "sampler: [", 9, "not valid YAML"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, old: str, new: str, line: int, text: str) -> None:
    assert old in TEXT
    with pytest.raises(ConfigError) as error:
        read_text(tmp_path, TEXT.replace(old, new, 1))
    assert text in str(error.value)
    assert str(error.value).startswith(f"{tmp_path / 'study.yaml'}:{line}: ")


def test_days_are_those_of_the_pairs_and_dates(tmp_path: Path) -> None:
    folder = write_days(tmp_path / "data", 4, seconds=2)
    data = Data(paths=[str(folder)], first=DATES[1], last=DATES[2])
    files = files_by_day(data, tmp_path / "out", ["BTC/USD", "ETH/USD"])
    assert list(files) == [DATES[1], DATES[2]]
    assert files[DATES[1]] == {"BTC/USD": str(folder / "BTC-USD" / f"{DATES[1]}.parquet")}
    with pytest.raises(DataError, match="no day of ETH/USD"):
        files_by_day(data, tmp_path / "out", ["ETH/USD"])


def test_what_is_not_extracted_is_extracted_once(tmp_path: Path) -> None:
    ts = 1_780_000_000_000_000_000
    rows = [f"{ts + n},add,{side},{ticks},5,1" for n in range(2) for side, ticks in (("buy", 999), ("sell", 1001))]
    source = tmp_path / "events.csv"
    source.write_text("\n".join(["ts,type,side,price_ticks,qty,id", *rows]) + "\n")
    made = [files_by_day(Data(paths=[str(source)]), tmp_path / "out", ["BTC/USD"]) for _ in range(2)]
    assert list(made[0]) == [DATES[0]]
    assert made[0] == made[1]
    # The columns are taken from then on.
    source.write_text("nothing\n")
    assert files_by_day(Data(paths=[str(source)]), tmp_path / "out", ["BTC/USD"]) == made[0]


def test_splits_move_on_by_the_test_days_and_end_with_the_last_day() -> None:
    days = list("abcdefgh")
    made = splits(days, WalkForward(train_days=3, test_days=2))
    assert [("".join(each.train), "".join(each.test)) for each in made] == [("bcd", "ef"), ("def", "gh")]
    assert [each.number for each in made] == [0, 1]
    (only,) = splits(days, None)
    assert (only.train, only.test) == (days, [])
    with pytest.raises(DataError, match="needs 9 days"):
        splits(days, WalkForward(train_days=7, test_days=2))


def test_help_needs_no_extra() -> None:
    code = (
        "import sys; sys.modules['skfolio'] = sys.modules['optuna'] = None; "
        "from backtest.sweep import command; command.main(['-h'])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, "STUDY" in done.stdout) == (0, True), done.stderr
