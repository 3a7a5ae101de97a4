"""A whole study: interrupted anywhere it ends as it would have, both engines play what they would alone."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest

from backtest.data.columns import Columns
from backtest.data.formats import day_files
from backtest.data.places import place
from backtest.errors import DataError
from backtest.exact import run, setting
from backtest.exact.run import Options
from backtest.report import figures
from backtest.screen.played import Pace
from backtest.screen.run import load, play_on, screen
from backtest.sweep import command, days, driver
from backtest.sweep.report import SweepReport
from backtest.sweep.search import Candidate
from backtest.sweep.study import SamplerKind, Values, read
from backtest.sweep.tasks import Conditions, Done, EngineKind, Task, perform
from shared.clock import MS, SECOND
from shared.config import Config, Trading
from tests.kit.backtest.market import head, walk
from tests.unit.backtest.sweep.studies import DATES, write_days, write_study

BTC = "BTC/USD"


def config() -> Config:
    """The defaults, with the account's bitcoin as inventory: the executor leaves alone what nobody declared."""
    return Config(trading=Trading(inventory_base={"BTC": Decimal(1), "ETH": Decimal(20), "SOL": Decimal(400)}))


class Interrupted(Exception):
    """The pool was stopped."""


class Inline:
    """Carries out tasks here, in order; stops after so many."""

    def __init__(self, conditions: Conditions, most: int | None = None) -> None:
        self.size = 2
        self.tasks: list[Task] = []
        self._conditions, self._most = conditions, most

    def results(self, tasks: Iterable[Task]) -> Iterator[Done]:
        for task in tasks:
            if len(self.tasks) == self._most:
                raise Interrupted
            self.tasks.append(task)
            yield perform(self._conditions, task)

    def close(self) -> None:
        """Nothing runs on."""


def quiet(stage: str, done: int, total: int) -> None:
    assert 0 <= done <= total


def play(file: Path, out: Path, most: int | None = None) -> tuple[SweepReport, list[list[Candidate]], Inline]:
    study = read(file, config())
    driver.claim(out, study, config())
    files = days.files_by_day(study.data, out, [BTC])
    pool = Inline(driver.conditions(study, config()), most)
    made = driver.Driver(study, days.splits(list(files), study.walk_forward), files, out, pool)
    report, candidates = made.run("USD", quiet)
    return report, candidates, pool


