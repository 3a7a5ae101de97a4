"""``extract``: a file a pair and day that can be read alone; nothing is overwritten unasked, nothing bad unsaid."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from backtest.data import extract
from backtest.data.columns import Kind, Mark
from backtest.data.places import place
from backtest.data.sources import parts, read
from backtest.data.tally import Tally
from backtest.data.writing import DayWriter
from backtest.errors import DataError
from shared.clock import SECOND
from tests.frames import frames_path
from tests.unit.backtest.data.market_data import (
    MIDNIGHT,
    NOON,
    SYMBOL,
    Exchange,
    parsed,
    rows,
    trade_frame,
    write_lines,
)

DAY = 86_400 * SECOND


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run the command; return its exit code, output and errors."""
    with pytest.raises(SystemExit) as ended:
        extract.main(list(arguments))
    printed = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, printed.out, printed.err


@pytest.fixture
def two_days(tmp_path: Path) -> str:
    exchange = Exchange()
    frames = [
        exchange.frame("snapshot", NOON, [(1000, 5)], [(1001, 7)]),
        exchange.frame("update", MIDNIGHT + DAY - SECOND, [(1000, 6)]),
        trade_frame(MIDNIGHT + DAY + SECOND, "sell", 1000, 1, 1),
        exchange.frame("update", MIDNIGHT + DAY + SECOND, [(1000, 5)]),
    ]
    return write_lines(tmp_path / "capture.jsonl", frames)