@pytest.mark.parametrize("kind", list(SamplerKind))
def test_an_interrupted_search_ends_as_it_would_have(
    tmp_path: Path, kind: SamplerKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backtest.sweep.search.BATCH", 4)
    data = write_days(tmp_path / "data", 3, seconds=20)
    file = write_study(tmp_path, data, "walk_forward: {train_days: 1, test_days: 1}")
    file.write_text(file.read_text().replace("sampler: random", f"sampler: {kind}"))
    whole, _, pool = play(file, tmp_path / "whole")
    assert whole.ranking[0].exact is not None
    most = 3
    for _ in range(20):
        try:
            resumed, _, last = play(file, tmp_path / "parts", most)
            break
        except Interrupted:
            continue
    # Nothing is played twice, and the last part is only what was left.
    assert len(last.tasks) <= most < len(pool.tasks)
    assert msgspec.structs.replace(resumed, wall_s=0) == msgspec.structs.replace(whole, wall_s=0)
    tables = [
        pq.read_table(tmp_path / name / "results.parquet").drop_columns(["wall_s"]) for name in ("whole", "parts")
    ]
    keys = [("engine", "ascending"), ("split", "ascending"), ("trial", "ascending"), ("day", "ascending")]
    assert tables[0].sort_by(keys).equals(tables[1].sort_by(keys))
    assert tables[0].num_rows == 2 * 12 * 2 + 2 * 2


def test_the_sampler_sees_the_training_days_alone(tmp_path: Path) -> None:
    """Other test days change no set that is asked for and no choice."""
    chosen = []
    for name, last in (("one", 3), ("other", 4)):
        data = write_days(tmp_path / name, 2, seconds=20)
        other = data / "BTC-USD" / f"{DATES[2]}.parquet"
        source = write_days(tmp_path / f"{name} more", last, seconds=20) / "BTC-USD" / f"{DATES[last - 1]}.parquet"
        other.write_bytes(source.read_bytes())
        file = write_study(tmp_path, data, "walk_forward: {train_days: 2, test_days: 1}")
        file.write_text(file.read_text().replace("sampler: random", "sampler: tpe"))
        report, candidates, _ = play(file, tmp_path / f"{name} out")
        assert report.splits[0].best is not None
        chosen.append((report.splits[0].best.settings, [(each.values, each.train) for each in candidates[0]]))
        assert report.walk_forward is not None
        chosen[-1][1].sort(key=lambda pair: str(pair))
    assert chosen[0] == chosen[1]


def conditions() -> Conditions:
    return Conditions(config(), "market_maker", None, 10.0, "pro_rata", 10 * SECOND, 1)


def one_day(tmp_path: Path, engine: EngineKind, *sets: Values) -> Done:
    folder = write_days(tmp_path / "data", 1)
    file = str(folder / "BTC-USD" / f"{DATES[0]}.parquet")
    return perform(conditions(), Task(engine, 0, DATES[0], {BTC: file}, dict(enumerate(sets))))


def day_one() -> Columns:
    return walk(1, 40)


def test_a_set_is_screened_as_screen_does(tmp_path: Path) -> None:
    sets: list[Values] = [{"edge_bps": 0.2, "levels": 1}, {"edge_bps": 1.0, "levels": 3}]
    done = one_day(tmp_path, EngineKind.SCREEN, *sets)
    for number, values in enumerate(sets):
        (pair,) = screen(
            conditions().with_settings(values), "market_maker", {BTC: day_one()}, "pro_rata", Pace(None, 10 * MS)
        )
        made = done.outcomes[number]
        assert made.fills == len(pair.played.fills) > 0
        assert made.pnl == pytest.approx(float(pair.account.pnl), abs=1e-3 * made.fills)
        assert sum(made.slices) == pytest.approx(made.pnl)
        assert made.turnover == pytest.approx(float(sum(fill.qty * fill.price for fill in pair.account.fills)))


def test_a_set_runs_as_backtest_does(tmp_path: Path) -> None:
    values: Values = {"edge_bps": 0.2}
    made = one_day(tmp_path, EngineKind.EXACT, values).outcomes[0]
    prepared = setting.prepare(conditions().with_settings(values), "market_maker", [BTC], [BTC], 1)
    outcome = run.on_columns(prepared, {BTC: day_one()}, Options("market_maker", 1))
    assert made.fills == len(outcome.fills) > 0
    assert made.pnl == float(figures.profit(outcome))
    assert made.points == outcome.points
    assert not made.halted


def test_a_run_that_halts_is_counted_and_warned_of(tmp_path: Path) -> None:
    folder = write_days(tmp_path / "data", 1)
    ruined = config()
    ruined.trading = msgspec.structs.replace(ruined.trading, max_daily_loss=Decimal("0.0001"))
    task = Task(EngineKind.EXACT, 0, DATES[0], {BTC: str(folder / "BTC-USD" / f"{DATES[0]}.parquet")}, {0: {}})
    made = perform(dataclasses.replace(conditions(), config=ruined), task).outcomes[0]
    assert made.halted == 1


def test_settings_that_cannot_be_are_refused_and_the_others_play(tmp_path: Path) -> None:
    done = one_day(tmp_path, EngineKind.SCREEN, {"min_edge_bps": 9.0}, {"edge_bps": 0.2})
    assert "min_edge_bps" in done.outcomes[0].refused
    assert done.outcomes[1].fills


def test_a_cut_future_changes_no_request_before_it() -> None:
    columns = day_one()
    until = int(columns.table["exchange_ts"][-1].as_py()) - 15 * SECOND
    requests = []
    for part in (columns, head(columns, until)):
        loaded = load(config(), part, "pro_rata")
        played, _ = play_on(config(), "market_maker", loaded, loaded.market, Pace(None, 10 * MS))
        requests.append([request for request in played.operations if request.ts <= until])
    assert requests[0] == requests[1] != []


def test_a_folder_of_another_study_is_refused(tmp_path: Path) -> None:
    study = read(write_study(tmp_path, tmp_path), config())
    driver.claim(tmp_path / "out", study, config())
    driver.claim(tmp_path / "out", msgspec.structs.replace(study, trials=500), config())
    with pytest.raises(DataError, match="another study"):
        driver.claim(tmp_path / "out", msgspec.structs.replace(study, seed=2), config())


def test_constraints_that_nothing_holds_leave_no_best(tmp_path: Path) -> None:
    data = write_days(tmp_path / "data", 1, seconds=20)
    report, _, pool = play(write_study(tmp_path, data, "constraints: {min_fills: 100000}"), tmp_path / "out")
    assert report.splits[0].best is None
    assert all(each.exact is None for each in report.ranking)
    assert all(task.engine is EngineKind.SCREEN for task in pool.tasks)
    assert any("no set holds" in text for text in report.warnings)


def test_the_command_writes_everything_and_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write_days(tmp_path / "data", 2, seconds=20)
    file = write_study(tmp_path, data, "walk_forward: {train_days: 1, test_days: 1}")
    arguments = [str(file), "--out", str(tmp_path / "out"), "--workers", "2", "--json"]
    command.main([*arguments, "--trials", "6"])
    first = msgspec.json.decode(capsys.readouterr().out, type=SweepReport)
    assert (first.trials, first.splits[0].sets) == (6, 6)
    command.main(arguments)
    printed = capsys.readouterr().out
    second = msgspec.json.decode(printed, type=SweepReport)
    assert second.splits[0].sets == 12
    assert json.loads((tmp_path / "out" / "report.json").read_text()) == json.loads(printed)
    page = (tmp_path / "out" / "report.html").read_text()
    for heading in ("The best set of each split", "over the two settings", "The best sets by day", "test days up"):
        assert heading in page
    with pytest.raises(SystemExit):
        command.main([str(tmp_path / "nothing.yaml")])
    assert "nothing.yaml" in capsys.readouterr().err


def test_days_are_read_as_they_were_written(tmp_path: Path) -> None:
    folder = write_days(tmp_path / "data", 1)
    assert day_files.read(place(str(folder / "BTC-USD" / f"{DATES[0]}.parquet"))).table.equals(day_one().table)