def test_what_is_extracted_is_what_was_read(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    source = str(frames_path("public_v2/book10_trades_BTCUSD_ETHUSD_flashbook.jsonl"))
    code, out, err = run(capsys, source, "--out", str(tmp_path), "--json")
    summary = parsed(out)
    assert (code, err) == (0, "")
    assert summary["files"] == [str(tmp_path / pair / "2026-07-07.parquet") for pair in ("BTC-USD", "ETH-USD")]
    assert (summary["rows"], summary["frames"], summary["checksums_ok"]) == (4229, 2972, 2962)
    assert (summary["checksums_failed"], summary["gaps"], summary["bad_rows"]) == (0, {}, 0)
    assert summary["pairs"] == ["BTC/USD", "ETH/USD"]
    assert summary["coverage_bps"] == {"BTC/USD": 1.425, "ETH/USD": 2.03}
    assert summary["bytes"] == sum(file.stat().st_size for file in tmp_path.rglob("*.parquet"))
    before, after = read([source]).columns, read([str(tmp_path)]).columns
    assert before.keys() == after.keys()
    for symbol, columns in before.items():
        assert (columns.pair, columns.depth) == (after[symbol].pair, after[symbol].depth)
        assert columns.table.equals(after[symbol].table)


def test_a_file_explains_itself_to_a_stranger(
    capsys: pytest.CaptureFixture[str], two_days: str, tmp_path: Path
) -> None:
    run(capsys, two_days, "--out", str(tmp_path))
    file = pq.ParquetFile(tmp_path / "BTC-USD" / "2026-07-24.parquet")
    about = file.schema_arrow.metadata
    assert json.loads(about[b"pair"])["price_precision"] == 1
    assert about[b"depth"] == b"10"
    assert about[b"source"].decode() == two_days
    assert json.loads(about[b"tally"])["checksums_ok"] == 3
    assert str(file.schema_arrow.field("exchange_ts").type) == "timestamp[us, tz=UTC]"


def test_each_day_can_be_read_alone(capsys: pytest.CaptureFixture[str], two_days: str, tmp_path: Path) -> None:
    run(capsys, two_days, "--out", str(tmp_path))
    second = read([str(tmp_path / "BTC-USD" / "2026-07-25.parquet")]).columns[SYMBOL]
    assert [row[2] for row in rows(second)] == [Kind.SNAPSHOT, Kind.SNAPSHOT, Kind.TRADE, Kind.LEVEL]
    assert rows(second)[0][0] == MIDNIGHT + DAY
    both = read([str(tmp_path)]).columns[SYMBOL]
    assert both.table.equals(read([two_days]).columns[SYMBOL].table)


def test_a_day_whose_book_is_not_known_at_midnight_begins_with_a_mark(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    exchange = Exchange()
    frames = [
        exchange.frame("snapshot", NOON, [(1000, 5)], [(1001, 7)]),
        exchange.frame("update", NOON + SECOND, [(1000, 6)], checksum=1),
        trade_frame(MIDNIGHT + DAY + SECOND, "sell", 1000, 1, 1),
        exchange.frame("snapshot", MIDNIGHT + DAY + 2 * SECOND, [(1000, 5)], [(1001, 7)]),
    ]
    run(capsys, write_lines(tmp_path / "capture.jsonl", frames), "--out", str(tmp_path))
    second = read([str(tmp_path / "BTC-USD" / "2026-07-25.parquet")]).columns[SYMBOL]
    assert rows(second)[0] == (MIDNIGHT + DAY, MIDNIGHT + DAY, Kind.MARK, 0, 0, Mark.MISSED, 0)


def test_days_that_do_not_follow_one_another_have_a_mark_between_them(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for number, at in enumerate((NOON, NOON + 2 * DAY)):
        path = write_lines(tmp_path / f"{number}.jsonl", [Exchange().frame("snapshot", at, [(1000, 5)], [(1001, 7)])])
        run(capsys, path, "--out", str(tmp_path / "out"))
    made = read([str(tmp_path / "out")]).columns[SYMBOL]
    assert [(row[0], row[2]) for row in rows(made)][2:4] == [(NOON, Kind.MARK), (NOON + 2 * DAY, Kind.SNAPSHOT)]


def test_a_day_that_is_there_is_not_overwritten_unasked(
    capsys: pytest.CaptureFixture[str], two_days: str, tmp_path: Path
) -> None:
    assert run(capsys, two_days, "--out", str(tmp_path))[0] == 0
    (tmp_path / "BTC-USD" / "2026-07-24.parquet").unlink()
    code, _, err = run(capsys, two_days, "--out", str(tmp_path))
    assert code == 1
    assert "2026-07-25.parquet: this day is there already; --overwrite" in err
    assert not (tmp_path / "BTC-USD" / "2026-07-24.parquet").exists(), "all or nothing"
    assert run(capsys, two_days, "--out", str(tmp_path), "--overwrite")[0] == 0


def test_bad_rows_are_named_on_stderr_and_counted(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    frames = [Exchange().frame("snapshot", NOON, [(1000, 5)], [(1001, 7)]), *[b"rubbish"] * 101]
    path = write_lines(tmp_path / "capture.jsonl", frames)
    code, out, err = run(capsys, path, "--out", str(tmp_path), "--json")
    assert (code, parsed(out)["bad_rows"], parsed(out)["gaps"]) == (0, 101, {"unreadable": 101})
    lines = err.splitlines()
    assert f"{path}:2: no JSON" in lines[0]
    assert lines[-1] == "tradebyte extract: and 1 bad rows more"
    assert len(lines) == 101


def test_nothing_to_write_is_exit_code_1(capsys: pytest.CaptureFixture[str], two_days: str, tmp_path: Path) -> None:
    code, out, _ = run(capsys, two_days, "--out", str(tmp_path / "out"), "--pair", "ETH/USD")
    assert code == 1
    assert "0 rows" in out
    assert run(capsys, str(tmp_path / "nowhere"), "--out", str(tmp_path / "out"))[0] == 1


def test_whole_days_are_written_on_the_way_and_later_rows_of_them_refused(tmp_path: Path) -> None:
    exchange = Exchange()
    tally = Tally()
    writer = DayWriter(place(str(tmp_path / "out")), "test", overwrite=False, rows_gathered=3)
    paths = []
    for number in range(3):
        frames = [
            exchange.frame("snapshot", NOON + number * DAY, [(1000, 5)], [(1001, 7)]),
            exchange.frame("update", NOON + number * DAY + SECOND, [(1000, number + 1)]),
        ]
        paths.append(write_lines(tmp_path / f"{number}.jsonl", frames))
    for part in parts(paths, tally, None):
        writer.take(part, tally)
    assert [Path(file).name for file in writer.files] == ["2026-07-24.parquet", "2026-07-25.parquet"]
    for part in parts(paths[:1], tally, None):
        with pytest.raises(DataError, match="name the paths in order of time"):
            writer.take(part, tally)


@pytest.fixture
def pairs_file(tmp_path: Path) -> Iterator[str]:
    from simulator.pairs import pairs as table

    saved = dict(table.PAIRS), dict(table.BY_WSNAME), dict(table._BY_NAME)
    entry = {"wsname": "ZZZ/USD", "altname": "ZZZUSD", "base": "ZZZ", "quote": "ZUSD", "pair_decimals": 3,
             "lot_decimals": 5, "ordermin": "1", "costmin": "0.5", "tick_size": "0.001"}  # fmt: skip
    (tmp_path / "pairs.json").write_text(json.dumps({"ZZZUSD": entry}))
    (tmp_path / "config.yaml").write_text("simulator:\n  asset_pairs: pairs.json\n")
    yield str(tmp_path / "config.yaml")
    for current, before in zip((table.PAIRS, table.BY_WSNAME, table._BY_NAME), saved, strict=True):
        current.clear()
        current.update(before)


def test_pairs_that_no_table_has_come_from_a_file_of_asset_pairs(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, pairs_file: str
) -> None:
    frame = (
        b'{"channel":"book","type":"snapshot","data":[{"symbol":"ZZZ/USD","bids":[{"price":1.001,"qty":2.00000}],'
        b'"asks":[{"price":1.002,"qty":1.00000}],"timestamp":"2026-07-24T12:00:00.000000Z"}]}'
    )
    path = write_lines(tmp_path / "capture.jsonl", [frame])
    assert run(capsys, path, "--out", str(tmp_path), "--config", pairs_file)[0] == 0
    assert [row[4:6] for row in rows(read([str(tmp_path / "ZZZ-USD")]).columns["ZZZ/USD"])] == [
        (1001, 200_000),
        (1002, 100_000),
    ]
